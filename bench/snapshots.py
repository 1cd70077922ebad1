"""Snapshots of a large state while the fold goes on."""
import datetime
import json
import os
import re
import shutil
import subprocess
import time

from measure import Row, at_most, launch, median

SNAPSHOTS = 3
EVERY_S = 2
POLL_S = 0.002
BEFORE_S = 0.1  # from the start of callfold-snapshot to its first file, and more
PAUSE_AIM_MS, TIME_AIM_S = 5, 1


def commits(path):
    """When each commit of progress.jsonl was made, in seconds since 1970: to the millisecond, by the fold's process."""
    stamps = re.findall(rb'"time":"([^"]+)Z"', path.read_bytes())
    return [datetime.datetime.fromisoformat(stamp.decode() + "+00:00").timestamp() for stamp in stamps]


def longest_gap(times, begin, end):
    """The longest time between two commits that overlaps begin..end, in ms."""
    gaps = [after - before for before, after in zip(times, times[1:]) if after > begin and before < end]
    return max(gaps) * 1000


def watch(meter, folder):
    """(begin, end) of each snapshot that the meter has made; each is removed, so that another one is made."""
    made, begun = [], 0
    while len(made) < SNAPSHOTS and meter.poll() is None:
        names = os.listdir(folder) if folder.exists() else []
        if ".new" in names and not begun:
            begun = time.time()
        whole = [name for name in names if name[0] == "0"]
        if whole and begun:
            made.append((begun - BEFORE_S, time.time()))
            begun = 0
        for name in whole:  # also one whose beginning was not seen
            shutil.rmtree(folder / name)
        time.sleep(POLL_S)
    return made


def meanwhile(load):
    """The snapshots of a meter that folds ticks of all the load's calls, and when it committed. It stores nothing
    meanwhile: a checkpoint stops the fold whether there are snapshots or not, and would hide what they do."""
    snapshots = load.folder / "snapshots"
    command = load.command(load.path) + ["--batch", "2000", "--checkpoint-ms", "3600000", "--snapshots", snapshots,
                                         "--snapshot-every", f"{EVERY_S}s"]
    meter = subprocess.Popen([str(word) for word in command])
    try:
        made = watch(meter, snapshots / "partition-0")
        time.sleep(EVERY_S / 2)
    finally:
        meter.terminate()  # which sees to the snapshot under way
        meter.wait()
    return made, commits(load.folder / "out/progress.jsonl")


def snapshots(load):
    """Rows; the load's folder holds a state in which all its calls are live (starts.py)."""
    alone = []
    for _ in range(3):
        shutil.rmtree(load.folder / "alone", ignore_errors=True)
        alone.append(launch([load.build / "callfold-snapshot", "create", "--quiet", "--state", load.folder / "state",
                             "--snapshots", load.folder / "alone"]))
    manifest = json.loads(next((load.folder / "alone").glob("partition-0/0*/manifest.json")).read_bytes())
    made, times = meanwhile(load)
    made = [(begin, end) for begin, end in made if times[0] <= begin and end <= times[-1]]  # commits on both sides
    mebibytes = manifest["files"]["data.mdb"]["size"] / 2**20
    cpu = median(one.cpu for one in alone)
    if len(made) < 2:
        return [Row(f"snapshot of {manifest['records']['live_call']:,} live calls", f"{median(one.wall for one in alone):.2f} s",
                    f"CPU {cpu:.2f} s; the load is too short for more", "", "")]
    took = median(end - begin - BEFORE_S for begin, end in made)
    pauses = [longest_gap(times, begin, end) for begin, end in made]
    calm = [longest_gap(times, end, after) for (_, end), (after, _) in zip(made, made[1:])]
    return [Row(f"snapshot of {manifest['records']['live_call']:,} live calls, the fold goes on", f"{took:.2f} s",
                f"CPU {cpu:.2f} s: {at_most(cpu, TIME_AIM_S)}; {mebibytes:,.0f} MiB", f"{TIME_AIM_S} s",
                at_most(took, TIME_AIM_S)),
            Row("  with nothing folded meanwhile", f"{median(one.wall for one in alone):.2f} s", "", "", ""),
            Row("  longest pause of the fold meanwhile", f"{median(pauses):.0f} ms",
                f"{median(calm):.0f} ms between two of them; the least {min(pauses):.0f} and {min(calm):.0f} ms",
                f"{PAUSE_AIM_MS} ms more", at_most(min(pauses) - min(calm), PAUSE_AIM_MS))]
