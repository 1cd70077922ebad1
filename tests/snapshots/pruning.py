"""Old ones go, by number and by age; the last good one never."""
import datetime
import fcntl
import shutil

from place import EX_DATAERR, EX_UNAVAILABLE, EX_USAGE, Place
from tampering import flip

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)


def run(check, programs, histories, dice, sizes):
    history = histories[0]
    with Place(programs, history) as place:
        place.snap_along(SHARES)
        good = place.path / "good"
        shutil.copytree(place.snapshots, good)
        for keep in (1, 2, 5, 9):
            check(f"prune --keep {keep}", by_count, place, good, keep)
        check("prune --keep-for 0s leaves the newest, which is good", by_age, place, good)
        check("prune --keep-for 1h keeps what is young", young_stay, place, good)
        check("prune by both: what either lets stay stays", both, place, good)
        for broken in ((4,), (3, 4), (1, 2, 3, 4), (0, 4), (2,)):
            check(f"prune --keep 1 with broken {broken}", last_good_stays, place, good, broken)
        check("prune removes nothing when none is good", none_is_good, place, good)
        check("prune asks what may stay", lambda: place.expect(EX_USAGE, place.command("prune"), "--keep"))
        check("create --keep removes the older ones", create_keeps, place, good)
        check("a name that is none of ours is let be", strangers, place, good)
        check("two at a time", locked, place, good)


def put_back(place, good):
    shutil.rmtree(place.snapshots)
    shutil.copytree(good, place.snapshots)
    return place.listed()


def names(snapshots):
    return [one["name"] for one in snapshots]


def names_there(place):
    """Those of partition 0 that have a snapshot's name, whatever is in them."""
    return sorted(path.name for path in (place.snapshots / "partition-0").glob("0*"))


def by_count(place, good, keep):
    before = put_back(place, good)
    place.must("prune", "--keep", str(keep))
    assert names(place.listed()) == names(before)[-keep:], place.said
    place.must("verify")


def by_age(place, good):
    before = put_back(place, good)
    place.must("prune", "--keep-for", "0s")
    assert names(place.listed()) == names(before)[-1:], place.said


def young_stay(place, good):
    before = put_back(place, good)
    age(place, before[0], 3601)
    age(place, before[1], 3500)
    place.must("prune", "--keep-for", "1h")
    assert len(names_there(place)) == 4, names_there(place)


def both(place, good):
    before = put_back(place, good)
    age(place, before[0], 7200)
    age(place, before[1], 7200)
    place.must("prune", "--keep", "4", "--keep-for", "1h")
    assert len(names_there(place)) == 4, names_there(place)


def age(place, one, seconds):
    """The name says when it was made."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    folder = place.directory(one)
    folder.rename(folder.with_name(one["name"].split("-")[0] + then.strftime("-%Y%m%dT%H%M%S.000Z")))


def last_good_stays(place, good, broken):
    before = put_back(place, good)
    for i in broken:
        flip(place.directory(before[i]) / "data.mdb", 5000, 4)
    newest_good = max(i for i in range(len(before)) if i not in broken)
    place.must("prune", "--keep", "1")
    left = names(place.listed())
    assert before[newest_good]["name"] in left and len(left) == (1 if newest_good == 4 else 2), left


def none_is_good(place, good):
    before = put_back(place, good)
    for one in before:
        flip(place.directory(one) / "data.mdb", 5000, 4)
    place.expect(EX_DATAERR, place.command("prune", "--keep", "1"), "none of the 5", "none was removed")
    assert names(place.listed()) == names(before)


def create_keeps(place, good):
    before = put_back(place, good)
    shutil.rmtree(place.directory(before[-1]))
    place.must("create", "--keep", "2")
    left = names(place.listed())
    assert len(left) == 2 and left[0] == before[-2]["name"], left


def strangers(place, good):
    put_back(place, good)
    stranger = place.snapshots / "partition-0" / "00000000000000000001-notes"
    stranger.mkdir()
    (stranger / "note.txt").write_text("mine")
    place.must("prune", "--keep", "1")
    assert len(place.listed()) == 1 and (stranger / "note.txt").read_text() == "mine"


def locked(place, good):
    put_back(place, good)
    with open(place.snapshots / "partition-0" / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place.expect(EX_UNAVAILABLE, place.command("create"), "another process")
        place.expect(EX_UNAVAILABLE, place.command("prune", "--keep", "1"), "another process")
    place.must("prune", "--keep", "1")
