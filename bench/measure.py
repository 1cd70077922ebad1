"""Running what is measured, and saying what came of it."""
import collections
import os
import re
import statistics
import subprocess
import sys
import time

Usage = collections.namedtuple("Usage", "wall cpu rss_bytes read_bytes")
# A line of the table: `beside` is what explains the figure, `verdict` says how it stands to the aim.
Row = collections.namedtuple("Row", "what figure beside aim verdict")
median = statistics.median


def launch(command):
    """Runs a program that says nothing that matters; its cost."""
    begun = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))} exited {child.returncode}: {said}")
    return Usage(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024,
                 used.ru_inblock * 512)


def figures(*command):
    """Runs a program that says its figures one a line (bench.h): name -> number."""
    said = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: float(number) for name, number in re.findall(r"^(.+?) {2,}(-?[\d.]+)", said, re.M)}


def middle(rounds):
    """The median of each figure over rounds: dicts with the same names."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def at_most(value, aim):
    return "met" if value <= aim else f"{value / aim:.2f}x over"


def at_least(value, aim):
    return "met" if value >= aim else f"{aim / value:.2f}x short"
