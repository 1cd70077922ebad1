"""Connections that break, at each request that matters: the topics end as if nothing had happened.

SEED comes from the environment."""
import time

from house import CLIENT, MEMBER, await_that
from test_brokers import OneBroker
from test_chaos import OFTEN, PIECE

COMMIT = ("Produce", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn")
COORDINATORS = ("InitProducerId", "JoinGroup", "SyncGroup", "Heartbeat", "AddOffsetsToTxn", "EndTxn")
START = ("InitProducerId", "FindCoordinator", "JoinGroup", "SyncGroup", "OffsetFetch", "Fetch")


class Connections(OneBroker):
    def test_a_connection_cut_at_each_request_of_a_commit(self):
        """librdkafka calls that retriable: nothing is aborted, unless its time runs out."""
        meter = self.house.meter("a", *OFTEN, "-X", "transaction.timeout.ms=180000").start()
        for when in ("before", "after"):
            for request in COMMIT:
                self.feed_until(self.proxy.trap(request, CLIENT, when).sprung)
        self.finish()
        self.assertNotRegex(meter.said(), "aborting|starting over")

    def test_a_connection_cut_at_each_request_of_a_start(self):
        for request in START:
            client = CLIENT if request in ("InitProducerId", "FindCoordinator") else MEMBER
            for when in ("before", "after"):
                trap = self.proxy.trap(request, client, when)
                self.house.feed(PIECE)
                self.meter.start()
                self.await_sprung(trap)
                self.house.await_folded()
                self.assertEqual(0, self.meter.end(), self.meter.said())
        self.assertEqual([], self.house.differences(), self.meter.said())

    def test_coordinators_that_are_still_loading(self):
        """Each question of the meter to them is answered so, three times in a row: it asks again, and nothing is
        aborted."""
        traps = [self.proxy.trap(request, MEMBER if request in ("JoinGroup", "SyncGroup", "Heartbeat") else CLIENT,
                                 "instead") for request in COORDINATORS for _ in range(3)]
        meter = self.house.meter("a", *OFTEN, "-X", "transaction.timeout.ms=180000", "-X", "heartbeat.interval.ms=500",
                                 state=self.meter.state).start()
        for trap in traps:
            self.feed_until(trap.sprung)
        self.finish()
        self.assertNotRegex(meter.said(), "aborting|starting over")

    def test_outputs_that_no_broker_takes_in_time(self):
        """Their transaction is given up: the meter goes back to the last commit, in the same process."""
        short = self.house.meter("a", *OFTEN, "-X", "transaction.timeout.ms=3000", state=self.meter.state)
        short.start()
        trap = self.proxy.trap("Produce", CLIENT, "before", action=self.proxy.stall)
        self.house.feed(5 * PIECE)
        await_that(trap.sprung.is_set, short.said)
        short.await_saying("timed out on callfold.")    # librdkafka's word of outputs
        self.proxy.flow()
        self.house.feed(PIECE)
        self.finish()

    def test_connections_cut_and_stalled_at_random_moments(self):
        self.meter.start()
        self.house.feed_meanwhile(20 * PIECE, 20, 5.0)
        for _ in range(8):
            time.sleep(self.random.uniform(0.0, 0.5))
            self.proxy.cut()
        self.proxy.stall()
        time.sleep(self.random.uniform(0.5, 2.0))
        self.proxy.flow()
        self.finish()
