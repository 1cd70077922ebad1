"""A meter on files, its state, its snapshots: programs that are run, killed and compared."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOPICS = ("commands", "ledger", "calls", "balances", "rejects", "attestations")
TIMEOUT_S = 120
KILLED = -9
EX_USAGE, EX_DATAERR, EX_UNAVAILABLE, EX_SOFTWARE, EX_IOERR, EX_CONFIG = 64, 65, 69, 70, 74, 78


class Programs:
    """Where the programs are."""

    def __init__(self, build):
        self.callfold, self.snapshot = build / "callfold", build / "callfold-snapshot"


class History:
    """Events, and what a meter makes of them that nothing ever disturbed."""

    def __init__(self, programs, folder, name, seed, accounts, rounds, partitions):
        self.name, self.partitions = name, max(1, partitions)
        self.events, self.out = folder / f"{name}.jsonl", folder / f"{name}.out"
        with open(self.events, "wb") as events:
            subprocess.run(["awk", "-v", f"seed={seed}", "-v", f"accounts={accounts}", "-v", f"rounds={rounds}", "-v",
                            f"partitions={partitions}", "-f", HERE.parent / "embedded/events.awk"],
                           check=True, stdout=events)
        self.lines = self.events.read_bytes().splitlines(keepends=True)
        done = subprocess.run([programs.callfold, "run", "--quiet", "--events", self.events, "--out", self.out,
                               "--state", folder / f"{name}.state"], check=False, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr


class Place:
    """A directory with events, out, state and snapshots in it, all empty at first."""

    def __init__(self, programs, history, base=None):
        self.programs, self.history = programs, history
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="callfold-place-", dir=base))
        self.events, self.out, self.state, self.snapshots = (
            self.path / name for name in ("events.jsonl", "out", "state", "snapshots"))
        self.events.write_bytes(b"".join(history.lines))
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def _run(self, command, fail_point=None, kill_after=None, limit_kib=None):
        environment = os.environ | ({"CALLFOLD_FAIL_POINT": fail_point} if fail_point else {})
        if limit_kib is not None:
            command = ["bash", "-c", f'ulimit -f {limit_kib}; exec "$@"', "bash", *command]
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=environment)
        try:
            said, _ = process.communicate(timeout=kill_after or TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        self.said = said.decode(errors="replace")
        return process.returncode

    def fold(self, *options, **how):
        """The exit code of `callfold run`; what it said is in .said."""
        return self._run([self.programs.callfold, "run", "--events", self.events, "--out", self.out, "--state",
                          self.state, *options], **how)

    def start(self, *options):
        """`callfold run --follow`, as a process of its own."""
        return subprocess.Popen([str(word) for word in (
            self.programs.callfold, "run", "--follow", "--events", self.events, "--out", self.out, "--state",
            self.state, *options)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def command(self, verb, *options, **how):
        """The exit code of `callfold-snapshot VERB --snapshots ...`."""
        places = ["--snapshots", self.snapshots] + (["--state", self.state] if verb in ("create", "restore") else [])
        return self._run([self.programs.snapshot, verb, *places, *options], **how)

    def must(self, verb, *options):
        code = self.command(verb, *options)
        assert code == 0, f"{verb} ended with {code}: {self.said}"

    def must_fold(self, *options):
        code = self.fold(*options)
        assert code == 0, f"run ended with {code}: {self.said}"

    def fold_part(self, share):
        """Folds the first part of the events; the others are there again afterwards."""
        self.events.write_bytes(b"".join(self.history.lines[:int(len(self.history.lines) * share)]))
        self.must_fold("--quiet", "--batch", "50")
        self.events.write_bytes(b"".join(self.history.lines))

    def await_lines(self, count):
        """Returns when a commit says that so many lines are folded."""
        progress, deadline = self.out / "progress.jsonl", time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            said = re.findall(rb'"lines":(\d+),', progress.read_bytes()[-4096:]) if progress.exists() else []
            if said and int(said[-1]) >= count:
                return
            time.sleep(0.005)
        raise AssertionError(f"{count} lines were not folded in {TIMEOUT_S} s")

    def snap_along(self, shares, *options):
        """A snapshot at each of these shares of the events."""
        for share in shares:
            self.fold_part(share)
            self.must("create", *options)

    def forget(self):
        shutil.rmtree(self.state)

    def listed(self):
        """What `list` says, the oldest of a partition first; its exit code must be 0."""
        self.must("list", "--json")
        return json.loads(self.said)

    def directory(self, one):
        return self.snapshots / f"partition-{one['partition']}" / one["name"]

    def leftovers(self):
        """What a crash left half done."""
        return sorted(str(path.relative_to(self.path)) for folder in (self.snapshots, self.state) if folder.exists()
                      for path in folder.glob("**/*") if path.name.startswith(".") or path.name.endswith(".restoring"))

    def expect(self, code, got, *words):
        """The exit code, and words that the message must hold."""
        assert got == code, f"exit code {got}, not {code}: {self.said}"
        for word in words:
            assert word in self.said, f"no '{word}' in: {self.said}"

    def expect_same(self):
        """The outputs are those of a meter that nothing disturbed."""
        for topic in TOPICS:
            ours, theirs = (folder / f"{topic}.jsonl" for folder in (self.out, self.history.out))
            assert ours.read_bytes() == theirs.read_bytes(), f"{topic}.jsonl differs\n{self.said}"


class Checks:
    """Counts, and says what failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, check, *arguments):
        try:
            check(*arguments)
            self.passed += 1
        except AssertionError as why:
            self.failed += 1
            print(f"FAILED {name}: {why}", flush=True)
