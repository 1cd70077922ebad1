"""ledger.py - credits in and out, and the ledger's entries (contract, sections 3, 7 and 8)."""

import hashlib
from types import SimpleNamespace

from decode import DAY, INT64_MAX
from state import Duplicate, Rejected
from texts import day_text, encoded, half_up, money, time_text

FAILURES_MAX = 3


class Ledger:
    """The part of a Partition that moves money."""

    def on_credit_topped_up(self, account, event):
        data = event.data
        known = account.topups.get(data["topup_id"])
        if known and known.data == data:
            raise Duplicate
        paid = data["paid"]
        self.check_currency(data["currency"], paid["currency"])
        ratio = self.fx_ratio(event.time, data["currency"], account.currency)
        if ratio is None:
            raise Rejected("no_fx_rate")
        if known:
            raise Rejected("id_reused")
        credits = half_up(data["amount"] * ratio[0], ratio[1])
        if account.posted + credits > INT64_MAX:
            raise Rejected("overflow")
        change = self.begin(account, event)
        sides = [("cash:" + paid["currency"], paid["amount"], paid["currency"])]
        if paid["currency"] == account.currency:
            sides.append(("promotion:" + account.currency, credits - paid["amount"], account.currency))
        else:
            sides.append(("fx:" + paid["currency"], -paid["amount"], paid["currency"]))
            sides.append(("fx:" + account.currency, credits, account.currency))
        account.topups[data["topup_id"]] = SimpleNamespace(data=data, credits=credits, sides=sides, reversal=None)
        self.post(account, "topup", credits, data["topup_id"], event.time // DAY,
                  [("customer:" + account.name, -credits, account.currency)] + sides)
        self.take_payment(account, data["recharge_id"])
        return change

    @staticmethod
    def take_payment(account, recharge_id):
        """What money received means for notices and recharges."""
        account.exhausted = False
        low = account.policy["low_credits"].get(account.currency)
        if low is not None and account.available() > low:
            account.low_said = False
        account.waiting = False
        if recharge_id is not None:
            account.failures = 0
            if account.in_flight and account.in_flight.id == recharge_id:
                account.in_flight = None

    def on_topup_reversed(self, account, event):
        topup = account.topups.get(event.data["topup_id"])
        if topup is None:
            raise Rejected("topup_unknown")
        if topup.reversal == event.data:
            raise Duplicate
        if topup.reversal:
            raise Rejected("id_reused")
        change = self.begin(account, event)
        topup.reversal = event.data
        debit = min(topup.credits, account.available())
        change.is_reversal = debit > 0  # what takes no credits takes no grants
        sides = [(name, -micros, currency) for name, micros, currency in topup.sides]
        self.post(account, "topup_reversal", -debit, event.data["topup_id"], event.time // DAY,
                  [("customer:" + account.name, debit, account.currency),
                   ("receivable:" + account.name, topup.credits - debit, account.currency)] + sides)
        if topup.data["recharge_id"] is not None:
            self.suspend(account)
        return change

    def suspend(self, account):
        if account.auto and account.auto["enabled"] and not account.suspended:
            account.suspended = True
            self.emit("account.notify", account.name, {"kind": "recharge_suspended"})

    def on_recharge_failed(self, account, event):
        if account.in_flight is None or account.in_flight.id != event.data["recharge_id"]:
            raise Rejected("recharge_unknown")
        change = self.begin(account, event)
        self.recharge_failed(account)
        return change

    def recharge_failed(self, account):
        account.in_flight = None
        account.waiting = True
        account.failures += 1
        if account.failures >= FAILURES_MAX:
            self.suspend(account)

    # -------------------------------------------------- entries

    def first_open_day(self):
        """The first that is not final: a day is, stale_after_ms past its end, and stays so under every later policy."""
        return max(self.reopened_no_sooner, ((self.time or 0) - self.policy["stale_after_ms"]) // DAY)

    def post(self, account, kind, amount, reference, day, sides):
        account.posted += amount
        finished = day < self.first_open_day()
        date = day_text((self.time or 0) // DAY if finished else day)
        postings = [{"account": name, "amount": money(micros), "currency": currency}
                    for name, micros, currency in sides if micros != 0]
        totals = {}
        for _, micros, currency in sides:
            totals[currency] = totals.get(currency, 0) + micros
        assert not any(totals.values()), totals
        self.entries += 1
        columns = [str(self.entries), time_text(self.time or 0), kind, account.name, money(amount), account.currency,
                   money(account.posted), reference, f"{self.number}-{self.offset}", date]
        line = "|".join([encoded(column) for column in columns] + [";".join(
            " ".join(encoded(posting[name]) for name in ("account", "amount", "currency")) for posting in postings)])
        previous, self.chain = self.chain, hashlib.sha256(f"{self.chain}\n{line}".encode()).hexdigest()
        self.emit("ledger.posted", account.name, {
            "entry": self.entries, "kind": kind, "account": account.name, "amount": money(amount),
            "currency": account.currency, "balance": money(account.posted), "date": date,
            "for_date": day_text(day) if finished else None,
            "reference": reference, "postings": postings, "line": line, "prev": previous, "hash": self.chain})
        self.emit("balance.changed", account.name, {
            "balance": money(account.posted), "available": money(account.available()), "currency": account.currency,
            "entry": self.entries})

    def post_call(self, account, call, day):
        """Posts what the call has accrued."""
        amount = call.charge() - call.posted
        if amount == 0:
            return
        call.posted += amount
        account.posted_of_calls += amount
        self.post(account, "call", -amount, call.id, day,
                  [("customer:" + account.name, amount, account.currency),
                   ("revenue:" + call.rate["destination"], -amount, account.currency)])
