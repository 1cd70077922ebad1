"""What the meter refuses to begin with, and what it says: both numbers and the way out."""
import contextlib
import json
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import confluent_kafka
import confluent_kafka.admin

import topics
from cluster import QUIET
from house import CALLFOLD, EX_CONFIG, TOPICS, House, await_that, callfold, shared_cluster
from old_broker import OldBroker
from test_chaos import OFTEN, PIECE

DAY_MS = 86400000


class Topics(unittest.TestCase):
    """topics create, and what run wants of them. Nothing is fed."""

    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House(shared_cluster(), partitions=2))

    def create(self, *options, wanted=0):
        return callfold("topics", "create", "--kafka", self.house.properties, *options, wanted=wanted)

    def refusal(self, *options):
        meter = self.house.meter("a", *options)
        self.assertEqual(EX_CONFIG, meter.start().wait(), meter.said())
        return meter.said()

    def begins(self, *options):
        meter = self.house.meter("a", *options).start()
        meter.await_saying("assigned")
        self.assertEqual(0, meter.end(), meter.said())

    def test_create_is_safe_to_run_twice_and_tells_what_differs(self):
        said = self.create("--partitions", "2")
        for topic in TOPICS:
            self.assertIn(f"{topic}: is there, with 2 partitions", said)
        said = self.create("--partitions", "3", wanted=1)
        self.assertEqual(len(TOPICS), said.count("has 2 partitions, not 3; that cannot be changed"), said)
        self.house.alter("callfold.calls", {"retention.ms": str(DAY_MS)})
        said = self.create(wanted=1)
        self.assertIn(f"callfold.calls: has retention.ms={DAY_MS}, not -1; kafka-configs --alter changes that", said)
        self.house.alter("callfold.calls", {"retention.ms": "-1"})
        self.assertNotIn("differs", self.create())

    def test_a_missing_topic_is_refused_and_made_like_the_others(self):
        self.house.delete_topics("callfold.ledger")
        self.assertIn("topic callfold.ledger is missing; make the topics with callfold topics create", self.refusal())
        self.assertIn("callfold.ledger: made", self.create())
        self.begins()

    def test_topics_that_are_heard_of_late(self):
        """A broker may not know yet what another one has just made: a missing topic is waited for a moment."""
        self.house.delete_topics("callfold.events", "callfold.ledger")
        meter = self.house.meter("a").start()
        writer = subprocess.Popen([CALLFOLD, "produce", "--kafka", self.house.properties, "--events", "-"],
                                  stdin=subprocess.DEVNULL)
        time.sleep(1.5)
        self.create()
        self.assertEqual(0, writer.wait(timeout=60))
        meter.await_saying("assigned")
        self.assertEqual(0, meter.end(), meter.said())

    def test_properties_by_mistake(self):
        for topic, wrong, right, words in (
                ("callfold.events", {"cleanup.policy": "compact"}, {"cleanup.policy": "delete"},
                 "topic callfold.events has cleanup.policy=compact, but it must be delete: the state is folded from it"),
                ("callfold.events", {"message.timestamp.type": "CreateTime"}, {"message.timestamp.type": "LogAppendTime"},
                 "topic callfold.events has message.timestamp.type=CreateTime, but it must be LogAppendTime: deadlines "
                 "run on the broker's time"),
                ("callfold.progress", {"cleanup.policy": "delete"}, {"cleanup.policy": "compact"},
                 "topic callfold.progress has cleanup.policy=delete, but it must be compact")):
            self.house.alter(topic, wrong)
            said = self.refusal()
            self.assertIn(words, said)
            name, value = next(iter(right.items()))
            self.assertIn(f"kafka-configs --alter --entity-type topics --entity-name {topic} --add-config {name}={value}",
                          said)
            self.house.alter(topic, right)
        self.begins()

    def test_expiry_by_mistake_or_on_purpose(self):
        self.house.alter("callfold.ledger", {"retention.ms": str(7 * DAY_MS)})
        said = self.refusal()
        self.assertIn(f"topic callfold.ledger has retention.ms={7 * DAY_MS}, but it must be -1: it is the books", said)
        self.assertIn("or say callfold.allow.retention=true", said)
        self.begins("-X", "callfold.allow.retention=true")
        self.house.alter("callfold.ledger", {"retention.ms": "-1"})


class Partitions(unittest.TestCase):
    """More of them than commits were made with."""

    def test_a_changed_partition_count(self):
        with House(shared_cluster(), partitions=2) as house:
            meter = house.meter("a", "-X", "topic.metadata.refresh.interval.ms=500").start()
            house.feed(3 * PIECE)
            house.await_folded()
            self.grow(house, ["callfold.events"])
            self.assertEqual(EX_CONFIG, meter.wait(), meter.said())         # while it runs
            self.assertIn("topic callfold.events had 2 partitions when this process began, and has 3", meter.said())
            self.assertEqual(EX_CONFIG, meter.start().wait(), meter.said())
            self.assertIn("topic callfold.commands has 2 partitions and callfold.events has 3", meter.said())
            self.grow(house, [topic for topic in TOPICS if topic != "callfold.events"])
            words = "the last commit was made when callfold.events had 2 partitions, and now it has 3; accounts would " \
                    "move to others"
            self.assertEqual(EX_CONFIG, meter.start().wait(), meter.said())
            self.assertIn(words, meter.said())
            new = house.meter("b").start()      # has no state, and may be given the new partition alone
            self.assertEqual(EX_CONFIG, new.wait(), new.said())
            self.assertIn(words, new.said())

    def grow(self, house, names):
        for grown in house.admin.create_partitions(
                [confluent_kafka.admin.NewPartitions(name, 3) for name in names]).values():
            grown.result(30)
        await_that(lambda: all(len(house.admin.list_topics(timeout=30).topics[name].partitions) == 3 for name in names),
                   lambda: "no third partition")


class Offsets(unittest.TestCase):
    """A group, its topics and a state that do not belong together."""

    @classmethod
    def setUpClass(cls):
        cls.house = house = cls.enterClassContext(House(shared_cluster(), partitions=1))
        cls.meter = house.meter("a", *OFTEN).start()
        house.feed(5 * PIECE)
        house.await_folded()
        cls.early = house.committed()[0], topics.read(house.cluster.client(), "callfold.progress")[-1]
        house.feed(5 * PIECE)
        house.await_folded()
        assert cls.meter.end() == 0, cls.meter.said()
        cls.last = house.committed()[0]

    def refusal(self, meter):
        self.assertEqual(EX_CONFIG, meter.start().wait(), meter.said())
        return meter.said()

    def move_offset(self, offset):
        """As kafka-consumer-groups --reset-offsets does, once nobody is in the group."""
        place = confluent_kafka.TopicPartition("callfold.events", 0, offset)

        def moves():
            consumer = confluent_kafka.Consumer(self.house.cluster.client(QUIET | {"group.id": self.house.group}))
            try:
                consumer.commit(offsets=[place], asynchronous=False)
            except confluent_kafka.KafkaException:
                return False
            finally:
                consumer.close()
            return True
        await_that(moves, lambda: "the group is never empty")

    def test_an_offset_that_was_reset(self):
        self.move_offset(self.last - 7)
        said = self.refusal(self.meter)
        self.assertIn(f"partition 0: the group's offset is {self.last - 7} but the last record of callfold.progress says "
                      f"{self.last}", said)
        self.assertIn("kafka-consumer-groups --reset-offsets --to-offset", said)
        self.move_offset(self.last)
        self.meter.start().await_saying("assigned", 1 + self.meter.said().count("assigned"))
        self.assertEqual(0, self.meter.end(), self.meter.said())

    def test_an_offset_that_expired_or_another_group(self):
        said = self.refusal(self.house.meter("b", "-X", f"group.id={self.house.group}-other"))
        self.assertIn(f"the group's offset is 0 but the last record of callfold.progress says {self.last}", said)
        self.assertIn("or have expired, or the group is another one", said)

    def test_a_state_that_is_ahead(self):
        """As after a cluster was restored from an older copy: an older commit, all in itself."""
        offset, progress = self.early
        producer = confluent_kafka.Producer(self.house.cluster.client(QUIET))
        newest = topics.read(self.house.cluster.client(), "callfold.progress")[-1]
        producer.produce("callfold.progress", progress.value, key=progress.key, partition=0)
        producer.flush(30)
        self.move_offset(offset)
        said = self.refusal(self.meter)
        self.assertRegex(said, f"the state in \\S+ has folded up to offset {self.last}, but the group {self.house.group} "
                               f"has committed only up to {offset}")
        self.assertIn(f"set the offset to {self.last} again, or remove that state directory", said)
        producer.produce("callfold.progress", newest.value, key=newest.key, partition=0)
        producer.flush(30)
        self.move_offset(self.last)

    def test_a_state_of_another_group_or_cluster(self):
        said = self.refusal(self.house.meter("c", "-X", "group.id=strangers", state=self.meter.state))
        self.assertRegex(said, f"the state directory \\S+ belongs to cluster \\S+ group {self.house.group}, but this is "
                               "cluster \\S+ group strangers; name another directory, or the right cluster and group")
        elsewhere = self.house.work / "elsewhere"
        shutil.copytree(self.meter.state, elsewhere)
        home = (elsewhere / "kafka").read_text()
        (elsewhere / "kafka").write_text(re.sub("cluster \\S+", "cluster anotherCluster", home))
        said = self.refusal(self.house.meter("d", state=elsewhere))
        self.assertRegex(said, "belongs to cluster anotherCluster group \\S+, but this is cluster callfoldTestCluster000")

    def test_a_state_of_a_meter_on_files(self):
        work = self.house.work / "files"
        work.mkdir()
        (work / "events.jsonl").write_text("{}\n")
        callfold("run", "--events", work / "events.jsonl", "--out", work / "out", "--state", work / "state")
        said = self.refusal(self.house.meter("e", state=work / "state"))
        self.assertRegex(said, "the state directory \\S+ belongs to a meter on files")


class Expired(unittest.TestCase):
    def test_events_that_are_gone_where_the_state_would_begin(self):
        allowing = ("-X", "callfold.allow.retention=true")
        with House(shared_cluster(), partitions=1) as house:
            meter = house.meter("a", *allowing).start()
            house.feed(PIECE)
            house.await_folded()
            self.assertEqual(0, meter.end(), meter.said())
            house.alter("callfold.events", {"retention.ms": "1"})
            await_that(lambda: not topics.read(house.cluster.client(), "callfold.events"), lambda: "events stay")
            meter.start().await_saying("assigned", 2)       # has them in its state
            self.assertEqual(0, meter.end(), meter.said())
            meter.forget()
            self.assertEqual(EX_CONFIG, meter.start().wait(), meter.said())
            self.assertRegex(meter.said(), f"is to be read from offset 0, but callfold.events holds offsets {PIECE} to "
                                           f"{PIECE} only: events have expired or the topic was made anew")


class TooOld(unittest.TestCase):
    def test_a_broker_that_does_not_know_of_generations(self):
        """No such broker is brought: one that says what Kafka 2.4 says of itself."""
        with contextlib.closing(OldBroker()) as broker, tempfile.TemporaryDirectory() as work:
            properties = pathlib.Path(work) / "kafka.properties"
            properties.write_text(f"bootstrap.servers=127.0.0.1:{broker.port}\ncallfold.instance=a\n")
            said = callfold("run", "--kafka", properties, "--state", f"{work}/state", wanted=EX_CONFIG)
            self.assertIn("a broker is too old: it speaks version 2 of TxnOffsetCommit, and 3 is needed", said)
            self.assertIn("take Apache Kafka 2.5 or later", said)


class Ways(unittest.TestCase):
    """Ways for events to get to their partitions."""

    @classmethod
    def setUpClass(cls):
        cls.house = cls.enterClassContext(House(shared_cluster(), partitions=3))

    def test_produce_partitions_as_the_java_client_does(self):
        """librdkafka's own murmur2 partitioner is the Java client's default; both get the same keys."""
        client = self.house.cluster.client()
        dice = random.Random(1)
        keys = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyzABCDEF0123456789._:-", k=dice.randint(1, 64)))
                for _ in range(500)]
        lines = [json.dumps({"specversion": "1.0", "id": str(i), "source": "/test", "type": "callfold.account.opened",
                             "time": "2026-11-23T08:00:00.000Z", "subject": key,
                             "data": {"currency": "USD", "owner": "m"}}) + "\n" for i, key in enumerate(keys)]
        callfold("produce", "--kafka", self.house.properties, "--events", "-", stdin="".join(lines).encode())
        ours = {record.key.decode(): record.partition for record in topics.read(client, "callfold.events")}
        producer = confluent_kafka.Producer(client | QUIET | {"partitioner": "murmur2"})
        for key in keys:
            producer.produce("callfold.calls", b"", key=key)
        producer.flush(30)
        theirs = {record.key.decode(): record.partition for record in topics.read(client, "callfold.calls")}
        self.assertEqual(theirs, ours)
        self.assertEqual({0, 1, 2}, set(ours.values()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
