#!/usr/bin/env python3
"""A carrier's file made from what the meter published, with known differences put in, is
reconciled with the events: exactly these are found. Then a long one of many calls between
the same two numbers, and damaged ones.
usage: carrier.py BUILD DIR (day.jsonl and out/ in it)"""

import collections
import csv
import json
import os
import random
import subprocess
import sys

from tally import check, end

build, place = sys.argv[1:3]


def reconcile(events, lines, *options):
    with open(f"{place}/carrier.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    run = subprocess.run([f"{build}/callfold-replay", "reconcile", "--events", events, "--cdr", f"{place}/carrier.csv",
                          "--json", *options], capture_output=True, check=False)
    check(f"exit code {run.returncode} {run.stderr}", run.returncode in (0, 1))
    return run.returncode, json.loads(run.stdout)


ours = {}
with open(f"{place}/out/calls.jsonl", encoding="utf-8") as file:
    for line in file:
        record = json.loads(line)
        data = record["data"]
        if data["direction"] == "outbound" and data["duration_ms"] > 0:
            ours[record["subject"], data["call_id"]] = data
heading = ["account", "call_id", "from", "to", "start", "duration_ms", "billed_ms", "amount", "currency"]


def row(key, data):
    return [*key, data["from"], data["to"], data["started_at"], data["duration_ms"], data["billed_ms"], data["amount"],
            data["currency"]]


exact = {key: row(key, data) for key, data in ours.items()}
code, answer = reconcile(f"{place}/day.jsonl", [heading, *exact.values()], "--tolerance-ms", "0", "--tolerance-start-ms", "0")
check("our own records differ in nothing", code == 0 and answer["differences"] == [])
check("each is matched", sum(total["matched"] for total in answer["totals"]) == len(ours))
for options in ([], ["--match", "numbers"]):
    changed, expected = [], collections.Counter()
    for place_in_order, line in enumerate(map(list, exact.values())):
        kind = ("same", "missing", "duration", "amount", "extra", "same")[place_in_order % 6]
        if kind == "duration":
            line[5] += 1001
        if kind == "amount":
            line[7] = str(line[7]) + ("01" if "." in str(line[7]) else ".01")
            kind = "same" if len(line[7].rpartition(".")[2]) > 6 else kind
            line = list(exact[tuple(line[:2])]) if kind == "same" else line
        if kind == "extra":
            changed.append([*line[:1], "x" + line[1], "+999" + line[2][1:], *line[3:]])
        if kind != "missing":
            changed.append(line)
        expected[kind] += kind != "same"
    code, answer = reconcile(f"{place}/day.jsonl", [heading, *changed], *options)
    found = collections.Counter(" ".join(difference["differs"]) for difference in answer["differences"])
    check(f"what was put in is found {options}: {+expected} {+found}", code == 1 and +expected == +found)

# Files that nobody should have sent: an answer that is JSON, or a refusal, never more.
PIECES = [b'"', b",", b"\n", b"\r\n", b"\0", b"\xff", b"9" * 20, b"-", b"", b"+" * 70, b";", b"."]
dice = random.Random(int(os.environ.get("SEED", "3")))
files = [open(f"cdr/{name}", "rb").read() for name in ("by-id.csv", "by-numbers.csv", "spreadsheet.csv")]
for n in range(40):
    damaged = bytearray(dice.choice(files))
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(damaged) + 1)
        damaged[at:at + dice.randint(0, 3)] = dice.choice(PIECES)
    run = subprocess.run([f"{build}/callfold-replay", "reconcile", "--events", "history.jsonl", "--cdr", "-", "--json"],
                         input=bytes(damaged), capture_output=True, check=False)
    right = run.returncode in (64, 65) and run.stderr.startswith(b"callfold-replay: ")
    if run.returncode in (0, 1):
        right = "totals" in json.loads(run.stdout)
    check(f"damaged file {n}: exit code {run.returncode} {run.stderr} {bytes(damaged)}", right)

# Every second a call from one number to one other; the carrier has each five times.
calls = 20000
setting = [("ratedeck.opened", None, {"deck_id": "d", "currency": "USD", "effective_at": "2026-11-01T00:00:00Z",
                                      "origins": [{"origin": "US", "country": "US", "currency": "USD"}]}),
           ("ratedeck.rates", None, {"deck_id": "d", "rates": [{"origin": "US", "prefix": "+1", "destination": "US",
                                                                "status": "open", "price": "0.1", "domestic": True}]}),
           ("ratedeck.published", None, {"deck_id": "d", "rates": 1}),
           ("account.opened", "a", {"currency": "USD", "owner": "o"}),
           ("number.added", "a", {"number": "+12125550001", "origin": "US"})]
with open(f"{place}/long.jsonl", "w", encoding="utf-8") as file:
    def event(kind, time, subject, data):
        envelope = {"specversion": "1.0", "id": "1", "source": "/t", "type": "callfold." + kind, "time": time}
        envelope |= {"subject": subject} if subject else {}
        file.write(json.dumps(envelope | {"data": data}) + "\n")
    for kind, subject, data in setting:
        event(kind, "2026-11-22T00:00:00Z", subject, data)
    for second in range(calls):
        time = f"2026-11-23T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
        event("call.started", time, "a", {"call_id": f"c{second}", "direction": "outbound", "from": "+12125550001",
                                          "to": "+12125550002", "member_id": "o"})
        event("call.ended", time, "a", {"call_id": f"c{second}", "duration_ms": 1000})
lines = [["from", "to", "start", "duration"]]
lines += [["+12125550001", "+12125550002", 1795392000 + n % calls, 1] for n in range(5 * calls)]
code, answer = reconcile(f"{place}/long.jsonl", lines)
check("each call is matched once", sum(total["matched"] for total in answer["totals"]) == calls)
check("and the other lines are extra", len(answer["differences"]) == 4 * calls)

end()
