"""Whatever is changed in a snapshot is found and named, and never used."""
import hashlib
import json
import shutil
import subprocess

from place import EX_CONFIG, EX_DATAERR, EX_SOFTWARE, Place


def run(check, programs, histories, dice, sizes):
    history = histories[0]
    with Place(programs, history) as place:
        keys = make_keys(place)
        place.snap_along((0.3, 0.6, 0.9), "--sign", keys["private"])
        place.must_fold("--quiet")
        good = place.path / "good"
        shutil.copytree(place.snapshots, good)
        for name, tamper in cases(dice, sizes.bytes, place).items():
            check(f"tampering: {name}", found_and_refused, place, good, keys, tamper)
        for i in range(sizes.bytes):
            check(f"tampering: pages spoilt and the hash made to fit, {i}", pages_spoilt, place, good, dice)
        check("tampering: signed with another key", signed_by_another, place, good, keys)
        check("tampering: openssl alone checks a signature", openssl_checks, place, good, keys)
        check("tampering: an unsigned snapshot where a key is asked for", unsigned, place, good, keys)
        check("tampering: rolled back to an older one under the newer's name", rolled_back, place, good)
        check("tampering: a forger's snapshot, all in order but of another history", forged, programs, history, place)
        for form in histories:
            check(f"tampering: one byte of a published attestation, {form.name}", attestation_changed, programs, form,
                  dice)
    check("tampering: keys that are none", bad_keys, programs, history)


def make_keys(place):
    keys = {name: place.path / f"{name}.pem" for name in ("private", "public", "another", "another_public")}
    for private, public in (("private", "public"), ("another", "another_public")):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", keys[private]], check=True)
        subprocess.run(["openssl", "pkey", "-in", keys[private], "-pubout", "-out", keys[public]], check=True)
        keys[private].chmod(0o600)
    return keys


def cases(dice, count, place):
    """What is done to the newest snapshot's directory, by name."""
    newest = place.directory(place.listed()[-1])
    found = {}
    for name in ("data.mdb", "manifest.json", "manifest.sig"):
        size = (newest / name).stat().st_size
        for at in dice.sample(range(size), min(count, size)):
            found[f"byte {at} of {name}"] = lambda folder, name=name, at=at, bit=1 << dice.randrange(8): flip(
                folder / name, at, bit)
        for size_now in (0, 1, size // 2, size - 1):
            found[f"{name} cut to {size_now} bytes"] = lambda folder, name=name, size=size_now: cut(folder / name, size)
        found[f"{name} longer by a byte"] = lambda folder, name=name: longer(folder / name)
        found[f"no {name}"] = lambda folder, name=name: (folder / name).unlink()
    for member, value in {"entries": 1, "next_offset": 7, "partition": 3, "fold_version": 1, "digest": "0" * 32,
                          "chain": "0" * 64, "input": "0" * 64, "input_since": "1" * 64, "inputs": 5, "home": "cluster a group b",
                          "time": "2026-01-01T00:00:00.000Z", "partition_time": None, "note": "all is well"}.items():
        found[f"{member} edited"] = lambda folder, member=member, value=value: edit(folder, member, value)
    for member in ("records", "files", "source"):
        found[f"{member} edited"] = lambda folder, member=member: edit_inside(folder, member)
    return found


def flip(path, at, bit):
    bytes_ = bytearray(path.read_bytes())
    bytes_[at] ^= bit
    path.write_bytes(bytes_)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def longer(path):
    path.write_bytes(path.read_bytes() + b"\0")


def rewrite(folder, change):
    manifest = json.loads((folder / "manifest.json").read_bytes())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def edit(folder, member, value):
    rewrite(folder, lambda manifest: manifest.update({member: value if manifest.get(member) != value else 0}))


def edit_inside(folder, member):
    def change(manifest):
        inside = manifest[member]
        while isinstance(next(iter(inside.values())), dict):
            inside = next(iter(inside.values()))
        inside[next(iter(inside))] += 1
    rewrite(folder, change)


def put_back(place, good):
    shutil.rmtree(place.snapshots, ignore_errors=True)
    shutil.copytree(good, place.snapshots)


def found_and_refused(place, good, keys, tamper):
    """verify says which one, restore by name refuses it, a start passes over it. Without the key what only the
    signature tells is not looked for."""
    put_back(place, good)
    newest = place.listed()[-1]
    tamper(place.directory(newest))
    place.expect(1, place.command("verify", "--verify-key", keys["public"]), newest["name"])
    assert place.said.count("yes") == 2, place.said
    shutil.rmtree(place.state, ignore_errors=True)
    code = place.command("restore", "--partition", "0", "--snapshot", newest["name"], "--verify-key", keys["public"])
    place.expect(EX_DATAERR, code)
    assert not (place.state / "partition-0").exists(), "it was used"
    place.must_fold("--snapshots", place.snapshots, "--verify-key", keys["public"])
    assert f"{newest['name']} is passed over" in place.said and "restored the snapshot" in place.said, place.said
    place.expect_same()


def pages_spoilt(place, good, dice):
    """By somebody who knows the format, but has no key: the copy is opened, and that must hurt nobody."""
    put_back(place, good)
    newest = place.listed()[-1]
    data = place.directory(newest) / "data.mdb"
    spoilt = bytearray(data.read_bytes())
    page = dice.randrange(len(spoilt) // 4096) * 4096
    at, length = page + dice.randrange(4000), dice.choice((1, 8, 96, 4096))
    spoilt[at:at + length] = dice.randbytes(len(spoilt[at:at + length]))
    if bytes(spoilt) == data.read_bytes():
        return
    data.write_bytes(spoilt)
    rewrite(data.parent, lambda manifest: manifest["files"]["data.mdb"].update(
        sha256=hashlib.sha256(spoilt).hexdigest()))
    code = place.command("verify")
    assert code in (0, 1), f"{code}: {place.said}"
    shutil.rmtree(place.state, ignore_errors=True)
    place.must_fold("--snapshots", place.snapshots)
    assert code == 0 or f"{newest['name']} is passed over" in place.said, place.said
    place.expect_same()


def signed_by_another(place, good, keys):
    put_back(place, good)
    for folder in (place.snapshots / "partition-0").glob("0*"):
        subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", keys["another"], "-rawin", "-in",
                        folder / "manifest.json", "-out", folder / "manifest.sig"], check=True)
    place.expect(1, place.command("verify", "--verify-key", keys["public"]), "not signed with that key")
    place.must("verify", "--verify-key", keys["another_public"])
    place.must("verify")


def openssl_checks(place, good, keys):
    put_back(place, good)
    folder = place.directory(place.listed()[0])
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", keys["public"], "-rawin", "-in",
               folder / "manifest.json", "-sigfile", folder / "manifest.sig"]
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
    manifest = json.loads((folder / "manifest.json").read_bytes())
    sums = subprocess.run(["sha256sum", folder / "data.mdb"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert sums.split()[0] == manifest["files"]["data.mdb"]["sha256"], sums
    flip(folder / "manifest.json", 20, 1)
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode != 0


def unsigned(place, good, keys):
    put_back(place, good)
    (place.directory(place.listed()[1]) / "manifest.sig").unlink()
    place.expect(1, place.command("verify", "--verify-key", keys["public"]), "is not signed")
    place.must("verify")


def rolled_back(place, good):
    put_back(place, good)
    older, *_, newest = place.listed()
    shutil.rmtree(place.directory(newest))
    shutil.copytree(place.directory(older), place.directory(newest))
    place.expect(1, place.command("verify"), "holds another snapshot", older["name"])
    shutil.rmtree(place.state, ignore_errors=True)
    place.must_fold("--snapshots", place.snapshots)
    assert f"{newest['name']} is passed over" in place.said, place.said
    place.expect_same()


def forged(programs, history, place):
    """Another amount early in the history, told in as many bytes: its snapshot verifies, for it is in order. What
    is folded from it is not what was attested."""
    with Place(programs, history) as forger:
        lines = list(history.lines)
        at = next(i for i, line in enumerate(lines) if b'"amount":"3"' in line)
        lines[at] = lines[at].replace(b'"amount":"3"', b'"amount":"9"')
        forger.events.write_bytes(b"".join(lines[:len(lines) // 2]))
        forger.must_fold("--quiet")
        forger.must("create")
        put_back(place, forger.snapshots)
    place.must("verify")
    shutil.rmtree(place.state, ignore_errors=True)
    place.expect(EX_SOFTWARE, place.fold("--snapshots", place.snapshots), "partition 0, offset",
                 "attestations.jsonl, line", "published", "folded again")
    place.expect_same()


def attestation_changed(programs, history, dice):
    with Place(programs, history) as place:
        place.fold("--batch", "40", "--checkpoint-every", "120", fail_point="after-checkpoint:2")
        older = place.path / "older"
        shutil.copytree(place.state, older)
        place.must_fold("--quiet")
        place.forget()
        shutil.copytree(older, place.state)
        path = place.out / "attestations.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        at = dice.randrange(len(lines) * 2 // 3, len(lines))
        before, after = lines[at].split(b'"digest":"')
        lines[at] = before + b'"digest":"' + (b"1" if after[:1] != b"1" else b"2") + after[1:]
        path.write_bytes(b"".join(lines))
        place.expect(EX_SOFTWARE, place.fold(), f"attestations.jsonl, line {at + 1}", "partition", "offset")


def bad_keys(programs, history):
    with Place(programs, history) as place:
        place.fold_part(0.1)
        rsa, open_to_all = place.path / "rsa.pem", place.path / "open.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "rsa", "-out", rsa], check=True, stderr=subprocess.DEVNULL)
        rsa.chmod(0o600)
        place.expect(EX_CONFIG, place.command("create", "--sign", rsa), "no Ed25519 private key", "genpkey")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", open_to_all], check=True)
        open_to_all.chmod(0o644)
        place.expect(EX_CONFIG, place.command("create", "--sign", open_to_all), "chmod 600")
        open_to_all.chmod(0o600)
        place.must("create", "--sign", open_to_all)
        place.expect(EX_CONFIG, place.command("verify", "--verify-key", open_to_all), "no Ed25519 public key")
