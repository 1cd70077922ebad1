#!/usr/bin/env python3
"""run.py - the limits, on the program itself; see README.md.

    tests/limits/run.py BUILD [PART...]

The sizes are those of `make check` unless the environment names others. Prints
"N passed, N failed"; exits with 1 if any failed.
"""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import amounts
import crowd
import month
import numbers_of_account
import rate_deck
from checks import Checks, Stopwatch

PARTS = {"amounts": amounts, "deck": rate_deck, "numbers": numbers_of_account, "crowd": crowd, "month": month}
SIZES = {"first_seed": 1, "amounts_seeds": 12, "amounts_events": 250, "prefixes": 50_000, "numbers": 20_000,
         "calls": 10_000, "month_days": 31, "month_accounts": 100}


def main():
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(PARTS):
        sys.exit(f"usage: {sys.argv[0]} BUILD [{'|'.join(PARTS)}]...")
    program = str(Path(sys.argv[1], "callfold").resolve())
    sizes = SimpleNamespace(**{name: int(os.environ.get(name.upper(), size)) for name, size in SIZES.items()})
    check = Checks()
    for name in sys.argv[2:] or PARTS:
        with Stopwatch(name), tempfile.TemporaryDirectory(prefix="callfold-limits-") as directory:
            PARTS[name].run(check, program, sizes, Path(directory))
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(check.failed > 0)


if __name__ == "__main__":
    main()
