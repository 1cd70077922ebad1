#!/usr/bin/python3
"""What deploy/ and docker-compose.yml say, against the programs that were built: no engine needed.
usage: tests/deploy/check.py BUILD"""
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/running"))
from meter import Meter   # noqa: E402: it is found there

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "deploy/Dockerfile").read_text())
UNIT = (ROOT / "deploy/callfold.service").read_text()


def help_of(*words):
    done = subprocess.run([BUILD / words[0], *words[1:], "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def words_of(command):
    """A command line's program with its subcommands, and its options."""
    words = shlex.split(command.replace("$$", "$")) if isinstance(command, str) else command
    first = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return words[:first], [word for word in words if word.startswith("--")]


class Commands(unittest.TestCase):
    def assert_known(self, program, options):
        known = help_of(*program)
        self.assertTrue(options)
        for option in options:
            self.assertRegex(known, rf"(?m)^ .*{option}\b", f"{program} has no {option}")

    def test_what_compose_runs(self):
        for name in ("topics", "meter"):
            self.assertEqual("callfold", COMPOSE["services"][name]["image"])
            program, options = words_of(COMPOSE["services"][name]["command"])
            self.assert_known(["callfold", *program], options)
        [script] = COMPOSE["services"]["platform"]["command"]
        program, options = words_of(script.removeprefix("exec "))
        self.assert_known(program, options)

    def test_what_the_unit_runs(self):
        [command] = re.findall(r"^ExecStart=/usr/local/bin/(.*)$", UNIT, re.MULTILINE)
        program, options = words_of(command)
        self.assert_known(program, options)

    def test_the_unit_is_one(self):
        """systemd's own opinion, with a program that is there."""
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        with tempfile.TemporaryDirectory() as name:
            unit = pathlib.Path(name) / "callfold.service"
            unit.write_text(UNIT.replace("/usr/local/bin/callfold", str(BUILD / "callfold"))
                            .replace("Documentation=man:callfold(1)\n", ""))
            done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
            self.assertEqual((0, ""), (done.returncode, done.stderr))


class Files(unittest.TestCase):
    def test_they_are_there(self):
        """What is mounted, and what the image has: of the sources, and under the names that compose gives."""
        self.assertTrue((ROOT / COMPOSE["configs"]["properties"]["file"]).exists())
        copies = dict(re.findall(r"^COPY (examples/\S+) (\S+)$", DOCKERFILE, re.MULTILINE))
        for path in copies:
            self.assertTrue((ROOT / path).exists(), path)
        [script] = COMPOSE["services"]["platform"]["command"]
        for deck in re.findall(r"/usr/local\S+\.csv", script):
            [source] = [source for source, target in copies.items() if deck.startswith(target)]
            self.assertTrue((ROOT / source / pathlib.Path(deck).name).exists(), deck)
        built = re.search(r"^COPY --from=build (.*) /usr/local/bin/$", DOCKERFILE, re.MULTILINE)[1].split()
        for path in built:
            self.assertIn(path, re.search(r" make -j\S+ BUILD=/build (.*)$", DOCKERFILE, re.MULTILINE)[1].split())
            self.assertTrue((BUILD / pathlib.Path(path).name).exists(), path)

    def test_the_image_has_the_libraries(self):
        """Every library that a program wants is in a package of the image that is called after it."""
        packages = re.search(r"--no-install-recommends (.*?) &&", DOCKERFILE)[1].split()
        for program in ("callfold", "callfold-snapshot", "callfold-replay", "platform"):
            wanted = subprocess.run(["readelf", "-d", BUILD / program], capture_output=True, text=True, check=True).stdout
            libraries = re.findall(r"\(NEEDED\).*\[(lib\w+)", wanted)
            self.assertIn("libc", libraries)
            for library in libraries:
                stem = {"libcrypto": "libssl", "libsqlite3": "libsqlite3"}.get(library, library)
                self.assertTrue(library in ("libc", "libm") or any(package.startswith(stem) for package in packages),
                                f"{program} wants {library}; the image has {packages}")

    def test_it_runs_as_nobody_in_particular(self):
        self.assertRegex(DOCKERFILE.split("FROM")[-1], r"\nUSER callfold\n")


class Health(unittest.TestCase):
    def test_the_probe_asks_the_meter(self):
        """As compose asks, of a meter that is ready, of one that is not there."""
        probe = COMPOSE["services"]["meter"]["healthcheck"]["test"]
        [port] = re.findall(r"--http 0\.0\.0\.0:(\d+)", COMPOSE["services"]["meter"]["command"])
        self.assertIn(f"/dev/tcp/127.0.0.1/{port};", probe[-1])
        self.assertEqual(["CMD", "bash", "-c"], probe[:-1])
        with Meter(BUILD / "callfold") as meter:
            meter.await_answer("/readyz", 200)
            there = probe[-1].replace(f"/{port};", f"/{meter.port};")
            self.assertEqual(0, subprocess.run(["bash", "-c", there], check=False).returncode)
            missing = subprocess.run(["bash", "-c", there.replace("/readyz", "/nothing")], check=False)
            self.assertNotEqual(0, missing.returncode)
            self.assertEqual(0, meter.end())
            gone = subprocess.run(["bash", "-c", there], stderr=subprocess.DEVNULL, check=False)
            self.assertNotEqual(0, gone.returncode)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
