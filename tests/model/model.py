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
import math

from calls import Calls
from decode import ACCOUNT_TYPES, DAY, POLICY_DEFAULTS, Undecodable, decode
from ledger import Ledger
from limits import Limits
from settings import Settings
from state import Change, Duplicate, Rejected
from tariffs import Tariffs
from texts import HOUR, MINUTE, eight_bytes, partition_of, time_text

FOLD_VERSION = 2
AHEAD_MAX = 5 * MINUTE
CLOCK_STEP_MAX = MINUTE
DENIED_KEPT = DAY
ATTEST_EVERY = 50000
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


class Partition(Settings, Tariffs, Ledger, Calls, Limits):
    def __init__(self, number=0, count=0):
        self.number, self.count = number, count
        self.time = None
        self.clock, self.timestamp = 0, None
        self.policy, self.policy_changed_at = dict(POLICY_DEFAULTS), {}
        self.reopened_no_sooner = -math.inf
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
            if account.closed:
                account.closed = {name: old for name, old in account.closed.items()
                                  if now < old.closed_at + max(1, self.policy["retention_ms"])}
            if account.denied:
                account.denied = {name: old for name, old in account.denied.items()
                                  if now < old.closed_at + DENIED_KEPT}

        def superseded(at, older, newer):
            return newer.rank > older.rank and at >= newer.effective_at + HOUR
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
                    due.append((call.alive_clock + account.policy["stale_after_ms"], call.place, 0, account, call))
                if account.in_flight:
                    due.append((account.in_flight.clock + account.policy["recharge_timeout_ms"],
                                account.in_flight.place, 1, account, None))
            due = [deadline for deadline in due if deadline[0] <= self.clock]
            if not due:
                return
            _, _, _, account, call = min(due, key=lambda deadline: deadline[:3])
            change = Change(account, (self.time or 0) // DAY, is_deadline=True)
            if call:
                self.go_stale(account, call)
            else:
                self.recharge_failed(account)
            self.consequences(change)

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
            change.new_policy = True  # limits move when the event is over, as ever
        return change

    def on_clock_advanced(self, event):
        pass
