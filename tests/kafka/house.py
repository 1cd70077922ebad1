"""Topics on a cluster, a day's events to feed them with, meters that fold them, and the
proof: what the topics hold is what the embedded meter makes of the same events."""
import collections
import datetime
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import confluent_kafka

import topics
from cluster import BUILD, QUIET, die_with_parent

CALLFOLD, PLATFORM = BUILD / "callfold", BUILD / "platform"
OUTPUTS = ("commands", "ledger", "calls", "balances", "rejects", "attestations")
GROUP = "callfold"
FOLD_TIMEOUT_S = 60
EX_UNAVAILABLE, EX_CONFIG = 69, 78


class Meter:
    """A process `callfold run --kafka` under an instance's name; its state is kept over restarts."""

    def __init__(self, house, instance, options=()):
        self.house, self.instance, self.options = house, instance, options
        self.state = house.work / f"state-{instance}"
        self.messages = house.work / f"messages-{instance}"
        self.process = None

    def start(self, fail_point=None):
        environment = os.environ | ({"CALLFOLD_FAIL_POINT": fail_point} if fail_point else {})
        with open(self.messages, "ab") as messages:
            self.process = subprocess.Popen(
                [CALLFOLD, "run", "--kafka", self.house.properties, "--state", self.state, "-X",
                 f"callfold.instance={self.instance}", *self.options],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, env=environment,
                preexec_fn=die_with_parent)
        return self

    def wait(self, timeout=FOLD_TIMEOUT_S):
        """Its exit code, once it ends by itself."""
        return self.process.wait(timeout)

    def end(self, how=signal.SIGTERM):
        """Its exit code; SIGTERM asks, SIGKILL does not."""
        self.process.send_signal(how)
        return self.wait()

    def kill(self):
        self.end(signal.SIGKILL)

    def forget(self):
        """Loses the state, as a new host has none."""
        shutil.rmtree(self.state)

    def said(self):
        return self.messages.read_text(errors="replace")


class House:
    """`partitions` of each topic, made by `callfold topics create`. For one history: what is
    fed, folded and compared adds up."""

    def __init__(self, cluster, partitions, more=()):
        self.cluster, self.partitions = cluster, partitions
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="callfold-house-"))
        self.properties = cluster.write_properties(
            self.work / "kafka.properties", {"session.timeout.ms": "3000"} | dict(more))
        self.fed, self.meters, self.feeder = 0, [], None
        callfold("topics", "create", "--kafka", self.properties, "--partitions", str(partitions),
                 "--replication-factor", str(min(3, len(cluster.brokers))))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.feeder:
            self.feeder.join()
        for meter in self.meters:
            if meter.process and meter.process.poll() is None:
                meter.kill()
        shutil.rmtree(self.work)

    def meter(self, instance, *options):
        self.meters.append(Meter(self, instance, options))
        return self.meters[-1]

    def feed(self, count, pieces=1, seconds=0.0):
        """Writes the next `count` lines of the day in `pieces`, spread over that time."""
        lines = day_lines()[self.fed:self.fed + count]
        assert len(lines) == count, "the day is too short for this"
        self.fed += count
        size = -(-count // pieces)
        for begin in range(0, count, size):
            callfold("produce", "--kafka", self.properties, "--events", "-",
                     stdin=b"".join(lines[begin:begin + size]))
            time.sleep(seconds / pieces)

    def feed_meanwhile(self, count, pieces, seconds):
        self.feeder = threading.Thread(target=self.feed, args=(count, pieces, seconds))
        self.feeder.start()

    def await_folded(self, timeout=FOLD_TIMEOUT_S):
        """Returns when all that was fed is committed; TimeoutError with what the meters said."""
        if self.feeder:
            self.feeder.join()
        deadline = time.monotonic() + timeout
        consumer = self._consumer()
        try:
            while (places := self._lag(consumer)):
                if time.monotonic() > deadline:
                    said = "\n".join(meter.said()[-2000:] for meter in self.meters)
                    raise TimeoutError(f"partition: committed of end {places} after {timeout} s\n{said}")
                time.sleep(0.02)
        finally:
            consumer.close()

    def committed(self):
        """The group's offsets, by partition."""
        consumer = self._consumer()
        try:
            return self._committed(consumer)
        finally:
            consumer.close()

    def differences(self):
        """What the topics hold against what the embedded meter makes of the archive of
        callfold.events up to the group's offsets; an empty list when they are the same."""
        client, committed = self.cluster.client(), self.committed()
        out = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        with open(out / "archive.jsonl", "w", encoding="utf-8") as archive:
            archive.writelines(topics.archive_line(record) for record in topics.read(client, "callfold.events")
                               if record.offset < committed[record.partition])
        callfold("run", "--quiet", "--events", out / "archive.jsonl", "--out", out, "--state", out / "state",
                 "--partitions", str(self.partitions))
        found = []
        for name in OUTPUTS:
            found += differences_of(name, topics.read(client, f"callfold.{name}"), out / f"{name}.jsonl")
        shutil.rmtree(out)
        return found

    def _consumer(self):
        return confluent_kafka.Consumer(self.cluster.client(QUIET | {"group.id": GROUP}))

    def _committed(self, consumer):
        places = [confluent_kafka.TopicPartition("callfold.events", i) for i in range(self.partitions)]
        return {place.partition: max(0, place.offset) for place in consumer.committed(places, timeout=30)}

    def _lag(self, consumer):
        places = {}
        try:
            for partition, offset in self._committed(consumer).items():
                place = confluent_kafka.TopicPartition("callfold.events", partition)
                _, end = consumer.get_watermark_offsets(place, timeout=30)
                if offset < end:
                    places[partition] = (offset, end)
        except confluent_kafka.KafkaException as why:   # a broker that is away answers later
            return {"no answer": str(why)}
        return places


def differences_of(name, records, path):
    """The first one of each partition, as text."""
    there, wanted, found = collections.defaultdict(list), collections.defaultdict(list), []
    for record in records:
        there[record.partition].append(record)
    for line in path.read_bytes().splitlines():
        wanted[int(json.loads(line)["id"].split(":")[0])].append(line)
    for partition in sorted(there.keys() | wanted.keys()):
        ours, theirs = there[partition], wanted[partition]
        if len(ours) != len(theirs):
            found.append(f"{name} {partition}: {len(ours)} records, embedded {len(theirs)}")
        for record, line in zip(ours, theirs):
            subject = json.loads(line).get("subject")
            if record.value != line or record.key != (subject.encode() if subject else None):
                found.append(f"{name} {partition} at {record.offset}, key {record.key}:\n  {record.value}\n  {line}")
                break
    return found


def callfold(*arguments, stdin=b""):
    """Runs it to its end, which must be a good one; what it said on both outputs."""
    done = subprocess.run([CALLFOLD, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=FOLD_TIMEOUT_S, check=False)
    assert done.returncode == 0, f"callfold {arguments}: {done.returncode}\n{done.stdout.decode(errors='replace')}"
    return done.stdout.decode(errors="replace")


def past_day():
    """A day's start that lies as far back that none of it is in the future."""
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)).strftime("%Y-%m-%dT00:00:00Z")


@functools.cache
def day_lines():
    """A day of the platform's, as lines; played once against an embedded meter."""
    with tempfile.TemporaryDirectory(prefix="callfold-day-") as name:
        day, out, state = (pathlib.Path(name) / part for part in ("day.jsonl", "out", "state"))
        day.touch()
        with subprocess.Popen([CALLFOLD, "run", "--quiet", "--follow", "--events", day, "--out", out, "--state", state],
                              preexec_fn=die_with_parent) as meter:
            subprocess.run([PLATFORM, "--events", day, "--out", out, "--meter-pid", str(meter.pid), "--start", past_day(),
                            "--accounts", os.environ.get("ACCOUNTS", "60")], check=True, stdout=subprocess.DEVNULL)
            meter.terminate()
        return day.read_bytes().splitlines(keepends=True)
