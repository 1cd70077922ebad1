#!/usr/bin/env python3
"""run.py - snapshots, on the programs themselves; see README.md.

    tests/snapshots/run.py BUILD [PART...]

SEED repeats a run's dice; the sizes are those of `make check` unless the environment names
others. Prints "N passed, N failed"; exits with 1 if any failed.
"""
import os
import pathlib
import random
import sys
import tempfile
import time
from types import SimpleNamespace

import crashes
import layout
import pruning
import resume
import starting
import tampering
from place import Checks, History, Programs

PARTS = {"resume": resume, "tampering": tampering, "crashes": crashes, "pruning": pruning, "starting": starting,
         "layout": layout}
SIZES = {"snapshots": 12, "restored": 6, "moves": 8, "bytes": 8, "kills": 8, "seconds": 4}


def main():
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(PARTS):
        sys.exit(f"usage: {sys.argv[0]} BUILD [{'|'.join(PARTS)}]...")
    programs = Programs(pathlib.Path(sys.argv[1]).resolve())
    sizes = SimpleNamespace(**{name: int(os.environ.get(name.upper(), size)) for name, size in SIZES.items()})
    seed = int(os.environ.get("SEED", os.getpid()))
    print(f"SEED={seed}", flush=True)
    check, dice = Checks(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="callfold-snapshots-") as folder:
        histories = [History(programs, pathlib.Path(folder), "bare", seed, 20, 120, 0),
                     History(programs, pathlib.Path(folder), "archive", seed + 1, 20, 60, 3)]
        for name in sys.argv[2:] or PARTS:
            begun = time.monotonic()
            PARTS[name].run(check, programs, histories, dice, sizes)
            print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(check.failed > 0)


if __name__ == "__main__":
    main()
