"""meter.py - `callfold run` on a history that grows, and what it cost."""

import json
import os
import subprocess
import sys
from collections import namedtuple
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_795_392_000_000  # 2026-11-23T00:00:00Z

to_json = json.JSONEncoder(separators=(",", ":")).encode
Usage = namedtuple("Usage", "cpu_s peak_bytes stdout stderr code")


@lru_cache(maxsize=1024)
def time_text(ms):
    instant = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def event(kind, subject, time_ms, **data):
    """One line of the events file; a broadcast's subject is None. `from_` stands for `from`."""
    whose = f'"subject":"{subject}",' if subject is not None else ""
    if "from_" in data:
        data["from"] = data.pop("from_")
    return (f'{{"specversion":"1.0","id":"e","source":"/limits","type":"callfold.{kind}","time":"{time_text(time_ms)}",'
            f'{whose}"data":{to_json(data)}}}\n')


def deck(deck_id, effective_ms, time_ms, rates, origins=("US",), currency="USD"):
    """The events that publish a small deck; rates: (origin, prefix, price, first_s, step_s[, connect])."""
    listed = [{"origin": rate[0], "prefix": rate[1], "destination": "to " + rate[1], "status": "open",
               "price": rate[2], "first_s": rate[3], "step_s": rate[4],
               "connect": rate[5] if len(rate) > 5 else "0"} for rate in rates]
    return [event("ratedeck.opened", None, time_ms, deck_id=deck_id, currency=currency,
                  effective_at=time_text(effective_ms),
                  origins=[{"origin": origin, "country": "US", "currency": currency} for origin in origins]),
            event("ratedeck.rates", None, time_ms, deck_id=deck_id, rates=listed),
            event("ratedeck.published", None, time_ms, deck_id=deck_id, rates=len(listed))]


# What a child is forked from counts as memory of its own, and this process may be large: a
# small one stands between, and answers with the child's time and memory.
LAUNCHER = """
import json, os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:], stdin=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
os.write(int(sys.argv[1]), json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, code]).encode())
"""


def run_measured(command):
    """Runs a program; its CPU time and the most memory it held at once."""
    reader, writer = os.pipe()
    done = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCHER, str(writer), *command], pass_fds=[writer],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    os.close(writer)
    with os.fdopen(reader) as answer:
        cpu_s, peak_bytes, code = json.load(answer)
    return Usage(cpu_s, peak_bytes, done.stdout.decode(), done.stderr.decode(), code)


class Failed(Exception):
    """callfold ended as it should not have; the text says how."""


class Meter:
    """A directory with an events file that grows, and the outputs and the state that go with it."""

    def __init__(self, program, directory):
        self.program, self.directory = program, Path(directory)
        self.events = self.directory / "events.jsonl"
        self.state = self.directory / "state"

    def append(self, lines):
        with self.events.open("a") as file:
            file.writelines(lines)

    def run(self, *options):
        """Folds what has been appended."""
        return self.call("run", "--quiet", "--events", self.events, "--out", self.directory / "out", "--state",
                         self.state, *options)

    def call(self, *arguments, code=0):
        """callfold with arguments; Failed when it ends with another code."""
        usage = run_measured([self.program, *map(str, arguments)])
        if usage.code != code:
            raise Failed(f"callfold {' '.join(map(str, arguments))}: exit {usage.code}: {usage.stderr[-600:]}")
        return usage

    def outputs(self, topic):
        """Every record of a topic, in order."""
        with (self.directory / "out" / f"{topic}.jsonl").open() as file:
            return [json.loads(line) for line in file]
