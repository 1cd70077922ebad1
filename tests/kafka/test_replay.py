"""callfold-replay on topics: what the meter published is what comes out of the events again."""
import json
import subprocess
import unittest

import confluent_kafka

import topics
from cluster import BUILD, QUIET, Cluster
from house import House

REPLAY = BUILD / "callfold-replay"
EVENTS = 3000


def replay(*arguments):
    """Exit code, stdout and stderr."""
    done = subprocess.run([REPLAY, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


class Replay(unittest.TestCase):
    """One folded history for all tests, which only read it."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster())
        cls.house = cls.enterClassContext(House(cls.cluster, partitions=2))
        meter = cls.house.meter("a").start()
        cls.house.feed(EVENTS)
        cls.house.await_folded()
        assert meter.end() == 0, meter.said()

    def summary(self, *arguments):
        code, out, said = replay("verify", *arguments, "--json")
        self.assertEqual((0, ""), (code, said), out)
        return json.loads(out)

    def test_every_output_comes_again(self):
        rows = self.summary("--kafka", self.house.properties, "--all")
        client, published = self.cluster.client(), 0
        for name in ("commands", "ledger", "calls", "balances", "rejects", "attestations"):
            published += len(topics.read(client, f"callfold.{name}"))
        self.assertEqual(2, len(rows))
        self.assertEqual(published, sum(row["outputs"] for row in rows))
        self.assertEqual(len(topics.read(client, "callfold.events")), sum(row["records"] for row in rows))
        self.assertEqual([0, 0], [row["unpublished"] for row in rows])

    def test_attestations_alone(self):
        rows = self.summary("--kafka", self.house.properties)
        self.assertEqual(len(topics.read(self.cluster.client(), "callfold.attestations")),
                         sum(row["attestations"] for row in rows))

    def test_what_is_in_an_open_transaction_is_not_there(self):
        before = self.summary("--kafka", self.house.properties)
        producer = confluent_kafka.Producer(self.cluster.client(QUIET | {"transactional.id": "open"}))
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce("callfold.events", b"{}", key=b"nobody", partition=0)
        self.assertEqual(0, producer.flush(30))
        try:
            self.assertEqual(before, self.summary("--kafka", self.house.properties))
        finally:
            producer.abort_transaction(30)
        self.assertEqual(before, self.summary("--kafka", self.house.properties))

    def test_no_topics(self):
        with Cluster() as empty:
            properties = empty.write_properties(self.house.work / "empty.properties")
            code, _, said = replay("verify", "--kafka", properties)
            self.assertEqual(78, code)
            self.assertIn("no topic callfold.events", said)


if __name__ == "__main__":
    unittest.main()
