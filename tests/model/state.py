"""state.py - what a partition knows: decks, calls, accounts; sums over them are made when asked for."""

from bisect import bisect_right

from decode import DAY
from texts import half_up

# Cut at once, at what is charged already: such a call holds no grant to take back.
AT_ONCE = ("international_disabled", "member_removed", "number_removed", "daily_spend_reached", "stale")


class Rejected(Exception):
    """The event becomes an event.rejected."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Duplicate(Exception):
    """The event changes nothing and emits nothing."""


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

    def __init__(self, account, day, is_deadline=False):
        self.account, self.day, self.is_deadline = account, day, is_deadline
        self.limits = {call.id: (call.limit, call.reason) for call in account.live}
        self.charged, self.spent = account.charged(), account.spent.get(day, 0)
        self.uncommitted = account.uncommitted()
        self.is_reversal = self.new_policy = False
        self.is_quiet = False  # no standing limit moves for a rise of credits
        self.reported = None   # the call this event reported on
        self.reached = False   # a closed call reached its credits_exhausted limit, or a call was denied
        self.said_low = account.low_said
