"""Brokers lost where there are three: as long as two are there, the meter goes on."""
import time

from cluster import Cluster
from test_chaos import PIECE, History


class ThreeBrokers(History):
    """Each record on three brokers, two of which must have it."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(brokers=3))
        cls.open_house(cls.cluster)

    def tearDown(self):
        super().tearDown()
        for broker in self.cluster.brokers:
            if not broker.process:
                broker.start()
            broker.resume()
        self.cluster.wait_in_sync()

    def test_each_broker_lost_in_turn_while_the_meter_goes_on(self):
        self.meter.start().await_saying("assigned")
        self.house.feed_meanwhile(60 * PIECE, 60, 12.0)
        for broker in self.cluster.brokers:
            time.sleep(self.random.uniform(0.0, 1.0))
            broker.kill()
            self.house.feed(PIECE)
            self.house.await_folded()
            self.assertTrue(self.meter.runs(), self.meter.said())
            broker.start()
            self.cluster.wait_in_sync()
        self.finish()

    def test_too_few_brokers_for_a_while(self):
        """Nothing is committed with one of three; all of it is when they are back."""
        self.meter.start().await_saying("assigned", 1 + self.meter.said().count("assigned"))
        self.house.feed_meanwhile(20 * PIECE, 20, 6.0)
        time.sleep(self.random.uniform(0.5, 1.5))
        for broker in self.cluster.brokers[1:]:
            broker.pause()
        time.sleep(4)
        for broker in self.cluster.brokers[1:]:
            broker.resume()
        self.cluster.wait_in_sync()
        self.finish()
