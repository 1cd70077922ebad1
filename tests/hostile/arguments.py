#!/usr/bin/env python3
"""arguments.py CALLFOLD [SEED [TRIES]] - words thrown at every command of callfold, and of
callfold-replay and callfold-snapshot beside it.

The options come from each command's own --help. What goes with them is nonsense, a number
at an edge, a file that is not what it should be, or now and then the right thing. Must
hold: an exit code that is documented; with any but 0 (and 1, a difference) a message that
says who speaks, what of, and nothing that a terminal would obey; no word from a
sanitizer; nothing written but by a command that writes, and began. A failing try is printed with its
words. Prints "N passed, N failed"; exits 1 if any failed.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CODES = {0, 1, 64, 65, 69, 74, 78}
LEFT_OUT = {"--follow"}  # never ends
NONSENSE = [
    b"", b" ", b"-", b"--", b"---", b"-x", b"=", b"--=", b"0", b"-1", b"1", b"2", b"00", b"1e3", b"0x10", b"1.5",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"99999999999999999999", b"1025", b"a",
    b"US", b"usd", b"USD", b"EUR", b"QQQ", b"US US USD", b"US US", b"FR-mobile FR EUR", b"+33", b"+336", b"33", b"112",
    b"+33612345678", b"12.5", b"12,5", b"-5", b"9223372036854.775807", b"2026-11-01T00:00:00Z", b"2026-02-30T00:00:00Z",
    b"0000-01-01T00:00:00Z", b"9999-12-31T23:59:59Z", b"tomorrow", b"d1", b"d 1", b"%s%n%n%n", b"'", b"\"", b"a\nb",
    b"\x1b[2J", b"\x7f", b"\xff\xfe", b"\xc3\xa9", b"x" * 64, b"x" * 65, b"x" * 5000, b"x" * 300,
    b"/proc/nowhere", b"/proc/self/mem", b"/dev/full", b"0:1", b"0:0", b"1023:1", b"1024:1", b":", b"0:", b":1", b"0:-1",
    b"0:9223372036854775807", b"0:1:" + b"0" * 64, b"0:1:abc", b"2026-11", b"2026-13", b"2026-11-01", b"2026-02-30", b"0000-00-00",
    b"9999-12-31", b"csv", b"sqlite", b"hledger", b"ndjson", b"ledger", b"calls", b"balances", b"tick_ms=0", b"tick_ms=6000",
    b"max_concurrent_calls=", b"from=from,to=to", b"from=", b"a=b=c", b"numbers", b"1s", b"99999999999d", b"1w", b"..", b"/",
]
FILES = ["deck.csv", "other.csv", "fx.json", "fx.csv", "events.jsonl", "garbage", "empty", "directory", "nowhere", "kept", "kept/out",
         "kept/out/ledger.jsonl", "kept/partition-0", "kept/partition-0/data.mdb", "snapshots", "snapshots/partition-0", "archive",
         "archive/manifest.json", "cdr.csv", "key.pem", "public.pem"]

COMMANDS = {  # each with words that it takes; those that speak to a broker have none to speak to
    "callfold run": "--events events.jsonl --out out --state state",
    "callfold topics create": "--kafka garbage",
    "callfold produce": "--kafka garbage --events events.jsonl",
    "callfold status": "--state kept",
    "callfold rates publish": "deck.csv --deck-id d1 --effective-at 2026-11-01T00:00:00Z",
    "callfold rates list": "deck.csv --from-origin US",
    "callfold rates compare": "deck.csv",
    "callfold rates diff": "deck.csv other.csv",
    "callfold rates estimate": "deck.csv --from-origin US --amount 25",
    "callfold-replay verify": "--events events.jsonl --outputs kept/out --all",
    "callfold-replay state": "--events events.jsonl --at 0:5",
    "callfold-replay diff": "kept snapshots",
    "callfold-replay explain": "--events events.jsonl --entry 1",
    "callfold-replay what-if": "--events archive --deck other.csv --deck-id d2",
    "callfold-replay reconcile": "--events events.jsonl --cdr cdr.csv",
    "callfold-replay export": "ledger --format csv --events archive --output books",
    "callfold-replay statement": "--events events.jsonl --account a1 --month 2026-11",
    "callfold-replay archive": "--events events.jsonl --archive archive",
    "callfold-snapshot create": "--state kept --snapshots snapshots",
    "callfold-snapshot list": "--snapshots snapshots",
    "callfold-snapshot verify": "--snapshots snapshots",
    "callfold-snapshot restore": "--snapshots snapshots --state state",
    "callfold-snapshot prune": "--snapshots snapshots --keep 1",
}
WRITERS = {b"run", b"export", b"statement", b"archive", b"create", b"restore", b"prune"}
COMPARERS = {b"diff", b"verify", b"reconcile", b"archive"}  # 1: there is a difference


class Throw:
    def __init__(self, callfold, seed):
        self.programs, self.rng = Path(callfold).parent, random.Random(seed)
        self.place = Path(tempfile.mkdtemp(prefix="callfold-arguments-"))
        self.home, self.pristine = self.place / "home", self.place / "pristine"
        self.fill()
        shutil.copytree(self.home, self.pristine)
        self.commands = {command: self.options(command) for command in COMMANDS}

    def fill(self):
        """What the words speak of."""
        self.home.mkdir()
        cli = Path(__file__).resolve().parents[1] / "cli"
        for name, source in (("deck.csv", "decks/small.csv"), ("other.csv", "decks/small-later.csv"),
                             ("fx.json", "fx.json"), ("fx.csv", "fx.csv"), ("events.jsonl", "day.jsonl")):
            shutil.copy(cli / source, self.home / name)
        (self.home / "garbage").write_bytes(self.rng.randbytes(3000))
        (self.home / "empty").touch()
        (self.home / "directory").mkdir()
        (self.home / "cdr.csv").write_text("from,to,start,duration_ms\n+12025550100,+33612345678,2026-11-01T00:00:00Z,60000\n")
        for words in ("callfold run --quiet --events events.jsonl --out kept/out --state kept",
                      "callfold-snapshot create --state kept --snapshots snapshots",
                      "callfold-replay archive --events events.jsonl --archive archive"):
            self.call(words.split()).check_returncode()
        for words in ("genpkey -algorithm ed25519 -out key.pem", "pkey -in key.pem -pubout -out public.pem"):
            subprocess.run(["openssl", *words.split()], cwd=self.home, check=True)

    def call(self, words):
        """The first word is the program."""
        return subprocess.run([self.programs / os.fsdecode(words[0]), *words[1:]], cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)

    def options(self, command):
        """[(name, takes a value)] as --help lists them."""
        text = self.call([*command.split(), "--help"]).stdout.decode()
        found = re.findall(r"^  (?:-[a-zA-Z], )?(--[a-z-]+)( \S+)?", text, re.MULTILINE)
        return [(name, bool(value)) for name, value in found if name not in LEFT_OUT]

    def value(self):
        return self.rng.choice(FILES).encode() if self.rng.random() < 0.4 else self.rng.choice(NONSENSE)

    def option(self, options):
        """One option as people write, and mistype, it."""
        rng = self.rng
        name, takes = rng.choice(options)
        name = name.encode()
        if rng.random() < 0.1:
            at = rng.randrange(len(name))
            name = name[:at] + rng.choice([b"", b"x", b"-"]) + name[at + 1:]
        if takes == (rng.random() < 0.9):
            return [name + b"=" + self.value()] if rng.random() < 0.4 else [name, self.value()]
        return [name]

    def words(self):
        """A command that would do, bent here and there; the program's name stays."""
        rng = self.rng
        command = rng.choice(list(COMMANDS))
        words = [word.encode() for word in (command + " " + COMMANDS[command]).split()]
        for _ in range(rng.randrange(4)):
            at = rng.randrange(2, len(words) + 2)
            chance = rng.random()
            if chance < 0.6:
                words[at:at] = self.option(self.commands[command])
            elif chance < 0.9:
                words[at:at + 1] = [self.value()]
            else:
                del words[at - 1:at]
        return words

    @staticmethod
    def has_an_end(words):
        """Of /dev/full as events there is none: one line, which goes on and on."""
        return not re.search(rb"--ev[a-z]*[= ]/dev/full", b" ".join(words))

    def tree(self):
        """All but what LMDB puts beside a state to read it."""
        return sorted((str(path), path.stat().st_size) for path in self.home.rglob("*") if path.parts[-3:] !=
                      ("kept", "partition-0", "lock.mdb"))

    def wrong_with(self, words):
        """What is wrong with how the program takes the words, or None."""
        before = self.tree()
        done = self.call(words)
        said = done.stderr.decode(errors="surrogateescape")
        if re.search("Sanitizer|runtime error|Assertion", said):
            return "a sanitizer or an assertion: " + said[:2000]
        if done.returncode not in CODES or (done.returncode == 1 and COMPARERS.isdisjoint(words)):
            return f"exit code {done.returncode}: {said[:600]}"
        began = not WRITERS.isdisjoint(words) and done.returncode != 64
        if self.tree() != before and not began:
            return f"exit code {done.returncode}, and something was written"
        if done.returncode > 1:
            return self.wrong_with_message(said, done.returncode)
        return None

    @staticmethod
    def wrong_with_message(said, code):
        lines = said.split("\n")
        if not lines[0].startswith("callfold") or lines[-1] != "":
            return "no message: " + said[:600]
        if any(ord(letter) < 32 or ord(letter) == 127 for line in lines for letter in line):
            return "a message with a control character: " + repr(said[:600])
        if code == 64 and not re.search("-X|--|'|command", lines[0]):
            return "a message that names no argument: " + lines[0][:600]
        return None

    def clean_up(self):
        """Each try finds the same."""
        shutil.rmtree(self.home)
        shutil.copytree(self.pristine, self.home)


def main():
    callfold = os.path.realpath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    tries = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    throw = Throw(callfold, seed)
    passed = failed = 0
    for _ in range(tries):
        while not throw.has_an_end(words := throw.words()):
            pass
        wrong = throw.wrong_with(words)
        throw.clean_up()
        if wrong:
            failed += 1
            print(f"FAILED (seed {seed}): {words}\n  {wrong}")
        else:
            passed += 1
    shutil.rmtree(throw.place)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
