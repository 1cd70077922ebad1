"""compare.py - holds callfold against the naive model, history by history.

    python3 tests/model/compare.py SEED... [--events N] [--accounts N] [--callfold PATH]
    python3 tests/model/compare.py --file EVENTS.jsonl [--partitions N]

Each seed's history goes to `callfold run` as a file of events and through the model, and
every output of every topic must be the same, member by member (`detail` and `digest` are
the program's own). The first difference is reported with the record that caused it, then
the history is shrunk to the fewest records that still show it and printed as JSON lines,
ready for --file. Of the ids only partition and offset are compared, and that n counts
0, 1, 2 ...; --order compares n as well, which is the order of outputs across topics.

What must hold of any outputs is checked too (check_invariants), and with --laws what must
hold between runs (laws.py).
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import time
from pathlib import Path

from coverage import Coverage
from fewer_rates import rates_of, without_rates
from history import History, Record, fold, generate, line
from laws import check_laws
from model import NO_HASH, NO_KEY, Partition
from parallel import generate_parallel
from program import Failed, Program, group, micros, number, program_outputs
from texts import time_text

NOT_COMPARED = {"detail", "digest"}
SHOWN_BEFORE = 15  # events of the account shown before the one that differs
SHRINK_SECONDS = 120


# ---------------------------------------------------------------- comparing


def comparable(output, order):
    data = {name: item for name, item in output["data"].items() if name not in NOT_COMPARED}
    name = output["id"]
    if not order:
        name = name.rpartition(":")[0]
        if "recharge_id" in data:
            data["recharge_id"] = data["recharge_id"].rpartition(":")[0]
    return {**output, "id": name, "data": data}


def by_topic(outputs, order):
    topics = {}
    for output in outputs:
        topics.setdefault(output["topic"], []).append(comparable(output, order))
    return topics


def first_difference(records, expected, got, order):
    """Index of the first record whose outputs differ, or None. expected: a list a record."""
    for index, record in enumerate(records):
        outputs = got.get((record.partition, record.offset), [])
        numbers = sorted(map(number, outputs))
        if numbers != list(range(len(outputs))) or by_topic(expected[index], order) != by_topic(outputs, order):
            return index
    return None


def model_outputs(records, partition_count):
    partitions = {}
    return [fold(partitions.setdefault(record.partition, Partition(record.partition, partition_count)), record)
            for record in records]


# ---------------------------------------------------------------- what must hold of any outputs


def attribute(record, name):
    """A text that a record has in its envelope, as far as it can be read."""
    try:
        value = json.loads(record.value).get(name)
    except (ValueError, AttributeError, TypeError):
        return None
    return value if isinstance(value, str) else None


def subject_of(record):
    return attribute(record, "subject")


def kind_of(record):
    return (attribute(record, "type") or "").removeprefix("callfold.")


def check_invariants(grouped, records):
    """The ledger of each partition by itself; Failed with the first sentence that does not hold."""
    chains, entries, balances = {}, {}, {}
    for record in records:
        partition = record.partition
        for output in sorted(grouped.get((partition, record.offset), []), key=number):
            data, kind = output["data"], output["type"][9:]
            if kind == "ledger.posted":
                check_entry(output, partition, chains, entries, balances)
            if kind == "balance.changed":
                require(micros(data["balance"]) == balances[partition, output["subject"]], output, "balance")
                require(0 <= micros(data["available"]) <= micros(data["balance"]), output, "available")
            if kind == "call.recorded":
                require(micros(data["amount"]) >= 0 and micros(data["uncollected"]) >= 0, output, "amounts below zero")


def check_entry(output, partition, chains, entries, balances):
    data, account = output["data"], (partition, output["subject"])
    balances[account] = balances.get(account, 0) + micros(data["amount"])
    entries[partition] = entries.get(partition, 0) + 1
    require(balances[account] == micros(data["balance"]), output, "the sum of the amounts is not the balance")
    require(balances[account] >= 0, output, "a balance below zero")
    require(data["entry"] == entries[partition], output, "entries do not count 1, 2, 3")
    require(data["prev"] == chains.get(partition, NO_HASH), output, "prev is not the last hash")
    require(data["hash"] == hashlib.sha256(f"{data['prev']}\n{data['line']}".encode()).hexdigest(), output, "hash")
    chains[partition] = data["hash"]
    sums = {}
    for posting in data["postings"]:
        sums[posting["currency"]] = sums.get(posting["currency"], 0) + micros(posting["amount"])
    require(not any(sums.values()), output, "postings do not sum to zero")


def require(holds, output, what):
    if not holds:
        raise Failed(f"{what}: {json.dumps(output, ensure_ascii=False)}")


def check_ticks(history, grouped):
    """A tick moves no limit that credits gave, unless it brings news of a policy or other calls went stale before it."""
    limited, versions, seen = set(), {}, {}
    for record in history.records:
        kind, account = kind_of(record), (record.partition, subject_of(record))
        outputs = sorted(grouped.get((record.partition, record.offset), []), key=number)
        if kind == "policy.configured":
            versions[record.partition] = versions.get(record.partition, 0) + 1
        has_news = seen.get(account) != versions.get(record.partition)
        went_stale = any(output["data"].get("reason") == "stale" for output in outputs)
        for output in outputs:
            call = (record.partition, output["subject"], output["data"].get("call_id"))
            moved = output["type"][9:] if output["type"][9:] in ("call.cutoff", "call.cutoff_withdrawn") else None
            by_credits = moved and output["data"].get("reason", "credits_exhausted") == "credits_exhausted"
            require(not (by_credits and kind == "call.ticked" and call in limited) or has_news or went_stale, output,
                    "a tick moves a limit")
            if moved or output["type"] == "callfold.call.recorded":  # whose id may be used again
                (limited.add if moved == "call.cutoff" else limited.discard)(call)
        if any(output["subject"] == account[1] and output["topic"] != "rejects" for output in outputs):
            seen[account] = versions.get(record.partition)


def check_honest(history, grouped):
    """A platform that ticks and obeys leaves nothing uncollected, but for what events/README.md says a call's start may
    do to one that was not reported just before."""
    lowered_by_start = set()
    for record in history.records if history.honest else []:
        for output in sorted(grouped.get((record.partition, record.offset), []), key=number):
            kind, call = output["type"][9:], (output["subject"], output["data"].get("call_id"))
            if kind in ("call.cutoff", "call.cutoff_withdrawn"):
                by_start = history.honest == "ticks" and b"call.started" in record.value
                (lowered_by_start.add if by_start else lowered_by_start.discard)(call)
            if kind == "call.recorded":
                require(output["data"]["uncollected"] == "0" or call in lowered_by_start, output,
                        "an honest platform left something uncollected")


# ---------------------------------------------------------------- judging one history


def judge(program, history, order):
    """None when program and model agree, else (what, index of the record or None)."""
    try:
        got = program_outputs(program, history.records)
        index = first_difference(history.records, history.outputs, got, order)
        if index is not None:
            return signature(history, got, index, order), index, got
        check_invariants(got, history.records)
        check_ticks(history, got)
        check_honest(history, got)
    except Failed as failure:
        return str(failure).split(":")[0], None, str(failure)
    return None


def signature(history, got, index, order):
    """What kind of difference it is, so that shrinking does not wander off to another."""
    record = history.records[index]
    sides = by_topic(history.outputs[index], order), by_topic(got.get((record.partition, record.offset), []), order)
    kinds = []
    for mine, other in (sides, sides[::-1]):
        only = [output for topic, outputs in mine.items() for output in outputs if output not in other.get(topic, [])]
        kinds.append([(output["type"], output["data"].get("reason") or output["data"].get("kind")) for output in only])
    return json.dumps(kinds)


# ---------------------------------------------------------------- shrinking


def without(records, dropped):
    """The records but those dropped; in a bare file blank lines keep the others' offsets."""
    blank = [record._replace(value=None) if record.timestamp is None else None for record in records]
    return [blank[index] if index in dropped else record for index, record in enumerate(records)
            if index not in dropped or blank[index]]


def as_bare(records, partition):
    """One partition's records as a bare file, offsets kept by blank lines; its recharges are called after partition 0."""
    name = re.compile(rb'"%d:(\d+:\d+)"' % partition)
    values = {record.offset: name.sub(rb'"0:\1"', record.value) for record in records if record.partition == partition}
    return [Record(0, offset, None, NO_KEY, values.get(offset)) for offset in range(max(values) + 1)]


class Shrinker:
    def __init__(self, program, history, failure, order):
        self.program, self.order, self.failure = program, order, failure
        self.partition_count = history.partition_count
        self.records = list(history.records)
        self.until = time.monotonic() + SHRINK_SECONDS

    def fails(self, records):
        return time.monotonic() <= self.until and self.still_fails(records)

    def still_fails(self, records):
        history = History(records, self.partition_count, model_outputs(records, self.partition_count), None)
        failure = judge(self.program, history, self.order)
        return failure is not None and failure[0] == self.failure[0]

    def try_without(self, dropped):
        smaller = without(self.records, set(dropped))
        if dropped and self.fails(smaller):
            self.records = smaller
            return True
        return False

    def try_as_bare(self, partition):
        """A bare history can be printed as a table; some differences need keys and timestamps."""
        program, partition_count = self.program, self.partition_count
        self.program, self.partition_count = Program(program.path), 0
        bare = as_bare(self.records, partition)
        if self.fails(bare):
            self.records = bare
        else:
            self.program, self.partition_count = program, partition_count

    def present(self):
        return [index for index, record in enumerate(self.records) if record.value is not None]

    def try_without_rates(self, dropped):
        fewer = without_rates(self.records, set(dropped))
        if self.fails(fewer):
            self.records = fewer

    @staticmethod
    def drop_what_can_go(present, try_without):
        """Tries without every half, quarter, eighth ... of what is present, from the end."""
        size = max(1, len(present()) // 2)
        while size:
            end = len(present())
            while end > 0:
                try_without(present()[max(0, end - size):end])
                end -= size
            size //= 2

    def shrink(self):
        """History of the fewest records that still fail, as far as the time goes."""
        index = self.failure[1]
        if index is not None:
            self.try_without(range(index + 1, len(self.records)))
            culprit = self.records[index]
            self.try_without([at for at in self.present() if self.records[at].partition != culprit.partition])
            self.try_without([at for at in self.present()
                              if subject_of(self.records[at]) not in (None, subject_of(culprit))])
            if culprit.timestamp is not None:
                self.try_as_bare(culprit.partition)
        self.drop_what_can_go(self.present, self.try_without)
        self.drop_what_can_go(lambda: rates_of(self.records), self.try_without_rates)
        self.drop_what_can_go(self.present, self.try_without)
        compact = [record._replace(offset=offset) for offset, record in
                   enumerate(record for record in self.records if record.value is not None)]
        if compact and compact[0].timestamp is None and self.still_fails(compact):
            self.records = compact
        return History(self.records, self.partition_count, model_outputs(self.records, self.partition_count), None)


# ---------------------------------------------------------------- reporting


def shown(output, order):
    view = comparable(output, order)
    data = json.dumps(view["data"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"{view['id']} {view['type'][9:]} {view['subject'] or '-'} {data}"


def told(record):
    """A record in one readable line."""
    try:
        event = json.loads(record.value)
        data = json.dumps(event["data"], ensure_ascii=False, separators=(",", ":"))
        text = f"{event['time']} {event['type'][9:]} {event.get('subject', '-')} {data}"
    except (ValueError, TypeError, KeyError):
        text = repr(record.value[:200])
    at = "" if record.timestamp is None else f" @{time_text(record.timestamp)}"
    return f"{record.partition}:{record.offset}{at} {text}"


def report(history, failure, order):
    _, index, got = failure
    if index is None:
        print("  " + got)
        return
    culprit = history.records[index]
    subjects = (subject_of(culprit), None)
    related = [at for at, record in enumerate(history.records[:index]) if record.partition == culprit.partition
               and record.value is not None and subject_of(record) in subjects]
    for at in related[-SHOWN_BEFORE:]:
        print(f"    {told(history.records[at])[:300]}")
        for output in history.outputs[at]:
            if output["topic"] != "attestations":
                print(f"        {shown(output, order)[:300]}")
    print(f"  > {told(culprit)}")
    outputs = sorted(got.get((culprit.partition, culprit.offset), []), key=number)
    expected = history.outputs[index]
    for side, mine, other in (("expected", expected, outputs), ("got     ", outputs, expected)):
        known = [comparable(output, order) for output in other]
        for output in mine:
            mark = " " if comparable(output, order) in known else "!"
            print(f"   {mark} {side} {shown(output, order)}")


COLUMNS = {  # of the lines of tests/tables/, by type of output
    "call.authorized": ["call_id"], "call.denied": ["call_id", "reason"], "sms.denied": ["message_id", "reason"],
    "call.cutoff": ["call_id", "at_duration_ms", "reason", "revision"],
    "call.cutoff_withdrawn": ["call_id", "revision"], "account.recharge": ["recharge_id", "amount", "currency"],
    "account.notify": ["kind"], "ledger.posted": ["kind", "amount", "balance"],
    "call.recorded": ["call_id", "duration_ms", "amount"], "balance.changed": ["balance", "available"],
    "ratedeck.accepted": ["deck_id", "rates", "raised_count"], "event.rejected": ["reason"],
    "sms.allowed": ["message_id"],
}


def print_table(history):
    """A bare history as a case of tests/tables/: the last record must cause what the model says."""
    lines = []
    for record in history.records:
        try:
            lines.append("raw " + record.value.decode())
        except UnicodeDecodeError:
            lines.append("bytes " + record.value.hex())
    print("  as a table:", "setup history", *lines[:-1], "", "case shrunk from a random history", "bare", "use history",
          lines[-1], sep="\n")
    for output in history.outputs[-1]:
        kind = output["type"][9:]
        if kind in COLUMNS:
            print("  ", kind, *(output["data"].get(name, "-") for name in COLUMNS[kind]))


def print_shrunk(program, history, failure, order):
    """Shrinks, reports what is left of the history and prints it: as lines for --file, and as a table."""
    shrinker = Shrinker(program, history, failure, order)
    shrunk = shrinker.shrink()
    count = sum(record.value is not None for record in shrunk.records)
    print(f"  shrunk to {count} records (partitions: {shrunk.partition_count or 'not given'}):")
    report(shrunk, judge(shrinker.program, shrunk, order) or failure, order)
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(line(record) for record in shrunk.records))
    sys.stdout.flush()
    if shrunk.records[0].timestamp is None and count == len(shrunk.records):
        print_table(shrunk)


# ---------------------------------------------------------------- files and the command line


def read_file(path):
    """The records of an events file, bare or in archive form."""
    records = []
    for offset, raw in enumerate(Path(path).read_bytes().split(b"\n")[:-1]):
        try:
            form = json.loads(raw)
            archive = isinstance(form, dict) and "partition" in form and "specversion" not in form
        except ValueError:
            archive = False
        if archive:
            sides = [form[name].encode() if form.get(name) is not None else base64.b64decode(form[name + "_base64"])
                     if name + "_base64" in form else None for name in ("key", "value")]
            records.append(Record(form["partition"], form["offset"], form["timestamp"], *sides))
        else:
            records.append(Record(0, offset, None, NO_KEY, raw if raw.strip(b" \t\r") else None))
    return records


def check(program_path, history, options, label):
    """True when the history passes; else the report is printed."""
    program = Program(program_path, history.partition_count)
    failure = judge(program, history, options.order)
    if failure is None and options.laws:
        try:
            check_laws(program, history, label)
        except Failed as failed:
            failure = ("law", None, str(failed))
    if failure is None:
        return True
    print(f"FAILED {label} ({'honest' if history.honest else 'chaos'}, {len(history.records)} records)")
    if options.shrink and failure[0] != "law":
        print_shrunk(program, history, failure, options.order)
    else:
        report(history, failure, options.order)
    sys.stdout.flush()
    return False


def main():
    parser = argparse.ArgumentParser(description="callfold against the naive model")
    parser.add_argument("seeds", nargs="*", type=int)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--calls", type=int, help="so many at once, of one account (parallel.py)")
    parser.add_argument("--callfold", default="build/callfold")
    parser.add_argument("--file", help="an events file instead of seeds")
    parser.add_argument("--partitions", type=int, default=0, help="the partition count, with --file")
    parser.add_argument("--order", action="store_true", help="compare n of the ids too")
    parser.add_argument("--laws", action="store_true", help="the laws of laws.py too")
    parser.add_argument("--coverage", action="store_true",
                        help="tell how often each type and reason came up; one that never did is a failure")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    options = parser.parse_args()
    sys.stdout.reconfigure(errors="backslashreplace")
    if not Path(options.callfold).is_file():
        parser.error(f"{options.callfold}: no such program; run make first, or name it with --callfold")
    passed = failed = 0
    coverage = Coverage()
    if options.file:
        records = read_file(options.file)
        histories = [(options.file, History(records, options.partitions,
                                            model_outputs(records, options.partitions), None))]
    elif options.calls:
        histories = ((f"seed {seed} of {options.calls} calls at once",
                      generate_parallel(seed, options.events, options.calls)) for seed in options.seeds)
    else:
        histories = ((f"seed {seed}", generate(seed, options.events, options.accounts)) for seed in options.seeds)
    for label, history in histories:
        if options.coverage:
            coverage.add(history)
        if check(options.callfold, history, options, label):
            passed += 1
        else:
            failed += 1
    if options.coverage:
        print(coverage.table(), "", sep="\n")
        for word in coverage.missing():
            print(f"FAILED: {word} never came up")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
