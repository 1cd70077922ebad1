#!/usr/bin/env python3
"""Every account of a played day, explained day by day, against what the meter published:
every call that it recorded or denied is there, its increments, rounding, entries and
amount add up, computed here in integers by the contract's formula.
usage: adds_up.py BUILD DIR (day.jsonl and out/ in it)"""

import collections
import json
import subprocess
import sys
from decimal import Decimal

from tally import check, end

build, place = sys.argv[1:3]


def read(topic):
    with open(f"{place}/out/{topic}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def micros(text):
    return int(Decimal(text) * 1000000)


def cost_of(cost):
    """The contract's section 5, from the parts that explain names."""
    if cost["billed_ms"] == 0:
        return 0
    assert cost["first_ms"] + cost["steps"] * cost["step_ms"] == cost["billed_ms"], "increments"
    product = cost["billed_ms"] * micros(cost["price"])
    assert divmod(product, 60000) == (cost["product_micros"], cost["product_60000ths"]), "product"
    assert (product + 30000) // 60000 == cost["rounded_micros"], "rounding"
    return cost["rounded_micros"] + cost["connect_micros"]


def price_of(pricing):
    """The deck's price in the account's currency, rounded half up once."""
    price, fx = micros(pricing["rate"]["price"]), pricing.get("fx")
    if fx is None:
        return price
    return (2 * price * fx["numerator"] + fx["denominator"]) // (2 * fx["denominator"])


records = {}
for record in read("calls"):  # a later one replaces the first
    records[record["subject"], record["data"]["call_id"]] = record["data"]
denied = {(d["subject"], d["data"]["call_id"]): d["data"] for d in read("commands") if d["type"] == "callfold.call.denied"}
entries = collections.defaultdict(list)
days = collections.defaultdict(set)
for entry in read("ledger"):
    data = entry["data"]
    entries[entry["subject"], data["date"]].append((data["entry"], data["kind"], data["amount"]))
    days[entry["subject"]].add(data["date"])
for (account, _), data in records.items():
    days[account].add(data["ended_at"][:10])

told = {}
for account in sorted(days):
    for day in sorted(days[account]):
        run = subprocess.run([f"{build}/callfold-replay", "explain", "--events", f"{place}/day.jsonl", "--account",
                              account, "--day", day, "--json"], capture_output=True, check=False)
        check(f"{account} {day}: exit code {run.returncode} {run.stderr}", run.returncode == 0)
        answer = json.loads(run.stdout)
        listed = [(e["entry"], e["kind"], e["amount"]) for e in answer["entries"]]
        check(f"{account} {day}: the entries of the day", listed == entries[account, day])
        for call in answer["calls"]:
            told[account, call["call_id"]] = call

for key, record in records.items():
    call = told.get(key)
    if call is None:
        check(f"{key} is not explained", False)
        continue
    ours = call["record"]
    check(f"{key}: the call record", all(ours[name] == record[name] for name in (
        "duration_ms", "billed_ms", "amount", "uncollected", "ended_by", "ended_at", "voicemail")))
    check(f"{key}: says that it adds up", call["adds_up"])
    taken = -sum(micros(moment["amount"]) for moment in call["moments"] if moment["what"] == "entry")
    check(f"{key}: the entries are the amount", taken == micros(record["amount"]))
    if record["charged"]:
        check(f"{key}: the cost is the amount", cost_of(call["cost"]) == micros(record["amount"]))
        check(f"{key}: the price", price_of(call["pricing"]) == micros(call["pricing"]["price"]) == micros(record["price"]))
        check(f"{key}: the deck", call["pricing"]["deck_id"] == record["deck_id"])

for key, denial in denied.items():
    if key[0] in days and key in told:
        check(f"{key}: the denial", (told[key]["reason"], told[key]["detail"]) == (denial["reason"], denial["detail"]))
# The same history by the policy that it has: nothing changes, and every group's sums are the ledger's.
run = subprocess.run([f"{build}/callfold-replay", "what-if", "--events", f"{place}/day.jsonl", "--policy",
                      "tick_ms=6000", "--json"], capture_output=True, check=False)
check(f"what-if: exit code {run.returncode} {run.stderr}", run.returncode == 0)
revenue = collections.Counter()
for entry in read("ledger"):
    if entry["data"]["kind"] == "call":
        revenue[entry["data"]["currency"]] -= micros(entry["data"]["amount"])
counted = collections.Counter(r["currency"] for r in records.values() if r["charged"])
rows = json.loads(run.stdout)
for by in "total", "origin", "destination", "account":
    sums, calls = collections.Counter(), collections.Counter()
    for row in rows:
        if row["by"] == by:
            sums[row["currency"]] += micros(row["revenue_before"])
            calls[row["currency"]] += row["calls_before"]
    check(f"what-if: revenue by {by} is the ledger's", +sums == +revenue)
    check(f"what-if: calls by {by} are those recorded", +calls == +counted)
for row in rows:
    same = all(row[name] == row[name.replace("before", "after")] for name in row if "before" in name)
    check(f"what-if: {row['by']} {row['name']} is as it was", same and row["refused"] == row["allowed"] == 0)

check("a day has enough calls to show something", len(records) > 50 and sum(r["charged"] for r in records.values()) > 20)

end()
