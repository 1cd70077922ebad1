"""The meter as it runs: time for partitions on which nothing happens, and what it says of itself."""
import datetime
import json
import os
import pty
import re
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import topics
from cluster import BUILD, Cluster, die_with_parent
from house import CALLFOLD, House, callfold

STALE_MS, TIMEOUT_MS = 3000, 2000
PATIENCE_S = 60


def event(kind, account=None, **data):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    envelope = {"specversion": "1.0", "id": "1", "source": "/test", "type": f"callfold.{kind}", "time": now, "data": data}
    return envelope | ({"subject": account} if account else {})


def opened(account):
    return event("account.opened", account, currency="USD", owner="ann")


def started(account, call):
    return event("call.started", account, call_id=call, direction="inbound", **{"from": "x", "to": "+12025550123"})


def recharged(account):
    return event("auto_recharge.configured", account, enabled=True, amount="5", currency="USD", actor="ann")


class Running(unittest.TestCase):
    """One history for all tests; each has accounts of its own."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster())
        cls.house = cls.enterClassContext(House(cls.cluster, partitions=4))
        cls.write(event("policy.configured", stale_after_ms=STALE_MS, recharge_timeout_ms=TIMEOUT_MS))

    @classmethod
    def write(cls, *events):
        callfold("produce", "--kafka", cls.house.properties, "--events", "-",
                 stdin="".join(json.dumps(each) + "\n" for each in events).encode())

    def read(self, topic, kind, account=None):
        """(Record, event) of that kind, and of that account if one is named."""
        found = []
        for record in topics.read(self.cluster.client(), f"callfold.{topic}"):
            value = json.loads(record.value)
            if value["type"] == f"callfold.{kind}" and account in (None, value.get("subject")):
                found.append((record, value))
        return found

    def await_one(self, topic, kind, account, seconds=30):
        deadline = time.monotonic() + seconds
        while not (found := self.read(topic, kind, account)):
            self.assertLess(time.monotonic(), deadline, f"no {kind} of {account} after {seconds} s")
            time.sleep(0.2)
        return found[0]

    def finish(self):
        """Ends whatever runs, and compares all that it ever published."""
        self.house.await_folded()
        for meter in self.house.meters:
            if meter.process and meter.process.poll() is None:
                self.assertEqual(0, meter.end(), meter.said())
        self.assertEqual([], self.house.differences())

    def test_idle_partitions_meet_their_deadlines(self):
        """A call goes stale and a recharge times out with nobody writing; two meters share the partitions."""
        first, second = (self.house.meter(name).start() for name in ("a", "b"))
        self.write(opened("idle"), opened("silent"), opened("waiting"), started("silent", "c"), recharged("waiting"))
        start, authorized = self.await_one("commands", "call.authorized", "silent")
        command, recharge = self.await_one("commands", "account.recharge", "waiting")
        end, call = self.await_one("calls", "call.recorded", "silent")
        self.assertEqual("stale", call["data"]["ended_by"])
        advanced = self.read("events", "clock.advanced")
        [last] = [record for record, _ in advanced if record.offset == int(call["id"].split(":")[1])
                  and record.partition == end.partition]
        [begun] = [record for record in topics.read(self.cluster.client(), "callfold.events")
                   if f"{record.partition}:{record.offset}:0" == authorized["id"]]
        self.assertGreaterEqual(last.timestamp - begun.timestamp, STALE_MS)

        # The recharge has timed out: a failure is told of none that is in flight.
        self.write(event("recharge.failed", "waiting", recharge_id=recharge["id"], reason="declined"))
        self.assertEqual("recharge_unknown", self.await_one("rejects", "event.rejected", "waiting")[1]["data"]["reason"])

        # Nothing was written that nobody needed: partitions without deadlines have none, the others one or two.
        count = {}
        for record, value in advanced:
            if record.timestamp < begun.timestamp:
                continue   # another test's
            self.assertNotIn("subject", value)
            count[record.partition] = count.get(record.partition, 0) + 1
        self.assertLessEqual(count.keys(), {start.partition, command.partition})
        self.assertLessEqual(max(count.values()), 2, advanced)
        time.sleep(2)
        self.assertEqual(len(advanced), len(self.read("events", "clock.advanced")), "no deadline is left")
        self.assertIsNone(first.process.poll(), first.said())
        self.assertIsNone(second.process.poll(), second.said())
        self.finish()

    def test_a_deadline_that_passed_while_nobody_was_there(self):
        """What passed in between counts, up to the clock's step of a minute: the first record is written at once."""
        meter = self.house.meter("c").start()
        self.write(opened("left"), started("left", "c"))
        self.await_one("commands", "call.authorized", "left")
        self.assertEqual(0, meter.end(), meter.said())
        time.sleep(STALE_MS / 1000)
        meter.start()
        end, _ = self.await_one("calls", "call.recorded", "left")
        self.assertEqual(1, sum(record.partition == end.partition for record, _ in self.read("events", "clock.advanced")),
                         "the wait had been long enough already")
        self.finish()


def ask(meter, path):
    """Status and text, from the address that it said last."""
    deadline = time.monotonic() + PATIENCE_S
    while not (said := re.findall(r"^metrics +(http://.*)/metrics$", meter.said(), re.MULTILINE)):
        assert time.monotonic() < deadline, meter.said()
        time.sleep(0.05)
    try:
        with urllib.request.urlopen(f"{said[-1]}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def await_ready(meter, words):
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(meter, "/readyz")) != (200, words + "\n"):
        assert time.monotonic() < deadline, f"{answer}, not {words}\n{meter.said()}"
        time.sleep(0.1)


def figures(meter):
    lines = ask(meter, "/metrics")[1].splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def events_counted(seen):
    return sum(value for name, value in seen.items() if name.startswith("callfold_events_total"))


class Watched(unittest.TestCase):
    """One partition, two meters: one works, one stands by; then a long way back."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster())

    def setUp(self):
        self.house = self.enterContext(House(self.cluster, partitions=1))

    def test_who_stands_by_is_ready_and_takes_over(self):
        first, second = (self.house.meter(name, "--http", "0") for name in ("a", "b"))
        await_ready(first.start(), "metering 1 partition")
        await_ready(second.start(), "ready: no partitions yet")
        self.assertEqual(0, figures(second)["callfold_partitions"])
        self.house.feed(200)
        self.house.await_folded()
        holder = first if figures(first)["callfold_partitions"] else second
        written = len(topics.read(self.house.cluster.client(), "callfold.events"))
        deadline = time.monotonic() + PATIENCE_S
        lag = 'callfold_lag_records{partition="0"}'
        while (seen := figures(holder))[lag] or events_counted(seen) < written:  # the page is a moment behind
            self.assertLess(time.monotonic(), deadline, f"{events_counted(seen)} of {written}, {seen[lag]} still wait")
        self.assertEqual(written, events_counted(seen))
        self.assertEqual(1, seen["callfold_ready"])
        self.assertGreater(seen["callfold_commit_seconds_count"], 0)
        for topic in ("commands", "ledger", "calls", "rejects"):
            self.assertEqual(len(topics.read(self.house.cluster.client(), f"callfold.{topic}")),
                             seen[f'callfold_outputs_total{{topic="{topic}"}}'], topic)
        other = second if holder is first else first
        holder.kill()
        await_ready(other, "metering 1 partition")
        self.assertEqual(0, other.end(), other.said())

    def test_the_way_back_is_shown(self):
        """On a terminal, while a state is folded anew from the first event."""
        meter = self.house.meter("c", "--http", "0")
        with tempfile.NamedTemporaryFile() as load:
            subprocess.run([BUILD / "load", "--out", load.name, "--calls", "20000", "--ticks", "20"], check=True,
                           capture_output=True)
            callfold("produce", "--kafka", self.house.properties, "--events", load.name)
        meter.start()
        self.house.await_folded()
        meter.kill()
        meter.forget()
        ours, theirs = pty.openpty()
        with subprocess.Popen([CALLFOLD, "run", "--kafka", self.house.properties, "--state", meter.state, "-X",
                               "callfold.instance=c"], stderr=theirs, preexec_fn=die_with_parent) as process:
            os.close(theirs)
            said, deadline = "", time.monotonic() + PATIENCE_S
            shown = re.compile(r"catching up: ([\d,]+) of ([\d,]+) events, [\d,]+ a second, \d+ %, \d+:\d\d to go")
            while not (found := shown.search(said)):
                self.assertLess(time.monotonic(), deadline, said)
                said += os.read(ours, 4096).decode()
            done, whole = (int(number.replace(",", "")) for number in found.groups())
            self.assertTrue(0 < done <= whole <= 600000, found[0])
            process.kill()
        os.close(ours)
