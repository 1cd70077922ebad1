"""callfold run, from a file to outputs, beside others on the same lines."""
import os
import shutil
import subprocess
import sys

from measure import Row, at_least, at_most, figures, launch, middle

TICKS = 10
EVENTS_A_CALL = TICKS + 2  # a start, the ticks, an end
SAMPLE_LINES = 300_000  # of a load, that jansson and the decoder read in a round
DECK_LINES, ACCOUNT_LINES = 3, 5  # of the load's set-up


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
              "setup": setup.wall / load.setup_lines * 1e9, "setup cpu": setup.cpu / load.setup_lines * 1e9,
              "cat": cat.wall / (load.lines + load.setup_lines) * 1e9, "rss": whole.rss_bytes,
              "json": others["json_loadb"], "json cpu": others["json_loadb, CPU"], "hash": others["SHA-256, CPU"],
              "decode": others["event_decode, CPU"], "reference": others["event_decode_reference, CPU"]}
    return result | {"ratio": result["wall"] / result["json"], "cpu ratio": result["cpu"] / result["json cpu"]}


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
        Row(f"callfold run, {load.name}", f"{mid['ratio']:.3f} of jansson",
            f"CPU {mid['cpu ratio']:.3f}: {at_most(mid['cpu ratio'], 1 / 3)}", "< 1/3",
            at_most(mid["ratio"], 1 / 3)),
        Row("  events a second", f"{rate:,.0f}", f"CPU {1e9 / mid['cpu']:,.0f}: {at_least(1e9 / mid['cpu'], 1e6)}",
            "1,000,000", at_least(rate, 1e6)),
        Row("  time an event", f"{mid['wall']:.0f} ns", f"CPU {mid['cpu']:.0f} ns", "", ""),
        Row("  jansson alone, a line of the same", f"{mid['json']:.0f} ns", f"CPU {mid['json cpu']:.0f} ns", "", ""),
        Row("  the decoder alone", f"{mid['decode'] / mid['json cpu']:.3f} of jansson",
            f"CPU {mid['decode']:.0f} ns; all by jansson {mid['reference']:.0f} ns", "", ""),
        Row("  limits: SHA-256 alone; cat", f"{mid['hash']:.0f} ns; {mid['cat']:.0f} ns", "", "", ""),
        Row("  a line of the set-up", f"{mid['setup']:.0f} ns", f"CPU {mid['setup cpu']:.0f} ns", "", ""),
        Row("  all lines, events a second", f"{1e9 / mid['all lines']:,.0f}", "", "", ""),
        Row("  peak of memory", f"{mid['rss'] / 2**20:,.0f} MiB", f"{mid['rss'] / load.calls:,.0f} bytes a call", "", "")]
