"""Topics on a cluster, a day's events to feed them with, meters that fold them, and the
proof: what the topics hold is what the embedded meter makes of the same events."""
import atexit
import collections
import contextlib
import datetime
import functools
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import confluent_kafka
import confluent_kafka.admin

import topics
from cluster import BUILD, QUIET, Cluster, die_with_parent

CALLFOLD, PLATFORM = BUILD / "callfold", BUILD / "platform"
OUTPUTS = ("commands", "ledger", "calls", "balances", "rejects", "attestations")
TOPICS = [f"callfold.{name}" for name in ("events", *OUTPUTS, "progress")]
CLIENT = "meter"        # client.id of a meter's connections but for the group's,
MEMBER = "callfold-"    # whose begins so
OF_THE_TOPIC = confluent_kafka.admin.ConfigSource.DYNAMIC_TOPIC_CONFIG.value
FOLD_TIMEOUT_S = 180
EX_USAGE, EX_UNAVAILABLE, EX_IOERR, EX_CONFIG = 64, 69, 74, 78


class Meter:
    """A process `callfold run --kafka` under an instance's name; its state is kept over restarts."""

    def __init__(self, house, instance, options=(), state=None):
        self.house, self.instance, self.options = house, instance, options
        self.state = state or house.work / f"state-{len(house.meters)}"
        self.messages = house.work / f"messages-{len(house.meters)}"
        self.messages.touch()
        self.process = None

    def start(self, fail_point=None, file_size=None, properties=None):
        """fail_point: where it kills itself; file_size: bytes, and no file of it may grow larger;
        properties: a file other than the house's."""
        environment = os.environ | ({"CALLFOLD_FAIL_POINT": fail_point} if fail_point else {})

        def prepare():
            die_with_parent()
            if file_size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
        with open(self.messages, "ab") as messages:
            self.process = subprocess.Popen(
                [CALLFOLD, "run", "--kafka", properties or self.house.properties, "--state", self.state, "-X",
                 f"callfold.instance={self.instance}", "-X", f"client.id={CLIENT}", *self.options],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=subprocess.STDOUT, env=environment,
                preexec_fn=prepare)
        return self

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def supervise(self):
        """Starts it again when it found no brokers in time; any other end that nobody waits for is an error."""
        if self.process and not self.runs():
            assert self.process.returncode == EX_UNAVAILABLE, f"{self.process.returncode}\n{self.said()}"
            self.start()

    def ends_within(self, seconds):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait(self, timeout=FOLD_TIMEOUT_S):
        """Its exit code, once it ends by itself."""
        if not self.ends_within(timeout):
            raise TimeoutError(f"callfold.instance={self.instance} still runs after {timeout} s\n{self.house.said()}")
        code, self.process = self.process.returncode, None
        return code

    def hears(self, number):
        """Whether it has come to where it handles a signal, or has ended."""
        if not self.runs():
            return True
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.M)[1], 16)
        return bool(caught >> (number - 1) & 1)

    def end(self, how=signal.SIGTERM):
        """Its exit code; SIGTERM asks, SIGKILL does not."""
        if how == signal.SIGTERM:
            await_that(lambda: self.hears(how), self.said)
        self.process.send_signal(how)
        return self.wait()

    def kill(self):
        self.end(signal.SIGKILL)

    def forget(self):
        """Loses the state, as a new host has none."""
        shutil.rmtree(self.state)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def said(self):
        return self.messages.read_text(errors="replace")

    def await_saying(self, words, times=1, timeout=FOLD_TIMEOUT_S):
        """Returns when its messages hold the words that often."""
        def has_said():
            self.supervise()
            return self.said().count(words) >= times
        await_that(has_said, lambda: f"'{words}' was not said:\n{self.said()}", timeout)


class House:
    """`partitions` of each topic, made by `callfold topics create`, and a group of its own. For
    one history: what is fed, folded and compared adds up. A cluster has one house at a time."""

    houses = itertools.count(1)

    def __init__(self, cluster, partitions, more=()):
        self.cluster, self.partitions = cluster, partitions
        self.group = f"callfold-{next(House.houses)}"
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="callfold-house-"))
        self.properties = cluster.write_properties(
            self.work / "kafka.properties", {"session.timeout.ms": "3000", "group.id": self.group} | dict(more))
        self.admin = confluent_kafka.admin.AdminClient(cluster.client(QUIET))
        self.fed, self.meters, self.feeder = 0, [], None
        self.create_topics()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.feeder:
            self.feeder.join()
        for meter in self.meters:
            if meter.runs():
                meter.resume()
                meter.kill()
        self.delete_topics()
        shutil.rmtree(self.work)

    def create_topics(self):
        return callfold("topics", "create", "--kafka", self.properties, "--partitions", str(self.partitions),
                        "--replication-factor", str(min(3, len(self.cluster.brokers))))

    def delete_topics(self, *names):
        names = list(names or TOPICS)
        there = self.admin.list_topics(timeout=30).topics.keys() & set(names)
        for deleted in self.admin.delete_topics(list(there), operation_timeout=30).values() if there else ():
            deleted.result(30)
        await_that(lambda: not self.admin.list_topics(timeout=30).topics.keys() & set(names), lambda: "topics stay")

    def properties_of(self, topic):
        """Those that are the topic's own."""
        asked = confluent_kafka.admin.ConfigResource("topic", topic)
        entries = self.admin.describe_configs([asked])[asked].result(30).values()
        return {entry.name: entry.value for entry in entries if entry.source == OF_THE_TOPIC}

    def alter(self, topic, more):
        """Sets properties of a topic beside those that it has; returns when it is known to have them."""
        wanted = confluent_kafka.admin.ConfigResource("topic", topic, set_config=self.properties_of(topic) | more)
        self.admin.alter_configs([wanted])[wanted].result(30)
        await_that(lambda: more.items() <= self.properties_of(topic).items(), lambda: f"{topic} does not get {more}")

    def meter(self, instance, *options, state=None):
        self.meters.append(Meter(self, instance, options, state))
        return self.meters[-1]

    def feed(self, count, pieces=1, seconds=0.0):
        """Writes the next `count` lines of the day in `pieces`, spread over that time; again,
        whole, a piece that brokers did not take."""
        lines = day_lines()[self.fed:self.fed + count]
        assert len(lines) == count, "the day is too short for this"
        self.fed += count
        size = -(-count // pieces)
        for begin in range(0, count, size):
            piece, until = b"".join(lines[begin:begin + size]), time.monotonic() + FOLD_TIMEOUT_S
            while self._produce(piece) == EX_UNAVAILABLE and time.monotonic() < until:
                pass
            time.sleep(seconds / pieces)

    def _produce(self, lines):
        done = subprocess.run([CALLFOLD, "produce", "--kafka", self.properties, "--events", "-"], input=lines,
                              capture_output=True, timeout=FOLD_TIMEOUT_S, check=False)
        assert done.returncode in (0, EX_UNAVAILABLE), f"callfold produce: {done.returncode} {done.stderr}"
        return done.returncode

    def feed_meanwhile(self, count, pieces, seconds):
        if self.feeder:
            self.feeder.join()
        self.feeder = threading.Thread(target=self.feed, args=(count, pieces, seconds))
        self.feeder.start()

    def said(self):
        """The last of what each meter said."""
        return "\n".join(f"--- {meter.instance}\n{meter.said()[-2000:]}" for meter in self.meters)

    def await_folded(self, timeout=FOLD_TIMEOUT_S):
        """Returns when all that was fed is committed; TimeoutError with what the meters said."""
        def is_folded(consumer):
            for meter in self.meters:
                meter.supervise()
            return not self._lag(consumer)
        if self.feeder:
            self.feeder.join()
        with contextlib.closing(self._consumer()) as consumer:
            await_that(lambda: is_folded(consumer),
                       lambda: f"partition: (committed, end) {self._lag(consumer)}\n{self.said()}", timeout)

    def committed(self):
        """The group's offsets, by partition."""
        with contextlib.closing(self._consumer()) as consumer:
            return self._committed(consumer)

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
        return confluent_kafka.Consumer(self.cluster.client(QUIET | {"group.id": self.group}))

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


def callfold(*arguments, stdin=b"", wanted=0):
    """Runs it to its end, which must be the wanted one; what it said on both outputs."""
    done = subprocess.run([CALLFOLD, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=FOLD_TIMEOUT_S, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == wanted, f"callfold {arguments}: {done.returncode}, not {wanted}\n{said}"
    return said


def await_that(is_so, otherwise, timeout=FOLD_TIMEOUT_S):
    """Returns when is_so(); TimeoutError with otherwise() else."""
    deadline = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s: {otherwise()}")
        time.sleep(0.02)


@functools.cache
def shared_cluster():
    """One broker for all tests of a process that do it no harm."""
    cluster = Cluster()
    atexit.register(cluster.close)
    cluster.__enter__()
    return cluster


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
