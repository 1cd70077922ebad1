"""callfold-replay over the load: from an archive beside callfold run, verify beside hashing and parsing, a moment of the
past from a near snapshot."""
import os
import shutil
import subprocess

from measure import Row, at_most, figures, launch, median

MOMENTS = 3       # of the past, asked for
FOLDED_ON = 5000  # events after the snapshot


def ask(load, *words):
    return launch([load.build / "callfold-replay", *words])


def archive_load(load):
    """The load as an archive, and its cost."""
    shutil.rmtree(load.folder / "archive", ignore_errors=True)
    return ask(load, "archive", "--archive", load.folder / "archive", "--events", load.path)


def replay_round(load):
    """One round, seconds: the meter on the file, the archive folded again, and with every attestation or output compared."""
    lines, every = load.lines + load.setup_lines, max(1, load.lines // 300_000)
    others = figures(load.build / "bench/bench_lines", load.path, load.setup_lines, load.lines, every)
    meter = load.fold(load.path)
    again = ask(load, "state", "--events", load.folder / "archive", "--table", "partitions")
    verify = ask(load, "verify", "--events", load.path, "--outputs", load.folder / "out")
    every_output = ask(load, "verify", "--events", load.folder / "archive", "--outputs", load.folder / "out", "--all")
    hashed = (others["SHA-256, CPU"] + others["json_loadb, CPU"]) * lines / 1e9
    ours = (others["SHA-256, CPU"] + others["event_decode, CPU"]) * lines / 1e9
    return {"again": again.wall / meter.wall, "again cpu": again.cpu / meter.cpu, "rate": lines / again.wall,
            "all": every_output.cpu / meter.cpu, "verify": verify.cpu / hashed, "verify ours": verify.cpu / ours,
            "verify ns": verify.cpu / lines * 1e9}


def moment(load):
    """Seconds to a moment of the past, FOLDED_ON events after a snapshot in which all calls of the load are live."""
    events, lines = load.folder / "live.jsonl", load.setup_lines + 2 * load.calls
    with open(events, "wb") as live:
        subprocess.run(["head", "-n", str(lines), load.path], check=True, stdout=live)
    load.fold(events)
    snapshots = load.folder / "snapshots"
    shutil.rmtree(snapshots, ignore_errors=True)
    launch([load.build / "callfold-snapshot", "create", "--state", load.folder / "state", "--snapshots", snapshots])
    size = sum(path.stat().st_size for path in snapshots.rglob("data.mdb"))
    os.sync()
    asked = [ask(load, "state", "--events", load.folder / "archive", "--snapshots", snapshots, "--at",
                 str(lines + FOLDED_ON), "--account", "acct-00000001", "--table", "account") for _ in range(MOMENTS)]
    return median(one.wall for one in asked), median(one.cpu for one in asked), size


def replays(load, rounds):
    packed = archive_load(load)
    results = [replay_round(load) for _ in range(rounds)]
    mid = {name: median(one[name] for one in results) for name in results[0]}
    size = sum(path.stat().st_size for path in (load.folder / "archive").rglob("*.zst"))
    wall, cpu, snapshot = moment(load)
    return [
        Row(f"replay from an archive, {load.name}", f"{mid['again']:.2f} of callfold run",
            f"CPU {mid['again cpu']:.2f}: {at_most(mid['again cpu'], 1)}", "1", at_most(mid["again"], 1)),
        Row("  events a second", f"{mid['rate']:,.0f}", "", "", ""),
        Row("  every output compared", f"CPU {mid['all']:.2f} of callfold run", "", "", ""),
        Row("  archiving", f"{packed.wall / (load.lines + load.setup_lines) * 1e9:.0f} ns an event",
            f"{size / load.path.stat().st_size:.3f} of the file's bytes", "", ""),
        Row("verify, every attestation", f"CPU {mid['verify']:.2f} of SHA-256 and jansson",
            f"{mid['verify ours']:.2f} of SHA-256 and our decoder; {mid['verify ns']:.0f} ns an event", "", ""),
        Row(f"a moment of the past, {FOLDED_ON:,} events after a snapshot", f"{wall:.2f} s",
            f"CPU {cpu:.2f} s; {snapshot / 2**20:,.0f} MiB", "1 s", at_most(wall, 1))]
