#!/usr/bin/env python3
"""What a running meter says of itself: metrics, health, readiness, and what systemd is told.
usage: tests/running/run.py BUILD"""
import pathlib
import re
import socket
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from meter import Meter, event   # noqa: E402: after that

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
CALLFOLD = BUILD / "callfold"
ROOT = HERE.parent.parent
EX_CONFIG = 78
STUCK = "stuck: nothing has moved"


def day():
    """Events that leave something in every figure."""
    deck = subprocess.run([CALLFOLD, "rates", "publish", ROOT / "tests/cli/decks/small.csv", "--deck-id", "d1",
                           "--effective-at", "2026-10-01T00:00:00Z", "--time", "2026-10-01T00:00:00Z"],
                          check=True, capture_output=True).stdout
    return deck + (ROOT / "tests/cli/day.jsonl").read_bytes()


class Figures(unittest.TestCase):
    def test_they_are_those_of_the_outputs_and_promtool_takes_them(self):
        promtool = subprocess.run([HERE / "promtool.sh", BUILD.parent if BUILD.name == "asan" else BUILD], check=True,
                                  capture_output=True, text=True).stdout.strip()
        with Meter(CALLFOLD) as meter:
            meter.events.write_bytes(day() + b'{"no":"event"}\n')
            lines = len(meter.events.read_bytes().splitlines())
            meter.await_figure('callfold_events_total{type="unreadable"}', 1)
            status, text = meter.ask("/metrics")
            figures = meter.figures()
            checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
            self.assertEqual((200, 0, "", ""), (status, checked.returncode, checked.stdout, checked.stderr))
            self.assertEqual(0, meter.end())
            self.assertEqual(lines, sum(value for name, value in figures.items() if name.startswith("callfold_events_total")))
            for topic in ("commands", "ledger", "calls", "balances", "rejects", "attestations"):
                written = (meter.work / "out" / f"{topic}.jsonl").read_bytes().count(b"\n")
                self.assertEqual(written, figures[f'callfold_outputs_total{{topic="{topic}"}}'], topic)
            cutoffs = (meter.work / "out/commands.jsonl").read_text().count('"reason":"credits_exhausted"')
            self.assertEqual(cutoffs, figures['callfold_cutoffs_total{reason="credits_exhausted"}'])
            self.assertGreater(cutoffs, 0)
            for name in ('callfold_rejects_total{reason="invalid_field"}', 'callfold_live_calls{partition="0"}',
                         "callfold_commit_seconds_count", "callfold_checkpoint_seconds_count",
                         "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
                self.assertGreater(figures[name], 0, name)
            self.assertEqual(1, figures['callfold_catchup_ratio{partition="0"}'])
            self.assertFalse([name for name in figures if "acct" in name], "no label per account")

    def test_each_is_explained_to_operators_and_nothing_else_is(self):
        page = (ROOT / "docs/operations.md").read_text()
        explained = {name.replace("_", "callfold_", 1) if name[0] == "_" else name
                     for name in re.findall(r"`((?:callfold|process)?_\w+)`", page)}
        with Meter(CALLFOLD) as meter:
            there = set(re.findall(r"^# TYPE (\S+) ", meter.ask("/metrics")[1], re.MULTILINE))
        self.assertEqual(there, explained)

    def test_money_nobody_pays_is_counted_in_its_currency(self):
        with Meter(CALLFOLD) as meter:
            meter.events.write_bytes(day())
            meter.await_figure('callfold_live_calls{partition="0"}', 4)
            calls = [line for line in (meter.work / "out/commands.jsonl").read_text().splitlines() if "call.cutoff\"" in line]
            self.assertTrue(calls)
            subject, call = (calls[-1].split(f'"{name}":"')[1].split('"')[0] for name in ("subject", "call_id"))
            end = event("call.ended", subject, call_id=call, duration_ms=3600000)
            meter.write(end)
            meter.await_figure('callfold_events_total{type="call.ended"}', 1)
            figures = meter.figures()
            record = (meter.work / "out/calls.jsonl").read_text().splitlines()[-1]
            amount, currency = (record.split(f'"{name}":"')[1].split('"')[0] for name in ("uncollected", "currency"))
            self.assertGreater(float(amount), 0)
            self.assertEqual(float(amount), figures[f'callfold_uncollected_total{{currency="{currency}"}}'])

    def test_a_restart_says_what_it_folds_again(self):
        with Meter(CALLFOLD, ("--checkpoint-ms", "3600000")) as meter:
            meter.events.write_bytes(day())
            meter.await_figure('callfold_events_total{type="call.ticked"}', 13)
            meter.await_figure("callfold_checkpoint_seconds_count", 1)   # the first is made at once
            meter.write(event("account.opened", "a", currency="USD", owner="ann"))
            meter.await_figure('callfold_events_total{type="account.opened"}', 4)
            meter.process.kill()
            meter.process.wait()
            meter.process.stderr.close()
            meter.start()
            meter.await_answer("/readyz", 200)
            figures = meter.figures()
            self.assertEqual(0, figures['callfold_events_total{type="account.opened"}'])
            self.assertEqual(1, figures["callfold_refolded_records_total"])


class Answers(unittest.TestCase):
    def test_paths_and_methods(self):
        with Meter(CALLFOLD) as meter:
            self.assertEqual("ready: no partitions yet\n", meter.await_answer("/readyz", 200))
            self.assertEqual((200, "alive\n"), meter.ask("/healthz"))
            self.assertEqual((200, ""), meter.ask("/metrics", "HEAD"))
            for path in ("/", "/metrics/", "/../etc/passwd", "//metrics", "/" + "x" * 3000):
                self.assertEqual(404, meter.ask(path)[0], path)
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
                self.assertEqual(405, meter.ask("/metrics", method)[0], method)

    def test_noise_and_slow_clients_hold_up_nobody(self):
        """More of them than are let in: the meter folds on, and answers again once they are gone."""
        with Meter(CALLFOLD) as meter:
            clients = [socket.create_connection(("127.0.0.1", meter.port)) for _ in range(100)]
            for number, client in enumerate(clients):
                client.sendall([b"", b"GET /metrics HTTP/1.1\r\nHost:", b"\x00\xff" * 100, b"A" * 20000][number % 4])
            meter.write(event("account.opened", "a", currency="USD", owner="ann"))
            meter.await_figure('callfold_events_total{type="account.opened"}', 1)
            for client in clients:
                client.close()
            self.assertEqual(0, meter.end())

    def test_addresses(self):
        with Meter(CALLFOLD) as meter:
            for address, words in ((f"127.0.0.1:{meter.port}", "another process does"), ("none", "is no address; give"),
                                   ("127.0.0.1:99999", "is no address; give"), ("::1:9464", "is no address; give"),
                                   ("no.such.host.invalid:1", "no address of this machine"),
                                   ("192.0.2.1:9464", "give an address of this machine")):
                command = meter.command[:-1] + [address]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(EX_CONFIG, done.returncode, address)
                self.assertIn(words, done.stderr)
                self.assertEqual(1, done.stderr.count("\n"), done.stderr)


class Service(unittest.TestCase):
    def test_what_systemd_is_told(self):
        with Meter(CALLFOLD) as meter:
            self.assertIn("READY=1", meter.hear("READY=1"))
            meter.write(event("account.opened", "a", currency="USD", owner="ann"))
            self.assertEqual("STATUS=metering 1 partition", meter.hear("STATUS=")[-1])
            meter.hear("WATCHDOG=1")
            self.assertEqual(0, meter.end())
            self.assertNotIn("READY=1", meter.hear("STOPPING=1"))

    def test_who_hangs_is_not_alive(self):
        """The folding thread alone is held: /healthz says so, and the watchdog hears nothing more."""
        with Meter(CALLFOLD) as meter:
            meter.hear("READY=1")
            meter.hold()
            self.assertIn(STUCK, meter.await_answer("/healthz", 503))
            meter.notices.setblocking(False)
            with self.assertRaises(BlockingIOError):
                meter.hear("nothing")
            meter.notices.settimeout(60)
            meter.release()
            meter.await_answer("/healthz", 200)
            meter.hear("WATCHDOG=1")
            self.assertEqual(0, meter.end())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
