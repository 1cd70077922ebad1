#!/usr/bin/env python3
"""What is in a topic, as a read_committed consumer sees it.

By hand:   tests/kafka/run.sh build topics.py PROPERTIES TOPIC > archive.jsonl

prints the archive form, one record a line, which `callfold run --events` reads. Offsets
have gaps: the marks that end a transaction take one each.
"""
import base64
import collections
import json
import pathlib
import sys
import time

import confluent_kafka

Record = collections.namedtuple("Record", "partition offset timestamp key value")
TIMEOUT_S = 60


def read(client, topic):
    """Every committed Record of a topic up to its last stable offset, by partition and offset.

    client: librdkafka properties. TimeoutError if a partition's end is not reached."""
    consumer = confluent_kafka.Consumer(client | {
        "group.id": "reader", "isolation.level": "read_committed", "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "enable.partition.eof": True})
    try:
        partitions = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, each, confluent_kafka.OFFSET_BEGINNING)
                         for each in partitions])
        records, open_ends = [], set(partitions)
        deadline = time.monotonic() + TIMEOUT_S
        while open_ends:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no end of {topic} in partitions {sorted(open_ends)} after {TIMEOUT_S} s")
            for message in consumer.consume(10000, timeout=0.05):
                if not message.error():
                    records.append(Record(message.partition(), message.offset(), message.timestamp()[1],
                                          message.key(), message.value()))
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    open_ends.discard(message.partition())
                else:
                    raise confluent_kafka.KafkaException(message.error())
    finally:
        consumer.close()
    return sorted(records, key=lambda record: (record.partition, record.offset))


def archive_line(record):
    """A record as a line of the archive form; bytes that are not UTF-8 in base64."""
    fields = {"partition": record.partition, "offset": record.offset, "timestamp": record.timestamp}
    for name, content in (("key", record.key), ("value", record.value)):
        try:
            fields[name] = content.decode() if content is not None else None
        except UnicodeDecodeError:
            fields[name + "_base64"] = base64.b64encode(content).decode()
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def read_properties(path):
    """A librdkafka properties file as a dict, without callfold's own entries."""
    lines = (line.strip() for line in pathlib.Path(path).read_text().splitlines())
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value for name, value in pairs if not name.startswith("callfold.")}


if __name__ == "__main__":
    for each in read(read_properties(sys.argv[1]), sys.argv[2]):
        sys.stdout.write(archive_line(each))
