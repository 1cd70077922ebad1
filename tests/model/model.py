"""model.py - the contract as plain Python: slow, naive, and independent of the fold.

One Partition folds one partition's records and answers each with the outputs that
callfold should write. Nothing here is kept up to date by steps that could be worked out
again from what happened: commitments, charges, deadlines and the day's charges are summed
over every call whenever they are needed. Money is exact integers of micros.

The order of one record's outputs, which numbers their ids: deadlines first, each with its
consequences; then what the event itself says and posts; then cutoffs and withdrawals by
call start; then credits_low, credits_exhausted, the recharge; the attestation last.
"""

import base64
import hashlib
from bisect import bisect_right
from types import SimpleNamespace

from decode import (ACCOUNT_TYPES, CURRENCIES, DAY, EMERGENCY_NUMBERS, INT64_MAX, POLICY_DEFAULTS, Undecodable, decode,
                    e164, Invalid)

FOLD_VERSION = 1
MINUTE = 60000
HOUR = 3600000
AHEAD_MAX = 5 * MINUTE
CLOCK_STEP_MAX = MINUTE
DENIED_KEPT = DAY
ATTEST_EVERY = 50000
FAILURES_MAX = 3
RAISED_MAX = 1000
REJECT_BYTES_MAX = 32768
NO_HASH = "0" * 64
NO_KEY = object()  # a bare line: there is no key to compare with

TOPIC = {
    "call.authorized": "commands", "call.denied": "commands", "call.cutoff": "commands",
    "call.cutoff_withdrawn": "commands", "account.recharge": "commands", "account.notify": "commands",
    "sms.allowed": "commands", "sms.denied": "commands", "ratedeck.accepted": "commands",
    "ledger.posted": "ledger", "call.recorded": "calls", "balance.changed": "balances",
    "event.rejected": "rejects", "state.attested": "attestations",
}
# Cut at once, at what is charged already: such a call holds no grant to take back.
AT_ONCE = ("international_disabled", "member_removed", "number_removed", "daily_spend_reached", "stale")


class Rejected(Exception):
    """The event becomes an event.rejected."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Duplicate(Exception):
    """The event changes nothing and emits nothing."""


# ---------------------------------------------------------------- numbers and texts


def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def decimal_text(number, places):
    sign, digits = "-" if number < 0 else "", str(abs(number)).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    return sign + digits[:-places] + ("." + fraction if fraction else "")


def money(micros):
    return decimal_text(micros, 6)


def day_text(day):
    """Days since 1970 -> 2026-11-23 (civil-from-days, proleptic Gregorian, year 0 too)."""
    era, rest = divmod(day + 719468, 146097)
    year = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    rest -= 365 * year + year // 4 - year // 100
    month = (5 * rest + 2) // 153
    first = 1 if month >= 10 else 0
    return f"{year + era * 400 + first:04d}-{month - 9 if month >= 10 else month + 3:02d}-{rest - (153 * month + 2) // 5 + 1:02d}"


def time_text(ms):
    day, rest = divmod(ms, DAY)
    return f"{day_text(day)}T{rest // HOUR:02d}:{rest // MINUTE % 60:02d}:{rest // 1000 % 60:02d}.{rest % 1000:03d}Z"


def encoded(text):
    """Percent-encoded for a ledger line."""
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:+-"
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in text.encode())


def murmur2(key):
    """The Java client's hash of a key, for the partition it belongs to."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(key)) & mask
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & mask
        h = h * m & mask ^ (k ^ k >> 24) * m & mask
    if len(key) > whole:
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of(key, count):
    return (murmur2(key) & 0x7FFFFFFF) % count


def eight_bytes(number):
    return (number % 2**64).to_bytes(8, "big")


# ---------------------------------------------------------------- what a partition knows


class Deck:
    """A rate deck, being opened or published."""

    def __init__(self, data):
        self.id, self.opening = data["deck_id"], data
        self.currency, self.effective_at = data["currency"], data["effective_at"]
        self.origins = [entry["origin"] for entry in data["origins"]]
        self.rates = {}      # (origin, prefix) -> rate
        self.spoilt = False
        self.rank = None     # once published: which deck decides, the largest

    def match(self, origin, number):
        """The rate of the longest prefix of number; None without one."""
        found = [rate for (of, prefix), rate in self.rates.items() if of == origin and number.startswith(prefix)]
        return max(found, key=lambda rate: len(rate["prefix"])) if found else None


class Call:
    """An authorized call, live or closed."""

    def __init__(self, data, time, place, clock, longest):
        self.id, self.data = data["call_id"], data
        self.started_at, self.place = time, place  # place in the log: the tie-break "call start"
        self.charged = False        # does it cost anything
        self.international = False  # charged or free: what a toggle and a removal cut
        self.rate = self.deck_id = self.price = self.fx = None
        self.connect = 0
        self.last, self.reported_at, self.alive_clock = 0, time, clock
        self.day = time // DAY      # the day that what is accrued belongs to
        self.limit = self.reason = None
        self.revision = 0
        self.longest = longest      # max_call_ms, or what was talked when the policy made that too short
        self.posted = 0
        self.stale = False
        self.stood = (None, None)   # limit and reason before it went stale

    def billed_ms(self, duration):
        first, step = self.rate["first_s"] * 1000, self.rate["step_s"] * 1000
        if duration == 0:
            return 0
        if duration <= first:
            return first
        return first + -(-(duration - first) // step) * step

    def cost(self, duration):
        if not self.charged or duration == 0:
            return 0
        return self.connect + half_up(self.billed_ms(duration) * self.price, 60000)

    def talked(self):
        """Talk time up to the limit: what is charged for."""
        return self.last if self.limit is None else min(self.last, self.limit)

    def charge(self):
        return self.cost(self.talked())

    def increments_end(self, count):
        """Talk time at which the count-th increment ends; 0 for none."""
        return 0 if count == 0 else (self.rate["first_s"] + (count - 1) * self.rate["step_s"]) * 1000

    def affordable_ms(self, credits, duration):
        """Talk time of the whole increments, of those that duration takes, that credits pay for."""
        longest = self.billed_ms(duration)
        count = 0 if longest == 0 else 1 + (longest // 1000 - self.rate["first_s"]) // self.rate["step_s"]
        if credits < 0:
            return 0
        return self.increments_end(bisect_right(range(count + 1), credits,
                                                key=lambda n: self.cost(self.increments_end(n))) - 1)


class Account:
    def __init__(self, name, data, policy):
        self.name, self.opened, self.currency = name, data, data["currency"]
        self.policy = policy
        self.roles, self.numbers = {}, {}              # member -> role, number -> origin
        self.enabled, self.assigned, self.blocked = set(), set(), set()
        self.changed_at = {}                           # setting -> time of its last change
        self.removed_at = {}                           # ("number" | "member", which) -> time of its removal
        self.posted = self.posted_of_calls = 0
        self.spent = {}                                # day -> what was charged on it, by the events' own time
        self.live, self.closed, self.denied = [], {}, {}
        self.topups = {}
        self.low_said = self.exhausted = False
        self.auto = None                               # auto_recharge.configured's data
        self.suspended = self.waiting = False
        self.failures = 0
        self.in_flight = None                          # recharge: id, clock, place
        self.recharge_day, self.recharges, self.limit_said = -(2**63), 0, False

    def accrued(self):
        return sum(call.charge() - call.posted for call in self.live)

    def available(self):
        return self.posted - self.accrued()

    def charged(self):
        """All that calls were ever charged for, posted or accrued."""
        return self.accrued() + self.posted_of_calls

    def charged_live(self):
        return [call for call in self.live if call.charged]

    def horizon_end(self, call):
        """Talk time up to which credits are set aside for the call, if there are enough."""
        if call.reason == "max_duration":
            return call.limit
        return min(call.last + self.policy["horizon_ms"], call.longest)

    def uncommitted(self):
        commitments = (call.cost(self.horizon_end(call) if call.limit is None else call.limit) - call.posted
                       for call in self.charged_live())
        return self.posted - sum(commitments)

    def neither_charged_nor_granted(self, but):
        """Credits that no call but this one was charged or granted."""
        held = (call.charge() if call.limit is None else call.cost(call.limit) for call in self.charged_live()
                if call is not but)
        posted = (call.posted for call in self.charged_live() if call is not but)
        return self.posted - sum(held) + sum(posted)


class Change:
    """What one effective event (or deadline) did to an account, as far as the consequences ask."""

    def __init__(self, account, day):
        self.account, self.day = account, day
        self.limits = {call.id: (call.limit, call.reason) for call in account.live}
        self.charged, self.spent = account.charged(), account.spent.get(day, 0)
        self.uncommitted = account.uncommitted()
        self.is_tick = self.is_reversal = self.new_policy = False
        self.reported = None   # the call this event reported on
        self.reached = False   # a closed call reached its credits_exhausted limit, or a call was denied
        self.said_low = account.low_said


class Partition:
    def __init__(self, number=0, count=0):
        self.number, self.count = number, count
        self.time = None
        self.clock, self.timestamp = 0, None
        self.policy, self.policy_changed_at = dict(POLICY_DEFAULTS), {}
        self.accounts = {}
        self.drafts, self.decks, self.fx = {}, [], []  # decks and fx tables in the order of publication
        self.entries, self.chain = 0, NO_HASH
        self.inputs, self.input, self.unattested = 0, bytes(32), b""
        self.minute = None
        self.outputs = []
        self.offset = None

    # ------------------------------------------------------------ one record

    def step(self, offset, value, timestamp=None, key=NO_KEY):
        """Folds one record (value: bytes; timestamp None and key NO_KEY for a bare line)."""
        self.offset, self.outputs = offset, []
        self.take_into_input_chain(value, timestamp, key)
        before = self.time
        event = refusal = subject = None
        try:
            event = decode(value)
            subject = event.subject
            self.check_record(event, timestamp, key)
        except Undecodable as error:
            refusal, subject = error.reason, error.subject
        except Rejected as error:
            refusal = error.reason
        if refusal is None:
            self.time = event.time if self.time is None else max(self.time, event.time)
        self.advance_clock(timestamp, before)
        self.meet_deadlines()
        self.forget()
        if refusal is None:
            try:
                self.take_effect(event)
            except Rejected as error:
                refusal = error.reason
            except Duplicate:
                pass
        if refusal is not None:
            self.reject(refusal, subject, value, key)
        self.attest()
        return self.outputs

    def emit(self, kind, subject, data):
        output = {"topic": TOPIC[kind], "id": f"{self.number}:{self.offset}:{len(self.outputs)}",
                  "type": "callfold." + kind, "subject": subject, "time": time_text(self.time or 0),
                  "data": {name: item for name, item in data.items() if item is not None}}
        self.outputs.append(output)
        return output["id"]

    def take_into_input_chain(self, value, timestamp, key):
        key_bytes = b"" if key is NO_KEY or key is None else key
        self.inputs += 1
        self.unattested += (eight_bytes(self.offset) + eight_bytes(timestamp or 0)
                            + len(key_bytes).to_bytes(4, "big") + key_bytes
                            + len(value).to_bytes(4, "big") + value)

    def check_record(self, event, timestamp, key):
        if event.subject is not None and key is not NO_KEY:
            if key != event.subject.encode():
                raise Rejected("key_mismatch")
            if self.count and partition_of(key, self.count) != self.number:
                raise Rejected("key_mismatch")
        if timestamp is not None and event.time > timestamp + AHEAD_MAX:
            raise Rejected("time_ahead")

    def advance_clock(self, timestamp, time_before):
        if timestamp is not None:
            step = 0 if self.timestamp is None else timestamp - self.timestamp
            self.timestamp = timestamp
        else:
            step = 0 if time_before is None else self.time - time_before
        self.clock += min(max(step, 0), CLOCK_STEP_MAX)

    def reject(self, reason, subject, value, key):
        key_text = None if key is NO_KEY or key is None else base64.b64encode(key[:REJECT_BYTES_MAX]).decode()
        self.emit("event.rejected", subject, {
            "reason": reason, "topic": "callfold.events", "partition": self.number, "offset": self.offset,
            "size": len(value), "sha256": hashlib.sha256(value).hexdigest(),
            "payload": base64.b64encode(value[:REJECT_BYTES_MAX]).decode(), "key": key_text})

    def attest(self):
        minute = None if self.time is None else self.time // MINUTE
        new_minute = minute != self.minute
        self.minute = minute
        if not new_minute and self.inputs % ATTEST_EVERY != 0:
            return
        self.input, self.unattested = hashlib.sha256(self.input + self.unattested).digest(), b""
        self.emit("state.attested", None, {
            "partition": self.number, "next_offset": self.offset + 1, "fold_version": FOLD_VERSION,
            "entries": self.entries, "chain": self.chain, "input": self.input.hex(), "inputs": self.inputs})

    def forget(self):
        """Drops what is past its time: calls remembered, decks and fx tables superseded for an hour."""
        now = self.time or 0
        for account in self.accounts.values():
            account.closed = {name: old for name, old in account.closed.items()
                              if now < old.closed_at + max(1, self.policy["retention_ms"])}
            account.denied = {name: old for name, old in account.denied.items() if now < old.closed_at + DENIED_KEPT}

        def superseded(at, older, newer):
            return newer.rank > older.rank and at > newer.effective_at + HOUR
        self.fx = [table for table in self.fx if not any(superseded(now, table, other) for other in self.fx)]
        self.decks = [deck for deck in self.decks
                      if not all(any(origin in other.origins and superseded(now, deck, other) for other in self.decks)
                                 for origin in deck.origins)]

    # ------------------------------------------------------------ deadlines

    def meet_deadlines(self):
        """Stale calls and recharge time-outs that the second clock has passed, each with its consequences."""
        while True:
            due = []
            for account in self.accounts.values():
                for call in account.live:
                    due.append((call.alive_clock + account.policy["stale_after_ms"], call.place, account, call))
                if account.in_flight:
                    due.append((account.in_flight.clock + account.policy["recharge_timeout_ms"],
                                account.in_flight.place, account, None))
            due = [deadline for deadline in due if deadline[0] <= self.clock]
            if not due:
                return
            _, _, account, call = min(due, key=lambda deadline: deadline[:2])
            change = Change(account, (self.time or 0) // DAY)
            if call:
                self.go_stale(account, call)
            else:
                self.recharge_failed(account)
            self.consequences(change)

    def go_stale(self, account, call):
        call.stood = (call.limit, call.reason)
        call.limit = call.last if call.limit is None else min(call.limit, call.last)
        call.reason, call.stale = "stale", True
        self.say_limit(account, call)
        self.close(account, call, call.reported_at, call.day, voicemail=False, ended_by="stale")

    # ------------------------------------------------------------ events

    def take_effect(self, event):
        if event.type == "credit.refunded":
            raise Rejected("non_refundable")
        handler = getattr(self, "on_" + event.type.replace(".", "_"))
        if event.type not in ACCOUNT_TYPES:
            handler(event)
            return
        account = self.accounts.get(event.subject)
        if event.type == "account.opened":
            handler(account, event)
        elif account is None and event.type == "call.started":
            self.deny(event.subject, event.data["call_id"], "account_unknown")
        elif account is None:
            raise Rejected("account_unknown")
        else:
            self.consequences(handler(account, event))

    def begin(self, account, event):
        """The event is neither rejected nor a duplicate: from here on the newest policy holds for the account."""
        change = Change(account, event.time // DAY)
        if account.policy is not self.policy:
            account.policy = self.policy
            for call in account.live:
                longest = max(call.talked(), self.policy["max_call_ms"])  # a charge is never taken back
                call.longest = min(longest, call.longest) if call.reason == "max_duration" else longest
            if event.type.startswith("call."):
                change.new_policy = True  # what this call was told, or talked, before the news comes first
            else:
                self.set_limits(change)
                change.uncommitted = account.uncommitted()
        return change

    def on_clock_advanced(self, event):
        pass

    def on_account_opened(self, account, event):
        if account is not None:
            if account.opened == event.data:
                raise Duplicate
            raise Rejected("account_exists")
        self.check_currency(event.data["currency"])
        account = Account(event.subject, event.data, self.policy)
        account.roles[event.data["owner"]] = "admin"
        account.changed_at[("role", event.data["owner"])] = event.time
        self.accounts[event.subject] = account

    @staticmethod
    def check_currency(*codes):
        if any(code not in CURRENCIES for code in codes):
            raise Rejected("currency_unknown")

    # -------------------------------------------------- settings

    @staticmethod
    def absorb_older(account, event, setting, number=None, member=None, same=False):
        """An event older than the last change of its setting is a duplicate; so is one older than a removal,
        and one that says the same for the same time."""
        times = [account.changed_at.get(setting), account.removed_at.get(("number", number)),
                 account.removed_at.get(("member", member))]
        if any(time is not None and event.time < time for time in times):
            raise Duplicate
        if same and event.time == account.changed_at.get(setting):
            raise Duplicate

    @staticmethod
    def set_at(account, event, setting):
        account.changed_at[setting] = max(event.time, account.changed_at.get(setting, event.time))

    @staticmethod
    def check_actor(account, event):
        if account.roles.get(event.data["actor"]) not in ("admin", "manager"):
            raise Rejected("not_permitted")

    @staticmethod
    def check_number(account, number):
        if number is not None and number not in account.numbers:
            raise Rejected("number_unknown")

    def on_member_set(self, account, event):
        member = event.data["member_id"]
        self.absorb_older(account, event, ("role", member), same=account.roles.get(member) == event.data["role"])
        change = self.begin(account, event)
        account.roles[member] = event.data["role"]
        self.set_at(account, event, ("role", member))
        return change

    def on_member_removed(self, account, event):
        member = event.data["member_id"]
        self.absorb_older(account, event, ("role", member))
        if member not in account.roles:
            raise Duplicate
        change = self.begin(account, event)
        del account.roles[member]
        self.set_at(account, event, ("role", member))
        account.removed_at[("member", member)] = event.time
        account.assigned = {(number, who) for number, who in account.assigned if who != member}
        self.cut(account, "member_removed", lambda call: call.data["member_id"] == member)
        return change

    def on_number_added(self, account, event):
        number, origin = event.data["number"], event.data["origin"]
        self.absorb_older(account, event, None, number=number)
        if number in account.numbers:
            if account.numbers[number] == origin:
                raise Duplicate
            raise Rejected("number_taken")
        change = self.begin(account, event)
        account.numbers[number] = origin
        self.set_at(account, event, ("number", number))
        return change

    def on_number_removed(self, account, event):
        number = event.data["number"]
        self.absorb_older(account, event, ("number", number))
        if number not in account.numbers:
            raise Duplicate
        change = self.begin(account, event)
        del account.numbers[number]
        self.set_at(account, event, ("number", number))
        account.removed_at[("number", number)] = event.time
        account.enabled.discard(number)
        account.assigned = {(where, who) for where, who in account.assigned if where != number}
        account.blocked = {(prefix, where) for prefix, where in account.blocked if where != number}
        self.cut(account, "number_removed", lambda call: call.data["from"] == number)
        return change

    def on_member_assigned(self, account, event):
        number, member = event.data["number"], event.data["member_id"]
        self.absorb_older(account, event, ("assigned", number, member), number, member,
                          same=(number, member) in account.assigned)
        if member not in account.roles:
            raise Rejected("member_unknown")
        self.check_number(account, number)
        change = self.begin(account, event)
        account.assigned.add((number, member))
        self.set_at(account, event, ("assigned", number, member))
        return change

    def on_member_unassigned(self, account, event):
        number, member = event.data["number"], event.data["member_id"]
        self.absorb_older(account, event, ("assigned", number, member), number, member)
        if (number, member) not in account.assigned:
            raise Duplicate
        change = self.begin(account, event)
        account.assigned.discard((number, member))
        self.set_at(account, event, ("assigned", number, member))
        return change

    def toggle(self, account, event, on):
        number = event.data["number"]
        self.absorb_older(account, event, ("toggle", number), number, same=on == (number in account.enabled))
        self.check_number(account, number)
        self.check_actor(account, event)
        change = self.begin(account, event)
        self.set_at(account, event, ("toggle", number))
        if on:
            account.enabled.add(number)
        else:
            account.enabled.discard(number)
            self.cut(account, "international_disabled", lambda call: call.data["from"] == number)
        return change

    def on_number_international_enabled(self, account, event):
        return self.toggle(account, event, True)

    def on_number_international_disabled(self, account, event):
        return self.toggle(account, event, False)

    def on_destination_blocked(self, account, event):
        block = (event.data["prefix"], event.data["number"])
        self.absorb_older(account, event, ("block", block), block[1], same=block in account.blocked)
        self.check_number(account, block[1])
        self.check_actor(account, event)
        change = self.begin(account, event)
        account.blocked.add(block)
        self.set_at(account, event, ("block", block))
        return change

    def on_destination_unblocked(self, account, event):
        block = (event.data["prefix"], event.data["number"])
        self.absorb_older(account, event, ("block", block), block[1])
        if block not in account.blocked:
            raise Duplicate
        self.check_actor(account, event)
        change = self.begin(account, event)
        account.blocked.discard(block)
        self.set_at(account, event, ("block", block))
        return change

    def on_auto_recharge_configured(self, account, event):
        self.absorb_older(account, event, "auto_recharge", same=account.auto == event.data)
        self.check_currency(event.data["currency"])
        self.check_actor(account, event)
        change = self.begin(account, event)
        account.auto = event.data
        self.set_at(account, event, "auto_recharge")
        account.suspended = account.waiting = False
        account.failures = 0
        return change

    def on_policy_configured(self, event):
        newer = {name: item for name, item in event.data.items()
                 if event.time >= self.policy_changed_at.get(name, event.time)
                 and (event.time, item) != (self.policy_changed_at.get(name), self.policy[name])}
        if not newer:
            raise Duplicate
        policy = {**self.policy, **newer}
        if policy["horizon_ms"] < 2 * policy["tick_ms"] + 10000:
            raise Rejected("invalid_field")
        for name in ("low_credits", "daily_spend"):
            self.check_currency(*newer.get(name, {}))
        self.policy = policy
        self.policy_changed_at.update({name: event.time for name in newer})

    # -------------------------------------------------- credits

    def fx_at(self, time):
        in_force = [table for table in self.fx if table.effective_at <= time]
        return max(in_force, key=lambda table: table.rank) if in_force else None

    def fx_ratio(self, time, source, target):
        """(numerator, denominator): one unit of source is that much of target; None without a rate."""
        if source == target:
            return (1, 1)
        table = self.fx_at(time)
        if table is None or source not in table.rates or target not in table.rates:
            return None
        return (table.rates[target], table.rates[source])

    def on_fx_published(self, event):
        self.check_currency(event.data["base"], *event.data["rates"])
        rates = {**event.data["rates"], event.data["base"]: 10**9}
        table = SimpleNamespace(data=event.data, rates=rates, effective_at=event.data["effective_at"],
                                rank=(event.data["effective_at"], self.offset))
        if any(other.data == table.data for other in self.fx):
            raise Duplicate
        self.fx.append(table)

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

    # -------------------------------------------------- rate decks

    def on_ratedeck_opened(self, event):
        deck = Deck(event.data)
        self.check_currency(deck.currency, *(entry["currency"] for entry in event.data["origins"]))
        known = self.published(deck.id) or self.drafts.get(deck.id)
        if known and known.opening == deck.opening:
            raise Duplicate
        if self.published(deck.id):
            raise Rejected("id_reused")
        self.drafts[deck.id] = deck

    def published(self, deck_id):
        return next((deck for deck in self.decks if deck.id == deck_id), None)

    def on_ratedeck_rates(self, event):
        published = self.published(event.data["deck_id"])
        deck = published or self.drafts.get(event.data["deck_id"])
        if deck is None:
            raise Rejected("deck_unknown")
        if any(rate["origin"] not in deck.origins for rate in event.data["rates"]):
            raise Rejected("invalid_field")
        if published and any(deck.rates.get((rate["origin"], rate["prefix"])) != rate for rate in event.data["rates"]):
            raise Rejected("deck_unknown")
        for rate in event.data["rates"]:
            if deck.rates.setdefault((rate["origin"], rate["prefix"]), rate) != rate:
                deck.spoilt = True

    def on_ratedeck_published(self, event):
        published = self.published(event.data["deck_id"])
        if published and event.data["rates"] == len(published.rates):
            raise Duplicate
        if published:
            raise Rejected("id_reused")
        deck = self.drafts.pop(event.data["deck_id"], None)
        if deck is None:
            raise Rejected("deck_unknown")
        if deck.spoilt or len(deck.rates) != event.data["rates"]:
            raise Rejected("deck_incomplete")
        raised = self.raised(deck)
        if raised and deck.effective_at < event.time + self.policy["notice_ms"]:
            raise Rejected("insufficient_notice")
        deck.rank = (deck.effective_at, self.offset)
        self.decks.append(deck)
        self.emit("ratedeck.accepted", None, {
            "deck_id": deck.id, "effective_at": time_text(deck.effective_at), "rates": len(deck.rates),
            "raised_count": len(raised), "raised": raised[:RAISED_MAX]})

    def deck_at(self, origin, time):
        in_force = [deck for deck in self.decks if origin in deck.origins and deck.effective_at <= time]
        return max(in_force, key=lambda deck: deck.rank) if in_force else None

    def raised(self, deck):
        """The rates that cost more than what the deck in force at effective_at gave their prefix."""
        raised = []
        for (origin, prefix), rate in sorted(deck.rates.items()):
            before = self.deck_at(origin, deck.effective_at)
            old = before.match(origin, prefix) if before else None
            if rate["status"] != "open" or rate["domestic"] or old is None or old["status"] == "blocked":
                continue
            uncharged = old["status"] == "free" or old["domestic"]
            if (uncharged or before.currency != deck.currency or rate["price"] > old["price"]
                    or rate["connect"] > old["connect"]):
                raised.append({"origin": origin, "prefix": prefix, "destination": rate["destination"],
                               "from": money(0 if uncharged else old["price"]), "to": money(rate["price"])})
        return raised

    # -------------------------------------------------- messages

    def on_sms_requested(self, account, event):
        change = self.begin(account, event)
        reason = self.judge_message(account, event)
        data = {"message_id": event.data["message_id"], "reason": reason}
        self.emit("sms.denied" if reason else "sms.allowed", account.name, data)
        return change

    def judge_message(self, account, event):
        origin = account.numbers.get(event.data["from"])
        if origin is None:
            return "number_unknown"
        deck = self.deck_at(origin, event.time)
        if deck is None:
            return "no_rates"
        rate = deck.match(origin, event.data["to"])
        return None if rate and rate["domestic"] else "international_sms"

    # -------------------------------------------------- the ledger

    def post(self, account, kind, amount, reference, day, sides):
        account.posted += amount
        finished = (self.time or 0) >= (day + 1) * DAY + account.policy["stale_after_ms"]
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
            "entry": self.entries, "kind": kind, "account": account.name, "amount": money(amount), "currency": account.currency,
            "balance": money(account.posted), "date": date, "for_date": day_text(day) if finished else None,
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

    # -------------------------------------------------- calls: may it go ahead

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

    # -------------------------------------------------- calls: talk time

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
        change.is_tick = True
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
        if call.limit is None:
            if change.new_policy and call.last > account.policy["max_call_ms"]:
                call.longest = duration  # nobody had said anything while it talked
            self.charge_ahead(account, call, duration)
        call.last = duration
        if change.new_policy and call.limit is not None:
            call.longest = max(call.longest, call.talked())
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

    # ------------------------------------------------------------ consequences of an account's event

    def consequences(self, change):
        self.set_limits(change)
        account = change.account
        for call in account.live:
            limit, reason = change.limits.get(call.id, (None, None))
            if call.limit != limit or (call.reason != reason and call.reason not in (None, "credits_exhausted")):
                self.say_limit(account, call)
        self.notify(account, change)
        self.recharge(account, change)

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
        if daily is None or not account.spent or change.day != max(account.spent):
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
        """Calls that are not charged, and limits that a new max_call_ms makes too long; share_credits does the rest."""
        for call in account.live:
            if call.limit is None:
                too_long = not call.charged and call.last + account.policy["horizon_ms"] >= call.longest
            else:
                too_long = call.reason not in AT_ONCE and call.limit > call.longest
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
        if (change.is_tick and not change.new_policy) or account.uncommitted() <= change.uncommitted:
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
                call.limit, call.reason = held[call.id], "credits_exhausted"
                buyers.remove(call)
            else:
                held[call.id], credits = end, credits - price
        assert credits >= 0

    def notify(self, account, change):
        charged = account.charged() > change.charged
        available = account.available()
        assert available >= 0
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
