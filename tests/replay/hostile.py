#!/usr/bin/env python3
"""Any single byte of events, outputs, archive or snapshot changed at random: what is compared is found to differ, and
whatever is damaged, nothing dies of it.

usage: [SEED=1] tests/replay/hostile.py BUILD [ROUNDS]      prints "N passed, N failed"; a failure says its seed
"""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
SEED = int(os.environ.get("SEED", "1"))
TOPICS = ("commands", "ledger", "calls", "balances", "rejects", "attestations")
TOLD = {1, 65, 78}          # a difference; a source, a state or places that cannot be trusted
SANITIZERS = ("Sanitizer", "runtime error")
SPARED = 0.95               # of the events: what comes after the last attestation is not attested


def run(program, *words):
    """Exit code, and all it said."""
    done = subprocess.run([BUILD / program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                          check=False)
    return done.returncode, done.stdout.decode(errors="replace")


class House:
    """A day and all that is made of it; each damage is done to a copy of one file, which is put back."""

    def __init__(self, work):
        self.day, self.out, self.state = work / "day.jsonl", work / "out", work / "state"
        self.archive, self.snapshots = work / "archive", work / "snapshots"
        self.day.touch()
        with subprocess.Popen([BUILD / "callfold", "run", "--quiet", "--follow", "--events", self.day, "--out", self.out,
                               "--state", self.state]) as meter:
            subprocess.run([BUILD / "platform", "--events", self.day, "--out", self.out, "--meter-pid", str(meter.pid),
                            "--summary", work / "summary", "--seed", str(SEED), "--accounts", "8", "--hours", "8"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            meter.terminate()
        for command in (["callfold-replay", "archive", "--archive", self.archive, "--events", self.day, "--segment-mb", "1"],
                        ["callfold-snapshot", "create", "--state", self.state, "--snapshots", self.snapshots]):
            code, said = run(*command)
            assert code == 0, said

    def verify(self, events=None, *more):
        return run("callfold-replay", "verify", "--events", events or self.day, "--outputs", self.out, "--all", *more)

    def targets(self):
        """name -> (file, share of it that may be hit, what must tell, is it sure to be told)"""
        segment = sorted(self.archive.glob("partition-0/*.zst"))[1]
        data = next(self.snapshots.glob("partition-0/*/data.mdb"))
        prove = lambda: run("callfold-replay", "archive", "--archive", self.archive, "--verify")
        begin = lambda: self.verify(None, "--snapshots", self.snapshots)
        differ = lambda: run("callfold-replay", "diff", self.state, data.parent)
        every = {f"out/{topic}.jsonl": (self.out / f"{topic}.jsonl", 1, self.verify, True) for topic in TOPICS}
        return every | {"events": (self.day, SPARED, self.verify, True),
                        "segment": (segment, 1, prove, True),
                        "segment, as a source": (segment, 1, lambda: self.verify(self.archive), True),
                        "manifest": (self.archive / "manifest.json", 1, prove, False),
                        "progress": (self.out / "progress.jsonl", 1, self.verify, False),
                        "snapshot, to begin with": (data, 1, begin, False),
                        "snapshot, compared": (data, 1, differ, False)}


def damage(path, share, choose):
    """Changes one byte; which one, for the message."""
    content = bytearray(path.read_bytes())
    at = choose.randrange(int(len(content) * share))
    was = content[at]
    content[at] = choose.choice([byte for byte in (was ^ 1 << choose.randrange(8), ord("\n"), 0, ord("9")) if byte != was])
    path.write_bytes(content)
    return f"byte {at}, {was:#x} to {content[at]:#x}"


def main():
    choose, passed, failed = random.Random(SEED), 0, 0
    work = pathlib.Path(tempfile.mkdtemp(prefix="callfold-hostile-"))
    os.environ["TMPDIR"] = str(work)
    try:
        house = House(work)
        assert house.verify()[0] == 0, house.verify()[1]
        for _ in range(ROUNDS):
            for name, (path, share, tell, is_sure) in house.targets().items():
                kept = path.read_bytes()
                what = damage(path, share, choose)
                code, said = tell()
                path.write_bytes(kept)
                is_sane = not any(word in said for word in SANITIZERS)
                if is_sane and (code in TOLD or (code == 0 and not is_sure)):
                    passed += 1
                else:
                    failed += 1
                    print(f"FAILED SEED={SEED}: {name}, {what}: exit code {code}\n{said[:1500]}")
    finally:
        shutil.rmtree(work)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
