"""kill -9 and a full disk while snapshots are made, restored and removed: nothing half done is ever taken for good."""
import pathlib
import shutil
import subprocess
import tempfile

from place import EX_IOERR, KILLED, Place

CREATE_POINTS = ("snapshot-copied", "snapshot-described", "snapshot-complete", "snapshot-named", "fsync:1", "fsync:2",
                 "fsync:3", "fsync:4", "fsync:5")
RESTORE_POINTS = ("restore-copied", "restore-checked", "restore-replaced", "restore-named", "fsync:1", "fsync:2",
                  "fsync:3")
PRUNE_POINTS = ("prune-chosen", "prune-hidden", "prune-chosen:2", "fsync:1", "fsync:2")


def run(check, programs, histories, dice, sizes):
    history = histories[1]
    with Place(programs, history) as place:
        make_key(place)
        place.snap_along((0.3, 0.5, 0.7))
        before = whole(place)
        place.fold_part(0.8)
        place.must("create")
        place.wanted = offsets(place)
        remove_others(place, before)
        for point in CREATE_POINTS:
            check(f"create killed at {point}", create_killed, place, {"fail_point": point})
        for i in range(sizes.kills):
            check(f"create killed at random, {i}", create_killed, place, {"kill_after": dice.uniform(0.001, 0.06)})
        for point in RESTORE_POINTS:
            check(f"restore killed at {point}", restore_killed, place, {"fail_point": point})
        for i in range(sizes.kills):
            check(f"restore killed at random, {i}", restore_killed, place, {"kill_after": dice.uniform(0.001, 0.06)})
    for point in PRUNE_POINTS:
        check(f"prune killed at {point}", prune_killed, programs, history, {"fail_point": point})
    for i in range(sizes.kills // 2):
        check(f"prune killed at random, {i}", prune_killed, programs, history,
              {"kill_after": dice.uniform(0.001, 0.03)})
    for kib in (1, 8, 30):
        check(f"no file may exceed {kib} KiB", file_limit, programs, history, kib)
    for size in ("100k", "200k", "300k"):
        check(f"create on a disk of {size}", full_disk_create, programs, history, size)
        check(f"restore on a disk of {size}", full_disk_restore, programs, history, size)
    check("prune on a full disk", full_disk_prune, programs, history)


def make_key(place):
    place.key = place.path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", place.key], check=True)
    place.key.chmod(0o600)


def whole(place):
    """What is listed verifies; the names."""
    place.must("verify")
    return {one["name"] for one in place.listed()}


def offsets(place):
    return {(one["partition"], one["next_offset"]) for one in place.listed()}


def remove_others(place, names):
    for one in place.listed():
        if one["name"] not in names:
            shutil.rmtree(place.directory(one))


def create_killed(place, how):
    before = whole(place)
    code = place.command("create", "--sign", place.key, **how)
    assert code in (0, KILLED), place.said
    assert code == KILLED or "fail_point" not in how, "it was not killed"
    assert before <= whole(place)
    place.must("create")
    assert not place.leftovers(), place.leftovers()
    assert offsets(place) == place.wanted, (offsets(place), place.wanted)
    remove_others(place, before)


def restore_killed(place, how):
    if "replaced" in how.get("fail_point", ""):
        place.must("restore", "--replace", "--quiet")
        how = how | {"fail_point": "restore-replaced"}
    else:
        place.forget()
    code = place.command("restore", "--replace", **how)
    assert code in (0, KILLED), place.said
    assert code == KILLED or "fail_point" not in how, "it was not killed"
    place.must("restore", "--replace")
    assert not place.leftovers(), place.leftovers()
    place.must_fold()
    place.expect_same()
    place.must("list")


def prune_killed(programs, history, how):
    with Place(programs, history) as place:
        place.snap_along((0.3, 0.5, 0.7, 0.8))
        before = whole(place)
        code = place.command("prune", "--keep", "1", **how)
        assert code in (0, KILLED), place.said
        assert code == KILLED or "fail_point" not in how, "it was not killed"
        assert whole(place) <= before
        place.must("prune", "--keep", "1")
        assert len(whole(place)) == history.partitions and not place.leftovers(), place.leftovers()


def file_limit(programs, history, kib):
    with Place(programs, history) as place:
        place.fold_part(0.9)
        place.expect(EX_IOERR, place.command("create", limit_kib=kib), "cannot write", "run the same command again")
        assert not place.leftovers(), place.leftovers()
        place.must("create")
        place.forget()
        place.expect(EX_IOERR, place.command("restore", limit_kib=kib), "cannot write")
        assert not place.leftovers(), place.leftovers()
        place.must("restore")


class SmallDisk:
    """A file system of that size, or None where it cannot be mounted."""

    def __init__(self, size):
        self.size, self.path = size, pathlib.Path(tempfile.mkdtemp(prefix="callfold-disk-"))

    def __enter__(self):
        self.is_mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", self.path],
                                         check=False, stderr=subprocess.DEVNULL).returncode == 0
        return self.path if self.is_mounted else None

    def __exit__(self, *_):
        if self.is_mounted:
            subprocess.run(["umount", self.path], check=True)
        self.path.rmdir()

    def grow(self):
        subprocess.run(["mount", "-o", "remount,size=64m", self.path], check=True)


def full_disk_create(programs, history, size):
    """Some snapshots fit, the next one does not, then there is room again."""
    disk = SmallDisk(size)
    with disk as path, Place(programs, history) as place:
        if path is None:
            print("skipped: a full disk needs the right to mount")
            return
        place.snapshots = path / "snapshots"
        code = fill(place)
        place.expect(EX_IOERR, code, "make room")
        assert not place.leftovers(), place.leftovers()
        before = whole(place) if any(place.snapshots.glob("partition-*/0*")) else set()
        disk.grow()
        place.must("create")
        assert before <= whole(place)


def fill(place):
    for share in (0.2, 0.4, 0.6, 0.8, 0.9, 1.0):
        place.fold_part(share)
        code = place.command("create")
        if code != 0:
            return code
    return 0


def full_disk_restore(programs, history, size):
    disk = SmallDisk(size)
    with disk as path, Place(programs, history) as place:
        if path is None:
            print("skipped: a full disk needs the right to mount")
            return
        place.fold_part(0.9)
        place.must("create")
        state, place.state = place.state, path / "state"
        (path / "filler").write_bytes(b"x" * max(0, int(size[:-1]) * 1024 - 48 * 1024))
        place.expect(EX_IOERR, place.command("restore"), "make room")
        assert not place.leftovers(), place.leftovers()
        disk.grow()
        place.must("restore", "--replace")
        place.must_fold()
        place.expect_same()


def full_disk_prune(programs, history):
    """It needs no room, and makes some: for the snapshot that did not fit."""
    disk = SmallDisk("600k")
    with disk as path, Place(programs, history) as place:
        if path is None:
            print("skipped: a full disk needs the right to mount")
            return
        place.snapshots = path / "snapshots"
        place.expect(EX_IOERR, fill(place), "make room")
        with open(path / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 512):
                    pass
            except OSError:
                pass
        place.must("prune", "--keep", "1")
        assert len(whole(place)) == history.partitions and not place.leftovers(), place.leftovers()
        place.must("create")
