#!/usr/bin/env python3
"""What callfold costs on this machine, and how that stands to the project's aims: medians over rounds, each ratio taken
within a round. The figures as they come, and one table at the end.

usage: bench/run.py BUILD        (make bench)

Knobs, by the environment:
BENCH_SMALL=10000/100000         accounts/calls of the first load
BENCH_LARGE=1000000/1000000      of the second one; 0: left out
BENCH_KAFKA=10000/200000         of the load on Kafka, which needs a JVM; 0: left out
BENCH_KAFKA_RATES=1000,5000      events a second at which latencies are taken, for BENCH_KAFKA_SECONDS=30 each
BENCH_ROUNDS=5                   of the first load; on Kafka about a half, the second load a third
TMPDIR                           where the files go: some 10 GB for the second load
"""
import os
import pathlib
import re
import sys
import tempfile

from fold import fold_alone, grants
from kafka import on_kafka
from measure import Row, at_most
from replays import replays
from snapshots import snapshots
from stages import profile
from starts import starts
from whole import Load, whole


def show(rows):
    heads = Row("what", "figure", "beside it", "aim", "")
    widths = [max(len(row[i]) for row in rows + [heads]) for i in range(len(heads))]
    print()
    for row in [heads, Row(*("-" * width for width in widths)), *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def size(name, preset):
    """(accounts, calls) of a knob, or None."""
    text = os.environ.get(name, preset)
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if text != "0" and not found:
        sys.exit(f"bench: {name}={text}: write ACCOUNTS/CALLS, such as {preset}, or 0 to leave it out")
    return (int(found[1]), int(found[2])) if found else None


def on_loads(build, loads, rounds):
    """The rows of everything that needs a load file; the second load has a third of the rounds."""
    rows, mids = [], []
    for accounts, calls in loads:
        with tempfile.TemporaryDirectory(prefix="callfold-bench-") as folder:
            load = Load(build, pathlib.Path(folder), accounts, calls)
            mid, least_cpu, more = whole(load, rounds)
            mids.append(mid)
            rows += more
            profile(load, least_cpu, (rounds + 1) // 2)
            rows += replays(load, (rounds + 1) // 2)
            if len(mids) == len(loads):
                rows += starts(load) + snapshots(load)
        rounds = (rounds + 2) // 3
    if len(mids) == 2:
        growth, cpu_growth = (mids[1][clock] / mids[0][clock] for clock in ("wall", "cpu"))
        rows.append(Row("time an event, the second load over the first", f"{growth:.2f}",
                        f"CPU {cpu_growth:.2f}: {at_most(cpu_growth, 2)}", "2", at_most(growth, 2)))
    return rows


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    loads = [load for load in (size("BENCH_SMALL", "10000/100000"), size("BENCH_LARGE", "1000000/1000000")) if load]
    rows = on_loads(build, loads, rounds)
    for accounts, calls in loads:
        rows += fold_alone(build, accounts, calls)
    if loads:
        rows += grants(build)
    kafka = size("BENCH_KAFKA", "10000/200000")
    if kafka:
        rows += on_kafka(build, *kafka, (rounds + 1) // 2)
    show(rows)
    busy, cores = os.getloadavg()[1], os.cpu_count()
    print(f"\nLoad average of the last 5 minutes: {busy:.1f}, on {cores} cores." +
          (" Others were at work: wall times are too long, CPU times hold better." if busy > 1.3 else ""))


if __name__ == "__main__":
    main()
