"""Law 2: any prefix, a snapshot of it, and the rest give the bytes of the whole."""
import shutil
import time

from place import Place


def run(check, programs, histories, dice, sizes):
    for history in histories:
        with Place(programs, history) as place:
            taken = snapshots_under_load(place, dice, sizes.snapshots)
            check(f"{history.name}: snapshots under load are whole", place.must, "verify")
            check(f"{history.name}: {taken} snapshots at several offsets", several, place)
            for one in dice.sample(place.listed(), min(sizes.restored, len(place.listed()))):
                check(f"{history.name}: go on from {one['partition']}/{one['name']}", go_on_from, place, one)
            check(f"{history.name}: a lost state is restored at start", start_without_state, place, dice)
        check(f"{history.name}: killed and moved to another host, again and again", moves, programs, history, dice,
              sizes.moves)


def snapshots_under_load(place, dice, wanted):
    """A meter follows a file that grows, and snapshots are taken of it at any moment."""
    lines = place.history.lines
    place.events.write_bytes(b"")
    meter = place.start("--batch", "7", "--checkpoint-every", "50", "--quiet")
    taken, step = 0, len(lines) // (2 * wanted) + 1
    try:
        for begin in range(0, len(lines), step):
            with open(place.events, "ab") as events:
                events.writelines(lines[begin:begin + step])
            if dice.random() < 0.6 and (place.state / "partition-0").exists():
                time.sleep(dice.random() * 0.01)
                assert place.command("create") == 0, place.said
                taken += 1
            place.await_lines(begin)
    finally:
        meter.terminate()
        said = meter.communicate()[1]
    assert meter.returncode == 0, said
    return taken


def several(place):
    offsets = {one["next_offset"] for one in place.listed()}
    assert len(offsets) > 2, offsets


def go_on_from(place, one):
    """Elsewhere: the outputs so far, a state from one snapshot for one partition, nothing else."""
    place.must_fold("--quiet")
    place.forget()
    place.must("restore", "--partition", str(one["partition"]), "--snapshot", one["name"])
    place.must_fold()
    assert "folded again" in place.said or one["next_offset"] == place.listed()[-1]["next_offset"], place.said
    place.expect_same()


def start_without_state(place, dice):
    shutil.rmtree(place.out)
    place.forget()
    place.fold("--batch", "20", "--checkpoint-every", "100", fail_point=f"after-progress:{dice.randrange(20, 60)}")
    place.forget()
    place.must_fold("--snapshots", place.snapshots)
    assert "restored the snapshot" in place.said or "no snapshot of partition" in place.said, place.said
    place.expect_same()


def moves(programs, history, dice, count):
    """kill -9 anywhere, the state is lost, a new host starts from what snapshots there are."""
    with Place(programs, history) as place:
        for _ in range(count):
            point = dice.choice(("after-progress", "between-outputs", "mid-checkpoint", "after-checkpoint"))
            place.fold("--batch", "40", "--checkpoint-every", "120", "--snapshots", place.snapshots,
                       fail_point=f"{point}:{dice.randrange(2, 9)}")
            if place.state.exists() and dice.random() < 0.7:
                place.command("create")
            if place.state.exists() and dice.random() < 0.7:
                place.forget()
        place.must_fold("--snapshots", place.snapshots)
        place.expect_same()
