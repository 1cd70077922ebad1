#!/usr/bin/env python3
"""events.py CALLFOLD [MEGABYTES] - an events file of hostile lines between good ones.

Runs the program over it from a file and from a pipe, the plain build with its memory
limited (RLIMIT_DATA), and looks each line's outputs up: a good line must be answered as
if it stood alone, a bad one rejected with its offset, size and SHA-256. The longest line
has MEGABYTES (100). Prints "N passed, N failed"; exits 1 if any failed.
"""

import base64
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

MIB = 1 << 20
MEMORY_MAX = 96 * MIB   # of private memory, whatever the lines: a record of empty arrays is the dearest, 50 times its size
SHOWN_MAX = 32768       # bytes of a payload in a reject


def good(number, pad=0):
    """An event that needs no state: the call of an account that nobody opened is denied."""
    event = {"specversion": "1.0", "id": f"e{number}", "source": "/hostile", "type": "callfold.call.started",
             "time": "2026-11-23T08:00:00Z", "subject": "nobody",
             "data": {"call_id": f"c{number}", "direction": "outbound", "from": "+999555000", "to": "+33612345678",
                      "member_id": "boss"}}
    line = json.dumps(event, separators=(",", ":")).encode()
    if pad:
        line = line[:-1] + b',"pad":"' + b"x" * (pad - len(line) - 9) + b'"}'
    return line


def archived(offset, value, **members):
    return json.dumps({"partition": 0, "offset": offset, "timestamp": None, "value": value, **members}).encode()


def bad_lines(megabytes):
    text = good(0).decode()
    yield from (b"x", b"\0", b"{}", b"[]", b"\xef\xbb\xbf" + good(0), b"\r", b"\t \r", b"\r\r x", b"\xff\xfe{\0}\0",
                b"\x80", b'{"a":"\xed\xa0\x80"}', good(0) + b"\0", b"\0" + good(0), good(0)[:-1], good(0) * 2)
    yield b"[" * 1000000
    yield b'{"a":' * 200000
    yield b"[" * 500000 + b"]" * 500000
    yield b'{"a":' + b"9" * 1000000 + b"}"
    yield b'{"a":1e' + b"9" * 1000000 + b"}"
    yield b"{" + b",".join(b'"k%d":0' % number for number in range(80000)) + b"}"
    yield b"{" + b",".join([b'"k":0'] * 150000) + b"}"
    yield b'{"a":"' + b"\\u0041" * 170000 + b'"}'
    yield b'{"a":[' + b"[]," * 345000 + b"[]]}"
    yield good(0, MIB + 1)
    yield b'{"specversion":"1.0","id":"' + b"x" * (4 * MIB)
    yield b'{"partition":0,"offset":1,"value":"' + b"x" * (9 * MIB) + b'"}'    # too long for the archive form
    yield b'{"partition":0,"offset":1,"value":""' + b"," * (2 * MIB)           # not JSON
    yield b'{"partition":0,"offset":1,"value":"","x":' + b"[" * 100000
    yield b'{"partition":5000,"offset":1,"value":"{}"}'
    yield archived(1, text, specversion="1.0")
    yield archived(1, text, value_base64="e30=")
    yield archived(1, text, key_base64="e30")
    yield b"x" * (megabytes * MIB)
    yield b"\0" * (megabytes * MIB // 2)


class Expected:
    """What each line is to be answered: by its offset, a reject's (size, hash) or a call's id."""

    def __init__(self):
        self.rejects, self.denied = {}, {}

    def write(self, path, megabytes):
        offset = 0
        with open(path, "wb") as file:
            for bad in bad_lines(megabytes):
                file.writelines((good(offset), b"\n", bad, b"\n \t\r\n"))
                self.denied[offset] = f"c{offset}"
                if bad.strip(b" \t\r"):
                    self.rejects[offset + 1] = (len(bad), hashlib.sha256(bad).hexdigest(),
                                                base64.b64encode(bad[:SHOWN_MAX]).decode())
                offset += 3
            file.write(good(offset, MIB) + b"\n")
            self.denied[offset] = f"c{offset}"
            file.write(archived(offset + 7, good(offset + 7).decode(), key="nobody").replace(b"null", b"1795420800000"))
            file.write(b"\n" + good(offset + 8))  # no newline: no record yet
            self.denied[offset + 7] = f"c{offset + 7}"
        return self


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX, MEMORY_MAX))


def answers(out, topic):
    """{offset: data} of a topic, each offset once."""
    found = {}
    for raw in (out / f"{topic}.jsonl").read_bytes().splitlines():
        output = json.loads(raw)
        offset = int(output["id"].split(":")[1])
        if offset in found:
            raise ValueError(f"{topic}: two outputs of line {offset}")
        found[offset] = output["data"]
    return found


def check(callfold, events, piped, expected, is_limited):
    with tempfile.TemporaryDirectory(prefix="callfold-hostile-") as directory:
        out, state = Path(directory, "out"), Path(directory, "state")
        with open(events, "rb") as file:
            done = subprocess.run([callfold, "run", "--events", "-" if piped else events, "--out", out, "--state",
                                   state], stdin=file if piped else subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, preexec_fn=limit_memory if is_limited else None, check=False)
        if done.returncode != 0:
            return f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-600:]}"
        rejects = {offset: (data["size"], data["sha256"], data["payload"]) if data["reason"] == "malformed"
                   or data["reason"] == "invalid_field" else data["reason"]
                   for offset, data in answers(out, "rejects").items()}
        denied = {offset: data["call_id"] for offset, data in answers(out, "commands").items()}
    for what, found, wanted in (("rejects", rejects, expected.rejects), ("good lines", denied, expected.denied)):
        different = sorted(offset for offset in {*found, *wanted} if found.get(offset) != wanted.get(offset))
        if different:
            return f"{what}: first at line {different[0]}: {str(found.get(different[0]))[:200]}"
    return None


def main():
    callfold, megabytes = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
    is_limited = b"__asan" not in Path(callfold).read_bytes()  # a sanitizer's shadow is no use of memory
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="callfold-hostile-") as directory:
        events = Path(directory, "events.jsonl")
        expected = Expected().write(events, megabytes)
        for piped in (False, True):
            wrong = check(callfold, events, piped, expected, is_limited)
            if wrong:
                failed += 1
                print(f"FAILED: {'from a pipe' if piped else 'from a file'}: {wrong}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
