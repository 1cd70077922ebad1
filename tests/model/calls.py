"""calls.py - may a call go ahead, what it talked, how it ends (contract, sections 4 and 5)."""

from types import SimpleNamespace

from decode import DAY, EMERGENCY_NUMBERS, Invalid, e164
from state import Call, Duplicate, Rejected
from texts import decimal_text, half_up, money, time_text


class Calls:
    """The part of a Partition that knows calls."""

    def deny(self, name, call_id, reason):
        self.emit("call.denied", name, {"call_id": call_id, "reason": reason})

    @staticmethod
    def known_call(account, call_id):
        live = [call for call in account.live if call.id == call_id]
        return live[0] if live else account.closed.get(call_id) or account.denied.get(call_id)

    def on_call_started(self, account, event):
        known = self.known_call(account, event.data["call_id"])
        if known:
            if known.data == event.data:
                raise Duplicate
            raise Rejected("id_reused")
        change = self.begin(account, event)
        call = Call(event.data, event.time, self.offset, self.clock, self.policy["max_call_ms"])
        change.reported = call
        reason = self.judge(account, call)
        if reason:
            account.denied[call.id] = SimpleNamespace(data=call.data, closed_at=self.time, denied=True)
            self.deny(account.name, call.id, reason)
            change.reached = reason == "insufficient_credits"
            return change
        rate = call.rate or {}
        talk = call.affordable_ms(account.uncommitted(), self.policy["max_call_ms"]) if call.charged else 0
        self.emit("call.authorized", account.name, {
            "call_id": call.id, "charged": call.charged, "destination": rate.get("destination"),
            "prefix": rate.get("prefix"), "deck_id": call.deck_id,
            "price": money(call.price) if call.charged else None,
            "currency": account.currency if call.charged else None,
            "max_duration_ms": min(talk, self.policy["max_call_ms"]) if call.charged else None})
        account.live.append(call)
        return change

    def judge(self, account, call):
        """None when the call may go ahead (its rate is locked then), else the reason why not: section 4."""
        data, number = call.data, call.data["from"]
        if data["direction"] == "inbound":
            return None
        if number not in account.numbers:
            return "number_unknown"
        if data["to"] in EMERGENCY_NUMBERS:
            return "emergency_number"
        try:
            e164(data["to"])
        except Invalid:
            return "invalid_number"
        origin = account.numbers[number]
        deck = self.deck_at(origin, call.started_at)
        if deck is None:
            return "no_rates"
        rate = deck.match(origin, data["to"])
        if rate is None:
            return "destination_unknown"
        if rate["status"] == "blocked":
            return "destination_blocked"
        call.rate, call.deck_id = rate, deck.id
        if rate["domestic"]:
            return None
        call.international = True
        if number not in account.enabled:
            return "international_disabled"
        if (number, data["member_id"]) not in account.assigned:
            return "member_not_assigned"
        if any(data["to"].startswith(prefix) for prefix, where in account.blocked if where in (None, number)):
            return "destination_blocked_by_account"
        if rate["status"] == "free":
            return None
        return self.judge_charged(account, call, deck)

    def judge_charged(self, account, call, deck):
        ratio = self.fx_ratio(call.started_at, deck.currency, account.currency)
        if ratio is None:
            return "no_fx_rate"
        policy = account.policy
        if policy["max_concurrent_calls"] and len(account.charged_live()) >= policy["max_concurrent_calls"]:
            return "too_many_calls"
        daily = policy["daily_spend"].get(account.currency)
        if daily is not None and account.spent.get(call.day, 0) >= daily:
            return "daily_spend_reached"
        account.waiting = False
        call.charged = True
        call.price = half_up(call.rate["price"] * ratio[0], ratio[1])
        call.connect = half_up(call.rate["connect"] * ratio[0], ratio[1])
        if deck.currency != account.currency:
            call.fx = {"from": deck.currency, "to": account.currency,
                       "rate": decimal_text(half_up(10**9 * ratio[0], ratio[1]), 9)}
        if account.uncommitted() < call.cost(1):
            return "insufficient_credits"
        return None

    # -------------------------------------------------- talk time

    def find_live(self, account, event):
        """The live call of a tick or an end; for an end, also a stale one that it settles."""
        call = self.known_call(account, event.data["call_id"])
        if call is None:
            raise Rejected("call_unknown")
        if call in account.live:
            return call
        if not isinstance(call, Call):
            raise Rejected("call_not_authorized")
        if event.data["duration_ms"] <= call.last:
            raise Duplicate
        if event.type == "call.ended" and call.stale:
            return call
        raise Rejected("call_closed")

    def on_call_ticked(self, account, event):
        call = self.find_live(account, event)
        if event.data["duration_ms"] <= call.last and event.time <= call.reported_at:
            raise Duplicate
        change = self.begin(account, event)
        change.is_quiet = not change.new_policy  # a tick moves no standing limit
        change.reported = call
        self.report(account, call, event, change)
        return change

    def report(self, account, call, event, change):
        """A sign of life: posts what a past day accrued, then charges what was talked since."""
        if event.time // DAY > call.day:
            self.post_call(account, call, call.day)
            call.day = event.time // DAY
        call.reported_at, call.alive_clock = max(event.time, call.reported_at), self.clock
        duration = max(event.data["duration_ms"], call.last)
        longest = account.policy["max_call_ms"] if call.limit is None else call.longest
        if call.limit is None:
            if change.new_policy and call.last > account.policy["max_call_ms"]:
                call.longest = duration  # nobody had said anything while it talked
            self.charge_ahead(account, call, duration)
        call.last = duration
        if change.new_policy and call.limit is not None:
            call.longest = max(longest, call.talked())
        change.reached = call.reason == "credits_exhausted" and duration >= call.limit

    @staticmethod
    def charge_ahead(account, call, duration):
        """Limits a call that talked on where it became too long, or where the credits that nobody else holds end."""
        wanted = min(duration, call.longest)
        credits = account.neither_charged_nor_granted(but=call) + call.posted
        if call.charged and call.cost(wanted) > credits:
            call.limit, call.reason = call.affordable_ms(credits, wanted), "credits_exhausted"
        elif duration > wanted:
            call.limit, call.reason = wanted, "max_duration"

    def on_call_ended(self, account, event):
        call = self.find_live(account, event)
        change = self.begin(account, event)
        if call.stale:
            self.settle_stale(account, call, event)
            return change
        self.report(account, call, event, change)
        if call.limit is not None and change.limits[call.id][0] is None:
            self.say_limit(account, call)
        by_cutoff = call.limit is not None and call.last >= call.limit
        self.close(account, call, event.time, call.day, event.data["voicemail"],
                   "cutoff" if by_cutoff else "platform")
        return change

    def close(self, account, call, ended_at, day, voicemail, ended_by):
        self.post_call(account, call, day)
        account.live.remove(call)
        call.closed_at = self.time or 0
        account.closed[call.id] = call
        self.record(account, call, ended_at, voicemail, ended_by)

    def settle_stale(self, account, call, event):
        """A stale call's late end: the difference, as far as credits nobody holds go."""
        duration = event.data["duration_ms"]
        (stood, _), call.stale = call.stood, False
        call.limit, call.reason = call.stood
        wanted = min(duration, max(call.last, account.policy["max_call_ms"]) if stood is None else stood)
        credits = account.neither_charged_nor_granted(but=call) + call.posted
        if call.charged and wanted > call.last and call.cost(wanted) > credits:
            call.limit, call.reason = call.affordable_ms(credits, wanted), "credits_exhausted"
        elif stood is None and duration > wanted:
            call.limit, call.reason = wanted, "max_duration"
        call.last = duration
        self.post_call(account, call, event.time // DAY)
        by_cutoff = stood is not None and duration >= stood
        self.record(account, call, event.time, event.data["voicemail"], "cutoff" if by_cutoff else "platform")

    def record(self, account, call, ended_at, voicemail, ended_by):
        rate = call.rate or {}
        self.emit("call.recorded", account.name, {
            "call_id": call.id, "direction": call.data["direction"], "from": call.data["from"], "to": call.data["to"],
            "member_id": call.data["member_id"], "charged": call.charged, "destination": rate.get("destination"),
            "prefix": rate.get("prefix"), "deck_id": call.deck_id,
            "price": money(call.price) if call.charged else None, "fx": call.fx, "currency": account.currency,
            "started_at": time_text(call.started_at), "ended_at": time_text(ended_at), "duration_ms": call.last,
            "billed_ms": call.billed_ms(call.talked()) if call.charged else 0, "amount": money(call.charge()),
            "uncollected": money(call.cost(call.last) - call.charge()), "voicemail": voicemail, "ended_by": ended_by})

    @staticmethod
    def cut(account, reason, chosen):
        """At once: international calls end at their last duration, or at a lower limit that stood."""
        for call in account.live:
            if call.international and chosen(call):
                call.limit = call.last if call.limit is None else min(call.limit, call.last)
                call.reason = reason

    def go_stale(self, account, call):
        call.stood = (call.limit, call.reason)
        call.limit = call.last if call.limit is None else min(call.limit, call.last)
        call.reason, call.stale = "stale", True
        self.say_limit(account, call)
        self.close(account, call, call.reported_at, call.day, voicemail=False, ended_by="stale")
