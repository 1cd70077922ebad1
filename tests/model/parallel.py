"""parallel.py - seeded histories of one account with many calls at once, while its credits run out.

    python3 tests/model/parallel.py SEED EVENTS CALLS > events.jsonl

So that the grant rule has much to choose from: calls of all prices and increments, ticks that
overdraw, ends that set credits free, top-ups from one micro to all that is wanted, chargebacks,
toggles, silences and new policies.
"""

import random
import sys

from decode import DAY
from history import ABROAD, CONNECTS, INCREMENTS, PRICES, Writer, line, publish_deck
from texts import MINUTE, money, time_text

NAME = "acct"
NUMBERS = [f"+1202555{index:04d}" for index in range(8)]
PREFIXES = ["+33", "+336", "+44", "+447", "+49", "+81"]


class Parallel:
    def __init__(self, rng, events, calls):
        self.rng, self.events, self.most = rng, events, calls
        self.writer = Writer(rng, archive=False)
        self.prices = rng.choice([PRICES, ["0.5", "0.6", "0.7"], ["0.6"], ["0.000001", "0.02", "3"]])
        self.increments = rng.choice([INCREMENTS, INCREMENTS, [(1, 1)], [(1, 1), (60, 60)]])
        self.connects = rng.choice([CONNECTS, ["0"]])
        self.minute = sum(float(price) for price in self.prices) / len(self.prices) * calls  # of all calls, in USD
        self.amounts = rng.choice([[0.001, 0.01, 0.05, 0.3, 1, self.minute / 20], [self.minute / 4, self.minute / 2]])
        self.first = {}   # of a prefix: price, connect, first_s
        self.calls = {}   # live ones: talk time last reported
        self.topups = []  # that may be reversed

    def send(self, kind, data, subject=NAME):
        for output in self.writer.send(kind, subject, data):
            call_id = output["data"].get("call_id")
            if output["type"] == "callfold.call.authorized":
                self.calls[call_id] = 0
            if output["type"] == "callfold.call.recorded":
                self.calls.pop(call_id, None)

    def run(self):
        rng, writer = self.rng, self.writer
        opening = {"deck_id": "deck", "currency": "USD", "effective_at": time_text(writer.now - DAY),
                   "origins": [{"origin": "US", "country": "US", "currency": "USD"}]}
        publish_deck(writer, opening, [self.rate(prefix) for prefix in PREFIXES])
        self.send("account.opened", {"currency": "USD", "owner": "boss"})
        for number in NUMBERS:
            self.send("number.added", {"number": number, "origin": "US"})
            self.send("number.international_enabled", {"number": number, "actor": "boss"})
            self.send("member.assigned", {"number": number, "member_id": "boss"})
        self.top_up(self.minute * 100 + self.most)
        self.top_up(self.minute * rng.choice([0.2, 0.4, 0.5, 0.6, 1]))
        for _ in range(self.most):
            self.start()
        self.reverse(0)  # what is left lasts for some seconds
        ends = rng.choice([1, 12])
        actions = [(70, self.tick), (ends, self.end), (ends, self.start), (4, self.top_up), (4, self.squeeze),
                   (0.5, self.reverse), (0.7, self.toggle), (0.5, self.policy), (0.3, self.silence)]
        while len(writer.records) < self.events:
            writer.now += rng.choice([0, 1, 5, 6000 // self.most])
            rng.choices([action for _, action in actions], [weight for weight, _ in actions])[0]()
        return writer.history(None)

    def rate(self, prefix):
        first_s, step_s = self.rng.choice(self.increments)
        price, connect = self.rng.choice(self.prices), self.rng.choice(self.connects)
        self.first[prefix] = price, connect, first_s
        return {"origin": "US", "prefix": prefix, "destination": "to " + prefix, "status": "open", "price": price,
                "connect": connect, "first_s": first_s, "step_s": step_s}

    def start(self, whom=None):
        self.send("call.started", {"call_id": self.writer.next_id("call"), "direction": "outbound",
                                   "from": self.rng.choice(NUMBERS), "to": self.rng.choice(whom or ABROAD[:-3]),
                                   "member_id": "boss"})

    def tick(self):
        if self.calls:
            call_id = self.rng.choice(list(self.calls))
            self.calls[call_id] += self.rng.choices([6000, 3000, 1, 0, 20000, MINUTE, 60 * MINUTE],
                                                    [60, 10, 5, 5, 10, 5, 1])[0]
            self.send("call.ticked", {"call_id": call_id, "duration_ms": self.calls[call_id]})

    def end(self):
        if self.calls:
            call_id = self.rng.choice(list(self.calls))
            self.send("call.ended", {"call_id": call_id,
                                     "duration_ms": self.calls[call_id] + self.rng.choice([0, 100, 3000, 9000])})

    def top_up(self, amount=None):
        if amount is None:
            amount = self.rng.choice(self.amounts)
        self.topups.append(self.writer.next_id("top"))
        self.send("credit.topped_up", {"topup_id": self.topups[-1], "amount": money(int(amount * 1000000) + 1),
                                       "currency": "USD"})

    def squeeze(self):
        """A call that starts on what little the others left, if a first increment costs no more: who talks on without
        a limit has to give back for it."""
        left = self.writer.account(NAME).uncommitted()
        self.start([to for to in ABROAD[:-3] if self.begins_at(to) <= left])

    def begins_at(self, to):
        """About what a call's first increment costs, in micros."""
        price, connect, first_s = self.first[max(prefix for prefix in PREFIXES if to.startswith(prefix))]
        return int((float(connect) + float(price) * first_s / 60) * 1000000) + 1

    def reverse(self, index=None):
        if self.topups:
            index = self.rng.randrange(len(self.topups)) if index is None else index
            self.send("topup.reversed", {"topup_id": self.topups.pop(index), "reason": "chargeback"})

    def toggle(self):
        number = self.rng.choice(NUMBERS)
        for kind in ("number.international_disabled", "number.international_enabled"):
            self.send(kind, {"number": number, "actor": "boss"})

    def policy(self):
        spend = [{}] * 5 + [{"USD": money(int(self.minute * 2000000))}]
        self.send("policy.configured", self.rng.choice([
            {"horizon_ms": self.rng.choice([22000, 30000, MINUTE, 90000])},
            {"max_call_ms": self.rng.choice([20000, MINUTE, 2 * MINUTE, 240 * MINUTE])},
            {"stale_after_ms": self.rng.choice([90000, 10 * MINUTE])},
            {"daily_spend": self.rng.choice(spend)}]), None)
        self.rng.choice([self.tick, self.top_up, self.reverse, self.toggle, self.end])()  # brings the news

    def silence(self):
        for _ in range(self.rng.choice([1, 1, 1, 12])):
            self.writer.now += MINUTE
            self.send("clock.advanced", {}, None)


def generate_parallel(seed, events, calls):
    return Parallel(random.Random(seed), events, calls).run()


if __name__ == "__main__":
    for record in generate_parallel(*map(int, sys.argv[1:])).records:
        sys.stdout.buffer.write(line(record))
