"""coverage.py - what random histories contain: each word of events/reasons.h, and how often it came up."""

import json
import re
from collections import Counter
from pathlib import Path

REASONS = Path(__file__).resolve().parents[2] / "events" / "reasons.h"
PREFIX = "callfold."
# The list of reasons.h -> (type of output, member) that says its words; None: any type.
SAID_IN = {
    "REJECT_REASONS": ("event.rejected", "reason"), "DENIAL_REASONS": ("call.denied", "reason"),
    "CUTOFF_REASONS": ("call.cutoff", "reason"), "NOTIFY_KINDS": ("account.notify", "kind"),
    "ENTRY_KINDS": ("ledger.posted", "kind"), "CALL_ENDINGS": ("call.recorded", "ended_by"),
}
# Said of messages; every other reason is said of calls.
SMS_ONLY = "international_sms"


def words():
    """{list: [word]} of the lists that histories are to cover."""
    lists = re.findall(r"#define (\w+)\(X\)((?:.*\\\n)+.*)", REASONS.read_text())
    found = {name: re.findall(r'X\(\w+, "([^"]+)"', body) for name, body in lists}
    return {name: found[name] for name in ("EVENT_TYPES", "OUTPUT_TYPES", *SAID_IN)}


class Coverage:
    def __init__(self):
        self.seen = Counter()  # (list, word)
        self.most_accounts = self.most_live = 0

    def add(self, history):
        for record, outputs in zip(history.records, history.outputs):
            self.add_event(record.value)
            for output in outputs:
                self.add_output(output)
        self.add_sizes(history)

    def add_event(self, value):
        try:
            kind = json.loads(value)["type"]
        except (ValueError, TypeError, KeyError):
            return
        if isinstance(kind, str):
            self.seen["EVENT_TYPES", kind.removeprefix(PREFIX)] += 1

    def add_output(self, output):
        kind, data = output["type"].removeprefix(PREFIX), output["data"]
        self.seen["OUTPUT_TYPES", kind] += 1
        for name, (of, member) in SAID_IN.items():
            if kind == of or (kind == "sms.denied" and data["reason"] == SMS_ONLY and name == "DENIAL_REASONS"):
                self.seen[name, data[member]] += 1

    def add_sizes(self, history):
        live = Counter()
        for outputs in history.outputs:
            for output in outputs:
                step = {"call.authorized": 1, "call.recorded": -1}.get(output["type"].removeprefix(PREFIX), 0)
                live[output["subject"]] += step
                self.most_live = max(self.most_live, live[output["subject"]])
        self.most_accounts = max(self.most_accounts, len(live))

    def missing(self):
        return [f"{word} ({name})" for name, listed in words().items() for word in listed
                if not self.seen[name, word]]

    def table(self):
        """A line a word, a paragraph a list."""
        lines = [f"accounts in one history: up to {self.most_accounts:,}; live calls of one account: "
                 f"up to {self.most_live:,}"]
        for name, listed in words().items():
            lines += ["", name.lower().replace("_", " ")]
            lines += [f"  {word:<32}{self.seen[name, word]:>10,}" for word in listed]
        return "\n".join(lines)
