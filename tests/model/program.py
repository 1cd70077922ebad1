"""program.py - runs callfold over a history in every way there is, and reads what it wrote."""

import json
import signal
import subprocess
import tempfile
from pathlib import Path

from history import line

TOPICS = ["commands", "ledger", "calls", "balances", "rejects", "attestations"]


class Failed(Exception):
    """The program stopped or broke a law; the text says how."""


class Program:
    def __init__(self, path, partition_count=0):
        self.path, self.partition_count = path, partition_count

    def command(self, events, out, state, *options):
        command = [self.path, "run", "--events", events, "--out", out, "--state", state, *options]
        if self.partition_count:
            command += ["--partitions", str(self.partition_count)]
        return command

    def run(self, directory, *options):
        """Runs over directory/events.jsonl to its end; the bytes of each topic."""
        directory = Path(directory)
        command = self.command(directory / "events.jsonl", directory / "out", directory / "state", *options)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise Failed(f"exit {done.returncode}: {done.stderr.decode(errors='replace').strip()[-600:]}")
        return read_outputs(directory / "out")

    def run_in_parts(self, directory, records, rng):
        """The same while the events file grows, a new process for each part of it."""
        cuts = sorted(rng.sample(range(len(records) + 1), min(12, len(records)))) + [len(records)]
        for cut in cuts:
            write_events(directory, records[:cut])
            topics = self.run(directory)
        return topics

    def run_killed(self, directory, rng, *options):
        """The same with kill -9 at arbitrary moments, until a run gets to its end."""
        directory = Path(directory)
        command = self.command(directory / "events.jsonl", directory / "out", directory / "state", *options)
        patience = 0.002
        while True:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            try:
                _, errors = process.communicate(timeout=rng.uniform(0, patience))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                patience *= 1.2
                continue
            if process.returncode != 0:
                raise Failed(f"after kill -9: exit {process.returncode}: {errors.decode(errors='replace')[-600:]}")
            return read_outputs(directory / "out")


def read_outputs(directory):
    files = {topic: directory / f"{topic}.jsonl" for topic in TOPICS}
    return {topic: path.read_bytes() if path.exists() else b"" for topic, path in files.items()}


def write_events(directory, records):
    Path(directory, "events.jsonl").write_bytes(b"".join(line(record) for record in records))


def program_outputs(program, records, *options):
    """{(partition, offset): [output]}, each output as the model writes it, topic by topic."""
    with tempfile.TemporaryDirectory(prefix="callfold-model-") as directory:
        write_events(directory, records)
        topics = program.run(directory, *options)
    return group(topics, records)


def group(topics, records):
    place = {(record.partition, record.offset): index for index, record in enumerate(records)}
    grouped = {}
    for topic, text in topics.items():
        last = -1
        for raw in text.split(b"\n")[:-1]:
            output = json.loads(raw)
            partition, offset, _ = output["id"].split(":")
            cause = (int(partition), int(offset))
            if place.get(cause, -1) < last:
                raise Failed(f"{topic}: {output['id']} stands behind the outputs of a later record")
            last = place[cause]
            grouped.setdefault(cause, []).append({
                "topic": topic, "id": output["id"], "type": output["type"], "subject": output.get("subject"),
                "time": output["time"], "data": output["data"]})
            if output["specversion"] != "1.0" or output["source"] != "/callfold":
                raise Failed(f"{topic}: the envelope of {output['id']}")
    return grouped


def number(output):
    return int(output["id"].rpartition(":")[2])


def micros(text):
    sign, _, digits = text.rpartition("-")
    units, _, fraction = digits.partition(".")
    return int(units + fraction.ljust(6, "0")) * (-1 if sign or text.startswith("-") else 1)
