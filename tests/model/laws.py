"""laws.py - what must hold between runs: the same history told in other ways says the same.

* The same bytes whatever the batches, the checkpoints and the cache, with a new start after
  any record, and after any kill.
* An account's outputs (numbers of entries and ids apart) are the same whatever the other
  accounts do, and however many partitions there are.
* With ample credits, ticks that are lost, repeated or late change no charge.
"""

import json
import random
import re
import tempfile
from pathlib import Path

from decode import Undecodable, decode
from history import Honest, fold
from model import Partition
from program import Failed, Program, micros, number, program_outputs, write_events
from texts import partition_of, time_text

ACCOUNTS_ALONE = 5  # of a history, by dice
TICK = b"callfold.call.ticked"
RECHARGE_ID = re.compile(rb'("recharge_id" ?: ?)"(\d+:\d+:\d+)"')
# What depends on the other records of the partition, or on how a recharge is called.
NOT_THE_ACCOUNTS = {"entry", "line", "prev", "hash", "partition", "payload", "sha256", "size", "detail", "recharge_id"}


def check_laws(program, history, seed):
    """Failed with the first law that does not hold; seed: of the dice."""
    rng = random.Random(seed)
    check_same_bytes(program, history.records, rng)
    check_alone(program, history, rng)
    check_ticks(program.path, rng, len(history.records))


# ---------------------------------------------------------------- the same bytes


def settings(rng):
    """Ways of running that are to make no difference."""
    def some():
        return ["--batch", str(rng.choice([1, 2, 7, 100])), "--checkpoint-every", str(rng.choice([1, 2, 5, 50])),
                "--keep-records", str(rng.choice([0, 1, 10, 100]))]
    return [["--batch", "1"], ["--batch", "1", "--checkpoint-every", "1", "--keep-records", "0"], some(), some()]


def check_same_bytes(program, records, rng):
    with tempfile.TemporaryDirectory(prefix="callfold-model-") as directory:
        def prepared(name):
            where = Path(directory, name)
            where.mkdir()
            write_events(where, records)
            return where
        plain = program.run(prepared("plain"))
        runs = {" ".join(options): program.run(prepared(str(number)), *options)
                for number, options in enumerate(settings(rng))}
        runs["a new start every so often"] = program.run_in_parts(prepared("parts"), records, rng)
        runs["kill -9"] = program.run_killed(prepared("killed"), rng, "--batch", "3", "--checkpoint-every", "11")
        for name, topics in runs.items():
            for topic, text in topics.items():
                if text != plain[topic]:
                    raise Failed(f"law: {name}: other bytes in {topic} than in one plain run")


# ---------------------------------------------------------------- alone


def check_alone(program, history, rng):
    together = program_outputs(program, history.records)
    accounts = sorted({(record.partition, output["subject"])
                       for record, outputs in zip(history.records, history.outputs)
                       for output in outputs if output["type"] == "callfold.ledger.posted"})
    for partition, account in rng.sample(accounts, min(ACCOUNTS_ALONE, len(accounts))):
        place, count = another_place(history, account, rng)
        records = alone(history, partition, account, Partition(place, count))
        apart = program_outputs(Program(program.path, count), records)
        for record in records:
            before = own_outputs(together.get((partition, record.offset), []), account)
            after = own_outputs(apart.get((place, record.offset), []), account)
            if before != after:
                raise Failed(f"law: {account} alone in partition {place} of {count or 'an unknown number'}: other outputs "
                             f"at {partition}:{record.offset}: {after} instead of {before}")


def another_place(history, account, rng):
    """(partition, partition count) of an account that has left the others; a bare file has but one partition."""
    if history.records[0].timestamp is None:
        return 0, 0
    if not history.partition_count:
        return rng.randrange(9), 0
    count = rng.randrange(1, 12)
    return partition_of(account.encode(), count), count


def alone(history, partition, account, elsewhere):
    """The account's records and the broadcasts; of all others only the time is left.

    elsewhere: the model of the partition they go to, which tells how recharges are called there."""
    records, names = [], {}
    for record, outputs in zip(history.records, history.outputs):
        if record.partition != partition:
            continue
        left = record._replace(partition=elsewhere.number)
        if record.value is not None:
            left = left._replace(**what_is_left(record, outputs, account))
        if left.value is not None:
            left = left._replace(value=renamed(left.value, names))
        records.append(left)
        for before, after in zip(own_recharges(outputs, account), own_recharges(fold(elsewhere, left), account)):
            names[before.encode()] = after.encode()
    return records


def what_is_left(record, outputs, account):
    """{} for the account's own records and broadcasts; else what moves the clocks alike, and nothing more."""
    rejects = {output["data"]["reason"]: output["subject"] for output in outputs
               if output["type"] == "callfold.event.rejected"}
    try:
        event = decode(record.value)
    except Undecodable:
        return {} if account in rejects.values() else {"value": b"{}"}
    if event.subject in (None, account):
        return {}
    if "key_mismatch" in rejects:
        return {"value": b"{}"}
    told = {"specversion": "1.0", "id": "-", "source": "/alone", "type": "callfold.clock.advanced",
            "time": time_text(event.time), "data": {}}
    return {"value": json.dumps(told).encode()}


def renamed(value, names):
    """Recharges by their new names; those of other accounts by one that nothing has."""
    return RECHARGE_ID.sub(lambda found: found[1] + b'"' + names.get(found[2], b"other-" + found[2]) + b'"', value)


def own_recharges(outputs, account):
    return [output["data"]["recharge_id"] for output in outputs
            if output["type"] == "callfold.account.recharge" and output["subject"] == account]


def own_outputs(outputs, account):
    """In order, without what is not the account's own."""
    own = []
    for output in sorted(outputs, key=number):
        if output["subject"] == account:
            data = {name: item for name, item in output["data"].items() if name not in NOT_THE_ACCOUNTS}
            own.append((output["type"], output["time"], data))
    return own


# ---------------------------------------------------------------- lost, repeated and late ticks


def check_ticks(program_path, rng, events):
    platform = Honest(rng, events, accounts=2)
    platform.amounts, platform.calls_max = ["1000000"], 0
    history = platform.run()
    program = Program(program_path, history.partition_count)
    told = charges(history.records, program_outputs(program, history.records))
    disturbed = disturb(history.records, rng)
    for call, charge in charges(disturbed, program_outputs(program, disturbed)).items():
        if charge != told[call]:
            raise Failed(f"law: ticks lost, repeated and late: {call} is charged {charge} instead of {told[call]}")


def disturb(records, rng):
    """In the place of a tick: itself, only its time, or another tick of before."""
    disturbed, lost = [], rng.choice([0.3, 0.99])  # so many that calls go stale
    for index, record in enumerate(records):
        if TICK in record.value:
            fate = rng.random()
            before = [other for other in records[max(0, index - 200):index]
                      if TICK in other.value and other.partition == record.partition]
            if fate < lost:
                record = record._replace(**what_is_left(record, [], None))
            elif fate < lost + 0.3 and before:
                other = rng.choice(before)
                record = record._replace(key=other.key, value=other.value)
        disturbed.append(record)
    return disturbed


def charges(records, grouped):
    """{(account, call): (amount and the like of its last record, its entries)} of the calls that were ended."""
    ended = set()
    for record in records:
        event = json.loads(record.value)
        if event["type"] == "callfold.call.ended":
            ended.add((event["subject"], event["data"]["call_id"]))
    recorded, entries = {}, {}
    for record in records:
        for output in grouped.get((record.partition, record.offset), []):
            data = output["data"]
            if output["type"] == "callfold.call.recorded":
                recorded[output["subject"], data["call_id"]] = [data[name] for name in (
                    "duration_ms", "billed_ms", "amount", "uncollected")]
            if output["type"] == "callfold.ledger.posted" and data["kind"] == "call":
                call = output["subject"], data["reference"]
                entries[call] = entries.get(call, 0) + micros(data["amount"])
    return {call: (recorded.get(call), entries.get(call, 0)) for call in ended}
