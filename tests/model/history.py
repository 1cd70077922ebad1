"""history.py - seeded random histories that leave no rule of the contract in peace.

    python3 tests/model/history.py SEED EVENTS [ACCOUNTS] > events.jsonl

Two kinds of platform write the events. The honest one ticks on time, ends calls where it
is told to and pays most recharges; every other one also reports an account's live calls
just before another starts, and must leave nothing uncollected. The chaotic one
sends things twice, late, out of order, with wrong clocks and unknown ids, flips settings
in mid-call, spoils decks and makes every limit of the policy tiny.

The model is driven while the history is made, so that ticks, ends and payments name calls
and recharges that exist. A record is what compare.py takes: partition, offset, timestamp
(None in a file of bare events), key (bytes, None or NO_KEY), value (bytes; None for a
blank line).
"""

import base64
import heapq
import json
import random
import sys
from collections import namedtuple

from decode import DAY
from model import NO_KEY, Partition
from texts import HOUR, partition_of, time_text

Record = namedtuple("Record", "partition offset timestamp key value")
# honest: None for chaos, else what the platform that obeys does ("ticks", "reports first").
History = namedtuple("History", "records partition_count outputs honest")

START = 1795420800000  # 2026-11-23T08:00:00Z
ORIGINS = {"US": ("US", "USD"), "FR-mobile": ("FR", "EUR"), "UK": ("GB", "GBP")}
PREFIXES = ["+1", "+1202", "+33", "+336", "+3361", "+44", "+447", "+49", "+8816", "+81", "+8190"]
ABROAD = ["+33612345678", "+33623456789", "+33123456789", "+447700900123", "+442071234567", "+4930123456",
          "+881612345678", "+819012345678", "+81312345678"]
ELSEWHERE = ["+12025550123", "+13105550123", "+599123456", "112", "17", "+112", "12345", "anonymous", "", "+0123"]
NUMBERS = ["+999555000", "+999555001", "+999555002", "+999555003"]
CROWD = 2000  # accounts, from which on they are small ones
CURRENCIES = ["USD", "EUR", "GBP", "JPY"]
PRICES = ["0", "0.000001", "0.02", "0.3333", "0.6", "1", "1.5", "1.5", "3", "7.654321", "30"]
CONNECTS = ["0", "0", "0", "0.05", "0.000007", "0.5"]
INCREMENTS = [(1, 1), (1, 1), (6, 6), (30, 6), (60, 60), (7, 3), (60, 1)]
AMOUNTS = ["0.000001", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "3.333333", "10"]

# What may stand where something else belongs.
ODD_VALUES = [
    None, True, False, 0, -1, 1, 1.5, 60000, 2**31, 2**53 - 1, 2**53, 2**63 - 1, [], {}, ["a"], {"a": 1},
    "", " ", "0", "-0", "-1", "0.1", "0.0000001", "1.0000000001", "1e3", "+1", "00", "01", ".5", "5.", "1", "1.50",
    "9223372036854.775807", "9223372036854.775808", "9223372036.854775807", "9223372036.854775808",
    "USD", "usd", "US", "EUR ", "QQQ", "boss", "outbound", "inbound", "open", "free", "admin", "1.0",
    "é", "x" * 64, "x" * 65, "é" * 64, "é" * 65, "x" * 128, "x" * 129, "a b", "a\nb", "\u2028", "\U0001f600",
    "+33", "+", "+0", "+1", "+123456789012345", "+1234567890123456", "33", "112", "+33 6",
    "2026-11-23T08:00:00Z", "2026-11-23t08:00:00.123456789z", "2026-11-23T08:00:00", "2026-11-23 08:00:00Z",
    "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2026-11-23T23:59:60Z", "2026-11-23T08:00:60Z",
    "2026-11-23T23:59:60.5+00:00", "2026-11-24T01:59:60+02:00", "2026-11-23T24:00:00Z", "2026-11-23T08:00:00.Z",
    "2026-11-23T08:00:00.1234567890Z", "2026-11-23T08:00:00+24:00", "2026-11-23T08:00:00+23:59",
    "2026-11-23T08:00:00-00:60", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00+00:01", "1969-12-31T23:59:59.999Z",
]


class Writer:
    """Writes events to partitions, drives their models and keeps what they answer."""

    def __init__(self, rng, archive):
        self.rng, self.archive = rng, archive
        self.partition_count = rng.choice([0, 1, 3]) if self.archive else 0
        self.partitions = [Partition(number, self.partition_count)
                           for number in range(self.partition_count or (2 if self.archive else 1))]
        self.records, self.outputs = [], []
        self.now = START + rng.randrange(DAY)
        self.offsets = [0] * len(self.partitions)
        self.ids = 0

    def next_id(self, kind):
        self.ids += 1
        return f"{kind}-{self.ids}"

    def dialled(self):
        return self.rng.choice(ABROAD if self.rng.random() < 0.9 else ELSEWHERE)

    def partition_for(self, subject):
        return partition_of(subject.encode(), len(self.partitions))

    def account(self, subject):
        return self.partitions[self.partition_for(subject)].accounts.get(subject)

    def envelope(self, kind, subject, data, time):
        event = {"specversion": "1.0", "id": self.next_id("e"), "source": "/pbx/model", "type": "callfold." + kind,
                 "time": time_text(time)}
        if subject is not None:
            event["subject"] = subject
        event["data"] = data
        return event

    def send(self, kind, subject, data, time=None):
        """One event to its partition, a broadcast to all; answers with the outputs of all."""
        event = self.envelope(kind, subject, data, self.now if time is None else time)
        return self.send_bytes(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(), subject)

    def send_bytes(self, value, subject):
        if subject is not None:
            return self.append(self.partition_for(subject), value, subject.encode())
        return [output for partition in range(len(self.partitions)) for output in self.append(partition, value, None)]

    def append(self, partition, value, key, timestamp=None):
        offset = self.offsets[partition]
        self.offsets[partition] += 1
        if self.archive:
            timestamp = self.now if timestamp is None else timestamp
            self.offsets[partition] += self.rng.random() < 0.02  # a control record's gap
            record = Record(partition, offset, timestamp, key, value)
        else:
            record = Record(partition, offset, None, NO_KEY, value)
        self.records.append(record)
        outputs = fold(self.partitions[partition], record)
        self.outputs.append(outputs)
        return outputs

    def history(self, honest):
        return History(self.records, self.partition_count, self.outputs, honest)


def fold(partition, record):
    """The record's outputs; a blank line has none."""
    if record.value is None:
        return []
    return partition.step(record.offset, record.value, record.timestamp, record.key)


# ---------------------------------------------------------------- decks, fx, accounts


def random_rate(rng, origin, prefix):
    first, step = rng.choice(INCREMENTS)
    status = rng.choices(["open", "free", "blocked"], [20, 1, 1])[0]
    rate = {"origin": origin, "prefix": prefix, "destination": rng.choice(["France", "Côte d'Ivoire", "D|; %", "X"]) +
            " " + prefix, "status": status, "connect": rng.choice(CONNECTS), "first_s": first, "step_s": step}
    if status == "open":
        rate["price"] = rng.choice(PRICES)
    if status != "blocked" and (prefix == "+1" and origin == "US" or rng.random() < 0.05):
        rate["domestic"] = True
    if rng.random() < 0.2:
        rate["kind"] = rng.choice(["mobile", "landline"])
    return rate


def random_deck(rng, writer, effective_at, earlier=None):
    """(opening, rates): a new deck, or one like an earlier with a few rates changed."""
    origins = rng.sample(sorted(ORIGINS), rng.randint(1, 3)) if earlier else sorted(ORIGINS)
    opening = {"deck_id": writer.next_id("deck"), "currency": rng.choices(["USD", "EUR"], [4, 1])[0],
               "effective_at": time_text(effective_at),
               "origins": [{"origin": origin, "country": ORIGINS[origin][0], "currency": ORIGINS[origin][1]}
                           for origin in origins]}
    rates = []
    for origin in origins:
        for prefix in PREFIXES:
            old = next((rate for rate in earlier or [] if (rate["origin"], rate["prefix"]) == (origin, prefix)), None)
            if old and rng.random() < 0.7:
                rates.append(old)
            elif rng.random() < 0.9:
                rates.append(random_rate(rng, origin, prefix))
    rng.shuffle(rates)
    return opening, rates


def fx_table(rng, time):
    rates = {"EUR": "0.92", "GBP": rng.choice(["0.79", "0.812345678"]), "JPY": "151.3"}
    for code in list(rates):
        if rng.random() < 0.1:
            del rates[code]
    return {"base": "USD", "rates": rates, "effective_at": time_text(time)}


def open_account(rng, writer, name, is_small):
    """Sends what makes an account that can call; a small one has one number and one member."""
    writer.send("account.opened", name, {"currency": rng.choice(CURRENCIES), "owner": "boss"})
    if not is_small:
        writer.send("member.set", name, {"member_id": "kim", "role": "manager"})
        writer.send("member.set", name, {"member_id": "lee", "role": "member"})
    for index, origin in enumerate(rng.sample(sorted(ORIGINS), 1 if is_small else 2)):
        number = NUMBERS[index]
        writer.send("number.added", name, {"number": number, "origin": origin})
        writer.send("number.international_enabled", name, {"number": number, "actor": "boss"})
        for member in ["boss"] if is_small else ["boss", "kim", "lee"]:
            writer.send("member.assigned", name, {"number": number, "member_id": member})


def publish_deck(writer, opening, rates):
    writer.send("ratedeck.opened", None, opening)
    for at in range(0, len(rates), 8):
        writer.send("ratedeck.rates", None, {"deck_id": opening["deck_id"], "rates": rates[at:at + 8]})
    writer.send("ratedeck.published", None, {"deck_id": opening["deck_id"], "rates": len(rates)})


# ---------------------------------------------------------------- the honest platform


class Honest:
    """Ticks on time, obeys cutoffs at once: what it talks is all collected."""

    def __init__(self, rng, events, accounts):
        self.rng, self.events = rng, events
        self.writer = Writer(rng, archive=rng.random() < 0.5)
        self.names = [f"acct-{index}" for index in range(accounts)]
        self.is_crowd = accounts >= CROWD
        self.numbers = NUMBERS[:1 if self.is_crowd else 2]
        self.members = ["boss"] if self.is_crowd else ["boss", "kim", "lee"]
        self.agenda, self.turn = [], 0
        self.calls = {}  # (account, call) -> {answered: ms or None, ends: talk ms, limit: ms or None}
        self.tick_ms = rng.choice([1000, 6000])
        self.reports_first = rng.random() < 0.5  # what closes the gap that events/README.md tells of
        self.amounts = rng.choice([AMOUNTS, AMOUNTS[3:7], AMOUNTS[:5]])
        self.calls_max = rng.choice([0, 0, 5])

    def at(self, time, action, *arguments):
        self.turn += 1
        heapq.heappush(self.agenda, (time, self.turn, action, arguments))

    def send(self, kind, subject, data):
        """Sends and does at once what the answers ask for."""
        pending = [self.writer.send(kind, subject, data)]
        while pending:
            for output in pending.pop():
                answer = self.obey(output)
                if answer:
                    pending.append(self.writer.send(*answer))

    def run(self):
        rng, writer = self.rng, self.writer
        writer.send("policy.configured", None, {
            "tick_ms": self.tick_ms, "horizon_ms": 2 * self.tick_ms + 10000 + rng.choice([0, 5000, 40000]),
            "max_call_ms": rng.choice([45000, 600000]), "recharge_timeout_ms": 60000,
            "low_credits": {"USD": "0.5"}, "max_concurrent_calls": self.calls_max})
        writer.send("fx.published", None, {"base": "USD", "rates": {"EUR": "0.92", "GBP": "0.79", "JPY": "151.3"},
                                           "effective_at": time_text(writer.now - DAY)})
        publish_deck(writer, *random_deck(rng, writer, writer.now - HOUR))
        for name in self.names:
            open_account(rng, writer, name, self.is_crowd)
            self.at(writer.now + rng.randrange(5000), self.top_up, name)
            self.at(writer.now + rng.randrange(60000), self.start, name)
            if rng.random() < 0.5:
                self.send("auto_recharge.configured", name, {
                    "enabled": True, "amount": rng.choice(AMOUNTS[1:]), "currency": rng.choice(CURRENCIES),
                    "threshold": rng.choice(["0", "0.2"]), "actor": "kim"})
        while self.agenda and len(writer.records) < self.events:
            writer.now, _, action, arguments = heapq.heappop(self.agenda)
            action(*arguments)
        return writer.history("reports first" if self.reports_first else "ticks")

    def top_up(self, name, recharge_id=None):
        rng = self.rng
        data = {"topup_id": self.writer.next_id("top"), "amount": rng.choice(self.amounts),
                "currency": rng.choice(CURRENCIES)}
        if recharge_id:
            data["recharge_id"] = recharge_id
        else:
            self.at(self.writer.now + rng.randrange(10000, 120000), self.top_up, name)
        if rng.random() < 0.3:
            data["paid"] = {"amount": rng.choice(AMOUNTS), "currency": rng.choice(CURRENCIES)}
        self.send("credit.topped_up", name, data)

    def fail(self, name, recharge_id):
        self.send("recharge.failed", name, {"recharge_id": recharge_id, "reason": "card declined"})

    def start(self, name):
        rng, now = self.rng, self.writer.now
        self.at(now + rng.choice([100, 5000, 20000, 60000]), self.start, name)
        if self.reports_first:
            self.report_all(name)
        call_id = self.writer.next_id("call")
        ends = rng.choice([3000, 30500, 60000, 200000, 999999, 999999])
        self.calls[name, call_id] = {"answered": None, "ends": ends, "limit": None}
        self.at(now + self.tick_ms, self.tick, name, call_id)
        if rng.random() < 0.9:
            self.at(now + rng.choice([0, 2500, 15000]), self.answer, name, call_id)
        else:
            self.at(now + 20000, self.end, name, call_id)
        self.send("call.started", name, {
            "call_id": call_id, "direction": "outbound", "from": rng.choice(self.numbers),
            "to": self.writer.dialled(), "member_id": rng.choice(self.members)})

    def talked(self, call):
        return 0 if call["answered"] is None else self.writer.now - call["answered"]

    def answer(self, name, call_id):
        call = self.calls.get((name, call_id))
        if call:
            call["answered"] = self.writer.now
            self.at(self.writer.now + call["ends"], self.end, name, call_id)
            self.plan_cutoff(name, call_id)

    def plan_cutoff(self, name, call_id):
        call = self.calls[name, call_id]
        if call["answered"] is not None and call["limit"] is not None:
            self.at(max(self.writer.now, call["answered"] + call["limit"]), self.reach_limit, name, call_id)

    def reach_limit(self, name, call_id):
        call = self.calls.get((name, call_id))
        if call and call["limit"] is not None and self.talked(call) >= call["limit"]:
            self.end(name, call_id)

    def tick(self, name, call_id):
        call = self.calls.get((name, call_id))
        if call:
            self.at(self.writer.now + self.tick_ms, self.tick, name, call_id)
            self.send("call.ticked", name, {"call_id": call_id, "duration_ms": self.talked(call)})

    def report_all(self, name):
        for of, call_id in list(self.calls):
            call = self.calls.get((of, call_id))
            if of == name and call:
                self.send("call.ticked", name, {"call_id": call_id, "duration_ms": self.talked(call)})

    def end(self, name, call_id):
        call = self.calls.pop((name, call_id), None)
        if call:
            self.send("call.ended", name, {"call_id": call_id, "duration_ms": self.talked(call),
                                           "voicemail": self.rng.random() < 0.1})

    def obey(self, output):
        """What the platform does when it hears output; an event to send at once, or None."""
        kind, name, data = output["type"][9:], output["subject"], output["data"]
        if kind == "account.recharge":
            chance = self.rng.random()
            later = self.writer.now + self.rng.randrange(1, 40000)
            if chance < 0.7:
                self.at(later, self.top_up, name, data["recharge_id"])
            elif chance < 0.9:
                self.at(later, self.fail, name, data["recharge_id"])
        if kind == "call.denied":
            self.calls.pop((name, data["call_id"]), None)
        call = self.calls.get((name, data.get("call_id")))
        if call is None:
            return None
        if kind == "call.cutoff":
            call["limit"] = data["at_duration_ms"]
            if self.talked(call) >= call["limit"]:
                del self.calls[name, data["call_id"]]
                return "call.ended", name, {"call_id": data["call_id"], "duration_ms": self.talked(call)}
            self.plan_cutoff(name, data["call_id"])
        if kind == "call.cutoff_withdrawn":
            call["limit"] = None
        return None


# ---------------------------------------------------------------- the chaotic platform


class Chaos:
    """Everything at the wrong time."""

    def __init__(self, rng, events, accounts):
        self.rng, self.events = rng, events
        self.writer = Writer(rng, archive=rng.random() < 0.5)
        self.names = [f"acct-{index}" for index in range(accounts)]
        self.recharges = []  # (account, id) commanded
        self.drafts = []     # broadcasts still to be sent, one list a deck
        self.delayed = []    # (bytes, subject) to be sent later
        self.rates = None    # of the newest deck
        weights = {self.start: 8, self.rush: 0.15, self.cut: 0.6, self.tick: 30, self.end: 6, self.top_up: 4, self.reverse: 1, self.toggle: 1.5,
                   self.member: 1.5, self.number: 0.7, self.assignment: 1, self.block: 0.7, self.auto_recharge: 1.5,
                   self.answer_recharge: 3, self.deck: 3, self.fx: 0.5, self.policy: 1.2, self.sms: 0.7,
                   self.clock: 0.5, self.spoilt: 1.5, self.resend: 3, self.release: 2, self.account: 0.4,
                   self.jump: 0.3, self.blank: 0.2, self.repair: 2, self.mutate: 2}
        self.actions = list(weights)
        self.weights = [weight * rng.choice([0.3, 1, 1, 3]) for weight in weights.values()]
        self.lateness = rng.choice([0, 0.05, 0.3])
        self.amounts = rng.choice([AMOUNTS, AMOUNTS[3:8], AMOUNTS[:6], ["2.5", "10", "75"]])

    def run(self):
        rng, writer = self.rng, self.writer
        publish_fx = fx_table(rng, writer.now - DAY)
        if rng.random() < 0.9:
            writer.send("fx.published", None, publish_fx)
        opening, self.rates = random_deck(rng, writer, writer.now - 2 * HOUR)
        publish_deck(writer, opening, self.rates)
        for name in self.names:
            open_account(rng, writer, name, is_small=len(self.names) >= CROWD)
            self.top_up(name)
        while len(writer.records) < self.events:
            writer.now += rng.choices([0, rng.randrange(1000), rng.randrange(8000), rng.randrange(60000)],
                                      [3, 5, 5, 0.5])[0]
            rng.choices(self.actions, self.weights)[0]()
        return writer.history(None)

    # -------------------------------------------------- sending badly

    def time(self):
        """The event's time: mostly now, sometimes late by seconds, hours or days, or ahead."""
        rng, now = self.rng, self.writer.now
        if rng.random() >= self.lateness:
            return now
        return now - rng.choice([1, rng.randrange(20000), rng.randrange(HOUR), rng.randrange(3 * DAY),
                                 -rng.randrange(200000), -rng.randrange(400000)])

    def send(self, kind, subject, data, time=None):
        rng, writer = self.rng, self.writer
        event = writer.envelope(kind, subject, data, self.time() if time is None else time)
        value = self.spell(event)
        if rng.random() < 0.03:
            self.delayed.append((value, subject))
            return
        outputs = self.put(value, subject)
        for output in outputs:
            if output["type"] == "callfold.account.recharge":
                self.recharges.append((output["subject"], output["data"]["recharge_id"]))

    def put(self, value, subject):
        rng, writer = self.rng, self.writer
        if writer.archive and rng.random() < 0.03:
            partition = writer.partition_for(subject) if subject else rng.randrange(len(writer.partitions))
            key = rng.choice([None, b"", b"acct-0", b"other", b"\xff\xfe", subject.encode() if subject else None])
            timestamp = writer.now + rng.choice([0, -5000, -90000, 90000, -400000, 7000000])
            if rng.random() < 0.3:
                partition = rng.randrange(len(writer.partitions))
            return writer.append(partition, value, key, timestamp)
        return writer.send_bytes(value, subject)

    def spell(self, event):
        """The event in JSON, now and then in another spelling of the same."""
        rng = self.rng
        if rng.random() < 0.9:
            return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        members = list(event.items())
        rng.shuffle(members)
        event = dict(members, unknown={"deep": [1, None, 2.5, "\u00e9\U0001f600"]})
        if event["time"].endswith("Z") and rng.random() < 0.5:
            event["time"] = event["time"][:-1] + rng.choice(["999999Z", "+00:00", "-00:00", "z", "4+00:00"])
        event["data"] = dict(event["data"], note=None)
        separators = rng.choice([(", ", " : "), (",", ":")])
        return json.dumps(event, ensure_ascii=rng.random() < 0.5, separators=separators).encode()

    # -------------------------------------------------- whom and what

    def name(self):
        return self.rng.choice(self.names) if self.rng.random() < 0.98 else self.rng.choice(["nobody", "acct-0"])

    def live(self):
        """(account name, live call), or None."""
        live = [(account.name, call) for partition in self.writer.partitions for account in partition.accounts.values()
                for call in account.live]
        return self.rng.choice(live) if live else None

    def old_call(self, name):
        account = self.writer.account(name)
        known = list(account.closed) + list(account.denied) if account else []
        return self.rng.choice(known) if known else "call-none"

    def who(self):
        return self.rng.choices(["boss", "kim", "lee", "max", "ghost"], [8, 8, 4, 2, 1])[0]

    def which_number(self):
        return self.rng.choices(NUMBERS, [8, 8, 2, 1])[0]

    # -------------------------------------------------- actions: calls

    def start(self):
        rng, name = self.rng, self.name()
        inbound = rng.random() < 0.08
        data = {"call_id": self.writer.next_id("call"), "direction": "inbound" if inbound else "outbound",
                "from": self.which_number(), "to": self.writer.dialled(),
                "member_id": self.who()}
        if inbound:
            data["from"] = rng.choice(["anonymous", "", "+15551234", "x" * 64])
            if rng.random() < 0.7:
                del data["member_id"]
        if rng.random() < 0.05:
            live = self.live()
            data["call_id"] = live[1].id if live and rng.random() < 0.5 else self.old_call(name)
        self.send("call.started", name, data)

    def rush(self):
        """Many calls of one account at once."""
        name, number = self.name(), self.which_number()
        for _ in range(self.rng.choice([5, 20, 40])):
            self.send("call.started", name, {"call_id": self.writer.next_id("call"), "direction": "outbound",
                                             "from": number, "to": self.rng.choice(ABROAD), "member_id": "boss"})

    def tick(self):
        rng, live = self.rng, self.live()
        if live is None and rng.random() < 0.8:
            self.start()
            return
        if live is None or rng.random() < 0.03:
            name = self.name()
            self.send("call.ticked", name, {"call_id": self.old_call(name), "duration_ms": rng.randrange(100000)})
            return
        name, call = live
        policy = self.writer.account(name).policy
        step = rng.choices([policy["tick_ms"], rng.randrange(3000), 1, 1000, 60000, 0, -rng.randrange(9000),
                            rng.randrange(600000)], [10, 4, 1, 3, 2, 2, 1, 1])[0]
        self.send("call.ticked", name, {"call_id": call.id, "duration_ms": max(0, call.last + step)})

    def end(self):
        rng, live = self.rng, self.live()
        if live is None or rng.random() < 0.15:
            name = self.name()
            account = self.writer.account(name)
            stale = [call for call in account.closed.values() if call.stale] if account else []
            call_id, last = self.old_call(name), 0
            if stale and rng.random() < 0.7:
                call = rng.choice(stale)
                call_id, last = call.id, call.last
            talked = max(0, last + rng.randrange(-5000, 99000))
            self.send("call.ended", name, {"call_id": call_id, "duration_ms": talked})
            return
        name, call = live
        step = rng.choice([0, 1, rng.randrange(6000), rng.randrange(60000), -rng.randrange(9000)])
        limit = call.limit if call.limit is not None and rng.random() < 0.5 else call.last + step
        data = {"call_id": call.id, "duration_ms": max(0, limit)}
        if rng.random() < 0.3:
            data["voicemail"] = rng.random() < 0.5
        self.send("call.ended", name, data)

    def sms(self):
        to = self.rng.choice(ELSEWHERE) if self.rng.random() < 0.5 else self.writer.dialled()
        self.send("sms.requested", self.name(), {"message_id": self.writer.next_id("sms"), "from": self.which_number(),
                                                 "to": to})

    # -------------------------------------------------- actions: credits

    def top_up(self, name=None):
        rng = self.rng
        name = name or self.name()
        data = {"topup_id": self.writer.next_id("top"), "amount": rng.choice(self.amounts),
                "currency": rng.choice(CURRENCIES)}
        account = self.writer.account(name)
        if account and rng.random() < 0.7:
            data["currency"] = account.currency
        if rng.random() < 0.3:
            data["paid"] = {"amount": rng.choice(AMOUNTS), "currency": rng.choice(CURRENCIES)}
        if rng.random() < 0.1:
            data["recharge_id"] = rng.choice(self.recharges)[1] if self.recharges else "0:0:0"
        if account and account.topups and rng.random() < 0.05:
            data["topup_id"] = rng.choice(list(account.topups))
        if rng.random() < 0.02:
            data["amount"] = "9223372036854.775807"
        if rng.random() < 0.02:
            data["currency"] = "QQQ"
        self.send("credit.topped_up", name, data)

    def reverse(self):
        rng, name = self.rng, self.name()
        account = self.writer.account(name)
        known = list(account.topups) if account else []
        topup = rng.choice(known) if known and rng.random() < 0.95 else "top-none"
        self.send("topup.reversed", name, {"topup_id": topup, "reason": rng.choice(["fraud", "fraud", "other"])})

    def auto_recharge(self):
        rng = self.rng
        data = {"enabled": rng.random() < 0.85, "amount": rng.choice(AMOUNTS), "currency": rng.choice(CURRENCIES),
                "actor": self.who()}
        if rng.random() < 0.6:
            data["threshold"] = rng.choice(["0", "0.1", "1", "5"])
        if rng.random() < 0.5:
            data["daily_limit"] = rng.choice([0, 1, 2, 20])
        self.send("auto_recharge.configured", self.name(), data)

    def answer_recharge(self):
        rng = self.rng
        in_flight = [(account.name, account.in_flight.id) for partition in self.writer.partitions
                     for account in partition.accounts.values() if account.in_flight]
        if rng.random() < 0.2 and self.recharges:
            in_flight = self.recharges
        if not in_flight:
            return
        name, recharge_id = rng.choice(in_flight)
        if rng.random() < 0.5:
            self.send("recharge.failed", name, {"recharge_id": recharge_id, "reason": "declined"})
        else:
            self.send("credit.topped_up", name, {"topup_id": self.writer.next_id("top"), "amount": rng.choice(AMOUNTS),
                                                 "currency": rng.choice(CURRENCIES), "recharge_id": recharge_id})

    # -------------------------------------------------- actions: settings

    def account(self):
        rng = self.rng
        if rng.random() < 0.3:
            self.send("credit.refunded", self.name(), rng.choice([{}, {"amount": "1"}]))
            return
        self.send("account.opened", self.name(), {"currency": rng.choice(CURRENCIES + ["QQQ"]), "owner": "boss"})

    def cut(self):
        """What a call in progress stands on goes away."""
        live = self.live()
        if live is None:
            return
        name, data = live[0], live[1].data
        kind, told = self.rng.choice([
            ("number.international_disabled", {"number": data["from"], "actor": "boss"}),
            ("member.removed", {"member_id": data["member_id"]}), ("number.removed", {"number": data["from"]})])
        if None not in told.values():
            self.send(kind, name, told)

    def toggle(self):
        kind = self.rng.choices(["enabled", "disabled"], [3, 1])[0]
        self.send("number.international_" + kind, self.name(), {"number": self.which_number(), "actor": self.who()})

    def member(self):
        rng, who = self.rng, self.who()
        if rng.random() < 0.3:
            self.send("member.removed", self.name(), {"member_id": who})
        else:
            role = rng.choices(["admin", "manager", "member"], [3, 3, 2])[0]
            self.send("member.set", self.name(), {"member_id": who, "role": role})

    def number(self):
        rng, number = self.rng, self.which_number()
        if rng.random() < 0.3:
            self.send("number.removed", self.name(), {"number": number})
        else:
            origin = rng.choices(sorted(ORIGINS) + ["XX"], [5, 5, 5, 1])[0]
            self.send("number.added", self.name(), {"number": number, "origin": origin})

    def repair(self):
        """Puts back what an account needs for calls."""
        name, number = self.name(), self.rng.choice(NUMBERS[:2])
        self.send("member.set", name, {"member_id": "boss", "role": "admin"})
        self.send("number.added", name, {"number": number, "origin": self.rng.choice(sorted(ORIGINS))})
        self.send("number.international_enabled", name, {"number": number, "actor": "boss"})
        for member in ("boss", "kim"):
            self.send("member.assigned", name, {"number": number, "member_id": member})

    def assignment(self):
        kind = self.rng.choices(["member.assigned", "member.unassigned"], [3, 1])[0]
        self.send(kind, self.name(), {"number": self.which_number(), "member_id": self.who()})

    def block(self):
        rng = self.rng
        data = {"prefix": rng.choice(["+33", "+336", "+81", "+44"]), "actor": self.who()}
        if rng.random() < 0.5:
            data["number"] = self.which_number()
        self.send("destination." + rng.choice(["blocked", "unblocked", "unblocked"]), self.name(), data)

    # -------------------------------------------------- actions: broadcasts

    def deck(self):
        """Sends the next part of a deck that is being published, or begins another."""
        rng, writer = self.rng, self.writer
        if not self.drafts or rng.random() < 0.05:
            effective_at = writer.now + rng.choice([0, -rng.randrange(HOUR), rng.randrange(30000),
                                                    rng.randrange(3 * HOUR)])
            opening, rates = random_deck(rng, writer, effective_at, self.rates)
            count = len(rates) + rng.choices([0, 1, -1], [20, 1, 1])[0]
            parts = [("ratedeck.opened", opening)]
            parts += [("ratedeck.rates", {"deck_id": opening["deck_id"], "rates": rates[at:at + 16]})
                      for at in range(0, len(rates), 16)]
            if rng.random() < 0.1:
                parts.append(("ratedeck.rates", {"deck_id": opening["deck_id"], "rates": [
                    random_rate(rng, rng.choice(opening["origins"])["origin"], rng.choice(PREFIXES))]}))
            parts.append(("ratedeck.published", {"deck_id": opening["deck_id"], "rates": max(0, count)}))
            if rng.random() < 0.2:
                parts.insert(rng.randrange(len(parts)), rng.choice(parts))
            self.drafts.append(parts)
            self.rates = rates
        parts = rng.choice(self.drafts)
        kind, data = parts.pop(0)
        self.send(kind, None, data)
        self.drafts = [left for left in self.drafts if left]

    def fx(self):
        self.send("fx.published", None, fx_table(self.rng, self.writer.now + self.rng.choice([0, -HOUR, 60000, -DAY])))

    def policy(self):
        rng = self.rng
        tick = rng.choice([500, 1000, 6000])
        low = {code: rng.choice(AMOUNTS) for code in rng.sample(CURRENCIES, rng.randint(0, 3))}
        spend = {code: rng.choice(AMOUNTS[3:]) for code in rng.sample(CURRENCIES, rng.randint(0, 2))}
        members = {"tick_ms": tick, "horizon_ms": 2 * tick + 10000 + rng.choice([0, 0, 1, 20000, 60000, -1]),
                   "stale_after_ms": rng.choice([5000, 30000, 120000, 600000, 600000]),
                   "retention_ms": rng.choice([0, 1000, 60000, HOUR, 7 * DAY]),
                   "max_call_ms": rng.choice([1, 20000, 61500, 120000, 4 * HOUR, 4 * HOUR]),
                   "recharge_timeout_ms": rng.choice([5000, 60000, 900000]),
                   "notice_ms": rng.choice([0, 0, HOUR, 7 * DAY]), "low_credits": low, "daily_spend": spend,
                   "max_concurrent_calls": rng.choice([0, 0, 1, 2, 4])}
        names = rng.sample(sorted(members), rng.choice([1, 2, len(members)]))
        self.send("policy.configured", None, {name: members[name] for name in names})

    def clock(self):
        self.send("clock.advanced", None, {})

    # -------------------------------------------------- actions: disorder

    def jump(self):
        """Time passes without an event."""
        self.writer.now += self.rng.choice([90000, 600000, HOUR, 5 * HOUR, 25 * HOUR])

    def resend(self):
        """A record sent before is sent again as it was."""
        rng, writer = self.rng, self.writer
        recent = writer.records[-30:] if rng.random() < 0.8 else writer.records
        record = rng.choice(recent)
        if record.value is not None:
            self.writer.append(record.partition, record.value, record.key)

    def release(self):
        """A delayed event arrives after all."""
        if self.delayed:
            self.put(*self.delayed.pop(self.rng.randrange(len(self.delayed))))

    def blank(self):
        writer = self.writer
        if not writer.archive:
            writer.records.append(Record(0, writer.offsets[0], None, NO_KEY, None))
            writer.outputs.append([])
            writer.offsets[0] += 1

    def mutate(self):
        """A record sent before, with one thing about it changed."""
        rng, writer = self.rng, self.writer
        record = rng.choice(writer.records[-200:])
        try:
            event = json.loads(record.value)
        except (ValueError, TypeError):
            return
        if not isinstance(event, dict) or not event:
            return
        if event.get("type") == "callfold.policy.configured" and rng.random() < 0.7:
            return  # a mutated policy is in force for long
        at = event
        while True:
            place = rng.choice(list(at.keys() if isinstance(at, dict) else range(len(at))))
            if isinstance(at[place], (dict, list)) and at[place] and rng.random() < 0.8:
                at = at[place]
                continue
            break
        if rng.random() < 0.15 and isinstance(at, dict):
            del at[place]
        else:
            at[place] = rng.choice(ODD_VALUES)
        writer.append(record.partition, json.dumps(event).encode(), record.key)

    def spoilt(self):
        """A record that is no event, or not quite."""
        rng, writer, name = self.rng, self.writer, self.name()
        good = writer.envelope("call.ticked", name, {"call_id": "call-1", "duration_ms": 5}, writer.now)
        text = json.dumps(good, separators=(",", ":")).encode()
        raw = rng.choice([
            b"{}", b"[]", b"nonsense", b"\"text\"", b"null", text[:-1], text + b"x", text + text, text + b"\0",
            text.replace(b"pbx", b"p\xffx"), text.replace(b"pbx", b"p\\u0000x"), text.replace(b"pbx", b"p\\ud800x"),
            text.replace(b"pbx", b"\xed\xa0\x80"), text.replace(b":5}", b":5,\"duration_ms\":6}"),
            text.replace(b":5}", b":5,\"x\":" + b"[" * 30 + b"]" * 30 + b"}"),
            text.replace(b":5}", b":5,\"x\":" + b"[" * 31 + b"]" * 31 + b"}"),
            text.replace(b":5}", b":05}"), text.replace(b":5}", b":5.0}"), text.replace(b":5}", b":-5}"),
            text.replace(b":5}", b":\"5\"}"), text.replace(b":5}", b":null}"), text.replace(b":5}", b":true}"),
            text.replace(b":5}", b":9007199254740992}"), text.replace(b":5}", b":99999999999999999999}"),
            text.replace(b":5}", b":1e400}"), text.replace(b":5}", b":5,\"x\":1e400}"),
            text.replace(b":5}", b":5,\"x\":9223372036854775808}"), text.replace(b":5}", b":NaN}"),
            text.replace(b"1.0", b"0.3"), text.replace(b"call.ticked", b"call.tocked"),
            text.replace(b"callfold.call.ticked", b"callfold.call.cutoff"), text.replace(b"call-1", b"call 1"),
            text.replace(b"\"type\"", b"\"tipe\""), text.replace(b"\"subject\"", b"\"sub\""),
            text.replace(b"call-1", b"c" * 65), text.replace(b"2026", b"2O26"), text.replace(b"Z\"", b"\""),
            text.replace(b"call.ticked", b"clock.advanced"), text.replace(b"call.ticked", b"fx.published"),
            b" " + text + b" \r"])
        if rng.random() < 0.01:
            raw = b"{\"x\":\"" + b"x" * rng.choice([40000, 1048567, 1048568, 1048569]) + b"\"}"
        writer.append(writer.partition_for(name), raw, name.encode())


# ---------------------------------------------------------------- files


def generate(seed, events, accounts=None):
    """The history of a seed: odd seeds are chaos, even ones have an honest platform. Two seeds of
    sixty have a crowd of accounts, and as many records as it takes to open them and then some."""
    rng = random.Random(seed)
    if accounts is None:
        accounts = CROWD if seed % 60 in (7, 8) else rng.choice([1, 2, 2, 3, 5])
    if accounts >= CROWD:
        events = max(events, 8 * accounts)
    return (Chaos if seed % 2 else Honest)(rng, events, accounts).run()


def line(record):
    """The record as a line of the events file, newline included."""
    if record.value is None:
        return b" \t\n"
    if record.timestamp is None:
        return record.value + b"\n"
    form = {"partition": record.partition, "offset": record.offset, "timestamp": record.timestamp}
    for name, item in (("key", record.key), ("value", record.value)):
        try:
            form[name] = None if item is None else item.decode()
        except UnicodeDecodeError:
            form[name + "_base64"] = base64.b64encode(item).decode()
    return json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def main():
    numbers = [int(argument) for argument in sys.argv[1:]]
    for record in generate(*numbers).records:
        sys.stdout.buffer.write(line(record))


if __name__ == "__main__":
    main()
