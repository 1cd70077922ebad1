"""callfold run on Apache Kafka, the broker on the same machine."""
import collections
import importlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from measure import Row, at_least, at_most, figures, median, middle
from whole import Load

# What a Kafka Streams program of one thread did at this job on such a machine (exactly_once_v2).
STREAMS_RATE, STREAMS_CPU = "Kafka Streams 62,000 to 119,000", "Kafka Streams 10 to 21 us"
STREAMS_LATENCY, STREAMS_BACK = "Kafka Streams 70 ms, p99 140 to 250", "Kafka Streams 5 to 19 s"
PARTITION = 0  # the only one
OUTPUT_EVERY, OUTPUT_BYTES = 3, 495  # of the load: each third event has an output of so many bytes
RATES = os.environ.get("BENCH_KAFKA_RATES", "1000,5000,10000,50000")
SECONDS = float(os.environ.get("BENCH_KAFKA_SECONDS", "30"))  # at each rate
WARM_S = 3  # of them that do not count: a process's first transactions
KILLS, KILL_RATE, KILL_EVERY_S = 7, 5000, 5
TIMEOUT_S = 60
# As Apache Kafka's own scripts start it.
JVM = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")
PLATFORM = {"linger.ms": "1"}  # of who writes the events

Commit = collections.namedtuple("Commit", "position arrived written cpu broker_cpu")


def harness(build):
    """The modules of tests/kafka, with the brokers that they need in BUILD/brokers."""
    folder = pathlib.Path(__file__).resolve().parent.parent / "tests" / "kafka"
    subprocess.run([folder / "fetch.sh", build], check=True)
    os.environ["BUILD"] = str(build)
    sys.path.insert(0, str(folder))
    return importlib.import_module("cluster"), importlib.import_module("house")


def cpu_of(process):
    """CPU seconds of a running process: Linux has a clock for each."""
    return time.clock_gettime(~process.pid << 3 | 2)


class Site:
    """Fresh topics on a running broker, a meter on them, and what it commits as a read_committed consumer sees it."""

    def __init__(self, build, cluster, house_module):
        import confluent_kafka
        self.build, self.cluster = build, cluster
        self.house = house_module.House(cluster, 1, {"session.timeout.ms": "10000"})
        self.platform = cluster.write_properties(self.house.work / "platform.properties", PLATFORM)
        self.meter = self.house.meter("bench")
        self.progress = confluent_kafka.Consumer(
            cluster.client({"group.id": "bench", "isolation.level": "read_committed"}))
        self.progress.assign([confluent_kafka.TopicPartition("callfold.progress", PARTITION, 0)])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.progress.close()
        self.house.__exit__(*error)

    def feed(self, path):
        """Writes a file of events as fast as it goes."""
        subprocess.run([self.build / "callfold", "produce", "--kafka", self.platform, "--events", path], check=True,
                       stderr=subprocess.DEVNULL)

    def next_commit(self):
        """The next one, and what it had cost when it was seen."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            record = self.progress.poll(0.1)
            if record is None or record.error():
                continue
            position = json.loads(record.value())["data"]["partitions"][0]["next_offset"]
            return Commit(position, time.time(), record.timestamp()[1] / 1000, cpu_of(self.meter.process),
                          cpu_of(self.cluster.brokers[0].process))
        sys.exit(f"bench: no commit within {TIMEOUT_S} s\n{self.house.said()}")

    def commits_to(self, position):
        commits = [self.next_commit()]
        while commits[-1].position < position:
            commits.append(self.next_commit())
        return commits


# How fast.


def meter_round(site, load):
    """The meter, from the first commit of the calls on: before it are its start and the set-up."""
    site.meter.start()
    commits = site.commits_to(load.setup_lines)[-1:] + site.commits_to(load.setup_lines + load.lines)
    site.meter.end()
    first, last = commits[0], commits[-1]
    count = last.position - first.position
    return {"wall": (last.arrived - first.arrived) / count * 1e9, "cpu": (last.cpu - first.cpu) / count * 1e9,
            "broker cpu": (last.broker_cpu - first.broker_cpu) / count * 1e9, "a commit": count / (len(commits) - 1)}


def bare_round(site, load):
    properties = site.cluster.write_properties(site.house.work / "bare.properties",
                                               {"group.id": "bare", "callfold.instance": "bare"})
    found = figures(site.build / "bench/bench_kafka_bare", properties, load.setup_lines,
                    load.setup_lines + load.lines, OUTPUT_EVERY, OUTPUT_BYTES)
    return {"bare": found["time an event"], "bare cpu": found["CPU an event"]}


def rate_round(site, load, bare_first):
    site.feed(load.path)
    if bare_first:
        result = bare_round(site, load) | meter_round(site, load)
    else:
        result = meter_round(site, load) | bare_round(site, load)
    result |= {"ratio": result["bare"] / result["wall"], "cpu ratio": result["bare cpu"] / result["cpu"]}
    print("  " + "  ".join(f"{name} {value:.2f}" if value < 10 else f"{name} {value:,.0f}"
                           for name, value in result.items()), flush=True)
    return result


def rates(open_site, load, rounds):
    results = []
    for i in range(1 + rounds):
        with open_site() as site:
            results.append(rate_round(site, load, i % 2 == 1))
    mid = middle(results[1:])  # the first warms up the broker: its JVM compiles
    rate, bare = 1e9 / mid["wall"], 1e9 / mid["bare"]
    return [Row(f"on Kafka, one partition, {load.name}", f"{rate:,.0f} events/s", STREAMS_RATE, "500,000",
                at_least(rate, 500e3)),
            Row("  CPU an event", f"{mid['cpu'] / 1000:.2f} us",
                f"{STREAMS_CPU}; the broker {mid['broker cpu'] / 1000:.2f} us", "1.5 us", at_most(mid["cpu"], 1500)),
            Row("  over a bare loop, without a fold", f"{mid['ratio']:.2f} of its rate",
                f"{bare:,.0f} events/s, CPU {mid['bare cpu'] / 1000:.2f} us", "0.60", at_least(mid["ratio"], 0.6)),
            Row("  events a commit", f"{mid['a commit']:,.0f}", "", "", "")]


# How soon.

TICKS, TICK_MS, PRICE = 6, 6000, "0.03"  # the last tick finds no credits for the horizon
CYCLE = TICKS + 3  # a top-up, a start, the ticks, an end
NUMBERS = itertools.count()


def event(kind, subject, **data):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    subject = {"subject": subject} if subject else {}
    return json.dumps({"specversion": "1.0", "id": f"bench-{next(NUMBERS)}", "source": "/pbx/par1",
                       "type": f"callfold.{kind}", "time": now, **subject, "data": data}, separators=(",", ":")) + "\n"


def deck():
    past = "2026-01-01T00:00:00Z"
    rate = {"origin": "US", "prefix": "+33", "destination": "France", "status": "open", "price": PRICE}
    return [event("ratedeck.opened", None, deck_id="d", currency="USD", effective_at=past,
                  origins=[{"origin": "US", "country": "US", "currency": "USD"}]),
            event("ratedeck.rates", None, deck_id="d", rates=[rate]),
            event("ratedeck.published", None, deck_id="d", rates=1)]


def opening(account):
    """Before its first cycle. With a cycle's top-up there are credits for 60 s of talk; its call takes 36, and the last
    tick would need 66, with the horizon of 30."""
    number = {"number": "+16465550100"}
    return [event("account.opened", account, currency="USD", owner="m"),
            event("number.added", account, origin="US", **number),
            event("number.international_enabled", account, actor="m", **number),
            event("member.assigned", account, member_id="m", **number),
            event("credit.topped_up", account, topup_id="first", amount="0.012", currency="USD")]


def cycle_event(account, turn):
    """An account's turn-th event: again and again a call that its credits do not cover to the end."""
    lap, step = divmod(turn, CYCLE)
    call = {"call_id": f"call-{lap}"}
    way = {"from": "+16465550100", "to": "+33612345678"}
    if step == 0:
        return event("credit.topped_up", account, topup_id=f"topup-{lap}", amount="0.018", currency="USD")
    if step == 1:
        return event("call.started", account, direction="outbound", member_id="m", **way, **call)
    if step < CYCLE - 1:
        return event("call.ticked", account, duration_ms=(step - 1) * TICK_MS, **call)
    return event("call.ended", account, duration_ms=TICKS * TICK_MS, **call)


def write_cycles(path, accounts, count):
    """`count` events in which one of CYCLE is a tick that causes a cutoff, spread evenly; the accounts' opening."""
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            turn, account = divmod(i, len(accounts))
            turn -= account % CYCLE
            file.write(cycle_event(accounts[account], turn) if turn >= 0 else event("clock.advanced", None))
    return "".join(line for account in accounts for line in opening(account))


def latency(site, folder, rate):
    opened, paced = folder / "opened.jsonl", folder / "paced.jsonl"
    accounts = [f"acct-{rate}-{i}" for i in range(rate // 4)]
    opened.write_text(write_cycles(paced, accounts, round(rate * SECONDS)), encoding="utf-8")
    site.feed(opened)
    time.sleep(1)
    found = figures(site.build / "bench/bench_kafka_probe", site.platform, paced, rate, WARM_S)
    print(f"  {rate:,} events/s: " + "  ".join(f"{name} {value:,.1f}" for name, value in found.items()), flush=True)
    return found


def latencies(open_site, folder):
    rows = []
    with open_site() as site:
        (folder / "deck.jsonl").write_text("".join(deck()), encoding="utf-8")
        site.feed(folder / "deck.jsonl")
        site.meter.start()
        for rate in map(int, RATES.split(",")):
            found = latency(site, folder, rate)
            rows += [Row(f"tick to cutoff at {rate:,} events/s: p50", f"{found['p50']:.1f} ms",
                         STREAMS_LATENCY if rate == 5000 else "", "15 ms", at_most(found["p50"], 15)),
                     Row("  p99", f"{found['p99']:.1f} ms",
                         f"p99.9 {found['p99.9']:.1f} ms, of {found['cutoffs']:,.0f} cutoffs", "50 ms",
                         at_most(found["p99"], 50))]
        site.meter.end()
    return rows


# How soon again.


def kill_once(site):
    """Seconds from kill -9 to the arrival of the first commit of the next process, which is started at once."""
    killed = time.time()
    site.meter.end(signal.SIGKILL)
    site.meter.start()
    commit = site.next_commit()
    while commit.written < killed:
        commit = site.next_commit()
    return commit.arrived - killed


def kills(open_site, load):
    live, rest = load.folder / "live.jsonl", load.folder / "rest.jsonl"
    with open(load.path, "rb") as lines, open(live, "wb") as before, open(rest, "wb") as after:
        for i, line in enumerate(lines):
            (before if i < load.setup_lines + 2 * load.calls else after).write(line)
    with open_site() as site:
        site.feed(live)
        site.meter.start()
        site.commits_to(load.setup_lines + 2 * load.calls)
        writer = subprocess.Popen([site.build / "bench/bench_kafka_probe", site.platform, rest, str(KILL_RATE), "0"],
                                  stdout=subprocess.DEVNULL)
        try:
            times = []
            for i in range(KILLS):
                until = time.time() + KILL_EVERY_S + i / KILLS
                while site.next_commit().arrived < until:
                    pass
                times.append(kill_once(site))
        finally:
            writer.kill()
            writer.wait()
        site.meter.end()
    print("  kill -9 to the first commit: " + "  ".join(f"{seconds:.2f} s" for seconds in times), flush=True)
    return [Row(f"kill -9 to the first commit, at {KILL_RATE:,} events/s", f"{median(times):.2f} s",
                f"at most {max(times):.2f} s; {STREAMS_BACK}", "1 s", at_most(median(times), 1))]


def on_kafka(build, accounts, calls, rounds):
    """The rows of everything that needs a broker."""
    cluster_module, house_module = harness(build)
    print("\non Kafka", flush=True)
    with tempfile.TemporaryDirectory(prefix="callfold-bench-") as folder, cluster_module.Cluster(jvm=JVM) as cluster:
        folder = pathlib.Path(folder)
        load = Load(build, folder, accounts, calls)

        def open_site():
            return Site(build, cluster, house_module)

        return rates(open_site, load, rounds) + latencies(open_site, folder) + kills(open_site, load)
