#!/usr/bin/env python3
"""What callfold costs on this machine, and how that stands to the project's aims: medians over rounds, each ratio taken
within a round. The figures as they come, and one table at the end.

usage: bench/run.py BUILD        (make bench)

Knobs, by the environment:
BENCH_SMALL=10000/100000         accounts/calls of the first load
BENCH_LARGE=1000000/1000000      of the second one; 0: left out
BENCH_ROUNDS=5                   of the first load; the second gets half
TMPDIR                           where the files go: some 10 GB for the second load
"""
import collections
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TICKS = 10
EVENTS_A_CALL = TICKS + 2  # a start, the ticks, an end
SAMPLE_LINES = 1_000_000  # that jansson parses of a load, a round
DECK_LINES, ACCOUNT_LINES = 3, 5  # of the load's set-up

GRANT_CALLS = 10_000  # parallel, on one account
STARTS = 3  # of a meter on a stored state, of each kind

Usage = collections.namedtuple("Usage", "wall cpu rss_bytes read_bytes faults")
Row = collections.namedtuple("Row", "what figure beside aim verdict")
median = statistics.median


def launch(command):
    """Runs a program that says nothing that matters; its cost."""
    begun = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} exited {child.returncode}: {said}")
    return Usage(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024,
                 used.ru_inblock * 512, used.ru_majflt)


def figures(*command):
    """Runs a program that says its figures one a line (bench.h): name -> number."""
    said = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: float(number) for name, number in re.findall(r"^(.+?) {2,}(-?[\d.]+)", said, re.M)}


def at_most(value, aim):
    return "met" if value <= aim else f"{value / aim:.2f}x over"


def at_least(value, aim):
    return "met" if value >= aim else f"{aim / value:.2f}x short"


class Load:
    """A load file and what it is made of."""

    def __init__(self, build, folder, accounts, calls):
        self.accounts, self.calls, self.folder, self.build = accounts, calls, folder, build
        self.path, self.setup_path = folder / "load.jsonl", folder / "setup.jsonl"
        self.setup_lines = DECK_LINES + ACCOUNT_LINES * accounts
        self.lines = EVENTS_A_CALL * calls
        self.name = f"{accounts:,} accounts, {calls:,} live calls"
        launch([build / "load", "--out", self.path, "--accounts", accounts, "--calls", calls, "--ticks", TICKS])
        with open(self.setup_path, "wb") as setup:
            subprocess.run(["head", "-n", str(self.setup_lines), self.path], check=True, stdout=setup)

    def command(self, events):
        return [self.build / "callfold", "run", "--quiet", "--events", events, "--out", self.folder / "out",
                "--state", self.folder / "state"]

    def begin_anew(self):
        for leftover in ("out", "state"):
            shutil.rmtree(self.folder / leftover, ignore_errors=True)
        os.sync()

    def fold(self, events):
        """callfold run over a whole file, from nothing to closed outputs; its cost."""
        self.begin_anew()
        return launch(self.command(events))

    def check(self):
        """The load is what the aims speak of: says its share of calls cut off and its bytes an event."""
        cut = sum(b'"ended_by":"cutoff"' in line for line in open(self.folder / "out/calls.jsonl", "rb"))
        rejects = (self.folder / "out/rejects.jsonl").stat().st_size
        event_bytes = (self.path.stat().st_size - self.setup_path.stat().st_size) / self.lines
        print(f"{self.name}: {event_bytes:.0f} bytes an event, {100 * cut / self.calls:.2f} % of the calls cut off")
        if rejects or not 190 <= event_bytes <= 230 or not 0.005 <= cut / self.calls <= 0.02:
            sys.exit("bench: that is not the load it should be (190 to 230 bytes, 1 % cut off, nothing rejected)")


def whole_round(load):
    """One round of callfold over the load, and of others over the same lines: ns an event of the calls' part."""
    every = max(1, load.lines // SAMPLE_LINES)
    others = figures(load.build / "bench/bench_lines", load.path, load.setup_lines, load.lines, every)
    cat = launch(["cat", load.path])
    setup, whole = load.fold(load.setup_path), load.fold(load.path)
    result = {"wall": (whole.wall - setup.wall) / load.lines * 1e9, "cpu": (whole.cpu - setup.cpu) / load.lines * 1e9,
              "all lines": whole.wall / (load.lines + load.setup_lines) * 1e9,
              "setup": setup.wall / load.setup_lines * 1e9,
              "cat": cat.wall / (load.lines + load.setup_lines) * 1e9, "rss": whole.rss_bytes,
              "json": others["json_loadb"], "json cpu": others["json_loadb, CPU"], "hash": others["SHA-256"]}
    return result | {"ratio": result["wall"] / result["json"], "cpu ratio": result["cpu"] / result["json cpu"]}


def middle(rounds):
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def whole(load, rounds):
    """Medians of callfold run over the load; its least CPU time an event; the rows."""
    results = []
    for _ in range(rounds):
        results.append(whole_round(load))
        print("  " + "  ".join(f"{name} {value:.2f}" if value < 10 else f"{name} {value:,.0f}"
                               for name, value in results[-1].items()), flush=True)
    load.check()
    mid = middle(results)
    rate = 1e9 / mid["wall"]
    return mid, min(one["cpu"] for one in results), [
        Row(f"callfold run, {load.name}", f"{mid['ratio']:.3f} of jansson", f"CPU {mid['cpu ratio']:.3f}", "< 1/3",
            at_most(mid["ratio"], 1 / 3)),
        Row("  events a second", f"{rate:,.0f}", f"CPU {1e9 / mid['cpu']:,.0f}", "1,000,000", at_least(rate, 1e6)),
        Row("  time an event", f"{mid['wall']:.0f} ns", f"CPU {mid['cpu']:.0f} ns", "", ""),
        Row("  jansson alone, a line of the same", f"{mid['json']:.0f} ns", f"CPU {mid['json cpu']:.0f} ns", "", ""),
        Row("  limits: SHA-256, and cat, of the same", f"{mid['hash']:.0f} ns, {mid['cat']:.0f} ns", "", "", ""),
        Row("  set-up lines; all lines", f"{mid['setup']:.0f} ns, {mid['all lines']:.0f} ns", "", "", ""),
        Row("  peak of memory", f"{mid['rss'] / 2**20:,.0f} MiB", f"{mid['rss'] / load.calls:,.0f} bytes a call", "", "")]


def profile(load, whole_cpu, rounds):
    """What each stage of callfold run adds, by bench_stages; prints a table of its own. The least of the rounds, not the
    median: a stage is the difference of two figures, and what disturbs a CPU only ever adds to them."""
    stages = ("read", "hash", "decode", "fold", "encode", "write", "checkpoint")
    results = []
    for _ in range(rounds):
        upto = {}
        for stage in stages:
            with tempfile.TemporaryDirectory(dir=load.folder) as folder:
                (pathlib.Path(folder) / "state").mkdir()
                found = figures(load.build / "bench/bench_stages", stage, load.path, load.setup_lines, folder)
            upto[stage] = found["CPU an event"]
        results.append(upto)
    upto, outputs = {stage: min(one[stage] for one in results) for stage in stages}, found
    hashed = upto["hash"] - upto["read"]
    costs = {"read": upto["read"], "decode": upto["decode"] - upto["read"],
             "fold": upto["fold"] - upto["decode"] - hashed, "hash": hashed,
             "encode": upto["encode"] - upto["fold"], "write": upto["write"] - upto["encode"],
             "checkpoint": upto["checkpoint"] - upto["write"], "not explained": whole_cpu - upto["checkpoint"]}
    print(f"\n{load.name}: CPU time an event by stage, of {whole_cpu:.0f} ns in callfold run; "
          f"{outputs['bytes an event']:.0f} bytes in,\n{outputs['outputs an event']:.2f} outputs of "
          f"{outputs['bytes of outputs an event']:.0f} bytes together")
    for stage, cost in costs.items():
        print(f"  {stage:14s} {cost:7.0f} ns  {100 * cost / whole_cpu:4.0f} %  {'#' * round(50 * max(cost, 0) / whole_cpu)}")


def stored_offset(load):
    """The next offset of the stored state; 0 where there is none yet."""
    said = subprocess.run([load.build / "callfold", "status", "--state", load.folder / "state", "--table", "partitions",
                           "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(said.stdout)[0]["next_offset"] if said.returncode == 0 else 0


def leave_killed(load, events, lines):
    """A meter folds the events, stores its state and is killed while it waits for more."""
    load.begin_anew()
    meter = subprocess.Popen([str(word) for word in load.command(events) + ["--follow", "--checkpoint-ms", "1000"]])
    while stored_offset(load) < lines:
        if meter.poll() is not None:
            sys.exit(f"bench: callfold run --follow exited {meter.returncode}")
        time.sleep(1)
    meter.kill()
    meter.wait()


def forget_pages(path):
    """The file's pages leave the page cache."""
    os.sync()
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def starts(load):
    """Rows of a start on a state in which all calls of the load are live."""
    events, lines = load.folder / "live.jsonl", load.setup_lines + 2 * load.calls
    with open(events, "wb") as live:
        subprocess.run(["head", "-n", str(lines), load.path], check=True, stdout=live)
    leave_killed(load, events, lines)
    stored = load.folder / "state/partition-0/data.mdb"
    killed = launch(load.command(events))
    warm, cold = [], []
    for _ in range(STARTS):
        warm.append(launch(load.command(events)))
        forget_pages(stored)
        cold.append(launch(load.command(events)))
    warm, cold = (Usage(*map(median, zip(*kind))) for kind in (warm, cold))
    cell = lambda used: (f"{used.wall:.2f} s", f"CPU {used.cpu:.2f} s")
    return [
        Row(f"start on a state of {load.name}", *cell(warm), "2 s", at_most(warm.wall, 2)),
        Row("  its pages not in memory", cell(cold)[0],
            f"{cold.read_bytes / 2**20:,.0f} of {stored.stat().st_size / 2**20:,.0f} MiB read, {cold.faults:,.0f} waits", "", ""),
        Row("  after kill -9: the state is proved first", *cell(killed), "", "")]


def grants(build):
    """Rows of the grant rule; each beside its growth over a quarter of the calls."""
    program = build / "bench/bench_grant"
    few, many = figures(program, GRANT_CALLS // 4), figures(program, GRANT_CALLS)

    def row(indent, what, ample):
        ratio = f", {many[what] / many[ample]:,.1f}x {ample}" if ample else f", {many[what] / GRANT_CALLS:,.0f} ns a call"
        return Row(indent + what, f"{many[what]:,.0f} ns", f"{many[what] / few[what]:.1f}x a quarter of the calls{ratio}", "", "")

    return [row(f"grant rule, {GRANT_CALLS:,} calls of one account: ", "tick, running out", "tick, credits ample"),
            row("  ", "tick, all have a limit", "tick, credits ample"), row("  ", "end, all have a limit", "end, credits ample"),
            row("  ", "top-up that lifts all limits", None), row("  ", "reversal that limits all calls", None)]


def fold_alone(build, accounts, calls):
    found = figures(build / "bench/bench_fold", accounts, calls)
    rate = 1e9 / found["a tick"]
    return [Row(f"fold alone, {accounts:,} accounts, {calls:,} live calls", f"{rate:,.0f} ticks/s",
                f"{found['a tick']:.0f} ns, SHA-256 alone {found['SHA-256 of it']:.0f} ns", "3,000,000", at_least(rate, 3e6)),
            Row("  memory a live call", f"{found['memory a live call']:.0f} bytes", "", "400",
                at_most(found["memory a live call"], 400))]


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


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    small, large = size("BENCH_SMALL", "10000/100000"), size("BENCH_LARGE", "1000000/1000000")
    rows, times, last = [], [], [size for size in (small, large) if size][-1:]
    for sizes, count in [(small, rounds), (large, (rounds + 1) // 2)]:
        if sizes is None:
            continue
        with tempfile.TemporaryDirectory(prefix="callfold-bench-") as folder:
            load = Load(build, pathlib.Path(folder), *sizes)
            mid, least_cpu, more = whole(load, count)
            rows += more
            profile(load, least_cpu, (count + 1) // 2)
            if [sizes] == last:
                rows += starts(load)
        times.append(mid["wall"])
    if len(times) == 2:
        growth = times[1] / times[0]
        rows.append(Row("time an event, the second load over the first", f"{growth:.2f}", "", "2", at_most(growth, 2)))
    for accounts, calls in filter(None, [small, large]):
        rows += fold_alone(build, accounts, calls)
    show(rows + grants(build))
    load_now, cores = os.getloadavg()[1], os.cpu_count()
    print(f"\nLoad average of the last 5 minutes {load_now:.1f} on {cores} cores" +
          (": others were at work, wall times are too long and ratios of them unsure; CPU times hold better."
           if load_now > 1.3 else "."))


if __name__ == "__main__":
    main()
