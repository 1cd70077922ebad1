"""Brokers that die: the topics end as if nothing had happened.

SEED and BROKER_KILLS come from the environment. What is to happen at a moment of a commit happens when the
proxy sees the request for it (proxy.Trap)."""
import os
import subprocess
import time

import topics
from cluster import Cluster, die_with_parent
from house import CALLFOLD, CLIENT, EX_UNAVAILABLE, await_that, callfold
from test_chaos import PIECE, History

BROKER_KILLS = int(os.environ.get("BROKER_KILLS", "1"))
DECK = "examples/decks/2026-standard.csv"


class OneBroker(History):
    """Behind a proxy, for those who kill it and cut it off."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(proxied=True))
        cls.open_house(cls.cluster)
        cls.broker, cls.proxy = cls.cluster.brokers[0], cls.cluster.brokers[0].proxy

    def tearDown(self):
        super().tearDown()
        self.proxy.traps.clear()
        self.proxy.flow()
        if not self.broker.process:
            self.restart_broker()

    def feed_until(self, event):
        while not event.wait(0.3):
            self.meter.supervise()
            self.house.feed(PIECE)

    def await_sprung(self, trap):
        """The meter gets there; started again, if the broker was out of its reach."""
        await_that(lambda: self.meter.supervise() or trap.sprung.is_set(), self.house.said)

    def restart_broker(self):
        self.broker.start()
        self.cluster.wait_ready()


class Brokers(OneBroker):
    def test_a_broker_killed_in_the_middle_of_a_commit(self):
        self.meter.start()
        for request, when in (("TxnOffsetCommit", "after"), ("EndTxn", "before"), ("EndTxn", "after")):
            trap = self.proxy.trap(request, CLIENT, when, action=self.broker.kill)
            self.house.feed_meanwhile(5 * PIECE, 5, 1.0)
            self.await_sprung(trap)
            self.restart_broker()       # its coordinators load what they know while the meter asks
        self.finish()

    def test_a_broker_killed_at_random_moments(self):
        """And each third time the meter with it."""
        print(f"BROKER_KILLS={BROKER_KILLS}", flush=True)
        self.meter.start()
        for i in range(BROKER_KILLS):
            self.house.feed_meanwhile(5 * PIECE, 5, 2.0)
            time.sleep(self.random.uniform(0.0, 3.0))
            self.broker.kill()
            if i % 3 == 2 and self.meter.runs():
                self.meter.kill()
            self.restart_broker()
            if not self.meter.runs():
                self.meter.start()
        self.finish()

    def test_stopped_in_the_middle_of_a_commit_that_no_broker_answers(self):
        self.meter.start()
        trap = self.proxy.trap("EndTxn", CLIENT, "before", action=self.broker.kill)
        self.house.feed_meanwhile(5 * PIECE, 5, 1.0)
        self.await_sprung(trap)
        self.assertIn(self.meter.end(), (0, EX_UNAVAILABLE), self.meter.said())
        self.restart_broker()
        self.meter.start()
        self.finish()

    def test_a_coordinator_that_is_still_loading(self):
        """A meter that starts while the broker does. Whether it was caught loading is not known: a log as short
        as here is loaded within milliseconds. In test_connections it is told so."""
        self.house.feed(PIECE)
        self.broker.kill()
        self.broker.start()
        self.meter.start()
        self.house.await_folded()
        self.finish()

    def test_a_commit_whose_answer_does_not_come(self):
        """It may have happened or not: the meter finds out under its name, in the same process."""
        self.meter.start()
        trap = self.proxy.trap("EndTxn", CLIENT, "after", action=self.proxy.stall)
        self.feed_until(trap.sprung)
        self.meter.await_saying("starting over")
        self.proxy.flow()
        self.house.feed(PIECE)
        self.finish()

    def test_stopped_while_there_is_no_broker(self):
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        self.broker.kill()
        self.meter.await_saying("waiting for them")
        self.assertEqual(0, self.meter.end(), self.meter.said())
        self.restart_broker()
        self.meter.start()
        self.house.feed(PIECE)
        self.finish()

    def test_a_deck_whose_loader_is_killed_is_not_there_and_stops_nobody_for_long(self):
        publish = ("rates", "publish", DECK, "--deck-id", "killed", "--effective-at", "2027-01-01T00:00:00Z",
                   "--kafka", self.house.properties)
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        before = len(topics.read(self.cluster.client(), "callfold.events"))
        loader = None
        trap = self.proxy.trap("EndTxn", "callfold", "before", action=lambda: loader.kill())
        loader = subprocess.Popen([CALLFOLD, *publish], preexec_fn=die_with_parent, stderr=subprocess.DEVNULL)
        self.assertTrue(trap.sprung.wait(180))
        loader.wait()
        self.assertEqual(before, len(topics.read(self.cluster.client(), "callfold.events")))
        callfold(*publish)      # aborts what the first one left open
        events = topics.read(self.cluster.client(), "callfold.events")[:]
        decks = [[record.value for record in events if record.partition == i and b'"deck_id":"killed"' in record.value]
                 for i in range(self.partitions)]
        self.assertEqual(decks[0], decks[1])
        self.assertGreater(len(decks[0]), 2)
        self.house.feed(PIECE)  # past the mark that ends the transaction
        self.finish()
