"""Whatever happens to a meter: the topics end as if nothing had, none lost, none twice.

SEED and KILLS come from the environment; what a test did with them is in its messages."""
import contextlib
import os
import random
import signal
import subprocess
import time
import unittest

from cluster import Cluster
from house import EX_CONFIG, EX_IOERR, House, callfold, shared_cluster

SEED = int(os.environ.get("SEED", "1"))
KILLS = int(os.environ.get("KILLS", "12"))
PIECE = 60
# In the order in which a commit and a checkpoint pass them.
FAIL_POINTS = ("after-produce", "before-commit", "after-commit", "before-checkpoint", "mid-checkpoint", "fsync",
               "between-partitions", "after-checkpoint")
OFTEN = ("--checkpoint-ms", "200")


@contextlib.contextmanager
def own_disk(path):
    """A file system at path until the end; False where nobody may mount one."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", path]
    is_own = subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode == 0
    try:
        yield is_own
    finally:
        if is_own:
            subprocess.run(["umount", "--lazy", path], check=True)


def leave_room(path, room):
    """Of the file system at path so many bytes are free from now on."""
    found = os.statvfs(path)
    size = (found.f_blocks - found.f_bfree) * found.f_frsize + room
    subprocess.run(["mount", "-o", f"remount,size={size}", path], check=True)


class History(unittest.TestCase):
    """One history for all tests of a class: each adds to it, and compares the whole."""

    partitions = 2

    @classmethod
    def open_house(cls, cluster):
        cls.house = cls.enterClassContext(House(cluster, cls.partitions))
        cls.meter = cls.house.meter("a", *OFTEN)
        cls.random = random.Random(SEED)
        print(f"{cls.__name__}: SEED={SEED} KILLS={KILLS}", flush=True)

    def tearDown(self):
        """What a failed test left running shall not make the next one fail."""
        for meter in self.house.meters:
            if meter.runs():
                meter.resume()
                meter.kill()

    def finish(self):
        """Ends whatever runs and compares."""
        self.house.await_folded()
        for meter in self.house.meters:
            if meter.runs():
                self.assertEqual(0, meter.end(), meter.said())
        self.assertEqual([], self.house.differences(), f"SEED={SEED}\n{self.meter.said()}")

    def feed_until_it_ends(self, meter):
        """The meter's exit code."""
        while not meter.ends_within(0.3):
            self.house.feed(PIECE)
        return meter.wait()


class Kills(History):
    @classmethod
    def setUpClass(cls):
        cls.open_house(shared_cluster())

    def test_kill_at_random_moments(self):
        self.house.feed_meanwhile(KILLS * PIECE, KILLS, KILLS)
        for _ in range(KILLS):
            self.meter.start()
            time.sleep(self.random.uniform(0.05, 2.0))
            self.meter.kill()
        self.meter.start()
        self.finish()

    def test_kill_at_every_named_point(self):
        for times in (1, 2, *(self.random.randint(1, 5) for _ in range(KILLS // 20))):
            for point in FAIL_POINTS:
                self.meter.start(fail_point=f"{point}:{times}")
                self.assertEqual(-signal.SIGKILL, self.feed_until_it_ends(self.meter), f"{point}\n{self.meter.said()}")
        self.meter.start()
        self.finish()

    def test_an_empty_state_takes_over(self):
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        self.meter.kill()
        self.meter.forget()
        self.meter.start()
        self.house.feed(PIECE)
        self.finish()

    def test_a_full_disk_under_the_state(self):
        """The state cannot be stored, what was committed stays committed. Where nothing can be
        mounted, no file may grow instead."""
        disk = self.house.work / "disk"
        with own_disk(disk) as is_own:
            meter = self.house.meter("a", *OFTEN, state=disk / "state").start()
            self.house.feed(PIECE)
            self.house.await_folded()
            self.assertEqual(0, meter.end())
            size = max(path.stat().st_size for path in meter.state.rglob("*") if path.is_file())
            if is_own:
                leave_room(disk, 8192)
            meter.start(file_size=None if is_own else size // 2)
            self.assertEqual(EX_IOERR, self.feed_until_it_ends(meter), meter.said())
            self.assertIn("nothing is lost", meter.said())
            if is_own:
                leave_room(disk, 64 << 20)
            meter.start()
            self.finish()

    def test_a_full_disk_under_a_new_state(self):
        new = self.house.meter("a", *OFTEN)
        for size in (8, 3000):      # for the state's name, for the state
            self.assertEqual(EX_IOERR, new.start(file_size=size).wait(), new.said())
        self.house.feed(PIECE)
        new.start()
        self.finish()


class Zombies(History):
    @classmethod
    def setUpClass(cls):
        cls.open_house(shared_cluster())

    def stop_in_the_middle(self):
        """The meter, stopped at a random moment under load."""
        self.meter.start()
        self.house.feed(PIECE)
        self.house.await_folded()
        self.house.feed_meanwhile(10 * PIECE, 10, 2.0)
        time.sleep(self.random.uniform(0.0, 2.0))
        self.meter.pause()

    def test_a_zombie_under_its_successors_name_is_fenced(self):
        for _ in range(max(2, KILLS // 10)):
            self.stop_in_the_middle()
            successor = self.house.meter("a", *OFTEN).start()
            self.house.await_folded()
            said = len(self.meter.said())
            self.meter.resume()
            self.assertEqual(EX_CONFIG, self.meter.wait(), self.meter.said())
            self.assertIn("fenced: another process runs as callfold.instance=a", self.meter.said()[said:])
            self.assertTrue(successor.runs(), successor.said())
            self.finish()

    def test_a_zombie_whose_partitions_another_took_publishes_nothing_and_joins_again(self):
        self.stop_in_the_middle()
        other = self.house.meter("b", *OFTEN).start()
        self.house.await_folded()   # once the session is over
        said = len(self.meter.said())
        self.meter.resume()
        self.house.feed(PIECE)
        self.meter.await_saying("assigned", 1 + self.meter.said()[:said].count("assigned"))
        self.house.feed(PIECE)
        self.finish()


class Groups(History):
    partitions = 4

    @classmethod
    def setUpClass(cls):
        cls.open_house(shared_cluster())

    def test_two_share_four_partitions_and_a_third_takes_over(self):
        first, second, third = self.meter, self.house.meter("b", *OFTEN), self.house.meter("c", *OFTEN)
        first.start()
        self.house.feed_meanwhile(60 * PIECE, 60, 15.0)
        first.await_saying("assigned")
        second.start()
        second.await_saying("assigned   partitions")      # joins under load
        self.assertEqual(0, second.end(), second.said())
        second.start()                              # and comes back
        second.await_saying("assigned   partitions", 2)
        first.kill()
        third.start()                               # has no state
        third.await_saying("assigned   partitions")
        self.assertTrue(second.runs() and third.runs())
        self.house.feed(PIECE)
        self.finish()
