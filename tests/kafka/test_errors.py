"""librdkafka's classes of errors. SEED comes from the environment."""
import time
import unittest

import confluent_kafka

from cluster import QUIET, Cluster
from house import House, await_that, shared_cluster
from test_chaos import PIECE, History


class ErrorClasses(History):
    """librdkafka's: what wants an abort, what wants a new producer; what is tried again:
    test_connections.py."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = shared_cluster()
        cls.open_house(cls.cluster)

    def setUp(self):
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        self.said = len(self.meter.said())

    def has_said(self, words):
        return words in self.meter.said()[self.said:]

    def test_abortable_an_output_that_a_broker_refuses(self):
        """Each abort goes back to the last commit, state and all, until the topic takes it again."""
        self.house.alter("callfold.progress", {"max.message.bytes": "100"})
        self.house.feed(4 * PIECE)
        await_that(lambda: self.meter.said()[self.said:].count("aborting, and going back to the last commit") >= 3,
                   self.meter.said)
        self.house.alter("callfold.progress", {"max.message.bytes": "1048588"})
        self.house.await_folded()
        self.assertFalse(self.has_said("starting over"), self.meter.said())
        self.finish()

    def test_fatal_somebody_took_the_transactional_id(self):
        producer = confluent_kafka.Producer(self.cluster.client(
            QUIET | {"transactional.id": f"{self.house.group}-{self.meter.instance}"}))
        producer.init_transactions(60)
        self.house.feed(PIECE)
        self.meter.await_saying("starting over")
        self.house.await_folded()
        self.finish()


class NoCoordinator(unittest.TestCase):
    def test_a_meter_that_waits_for_one_ends_soon_when_it_is_asked_to(self):
        unmade = {"transaction.state.log.replication.factor": "3"}    # of one broker
        with Cluster(settings=unmade) as cluster, House(cluster, partitions=1) as house:
            meter = house.meter("a").start()
            meter.await_saying("topics ")
            self.assertFalse(meter.ends_within(4), meter.said())
            begun = time.monotonic()
            self.assertEqual(0, meter.end(), meter.said())
            self.assertLess(time.monotonic() - begun, 5)
            self.assertIn("stopped before it had begun", meter.said())
