"""The day of examples/: platform and meter as two processes that only speak through topics."""
import subprocess
import unittest

from cluster import Cluster
from house import PLATFORM, House, past_day


class Day(unittest.TestCase):
    def test_the_day_over_kafka(self):
        with Cluster() as cluster, House(cluster, partitions=2) as house:
            meter = house.meter("a").start()
            played = subprocess.run([PLATFORM, "--kafka", house.properties, "--accounts", "12", "--hours", "9",
                                     "--start", past_day(), "--patience", "300"],
                                    capture_output=True, text=True, timeout=1200, check=False)
            self.assertEqual((0, ""), (played.returncode, played.stderr), meter.said())
            summary = {words: int(count.replace(",", "")) for count, words in
                       (line.strip().split("  ", 1) for line in played.stdout.splitlines())}
            for words in ("calls authorized", "calls denied", "calls ended at their cutoff", "recharges asked for",
                          "records wrong on purpose"):
                self.assertGreater(summary[words], 0, words)
            self.assertEqual(0, summary["commands that should not have been"])
            self.assertEqual(0, meter.end(), meter.said())
            self.assertEqual([], house.differences())
