"""Audits a metered day: what the meter wrote, against the events and itself.

    check.py DIR      DIR holds day.jsonl, summary.json and out/*.jsonl, as tests/day/run.sh leaves them

It trusts nothing that it can work out: the ledger's chain, sums and postings, and what
each call costs by its deck, fx and increments. It also looks whether the day reached
every word of events/reasons.h that a file of bare events can reach.
Prints what failed and, last, "N passed, N failed"; exits with 1 when something failed.
"""
import base64
import collections
import hashlib
import json
import pathlib
import re
import sys

REASONS = pathlib.Path(__file__).resolve().parent.parent.parent / "events" / "reasons.h"
PREFIX = "callfold."
# Of these a file of bare events knows nothing: they need a record's key and timestamp.
BEYOND_BARE_EVENTS = {"key_mismatch", "time_ahead"}
# Accounts of a faultless platform on which nothing is taken away from a live call.
FAULTLESS = re.compile(r"probe-\d+|rescued|midnight|declined|silent|thirsty|crowded|curious|blocker|lodger")

passed = failed = 0


def expect(condition, what):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        if failed <= 30:
            print("FAILED", what)


def micros(decimal, places=6):
    sign = -1 if decimal.startswith("-") else 1
    whole, _, fraction = decimal.lstrip("-").partition(".")
    return sign * int(whole + fraction.ljust(places, "0"))


def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def read(path):
    """Type without its prefix, event; lines that are no event are left out."""
    for line in open(path, "rb"):
        try:
            event = json.loads(line)
            yield event["type"].removeprefix(PREFIX), event
        except (ValueError, TypeError, KeyError):
            continue


def words_of(name):
    """The words of one X-macro list of events/reasons.h."""
    text = REASONS.read_text().replace("\\\n", "")
    line = re.search(rf"#define {name}\(X\)(.*)", text).group(1)
    return set(re.findall(r'X\(\w+, "([^"]+)"', line))


class Day:
    def __init__(self, directory):
        self.directory = directory
        out = directory / "out"
        self.events = list(read(directory / "day.jsonl"))
        self.outputs = {path.stem: list(read(path)) for path in out.glob("*.jsonl")}

    def of(self, topic, name):
        return [event for kind, event in self.outputs[topic] if kind == name]


# The ledger

def check_ledger(day):
    prev, balances, sums = "0" * 64, {}, collections.Counter()
    for number, event in enumerate(day.of("ledger", "ledger.posted"), 1):
        entry = event["data"]
        name, amount = entry["account"], micros(entry["amount"])
        balances[name] = balances.get(name, 0) + amount
        digest = hashlib.sha256(f"{prev}\n{entry['line']}".encode()).hexdigest()
        expect(entry["entry"] == number and entry["prev"] == prev and entry["hash"] == digest,
               f"entry {number}: the chain breaks")
        expect(micros(entry["balance"]) == balances[name] >= 0, f"entry {number}: balance {entry['balance']}")
        sums.clear()
        for posting in entry["postings"]:
            sums[posting["currency"]] += micros(posting["amount"])
        expect(not any(sums.values()), f"entry {number}: postings sum to {dict(sums)}")
        prev = digest
    last = day.of("attestations", "state.attested")[-1]["data"]
    expect(last["chain"] == prev and last["entries"] == number, "the last attestation holds another chain")
    check_balances(day, balances)


def check_balances(day, balances):
    said = {}
    for event in day.of("balances", "balance.changed"):
        said[event["subject"]] = micros(event["data"]["balance"])
        expect(0 <= micros(event["data"]["available"]) <= micros(event["data"]["balance"]),
               f"{event['id']}: available {event['data']['available']}")
    expect(said == balances, "an account's last balance is not the sum of its amounts")


# What calls cost

def decks_of(day):
    """deck id -> (currency, {(origin, prefix): rate}); the events in which a deck was published."""
    decks = {}
    for kind, event in day.events:
        data = event.get("data", {})
        if kind == "ratedeck.opened":
            decks[data["deck_id"]] = (data["currency"], {})
        elif kind == "ratedeck.rates":
            decks[data["deck_id"]][1].update({(r["origin"], r["prefix"]): r for r in data["rates"]})
    return decks


def converted(decimal, record):
    """A price of the deck in the account's currency, with the rate as the record gives it."""
    if "fx" not in record:
        return micros(decimal)
    return half_up(micros(decimal) * micros(record["fx"]["rate"], 9), 10 ** 9)


def billed_ms(duration_ms, rate):
    first, step = rate.get("first_s", 1) * 1000, rate.get("step_s", 1) * 1000
    if duration_ms <= first:
        return first if duration_ms else 0
    return first - (first - duration_ms) // step * step


def check_charge(record, rate, posted):
    call, billed = record["call_id"], record["billed_ms"]
    connect = converted(rate.get("connect", "0"), record) if billed else 0
    expect(micros(record["price"]) == converted(rate["price"], record), f"{call}: price {record['price']}")
    expect(micros(record["amount"]) == connect + half_up(billed * micros(record["price"]), 60000),
           f"{call}: amount {record['amount']} for {billed} ms")
    expect(billed == billed_ms(billed, rate) <= billed_ms(record["duration_ms"], rate), f"{call}: billed {billed} ms")
    expect(record["ended_by"] == "cutoff" or billed == billed_ms(record["duration_ms"], rate) or
           record["uncollected"] != "0", f"{call}: billed {billed} of {record['duration_ms']} ms")
    expect(posted == -micros(record["amount"]), f"{call}: the ledger has {posted} micros")


def check_calls(day):
    decks, posted = decks_of(day), collections.Counter()
    origins = {(e["subject"], e["data"]["number"]): e["data"]["origin"] for kind, e in reversed(day.events)
               if kind == "number.added"}
    for event in day.of("ledger", "ledger.posted"):
        if event["data"]["kind"] == "call":
            posted[event["data"]["reference"]] += micros(event["data"]["amount"])
    records = {event["data"]["call_id"]: event for event in day.of("calls", "call.recorded")}
    authorized = {event["data"]["call_id"] for event in day.of("commands", "call.authorized")}
    expect(set(records) == authorized, "not every authorized call, and no other, has a record")
    expect(set(posted) <= {call for call in records if records[call]["data"]["charged"]},
           "the ledger charges a call that has no charged record")
    for call, event in records.items():
        record = event["data"]
        if record["charged"]:
            rate = decks[record["deck_id"]][1][origins[event["subject"], record["from"]], record["prefix"]]
            check_charge(record, rate, posted[call])
        else:
            expect(record["amount"] == record["uncollected"] == "0", f"{call}: not charged, and yet charged")
        if FAULTLESS.fullmatch(event["subject"]):
            expect(record["uncollected"] == "0", f"{call} of {event['subject']}: {record['uncollected']} uncollected")


# What was rejected, and what the day reached

def check_rejects(day):
    promised = {}
    for _, event in day.events:
        if isinstance(event.get("id"), str) and event["id"].startswith("wrong-"):
            promised[event["id"]] = event["id"].split("-", 2)[2]
    for event in day.of("rejects", "event.rejected"):
        payload = base64.b64decode(event["data"]["payload"])
        identity = re.search(rb'"id":"(wrong-[^"]+)"', payload)
        if identity:
            reason = promised.pop(identity.group(1).decode(), None)
            expect(event["data"]["reason"] == reason, f"{event['id']}: {event['data']['reason']}, not {reason}")
    expect(not promised, f"taken although wrong: {sorted(promised)}")


def check_reach(day):
    def reached(topic, member, name=None):
        return {event["data"].get(member) for kind, event in day.outputs[topic] if name in (None, kind)}

    def expect_all(words, seen, what):
        for word in sorted(words):
            expect(word in seen, f"{what}: the day never reaches {word}")

    kinds = {kind for topic in day.outputs for kind, _ in day.outputs[topic]}
    denials = reached("commands", "reason", "call.denied") | reached("commands", "reason", "sms.denied")
    expect_all(words_of("EVENT_TYPES"), {kind for kind, _ in day.events}, "events")
    expect_all(words_of("OUTPUT_TYPES"), kinds, "outputs")
    expect_all(words_of("DENIAL_REASONS"), denials, "denials")
    expect_all(words_of("CUTOFF_REASONS"), reached("commands", "reason", "call.cutoff"), "cutoffs")
    expect_all(words_of("NOTIFY_KINDS"), reached("commands", "kind", "account.notify"), "notifications")
    expect_all(words_of("ENTRY_KINDS"), reached("ledger", "kind"), "ledger entries")
    expect_all(words_of("CALL_ENDINGS"), reached("calls", "ended_by"), "call records")
    expect_all(words_of("REJECT_REASONS") - BEYOND_BARE_EVENTS, reached("rejects", "reason"), "rejects")


def main(directory):
    day = Day(pathlib.Path(directory))
    summary = json.loads((day.directory / "summary.json").read_text())
    expect(summary["violations"] == 0, f"the platform saw {summary['violations']} commands that should not have been")
    check_ledger(day)
    check_calls(day)
    check_rejects(day)
    check_reach(day)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 2 else __doc__)
