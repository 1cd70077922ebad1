"""callfold-replay on topics: what the meter published is what comes out of the events again."""
import json
import subprocess
import time
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

    def archive(self, name):
        code, out, said = replay("archive", "--archive", self.house.work / name, "--kafka", self.house.properties,
                                 "--json")
        self.assertEqual((0, ""), (code, said), out)
        return self.house.work / name

    def test_an_archive_has_what_a_consumer_reads(self):
        archive, client = self.archive("archive"), self.cluster.client()
        for partition in range(2):
            segments = sorted((archive / f"partition-{partition}").iterdir())
            lines = subprocess.run(["zstdcat", *segments], capture_output=True, check=True).stdout.decode()
            self.assertEqual([json.loads(topics.archive_line(record)) for record in topics.read(client, "callfold.events")
                              if record.partition == partition],
                             [json.loads(line) for line in lines.splitlines()])
        subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=archive, check=True)
        self.assertEqual(archive.joinpath("manifest.json").read_bytes(),
                         self.archive("archive").joinpath("manifest.json").read_bytes(), "nothing new")

    def sources(self, name):
        """The topic, an archive and a file of it."""
        archive, lines = self.archive(name), self.house.work / f"{name}.jsonl"
        with open(lines, "w", encoding="utf-8") as file:
            file.writelines(topics.archive_line(record)
                            for record in topics.read(self.cluster.client(), "callfold.events"))
        return ("--kafka", self.house.properties), ("--events", archive), ("--events", lines, "--partitions", "2")

    def test_archive_topics_and_file_are_one_history(self):
        sources = self.sources("one")
        for question in (["--table", "partitions"], ["--table", "accounts"], ["--table", "calls"],
                         ["--at", "1:400", "--table", "accounts"]):
            states = [replay("state", *source, *question, "--json") for source in sources]
            self.assertEqual(0, states[0][0], states[0][2])
            self.assertEqual(states[0], states[1])
            self.assertEqual(states[0], states[2])

    def test_the_books_are_those_of_the_topics(self):
        ledger = [json.loads(record.value) for record in topics.read(self.cluster.client(), "callfold.ledger")]
        entry = ledger[-1]["data"]
        statement = ("statement", "--account", entry["account"], "--month", entry["date"][:7])
        for question in (("export", "ledger", "--format", "csv"), ("export", "ledger", "--format", "hledger"),
                         ("export", "calls", "--format", "csv"), ("export", "balances", "--format", "ndjson"),
                         statement, statement + ("--html",)):
            books = [replay(*question, *source) for source in self.sources("books")]
            self.assertEqual(0, books[0][0], books[0][2])
            self.assertEqual(books[0], books[1])
            self.assertEqual(books[0], books[2])
        lines = replay("export", "ledger", "--format", "ndjson", "--kafka", self.house.properties)[1].splitlines()
        self.assertEqual(sorted(entry["id"] for entry in ledger), sorted(json.loads(line)["id"] for line in lines))

    def test_what_an_auditor_asks_of_the_topics(self):
        """Said of the topics as of an archive and of a file, word for word; where it comes from another partition too."""
        client = self.cluster.client()
        calls = [json.loads(record.value) for record in topics.read(client, "callfold.calls") if record.partition == 1]
        call = next(call for call in calls if call["data"]["amount"] != "0")
        account, data = call["subject"], call["data"]
        cdr = self.house.work / "carrier.csv"
        cdr.write_text(f"call_id,from,to,start,duration_ms\n{data['call_id']},{data['from']},{data['to']},{data['started_at']},1\n")
        sources = self.sources("asked")
        for question, code in ((("explain", "--account", account, "--call", data["call_id"]), 0),
                               (("explain", "--partition", "1", "--entry", "3", "--json"), 0),
                               (("explain", "--account", account, "--day", data["ended_at"][:10]), 0),
                               (("what-if", "--policy", "max_concurrent_calls=1", "--json"), 0),
                               (("reconcile", "--cdr", cdr, "--totals", "--json"), 1)):
            said = [replay(*question, *source) for source in sources]
            self.assertEqual(code, said[0][0], said[0][2])
            self.assertTrue(said[0][1])
            self.assertEqual(said[0], said[1])
            self.assertEqual(said[0], said[2])

    def test_what_is_new_in_the_books(self):
        """From a snapshot in the middle of the topics, what comes after it."""
        meter, snapshots = self.house.meters[0], self.house.work / "middle"
        subprocess.run([BUILD / "callfold-snapshot", "create", "--state", meter.state, "--snapshots", snapshots],
                       check=True, capture_output=True)
        entries = json.loads(next(snapshots.glob("partition-1/0*/manifest.json")).read_bytes())["entries"]
        export = "export", "ledger", "--format", "ndjson", "--kafka", self.house.properties, "--from-entry"
        self.assertEqual((0, "", ""), replay(*export, f"1:{entries + 1}", "--snapshots", snapshots))
        code, out, said = replay(*export, f"1:{entries - 4}", "--snapshots", snapshots)
        self.assertEqual((0, 5), (code, len(out.splitlines())), said)

    def test_an_archive_of_another_cluster(self):
        archive = self.archive("another")
        lines = self.house.work / "bare.jsonl"
        lines.write_text("{}\n")
        code, _, said = replay("archive", "--archive", archive, "--events", lines)
        self.assertEqual(78, code)
        self.assertIn("is of Kafka cluster callfoldTestCluster000, but this is a file", said)

    def test_verify_from_a_snapshot(self):
        meter, snapshots = self.house.meters[0], self.house.work / "snapshots"
        subprocess.run([BUILD / "callfold-snapshot", "create", "--state", meter.state, "--snapshots", snapshots],
                       check=True, capture_output=True)
        rows = json.loads(replay("verify", "--kafka", self.house.properties, "--all", "--snapshots", snapshots, "--json")[1])
        self.assertEqual([0, 0], [row["records"] for row in rows])
        self.assertEqual([row["next_offset"] for row in rows], [row["first_offset"] for row in rows])

    def test_a_record_that_somebody_else_wrote(self):
        with House(self.cluster_of_its_own(), partitions=1) as house:
            meter = house.meter("a").start()
            house.feed(800)
            house.await_folded()
            self.assertEqual(0, meter.end(), meter.said())
            producer = confluent_kafka.Producer(house.cluster.client(QUIET))
            producer.produce("callfold.ledger", b'{"specversion":"1.0","id":"0:3:0","source":"/callfold"}', partition=0)
            self.assertEqual(0, producer.flush(30))
            end = len(topics.read(house.cluster.client(), "callfold.ledger"))
            code, out, said = replay("verify", "--kafka", house.properties, "--all")
            self.assertEqual((1, ""), (code, said), out)
            self.assertIn("callfold.ledger, partition 0, offset", out)
            self.assertIn("0:3:0 was published, but the events do not give it there", out)
            self.assertGreater(end, 1)

    def test_beside_a_meter_that_runs(self):
        with House(self.cluster_of_its_own(), partitions=2) as house:
            meter = house.meter("a").start()
            house.feed(500)
            house.await_folded()
            house.feed_meanwhile(1500, 30, 8)
            for _ in range(6):
                code, out, said = replay("verify", "--kafka", house.properties, "--all")
                self.assertEqual((0, ""), (code, said), out)
            house.await_folded()
            self.assertEqual(0, meter.end(), meter.said())
            self.assertEqual([], house.differences())

    def expire(self, house, topic):
        """All that the topic holds by now goes, and nothing more."""
        house.alter(topic, {"retention.ms": "1"})
        deadline = time.monotonic() + 60
        while topics.read(house.cluster.client(), topic):
            self.assertLess(time.monotonic(), deadline, f"{topic} does not expire")
            time.sleep(0.5)
        house.alter(topic, {"retention.ms": "-1"})

    def test_what_has_expired(self):
        with House(self.cluster_of_its_own(), partitions=1) as house:
            meter = house.meter("a", "-X", "callfold.allow.retention=true").start()
            house.feed(400)
            house.await_folded()
            self.expire(house, "callfold.commands")
            house.feed(400)
            house.await_folded()
            self.assertEqual(0, meter.end(), meter.said())
            published = sum(len(topics.read(house.cluster.client(), f"callfold.{name}")) for name in
                            ("commands", "ledger", "calls", "balances", "rejects", "attestations"))
            verify = "verify", "--kafka", house.properties, "--all", "--json"
            code, out, said = replay(*verify)
            self.assertEqual((0, ""), (code, said), out)
            self.assertEqual(published, json.loads(out)[0]["outputs"], "what is left of the commands is compared")
            snapshots = house.work / "snapshots"
            subprocess.run([BUILD / "callfold-snapshot", "create", "--state", meter.state, "--snapshots", snapshots],
                           check=True, capture_output=True)
            self.expire(house, "callfold.events")
            code, _, said = replay(*verify)
            self.assertEqual(65, code)
            self.assertIn("but offset 0 is wanted: records have expired; start from a snapshot", said)
            code, out, said = replay(*verify, "--snapshots", snapshots)
            self.assertEqual(0, code, said)

    def cluster_of_its_own(self):
        return self.enterContext(Cluster())

    def test_no_topics(self):
        with Cluster() as empty:
            properties = empty.write_properties(self.house.work / "empty.properties")
            code, _, said = replay("verify", "--kafka", properties)
            self.assertEqual(78, code)
            self.assertIn("no topic callfold.events", said)


if __name__ == "__main__":
    unittest.main()
