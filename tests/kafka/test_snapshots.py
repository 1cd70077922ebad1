"""Starts from snapshots: a new host, a lost or damaged state, snapshots of others, and attestations that differ.

SEED and KILLS come from the environment; what a test did with them is in its messages."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import time
import unittest

import confluent_kafka

import topics
from cluster import BUILD, QUIET
from house import EX_CONFIG, House, await_that, shared_cluster

SEED = int(os.environ.get("SEED", "1"))
KILLS = int(os.environ.get("KILLS", "6"))
PIECE = 1500   # attestations come by the minute: some are in each
EX_SOFTWARE = 70
OFTEN = ("--checkpoint-ms", "100")
RESTORED = "restored the snapshot"


def snapshot(verb, *options):
    subprocess.run([BUILD / "callfold-snapshot", verb, "--quiet", *options], check=True)


class Snapshots(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House(shared_cluster(), partitions=2))
        self.snapshots = self.house.work / "snapshots"
        self.from_there = ("--snapshots", self.snapshots)
        self.random = random.Random(SEED)

    def folded(self, *meters):
        """What was fed is folded by them, and they end well."""
        for meter in meters:
            meter.start()
        self.house.await_folded()
        for meter in meters:
            self.assertEqual(0, meter.end(), meter.said())

    def snap(self, meter):
        snapshot("create", "--state", meter.state, "--snapshots", self.snapshots)

    def same(self):
        self.assertEqual([], self.house.differences(), f"SEED={SEED}\n{self.house.said()}")

    def names(self):
        return sorted(path.name for path in self.snapshots.glob("partition-*/0*"))

    def test_a_new_host_starts_from_the_newest(self):
        first = self.house.meter("a", *OFTEN, *self.from_there, "--snapshot-every", "1s", "--snapshot-keep", "2").start()
        self.house.feed_meanwhile(8 * PIECE, 16, 5.0)
        self.house.await_folded()
        await_that(lambda: len(self.names()) >= 4, first.said)
        first.kill()
        self.assertLessEqual(len(self.names()), 6, "all but the newest two of each, and what is being made, are gone")
        second = self.house.meter("b", *OFTEN, *self.from_there)
        self.house.feed(PIECE)
        self.folded(second)
        self.assertEqual(2, second.said().count(RESTORED), second.said())
        self.same()

    def test_hosts_come_and_go_under_load(self):
        """Killed anywhere, always without a state of its own, with snapshots of what the others left."""
        self.house.feed_meanwhile(KILLS * PIECE, 2 * KILLS, 2.0 * KILLS)
        for i in range(KILLS):
            meter = self.house.meter("ab"[i % 2], *OFTEN, *self.from_there, "--snapshot-every", "1s").start()
            meter.await_saying("assigned")
            time.sleep(self.random.uniform(0.2, 3.0))
            meter.kill()
        last = self.house.meter("a", *self.from_there)
        self.house.feeder.join()
        self.house.feed(PIECE)
        self.folded(last)
        self.assertIn(RESTORED, last.said())
        self.same()

    def test_a_damaged_state_is_restored(self):
        meter = self.house.meter("a", *OFTEN, *self.from_there)
        self.house.feed(2 * PIECE)
        self.folded(meter)
        self.snap(meter)
        meter.start()
        self.house.feed(2 * PIECE)
        self.house.await_folded()
        meter.kill()
        for data in meter.state.glob("partition-*/data.mdb"):
            data.write_bytes(data.read_bytes()[:8192] + bytes(data.stat().st_size - 8192))
        self.house.feed(PIECE)
        self.folded(meter)
        self.assertIn("damaged", meter.said())
        self.assertIn(RESTORED, meter.said())
        self.same()

    def test_restored_by_hand(self):
        meter = self.house.meter("a", *OFTEN)
        self.house.feed(2 * PIECE)
        self.folded(meter)
        self.snap(meter)
        other = self.house.meter("b", *OFTEN)
        snapshot("restore", "--state", other.state, "--snapshots", self.snapshots)
        self.house.feed(PIECE)
        self.folded(other)
        self.same()

    def leave_a_snapshot(self):
        """Everything folded, a snapshot of half of it, no state."""
        meter = self.house.meter("a", *OFTEN)
        self.house.feed(2 * PIECE)
        self.folded(meter)
        self.snap(meter)
        self.house.feed(2 * PIECE)
        self.folded(meter)
        meter.forget()

    def rewrite(self, change):
        for path in self.snapshots.glob("partition-*/0*/manifest.json"):
            manifest = json.loads(path.read_bytes())
            manifest.update(change(manifest))
            path.write_text(json.dumps(manifest, indent=2) + "\n")

    def refused(self, code, *words):
        before = self.house.committed()
        meter = self.house.meter("b", *OFTEN, *self.from_there).start()
        self.assertEqual(code, meter.wait(), meter.said())
        for word in words:
            self.assertIn(word, meter.said())
        self.assertEqual(before, self.house.committed())

    def test_a_snapshot_of_another_group(self):
        self.leave_a_snapshot()
        self.rewrite(lambda manifest: {"home": manifest["home"].replace(self.house.group, "another")})
        self.refused(EX_CONFIG, "group another", f"group {self.house.group}")

    def test_a_snapshot_of_another_number_of_partitions(self):
        self.leave_a_snapshot()
        self.rewrite(lambda _: {"partition_count": 5})
        self.refused(EX_CONFIG, "one of 5 partitions", "there are 2")

    def test_a_snapshot_of_another_history(self):
        """All in order, of the same group by its manifest; what is folded from it is not what was attested."""
        self.leave_a_snapshot()
        home = json.loads(next(self.snapshots.glob("partition-*/0*/manifest.json")).read_bytes())["home"]
        kept = pathlib.Path(shutil.copytree(self.snapshots, self.house.work / "kept"))
        forged = self.forge()
        shutil.rmtree(self.snapshots)
        shutil.copytree(forged, self.snapshots)
        self.rewrite(lambda _: {"home": home})
        self.refused(EX_SOFTWARE, "partition", "offset", "topic callfold.attestations", "published", "folded again")
        shutil.rmtree(self.snapshots)
        kept.rename(self.snapshots)
        self.house.feed(PIECE)
        self.folded(self.house.meter("b", *self.from_there))
        self.same()

    def forge(self):
        """Snapshots at the same offsets, of events that are not quite those of the log."""
        work = self.house.work / "forger"
        work.mkdir()
        ends = {path.parent.name: int(max(name.name for name in path.parent.glob("0*")).split("-")[0])
                for path in self.snapshots.glob("partition-*/0*")}
        changed = set()
        with open(work / "events.jsonl", "w", encoding="utf-8") as events:
            for record in topics.read(self.house.cluster.client(), "callfold.events"):
                if record.offset >= ends[f"partition-{record.partition}"]:
                    continue
                value = record.value
                if b'"type":"callfold.credit.topped_up"' in value and record.partition not in changed:
                    value = value.replace(b'"currency"', b'"currencx"')
                    changed.add(record.partition)
                events.write(topics.archive_line(record._replace(value=value)))
        subprocess.run([BUILD / "callfold", "run", "--quiet", "--events", work / "events.jsonl", "--out", work / "out",
                        "--state", work / "state", "--partitions", str(self.house.partitions)], check=True)
        self.assertEqual(set(range(self.house.partitions)), changed)
        for path in (work / "state").glob("partition-*"):
            self.assertIn(path.name, ends)
        self.place_on_kafka(work / "state")
        snapshot("create", "--state", work / "state", "--snapshots", work / "snapshots")
        return work / "snapshots"

    def place_on_kafka(self, state):
        """A state of the embedded meter stands at bytes of its file, one on Kafka at offsets: the forger knows."""
        for path in state.glob("partition-*/data.mdb"):
            data = bytearray(path.read_bytes())
            at = -1
            while (at := data.find(b"headercallfold", at + 1)) >= 0:
                header = at + len(b"header")
                data[header + 52:header + 60] = data[header + 28:header + 36]
                data[header + 60:header + 76] = bytes(16)
            path.write_bytes(data)

    def test_an_attestation_of_another_run(self):
        meter = self.house.meter("a", *OFTEN)
        self.house.feed(2 * PIECE)
        self.folded(meter)
        last = self.last_attestation()
        producer = confluent_kafka.Producer(self.house.cluster.client(QUIET))
        producer.produce("callfold.attestations", partition=0,
                         value=last.value.replace(b'"digest":"', b'"digest":"0')[:-2] + b"}}")
        self.assertEqual(0, producer.flush(30))
        place = self.last_attestation().offset
        self.house.feed(2 * PIECE)
        self.folded(meter)
        meter.forget()
        self.refused(EX_SOFTWARE, "partition 0, offset", f"topic callfold.attestations, offset {place})")

    def last_attestation(self):
        """Of partition 0."""
        return [record for record in topics.read(self.house.cluster.client(), "callfold.attestations")
                if record.partition == 0][-1]

    def test_what_restores_is_killed(self):
        """It is a process of the meter's, which tries again until it is stopped itself."""
        self.leave_a_snapshot()
        for point in ("restore-copied", "restore-checked", "restore-named"):
            meter = self.house.meter("b", *OFTEN, *self.from_there).start(fail_point=point)
            meter.await_saying("was killed or died")
            self.assertEqual(0, meter.end(), meter.said())
            again = self.house.meter("b", *OFTEN, *self.from_there, state=meter.state).start()
            await_that(lambda: "up to the last commit" in again.said(), again.said)
            self.assertEqual(0, again.end(), again.said())
        self.same()
