"""amounts.py - every amount, price, increment and duration at a limit, against the naive model.

The model (tests/model/) counts in Python's integers, which have no limit: where it and the
meter agree, no operation on 64 bits has gone wrong. The histories differ from the model's
own in their figures only: those that fit int64 micros by a hair, those whose sums, products
and conversions do not.
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "model"))

from compare import judge, report  # noqa: E402
from history import DAY, Writer, publish_deck  # noqa: E402
from program import Program  # noqa: E402
from state import Call  # noqa: E402
from texts import money, time_text  # noqa: E402

MOST = 2**63 - 1             # micros
BEYOND = 2**200              # more than any credits
LONGEST_MS = 2**53 - 1       # any duration
LONGEST_S = 86400            # an increment
INCREMENTS = [(1, 1), (1, 1), (60, 60), (LONGEST_S, LONGEST_S), (LONGEST_S, 1), (1, LONGEST_S)]
# How long a call may be: the model buys increment by increment what is granted, so that only
# calls without rivals, to whom nothing is granted twice, are let talk as long as can be said.
SHORT, LONG, ALONE = range(3)
LONGEST_CALLS = {SHORT: [60000, 10**7], LONG: [10**10], ALONE: [LONGEST_MS]}
FX_RATES = ["0.000000001", "0.5", "0.999999999", "1", "1.000000001", "2", "9223372036.854775807"]
PREFIXES = ["+33", "+336", "+44", "+447", "+49"]
DIALLED = ["+33123456789", "+33612345678", "+442071234567", "+447700900123", "+4930123456"]
ACCOUNTS = {"dollars": "USD", "euros": "EUR"}
NUMBER = "+12025550100"


class Edges:
    """A platform that only knows very small and very large figures."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.kind = (SHORT, LONG, ALONE)[seed % 3]
        self.writer = Writer(self.rng, archive=False)
        self.calls = []   # (account, call) that may be live
        self.talked = {}  # of each: the longest duration reported
        self.topups = []  # (account, topup)

    def near(self, micros):
        """A figure not far from micros, within what fits."""
        return min(max(micros + self.rng.choice([0, 0, -1, 1, self.rng.randrange(-10**9, 10**9)]), 0), MOST)

    def amount(self):
        return money(max(1, self.near(self.rng.choice([1, MOST, MOST, MOST // 2, MOST // 3, 10**6, 10**18]))))

    def price(self):
        """A minute's price: nothing, or as much as a second, a minute or a day may cost at most."""
        edges = [0, 1, MOST, MOST // 2, MOST // 60, MOST // 1440, 10**6, 60 * 10**15]
        return money(self.near(self.rng.choice(edges)))

    def connect(self):
        return money(self.near(self.rng.choice([0, 0, 0, 1, MOST, MOST // 2, MOST // 7])))

    def duration(self, call):
        """At or around an increment's end, far ahead, or the longest there is."""
        longest = self.talked.get(call, 0)
        return min(longest + self.rng.choice([0, 1, 999, 1000, 1001, 6000, 30000, 59999, LONGEST_S * 1000,
                                              LONGEST_S * 1000 + 1, 10**12, LONGEST_MS]), LONGEST_MS)

    def deck(self):
        rates = []
        for prefix in PREFIXES:
            first, step = (LONGEST_S, LONGEST_S) if self.kind == LONG else self.rng.choice(INCREMENTS)
            rates.append({"origin": "US", "prefix": prefix, "destination": "to " + prefix, "status": "open",
                          "price": self.price(), "connect": self.connect(), "first_s": first, "step_s": step})
        publish_deck(self.writer, {"deck_id": self.writer.next_id("deck"), "currency": "USD",
                                   "effective_at": time_text(self.writer.now),
                                   "origins": [{"origin": "US", "country": "US", "currency": "USD"}]}, rates)

    def fx(self):
        self.writer.send("fx.published", None, {"base": "USD", "rates": {"EUR": self.rng.choice(FX_RATES)},
                                                "effective_at": time_text(self.writer.now)})

    def policy(self):
        self.writer.send("policy.configured", None, {
            "horizon_ms": self.rng.choice([30000, 200000]), "max_call_ms": self.rng.choice(LONGEST_CALLS[self.kind]),
            "retention_ms": self.rng.choice([0, LONGEST_MS]), "stale_after_ms": self.rng.choice([LONGEST_MS, 600000]),
            "recharge_timeout_ms": LONGEST_MS, "notice_ms": 0,
            "daily_spend": self.rng.choice([{}, {"USD": money(MOST), "EUR": money(MOST // 2)}]),
            "low_credits": {"USD": self.rng.choice([money(MOST), "0"])}})

    def open_account(self, name):
        send = self.writer.send
        send("account.opened", name, {"currency": ACCOUNTS[name], "owner": "ann"})
        send("number.added", name, {"number": NUMBER, "origin": "US"})
        send("number.international_enabled", name, {"number": NUMBER, "actor": "ann"})
        send("member.assigned", name, {"number": NUMBER, "member_id": "ann"})
        send("auto_recharge.configured", name, {"enabled": True, "amount": money(MOST), "currency": "USD",
                                                "threshold": money(self.near(MOST)), "actor": "ann"})

    def top_up(self):
        topup = self.rng.choice(list(ACCOUNTS)), self.writer.next_id("topup")
        data = {"topup_id": topup[1], "amount": self.amount(), "currency": self.rng.choice(["USD", "USD", "EUR"])}
        if self.rng.random() < 0.5:
            data["paid"] = {"amount": self.amount(), "currency": self.rng.choice(["USD", "EUR"])}
        self.topups.append(topup)
        self.writer.send("credit.topped_up", topup[0], data)

    def reverse(self):
        if self.topups:
            name, topup_id = self.rng.choice(self.topups)
            self.writer.send("topup.reversed", name, {"topup_id": topup_id, "reason": "chargeback"})

    def start(self):
        call = self.rng.choice(list(ACCOUNTS)), self.writer.next_id("call")
        self.calls.append(call)
        self.writer.send("call.started", call[0], {"call_id": call[1], "direction": "outbound", "from": NUMBER,
                                                   "to": self.rng.choice(DIALLED), "member_id": "ann"})

    def report(self, kind, call):
        self.talked[call] = self.duration(call)
        self.writer.send(kind, call[0], {"call_id": call[1], "duration_ms": self.talked[call]})

    def tick(self):
        if self.calls:
            self.report("call.ticked", self.rng.choice(self.calls[-8:]))

    def end(self):
        if self.calls:
            self.report("call.ended", self.rng.choice(self.calls[-8:]))

    def call_alone(self):
        self.start()
        self.report("call.ticked", self.calls[-1])
        self.report("call.ended", self.calls[-1])

    def run(self, events):
        self.writer.send("fx.published", None, {"base": "USD", "rates": {"EUR": "1"},
                                                "effective_at": time_text(self.writer.now - DAY)})
        self.policy()
        self.deck()
        for name in ACCOUNTS:
            self.open_account(name)
        actions = {self.top_up: 5, self.reverse: 2, self.deck: 0.7, self.fx: 0.5, self.policy: 0.5}
        actions |= {self.call_alone: 8} if self.kind == ALONE else {self.start: 6, self.tick: 14, self.end: 3}
        while len(self.writer.records) < events:
            self.writer.now += self.rng.choice([0, 1000, 6000, 70000])
            self.rng.choices(list(actions), actions.values())[0]()
        return self.writer.history(None)


def micros(text):
    units, _, fraction = text.partition(".")
    return int(units + fraction.ljust(6, "0"))


def cost_that_fits(cost):
    """A call's cost by the readings: one that does not fit is more than any credits, and so is the largest amount."""
    def limited(call, duration):
        whole = cost(call, duration)
        fits = whole < MOST and (whole == 0 or max(call.price, call.connect) <= MOST)
        return whole if fits else BEYOND
    return limited


def write_what_fits(outputs):
    """What is uncollected of a call whose cost does not fit is what is missing to the largest amount."""
    for output in outputs:
        data = output["data"]
        if output["type"] == "callfold.call.recorded":
            data["uncollected"] = money(min(micros(data["uncollected"]), MOST - micros(data["amount"])))


def run(check, program, sizes, _):
    reasons = set()
    Call.cost = cost_that_fits(Call.cost)
    for seed in range(sizes.first_seed, sizes.first_seed + sizes.amounts_seeds):
        history = Edges(seed).run(sizes.amounts_events)
        for outputs in history.outputs:
            write_what_fits(outputs)
            reasons.update(output["data"]["reason"] for output in outputs if "reason" in output["data"])
        failure = judge(Program(program), history, order=True)
        check(f"amounts at their limits, seed {seed}: the meter says what the model says", failure is None)
        if failure:
            report(history, failure, order=True)
    for reason in ("overflow", "insufficient_credits", "credits_exhausted", "max_duration"):
        check(f"the histories came across {reason}", reason in reasons)
