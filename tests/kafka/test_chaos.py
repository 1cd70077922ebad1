"""Whatever happens to meters and brokers: the topics end as if nothing had, none lost, none twice.

SEED and KILLS come from the environment; what a test did with them is in its messages."""
import os
import random
import signal
import time
import unittest

from cluster import Cluster
from house import EX_UNAVAILABLE, House

SEED = int(os.environ.get("SEED", "1"))
KILLS = int(os.environ.get("KILLS", "6"))
PIECE = 200
# Each is passed in every life of a meter: the first commit, and the checkpoint at its end.
FAIL_POINTS = ("after-produce", "before-commit", "after-commit", "before-checkpoint", "mid-checkpoint", "fsync",
               "between-partitions", "after-checkpoint")
OFTEN = ("--checkpoint-ms", "300")


class Chaos(unittest.TestCase):
    """One history for all tests: each adds to it, and compares the whole."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(proxied=True))
        cls.house = cls.enterClassContext(House(cls.cluster, partitions=2))
        cls.meter = cls.house.meter("a", *OFTEN)
        cls.random = random.Random(SEED)
        print(f"SEED={SEED} KILLS={KILLS}", flush=True)

    def finish(self):
        """Ends whatever runs and compares."""
        self.house.await_folded()
        for meter in self.house.meters:
            if meter.process and meter.process.poll() is None:
                self.assertEqual(0, meter.end(), meter.said())
        self.assertEqual([], self.house.differences(), self.meter.said())

    def test_kill_at_random_moments(self):
        self.house.feed_meanwhile((KILLS + 1) * PIECE, KILLS + 1, 1.5 * KILLS)
        for _ in range(KILLS):
            self.meter.start()
            time.sleep(self.random.uniform(0.05, 2.5))
            self.meter.kill()
        self.meter.start()
        self.finish()

    def test_kill_at_every_named_point(self):
        for point in FAIL_POINTS:
            for times in (1, 2):
                with self.subTest(point=point, times=times):
                    self.meter.start(fail_point=f"{point}:{times}")
                    self.house.feed_meanwhile(PIECE, 8, 2.0)
                    self.assertEqual(-signal.SIGKILL, self.meter.wait(), self.meter.said())
                    self.meter.start()
                    self.finish()

    def test_a_zombie_is_fenced(self):
        """Stopped past its session's time-out while another takes over under its name."""
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        self.house.feed_meanwhile(3 * PIECE, 3, 2.0)
        self.meter.process.send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        successor = self.house.meter("a-successor", "-X", "callfold.instance=a", *OFTEN).start()
        self.house.await_folded()
        before = self.house.committed()
        self.meter.process.send_signal(signal.SIGCONT)
        self.assertEqual(EX_UNAVAILABLE, self.meter.wait(), self.meter.said())
        self.assertEqual(before, self.house.committed())
        self.assertIsNone(successor.process.poll(), successor.said())
        self.finish()

    def test_an_empty_state_takes_over(self):
        self.meter.start()
        self.house.feed(PIECE)
        self.meter.kill()
        self.meter.forget()
        self.meter.start()
        self.house.feed(PIECE)
        self.finish()

    def test_a_broker_killed_and_restarted(self):
        self.meter.start()
        for wait in (0.0, self.random.uniform(0.0, 0.5), self.random.uniform(0.0, 2.0)):
            self.house.feed(PIECE)
            time.sleep(wait)
            self.cluster.brokers[0].kill()
            self.cluster.brokers[0].start()
            self.cluster.wait_ready()
        self.house.feed(PIECE)
        self.finish()

    def test_connections_cut_and_stalled(self):
        proxy = self.cluster.brokers[0].proxy
        self.meter.start()
        for _ in range(5):
            self.house.feed(PIECE)
            time.sleep(self.random.uniform(0.0, 0.3))
            proxy.cut()
        self.house.feed(PIECE)
        proxy.stall()
        time.sleep(self.random.uniform(0.5, 2.0))
        proxy.flow()
        self.finish()


class Group(unittest.TestCase):
    def test_two_share_four_partitions_and_a_third_takes_over(self):
        with Cluster() as cluster, House(cluster, partitions=4) as house:
            first, second, third = (house.meter(name, *OFTEN) for name in ("a", "b", "c"))
            first.start()
            house.feed_meanwhile(12 * PIECE, 24, 12.0)
            time.sleep(2)
            second.start()
            time.sleep(4)
            self.assertEqual(0, second.end(), second.said())
            time.sleep(1)
            second.start()
            time.sleep(3)
            first.kill()
            third.start()
            house.await_folded()
            self.assertEqual((0, 0), (second.end(), third.end()), second.said() + third.said())
            self.assertEqual([], house.differences())
