"""Starting on a stored state."""
import json
import os
import subprocess
import sys
import time

from measure import Row, Usage, at_most, launch, median

STARTS = 3  # of each kind


def stored_offset(load):
    """The next offset of the stored state; 0 where there is none yet."""
    said = subprocess.run([load.build / "callfold", "status", "--state", load.folder / "state", "--table", "partitions",
                           "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(said.stdout)[0]["next_offset"] if said.returncode == 0 else 0


def leave_killed(load, events, lines):
    """A meter folds the events, stores its state and is killed while it waits for more."""
    load.begin_anew()
    meter = subprocess.Popen([str(word) for word in load.command(events) + ["--follow", "--checkpoint-ms", "1000"]])
    try:
        while stored_offset(load) < lines:
            if meter.poll() is not None:
                sys.exit(f"bench: callfold run --follow exited {meter.returncode}")
            time.sleep(1)
    finally:
        meter.kill()
        meter.wait()


def forget_pages(path):
    """The file's pages leave the page cache."""
    os.sync()
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def starts(load):
    """Rows of a start on a state in which all calls of the load are live."""
    events, lines = load.folder / "live.jsonl", load.setup_lines + 2 * load.calls
    with open(events, "wb") as live:
        subprocess.run(["head", "-n", str(lines), load.path], check=True, stdout=live)
    leave_killed(load, events, lines)
    stored = load.folder / "state/partition-0/data.mdb"
    killed = launch(load.command(events))
    warm, cold = [], []
    for _ in range(STARTS):
        warm.append(launch(load.command(events)))
        forget_pages(stored)
        cold.append(launch(load.command(events)))
    warm, cold = (Usage(*map(median, zip(*kind))) for kind in (warm, cold))
    size_mib = stored.stat().st_size / 2**20
    return [Row(f"start on a state of {load.name}", f"{warm.wall:.2f} s", f"CPU {warm.cpu:.2f} s: {at_most(warm.cpu, 2)}",
                "2 s", at_most(warm.wall, 2)),
            Row("  its pages not in memory", f"{cold.wall:.2f} s",
                f"CPU {cold.cpu:.2f} s; {cold.read_bytes / 2**20:,.0f} of {size_mib:,.0f} MiB read", "", ""),
            Row("  after kill -9: the state is proved first", f"{killed.wall:.2f} s", f"CPU {killed.cpu:.2f} s", "", "")]
