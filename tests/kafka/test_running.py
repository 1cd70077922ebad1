"""The meter as it runs: time for partitions on which nothing happens."""
import datetime
import json
import time
import unittest

import topics
from cluster import Cluster
from house import House, callfold

STALE_MS, TIMEOUT_MS = 3000, 2000


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
