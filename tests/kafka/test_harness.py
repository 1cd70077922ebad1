"""The harness itself: a broker that can be killed, cut off and come back, and read."""
import time
import unittest

import confluent_kafka
import confluent_kafka.admin

import topics
from cluster import OLD_SCRAM, PASSWORD, QUIET, Cluster


def create(cluster, topic, partitions=2, **settings):
    admin = confluent_kafka.admin.AdminClient(cluster.client())
    new = confluent_kafka.admin.NewTopic(topic, partitions, min(3, len(cluster.brokers)), config=settings)
    admin.create_topics([new])[topic].result(30)


def produce(cluster, topic, values, more=()):
    producer = confluent_kafka.Producer(cluster.client(more))
    for value in values:
        producer.produce(topic, value, key=value[:1], partition=value[0] % 2)
    assert producer.flush(30) == 0


class OneBroker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(proxied=True))

    def test_a_topic_is_read_back_as_it_was_written(self):
        create(self.cluster, "written", **{"message.timestamp.type": "LogAppendTime"})
        produce(self.cluster, "written", [b"1 one", b"2 two", b"3 \xff"])
        records = topics.read(self.cluster.client(), "written")
        self.assertEqual([(0, 0, b"2", b"2 two"), (1, 0, b"1", b"1 one"), (1, 1, b"3", b"3 \xff")],
                         [(r.partition, r.offset, r.key, r.value) for r in records])
        self.assertLess(abs(records[0].timestamp / 1000 - time.time()), 60)
        self.assertEqual('{"partition":1,"offset":1,"timestamp":%d,"key":"3","value_base64":"MyD/"}\n'
                         % records[2].timestamp, topics.archive_line(records[2]))

    def test_what_was_aborted_is_not_read_and_the_marks_take_offsets(self):
        create(self.cluster, "transactions", 1)
        producer = confluent_kafka.Producer(self.cluster.client({"transactional.id": "t"}))
        producer.init_transactions(30)
        for value, end in ((b"a", producer.commit_transaction), (b"b", producer.abort_transaction),
                           (b"c", producer.commit_transaction)):
            producer.begin_transaction()
            producer.produce("transactions", value)
            producer.flush(30)
            end(30)
        records = topics.read(self.cluster.client(), "transactions")
        self.assertEqual([(0, b"a"), (4, b"c")], [(r.offset, r.value) for r in records])

    def test_a_killed_broker_comes_back_with_its_data(self):
        create(self.cluster, "kept")
        produce(self.cluster, "kept", [b"1", b"2"])
        self.cluster.brokers[0].kill()
        self.cluster.brokers[0].start()
        self.cluster.wait_ready()
        self.assertEqual(2, len(topics.read(self.cluster.client(), "kept")))

    def test_the_proxy_stalls_and_refuses(self):
        create(self.cluster, "proxied")
        proxy = self.cluster.brokers[0].proxy
        for stop, go_on in ((proxy.stall, proxy.flow), (proxy.down, proxy.up)):
            stop()
            admin = confluent_kafka.admin.AdminClient(self.cluster.client(QUIET))
            with self.assertRaises(confluent_kafka.KafkaException):
                admin.list_topics(timeout=0.5)
            go_on()
            admin.list_topics(timeout=10)


class ThreeSecureBrokers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(brokers=3, secure=True, release=OLD_SCRAM))

    def test_topics_outlive_a_broker(self):
        create(self.cluster, "replicated")
        self.cluster.brokers[0].kill()
        produce(self.cluster, "replicated", [b"1", b"2"], {"acks": "all"})
        self.assertEqual(2, len(topics.read(self.cluster.client(), "replicated")))
        self.cluster.brokers[0].start()
        self.cluster.wait_ready()

    def test_only_the_right_password_over_the_right_ca_comes_in(self):
        good, errors = self.cluster.client(), []
        self.assertEqual(3, len(confluent_kafka.admin.AdminClient(good).list_topics(timeout=10).brokers))
        self.assertEqual("SASL_SSL", good["security.protocol"])
        self.assertEqual("SCRAM-SHA-512", good["sasl.mechanism"])
        for wrong in ({"sasl.password": PASSWORD + "!"}, {"ssl.ca.location": str(self.cluster.certificates.stranger)}):
            client = good | wrong | {"error_cb": lambda error: errors.append(error.str())} | QUIET
            with self.assertRaises(confluent_kafka.KafkaException):
                admin = confluent_kafka.admin.AdminClient(client)
                admin.poll(2)
                admin.list_topics(timeout=1)
        self.assertRegex("\n".join(errors), "(?s)Authentication failed.*certificate verify failed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
