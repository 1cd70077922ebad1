"""`callfold run --snapshots`: what it starts from, what it refuses, what it makes by the clock."""
import pathlib
import re
import shutil
import signal
import time

from place import EX_CONFIG, EX_DATAERR, EX_USAGE, Place
from tampering import flip, rewrite


def run(check, programs, histories, dice, sizes):
    del dice
    for history in histories:
        check(f"{history.name}: nothing to start from but the first event", no_snapshots, programs, history)
        check(f"{history.name}: a damaged state", damaged, programs, history)
        check(f"{history.name}: a store that was made and never filled", empty_store, programs, history)
        check(f"{history.name}: made by the clock", by_the_clock, programs, history, sizes.seconds)
    history = histories[0]
    check("a snapshot ahead of the last commit is passed over", ahead, programs, history)
    check("another fold version", refused, programs, history, {"fold_version": 999}, "version 999", f"version {fold_version()}")
    check("another number of partitions", refused, programs, history, {"partition_count": 7}, "one of 7", "there are 0")
    check("a snapshot of a meter on Kafka", refused, programs, history, {"home": "cluster x group y"},
          "cluster x group y", "a meter on files")
    check("restore: a directory in use", in_use, programs, history)
    check("restore: what is there is refused, or set aside", there, programs, history)
    check("restore: a directory of another home", other_home, programs, history)
    check("options that do not go together", bad_options, programs, history)
    check("callfold-snapshot is not there", not_installed, programs, history)
    check("killed while one is being made", killed_meanwhile, programs, history)


def fold_version():
    header = pathlib.Path(__file__).resolve().parents[2] / "processor/fold/fold.h"
    return re.search(r"#define FOLD_VERSION (\d+)", header.read_text())[1]


def no_snapshots(programs, history):
    with Place(programs, history) as place:
        place.fold("--batch", "40", "--checkpoint-every", "100", fail_point="after-progress:9")
        place.forget()
        place.must_fold("--snapshots", place.snapshots)
        assert "no snapshot of partition 0" in place.said and "from the first event" in place.said, place.said
        place.expect_same()
    with Place(programs, history) as place:
        place.must_fold("--snapshots", place.snapshots)
        assert "snapshot" not in place.said, place.said
        place.expect_same()


def damaged(programs, history):
    with Place(programs, history) as place:
        place.fold("--batch", "40", "--checkpoint-every", "100", fail_point="after-checkpoint:3")
        place.must("create")
        place.fold("--batch", "40", "--checkpoint-every", "100", fail_point="after-checkpoint:2")
        for data in place.state.glob("partition-*/data.mdb"):
            data.write_bytes(data.read_bytes()[:8192] + bytes(data.stat().st_size - 8192))
        place.must_fold("--snapshots", place.snapshots)
        assert "is damaged" in place.said and "restored the snapshot" in place.said, place.said
        place.expect_same()


def empty_store(programs, history):
    with Place(programs, history) as place:
        place.fold("--batch", "40", "--checkpoint-every", "100", fail_point="after-checkpoint:3")
        place.must("create")
        place.forget()
        place.fold("--batch", "40", fail_point="before-checkpoint")  # without snapshots: a store, but no checkpoint
        assert (place.state / "partition-0").is_dir(), place.said
        place.must_fold("--snapshots", place.snapshots)
        assert "restored the snapshot" in place.said, place.said
        place.expect_same()


def by_the_clock(programs, history, seconds):
    """The file grows all the while; afterwards each snapshot is whole and good to go on from."""
    with Place(programs, history) as place:
        lines = history.lines
        place.events.write_bytes(b"")
        meter = place.start("--quiet", "--checkpoint-every", "50", "--snapshots", place.snapshots, "--snapshot-every", "1s",
                            "--snapshot-keep", "2")
        steps = seconds * 20
        for i in range(steps):
            with open(place.events, "ab") as events:
                events.writelines(lines[i * len(lines) // steps:(i + 1) * len(lines) // steps])
            time.sleep(0.05)
        meter.terminate()
        said = meter.communicate()[1].decode()
        assert meter.returncode == 0 and not said, said
        place.must("verify")
        count = {}
        for one in place.listed():
            count[one["partition"]] = count.get(one["partition"], 0) + 1
        assert len(count) == history.partitions and set(count.values()) == {2}, count
        place.forget()
        place.must_fold("--snapshots", place.snapshots)
        assert place.said.count("restored the snapshot") == history.partitions, place.said
        place.expect_same()


def ahead(programs, history):
    with Place(programs, history) as place:
        place.fold_part(0.3)
        place.must("create")
        outputs = place.path / "outputs"
        shutil.copytree(place.out, outputs)
        place.fold_part(0.8)
        place.must("create")
        place.forget()
        shutil.rmtree(place.out)
        outputs.rename(place.out)
        place.must_fold("--snapshots", place.snapshots)
        assert "ahead of the last commit" in place.said and "restored the snapshot" in place.said, place.said
        place.expect_same()


def refused(programs, history, change, *both_sides):
    with Place(programs, history) as place:
        place.snap_along((0.3, 0.6))
        rewrite(place.directory(place.listed()[-1]), lambda manifest: manifest.update(change))
        place.forget()
        place.expect(EX_CONFIG, place.fold("--snapshots", place.snapshots), *both_sides, "without --snapshots")
        place.must_fold()
        place.expect_same()


def in_use(programs, history):
    with Place(programs, history) as place:
        place.fold_part(0.5)
        place.must("create")
        meter = place.start("--quiet")
        try:
            for _ in range(200):
                if place.command("restore", "--replace") == EX_CONFIG:
                    break
                time.sleep(0.01)
            place.expect(EX_CONFIG, place.command("restore", "--replace"), f"process {meter.pid}")
        finally:
            meter.terminate()
            meter.communicate()


def there(programs, history):
    with Place(programs, history) as place:
        place.fold_part(0.5)
        place.must("create")
        place.must_fold("--quiet")
        place.expect(EX_CONFIG, place.command("restore"), "is there already", "--replace")
        place.must("restore", "--replace")
        assert list(place.state.glob("partition-0.replaced-*"))
        place.must_fold()
        place.expect_same()
        flip(place.directory(place.listed()[0]) / "data.mdb", 5000, 1)
        place.expect(EX_DATAERR, place.command("restore", "--replace"), "passed over", "no snapshot of partition 0")
        place.must_fold()
        place.expect_same()


def other_home(programs, history):
    with Place(programs, history) as place:
        place.fold_part(0.5)
        place.must("create")
        place.forget()
        place.state.mkdir()
        (place.state / "kafka").write_text("cluster x group y\n")
        place.expect(EX_CONFIG, place.command("restore"), "cluster x group y", "a meter on files")


def bad_options(programs, history):
    with Place(programs, history) as place:
        place.expect(EX_USAGE, place.fold("--snapshot-every", "1h"), "--snapshots DIR")
        place.expect(EX_USAGE, place.fold("--snapshots", "s", "--snapshot-keep", "3"), "--snapshot-every")
        place.expect(EX_USAGE, place.fold("--snapshots", "s", "--snapshot-every", "0s"), "such as 90s")
        place.expect(EX_CONFIG, place.fold("--snapshots", "s", "--verify-key", "none.pem"), "none.pem")
        assert not place.out.exists()


def not_installed(programs, history):
    with Place(programs, history) as place:
        alone = place.path / "callfold"
        shutil.copy(programs.callfold, alone)
        place.programs = type(programs)(place.path)
        place.expect(EX_CONFIG, place.fold("--snapshots", "s", "--snapshot-every", "1h"), "callfold-snapshot",
                     "install it")


def killed_meanwhile(programs, history):
    """The meter is killed with a snapshot under way: that one ends whole or not at all."""
    with Place(programs, history) as place:
        for i in range(4):
            meter = place.start("--quiet", "--batch", "20", "--checkpoint-every", "60", "--snapshots", place.snapshots,
                                "--snapshot-every", "1s")
            time.sleep(0.02 + 0.03 * i)
            meter.send_signal(signal.SIGKILL)
            meter.communicate()
        place.must_fold("--snapshots", place.snapshots)
        place.expect_same()
        place.must("create")
        place.must("verify")
        assert not place.leftovers(), place.leftovers()
