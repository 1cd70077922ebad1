"""limits.py - what follows from an account's event: limits, notices, recharges (contract, sections 6 and 7).

Commitments and grants are worked out from scratch each time."""

from types import SimpleNamespace

from state import AT_ONCE
from texts import money


class Limits:
    """The part of a Partition that shares an account's credits among its calls."""

    def consequences(self, change):
        self.set_limits(change)
        account = change.account
        for call in account.live:
            limit, reason = change.limits.get(call.id, (None, None))
            if call.limit != limit or (call.reason != reason and call.reason not in (None, "credits_exhausted")):
                self.say_limit(account, call)
        self.notify(account, change)
        self.recharge(account, change)
        # Charged and granted together never exceed what is posted, nor do all commitments.
        assert 0 <= account.accrued() <= account.posted
        assert account.neither_charged_nor_granted(but=None) >= 0 and account.uncommitted() >= 0

    def set_limits(self, change):
        self.limit_daily_spend(change.account, change)
        self.limit_max_duration(change.account)
        self.share_credits(change.account, change)
        self.limit_daily_spend(change.account, change)

    def say_limit(self, account, call):
        call.revision += 1
        if call.limit is None:
            self.emit("call.cutoff_withdrawn", account.name, {"call_id": call.id, "revision": call.revision})
        else:
            self.emit("call.cutoff", account.name, {"call_id": call.id, "at_duration_ms": call.limit,
                                                    "reason": call.reason, "revision": call.revision})

    @staticmethod
    def limit_daily_spend(account, change):
        if account.charged() > change.charged:
            account.spent[change.day] = change.spent + account.charged() - change.charged
            account.spent = {day: spent for day, spent in account.spent.items() if day >= max(account.spent) - 1}
        daily = account.policy["daily_spend"].get(account.currency)
        if daily is None or change.is_deadline or not account.spent or change.day != max(account.spent):
            return
        if account.spent.get(change.day, 0) < daily:
            return
        for call in account.charged_live():
            if call.reason not in AT_ONCE:
                charged_until = call.billed_ms(call.last)
                call.limit = charged_until if call.limit is None else min(call.limit, charged_until)
                call.reason = "daily_spend_reached"

    @staticmethod
    def limit_max_duration(account):
        """Calls that are not charged, and limits at or past a new max_call_ms; share_credits does the rest."""
        for call in account.live:
            if call.limit is None:
                too_long = not call.charged and call.last + account.policy["horizon_ms"] >= call.longest
            else:
                too_long = call.reason not in AT_ONCE and call.limit >= call.longest
            if too_long:
                call.limit, call.reason = call.longest, "max_duration"

    def share_credits(self, account, change):
        calls = account.charged_live()
        if change.is_reversal:
            share = [call for call in calls if call.reason not in AT_ONCE]
            held = {call.id: call.billed_ms(call.talked()) for call in share}
            self.grant(account, share, held, account.available())
            return
        share = [call for call in calls if call.limit is None]
        promised = sum(call.cost(account.horizon_end(call)) - call.charge() for call in share)
        self.grant(account, share, {call.id: call.billed_ms(call.last) for call in share},
                   account.uncommitted() + promised)
        if change.is_quiet or account.uncommitted() <= change.uncommitted:
            return
        share = [call for call in calls if call.reason == "credits_exhausted"]
        self.grant(account, share, {call.id: call.limit for call in share}, account.uncommitted())

    @staticmethod
    def grant(account, calls, held, credits):
        """Buys increments in the order in which they begin, as far as credits go; held: talk time had already.

        A call that gets every increment that begins before its horizon ends has no limit, or that of
        max_call_ms; one whose next increment is not affordable is limited at the end of its last."""
        buyers = list(calls)
        while buyers:
            call = min(buyers, key=lambda buyer: (held[buyer.id] - buyer.last, buyer.place))
            if held[call.id] >= account.horizon_end(call):
                within = call.reason == "max_duration" or call.last + account.policy["horizon_ms"] >= call.longest
                call.limit, call.reason = (call.longest, "max_duration") if within else (None, None)
                buyers.remove(call)
                continue
            end = call.billed_ms(held[call.id] + 1)
            price = call.cost(end) - call.cost(held[call.id])
            if price > credits:
                if call.reason == "max_duration":  # taken back: the policy in force says how far it may grow
                    call.longest = max(call.talked(), account.policy["max_call_ms"])
                call.limit, call.reason = held[call.id], "credits_exhausted"
                buyers.remove(call)
            else:
                held[call.id], credits = end, credits - price
        assert credits >= 0

    def notify(self, account, change):
        charged = account.charged() > change.charged
        available = account.available()
        low = account.policy["low_credits"].get(account.currency)
        if charged and low is not None and available <= low and not account.low_said:
            account.low_said = True
            self.emit("account.notify", account.name, {"kind": "credits_low"})
        for call in account.live:
            if call.reason == "credits_exhausted" and call.last >= call.limit:
                changed = change.limits.get(call.id, (None, None))[0] != call.limit
                change.reached = change.reached or changed or call is change.reported
        if (change.reached or (charged and available == 0)) and not account.exhausted:
            account.exhausted = True
            self.emit("account.notify", account.name, {"kind": "credits_exhausted"})

    def recharge(self, account, change):
        auto = account.auto
        if not auto or not auto["enabled"] or account.suspended or account.in_flight or account.waiting:
            return
        if not account.exhausted and account.available() > auto["threshold"]:
            return
        if change.day > account.recharge_day:
            account.recharge_day, account.recharges, account.limit_said = change.day, 0, False
        if account.recharges >= auto["daily_limit"]:
            if not account.limit_said:
                account.limit_said = True
                self.emit("account.notify", account.name, {"kind": "recharge_limit_reached"})
            return
        account.recharges += 1
        name = f"{self.number}:{self.offset}:{len(self.outputs)}"
        self.emit("account.recharge", account.name, {"recharge_id": name, "amount": money(auto["amount"]),
                                                     "currency": auto["currency"]})
        account.in_flight = SimpleNamespace(id=name, clock=self.clock, place=self.offset)
