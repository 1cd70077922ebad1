"""checks.py - counting what holds."""

import time


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, what, holds, more=""):
        """Counts a check; says what failed, and more about it."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}{': ' if more else ''}{more}", flush=True)

    def linear(self, what, cost, size):
        """cost(size): seconds of CPU. Four times the size costs less than eight times as much.

        A machine under load blurs one measurement, not three in a row."""
        ratios = []
        while len(ratios) < 3 and (not ratios or ratios[-1] >= 8):
            small, large = cost(size), cost(4 * size)
            ratios.append(large / small)
        self(f"{what}: the cost grows with {size} no faster than linearly", ratios[-1] < 8,
             f"{small:.3f} s, four times the size {large:.3f} s; ratios {', '.join(f'{r:.1f}' for r in ratios)}")


class Stopwatch:
    """Says how long a part took: for who watches, nothing is asserted."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.begun = time.monotonic()

    def __exit__(self, *_):
        print(f"{self.name}: {time.monotonic() - self.begun:.1f} s", flush=True)
