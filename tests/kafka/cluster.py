#!/usr/bin/env python3
"""Apache Kafka brokers on free loopback ports: started, stopped and ill-treated by pid.

    with Cluster(brokers=3) as cluster:
        cluster.write_properties(path)           # what `callfold --kafka` reads
        cluster.brokers[0].kill()                # kill -9
        cluster.brokers[0].start()               # same ports, same data

By hand:   tests/kafka/run.sh build cluster.py up [--brokers 3] [--secure] [--proxied]

The jars are those of fetch.sh, in $BROKERS. Each broker is a controller too (KRaft).
Its data and log live in a directory of their own that goes when the cluster does;
a broker dies with the process that started it.
"""
import argparse
import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import confluent_kafka.admin

from certificates import Certificates
from proxy import Proxy

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BUILD", HERE.parent.parent / "build"))
JARS = pathlib.Path(os.environ.get("BROKERS", BUILD / "brokers"))
NEWEST, OLD_SCRAM = "4.1.1", "3.7.1"
SCRAM_MENDED = 0x020601ff
CLUSTER_ID = "callfoldTestCluster000"
USER, PASSWORD = "callfold", "the-test-password"
START_TIMEOUT_S = 180
PR_SET_PDEATHSIG = 1
QUIET = {"log_level": "0"}

BROKER_PROPERTIES = """
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
listeners=CONTROLLER://127.0.0.1:{controller_port},BROKER://127.0.0.1:{broker_port},CLIENT://127.0.0.1:{client_port}
advertised.listeners=BROKER://127.0.0.1:{broker_port},CLIENT://127.0.0.1:{advertised_port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,CLIENT:{protocol}
log.dirs={directory}/data
auto.create.topics.enable=false
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
replica.lag.time.max.ms=3000
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
log.cleaner.dedupe.buffer.size=8388608
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
num.network.threads=2
num.io.threads=4
"""

SECURE_PROPERTIES = """
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.client.ssl.keystore.type=PEM
listener.name.client.ssl.keystore.location={keystore}
"""


class Broker:
    """One node: its ports and data stay the same however often it is started."""

    def __init__(self, cluster, node):
        self.cluster, self.node = cluster, node
        self.directory = cluster.directory / f"broker{node}"
        self.directory.mkdir()
        self.log = self.directory / "broker.log"
        self.controller_port, self.broker_port, self.client_port = free_ports(3)
        self.advertised_port = free_ports(1)[0] if cluster.proxied else self.client_port
        self.proxy = Proxy(self.advertised_port, self.client_port) if cluster.proxied else None
        self.process = None

    def format(self):
        """Writes the properties and an empty data directory; a process to wait for."""
        self.properties().write_text(self.cluster.broker_properties(self))
        scram = [f"--add-scram=SCRAM-SHA-512=[name={USER},password={PASSWORD}]"] if self.cluster.secure else []
        return self._java("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID,
                          "--config", str(self.properties()), *scram)

    def properties(self):
        return self.directory / "server.properties"

    def start(self):
        self.process = self._java("kafka.Kafka", str(self.properties()))

    def stop(self):
        """An orderly end: what it led is handed over, files are closed."""
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how):
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def _java(self, main, *arguments):
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                ["java", *self.cluster.jvm, f"-Dlog4j2.configurationFile={HERE}/log4j2.xml",
                 "-cp", f"{JARS / self.cluster.release}/*", main, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)


class Cluster:
    """`brokers` nodes, started. secure: clients come over TLS with SCRAM or PLAIN;
    proxied: through brokers[i].proxy; settings: broker properties beside ours;
    release: OLD_SCRAM understands the SCRAM of a librdkafka before 2.6.1."""

    def __init__(self, brokers=1, secure=False, proxied=False, settings=(), release=NEWEST,
                 jvm=("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")):
        self.secure, self.proxied, self.release = secure, proxied, release
        self.settings, self.jvm = dict(settings), jvm
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="callfold-kafka-"))
        self.certificates = Certificates(self.directory) if secure else None
        self.brokers = [Broker(self, node) for node in range(1, brokers + 1)]
        self.bootstrap = ",".join(f"127.0.0.1:{broker.advertised_port}" for broker in self.brokers)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for broker in self.brokers:
            broker.kill()
            if broker.proxy:
                broker.proxy.close()
        shutil.rmtree(self.directory)

    def client(self, more=()):
        """librdkafka properties of a client that may come in, and `more` of them."""
        properties = {"bootstrap.servers": self.bootstrap}
        if self.secure:
            properties |= {"security.protocol": "SASL_SSL", "ssl.ca.location": str(self.certificates.ca),
                           "sasl.mechanism": "SCRAM-SHA-512" if self.speaks_scram() else "PLAIN",
                           "sasl.username": USER, "sasl.password": PASSWORD}
        return properties | dict(more)

    def speaks_scram(self):
        """With the librdkafka that is installed, which is callfold's too."""
        return self.release == OLD_SCRAM or confluent_kafka.libversion()[1] >= SCRAM_MENDED

    def write_properties(self, path, more=()):
        """client() as the file that `callfold --kafka` reads, for the owner's eyes only."""
        path = pathlib.Path(path)
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in self.client(more).items()))
        return path

    def wait_ready(self):
        """Returns when every running broker is in the metadata; TimeoutError with a log's end else."""
        wanted = sum(broker.process is not None for broker in self.brokers)
        admin = confluent_kafka.admin.AdminClient(self.client(QUIET))
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            self._see_to_dead_brokers()
            try:
                if len(admin.list_topics(timeout=1).brokers) >= wanted:
                    return
            except confluent_kafka.KafkaException:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"{wanted} brokers are not up after {START_TIMEOUT_S} s\n{tail(self.brokers[0].log)}")

    def wait_in_sync(self):
        """Returns when every running broker is there and has all that it should have."""
        self.wait_ready()
        admin = confluent_kafka.admin.AdminClient(self.client(QUIET))
        deadline = time.monotonic() + START_TIMEOUT_S
        while any(len(partition.isrs) < len(partition.replicas)
                  for topic in admin.list_topics(timeout=10).topics.values() for partition in topic.partitions.values()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"replicas do not catch up in {START_TIMEOUT_S} s")
            time.sleep(0.1)

    def broker_properties(self, broker):
        count = len(self.brokers)
        text = BROKER_PROPERTIES.format(
            node=broker.node, controller_port=broker.controller_port, broker_port=broker.broker_port,
            client_port=broker.client_port, advertised_port=broker.advertised_port, directory=broker.directory,
            voters=",".join(f"{each.node}@127.0.0.1:{each.controller_port}" for each in self.brokers),
            protocol="SASL_SSL" if self.secure else "PLAINTEXT",
            replicas=min(count, 3), in_sync=2 if count >= 3 else 1)
        if self.secure:
            text += SECURE_PROPERTIES.format(user=USER, password=PASSWORD, keystore=self.certificates.broker)
        return text + "".join(f"{name}={value}\n" for name, value in self.settings.items())

    def _start(self):
        for broker, formatting in [(broker, broker.format()) for broker in self.brokers]:
            if formatting.wait() != 0:
                raise RuntimeError(f"a broker's storage cannot be formatted\n{tail(broker.log)}")
        for broker in self.brokers:
            broker.start()
        self.wait_ready()

    def _see_to_dead_brokers(self):
        for broker in self.brokers:
            if broker.process and broker.process.poll() is not None:
                raise RuntimeError(f"broker {broker.node} ended with {broker.process.returncode}\n{tail(broker.log)}")


def free_ports(count):
    """Ports nobody listens on, below those the kernel gives to outgoing connections, so
    that a broker finds its own free again when it is restarted."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(20000, 32000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        if port not in ports:
            ports.append(port)
    return ports


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tail(log, lines=30):
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def main():
    parser = argparse.ArgumentParser(description="Apache Kafka on loopback, until Ctrl-C.")
    parser.add_argument("command", choices=["up"])
    parser.add_argument("--brokers", type=int, default=1)
    parser.add_argument("--secure", action="store_true", help="clients come over TLS with SCRAM-SHA-512 or PLAIN")
    parser.add_argument("--proxied", action="store_true", help="clients come through a proxy")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Cluster(options.brokers, options.secure, options.proxied) as cluster:
        properties = cluster.write_properties(cluster.directory / "client.properties")
        print(f"bootstrap.servers={cluster.bootstrap}\n{properties}\nlogs: {cluster.directory}/broker*/broker.log\n"
              f"pids: {' '.join(str(broker.process.pid) for broker in cluster.brokers)}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
