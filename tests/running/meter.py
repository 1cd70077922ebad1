"""An embedded meter that runs, its page of figures, and what it tells systemd."""
import ctypes
import datetime
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE_S = 45
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


def event(kind, account=None, **data):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    envelope = {"specversion": "1.0", "id": "1", "source": "/test", "type": f"callfold.{kind}", "time": now, "data": data}
    return envelope | ({"subject": account} if account else {})


class Meter:
    """`callfold run --follow` in a directory of its own; `more` are options beside --http."""

    def __init__(self, callfold, more=(), address="127.0.0.1:0"):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="callfold-running-"))
        self.events = self.work / "events.jsonl"
        self.events.touch()
        self.command = [callfold, "run", "--follow", "--events", self.events, "--out", self.work / "out", "--state",
                        self.work / "state", "--http", address, *more]
        self.process, self.port = None, 0
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(str(self.work / "notify"))
        self.notices.settimeout(PATIENCE_S)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.notices.close()
        shutil.rmtree(self.work)

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env=os.environ | {"NOTIFY_SOCKET": str(self.work / "notify")})
        self.port = int(re.fullmatch(r"metrics +http://127\.0\.0\.1:(\d+)/metrics\n", self.process.stderr.readline())[1])
        return self

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def write(self, *events):
        with open(self.events, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in events)

    def ask(self, path, method="GET"):
        """Status and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def figures(self):
        """{'name{label="value"}': number}"""
        text = self.ask("/metrics")[1]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}

    def await_figure(self, name, value):
        deadline = time.monotonic() + PATIENCE_S
        while (figures := self.figures()).get(name) != value:
            assert time.monotonic() < deadline, f"{name} is {figures.get(name)}, not {value}"
            time.sleep(0.05)
        return figures

    def await_answer(self, path, status):
        deadline = time.monotonic() + PATIENCE_S
        while (answer := self.ask(path))[0] != status:
            assert time.monotonic() < deadline, f"{path} answers {answer}, not {status}"
            time.sleep(0.2)
        return answer[1]

    def hear(self, wanted):
        """What it told systemd up to the first notice that begins with `wanted`."""
        heard, deadline = [], time.monotonic() + PATIENCE_S
        while not heard or not heard[-1].startswith(wanted):
            assert time.monotonic() < deadline, f"no {wanted} in {heard}"
            heard.append(self.notices.recv(4096).decode())
        return heard

    def hold(self):
        """Stops the thread that folds, and no other."""
        libc = ctypes.CDLL(None, use_errno=True)
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            assert libc.ptrace(request, self.process.pid, None, None) == 0, os.strerror(ctypes.get_errno())
        os.waitpid(self.process.pid, 0)

    def release(self):
        assert ctypes.CDLL(None).ptrace(PTRACE_DETACH, self.process.pid, None, None) == 0
