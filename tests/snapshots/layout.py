"""snapshots/FORMAT.md against the bytes that the programs write."""
import json
import pathlib
import re
import subprocess

from place import Place
from tampering import make_keys

FORMAT = pathlib.Path(__file__).resolve().parents[2] / "snapshots/FORMAT.md"
TYPES = {"number": int, "text": str, "object": dict}
HEADER_KEY = b"header"


def run(check, programs, histories, dice, sizes):
    del dice, sizes
    with Place(programs, histories[0]) as place:
        keys = make_keys(place)
        place.snap_along((0.7,), "--sign", keys["private"])
        folder = place.directory(place.listed()[0])
        manifest = json.loads((folder / "manifest.json").read_bytes())
        check("FORMAT.md: members of the manifest", members, manifest)
        check("FORMAT.md: what is in objects of the manifest", inside, manifest)
        check("FORMAT.md: the header, byte by byte", header, folder, manifest)
        check("FORMAT.md: names and files", files, folder, manifest)
        check("FORMAT.md: the signature's halves", signature, folder, keys)


def section(heading):
    """The lines of one section, up to the next heading."""
    return re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#)", FORMAT.read_text() + "#", re.S | re.M)[1]


def rows(heading):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section(heading).splitlines()
            if line.startswith("|")][2:]


def members(manifest):
    drawn = [(name, TYPES[kind]) for name, kind, _ in rows("manifest.json")]
    assert drawn == [(name, type(value)) for name, value in manifest.items()], (drawn, manifest)


def inside(manifest):
    told = {name: text for name, _, text in rows("manifest.json")}
    assert re.findall(r"\w+", told["records"].split(":")[1]) == list(manifest["records"]), told["records"]
    for name in manifest["source"]:
        assert name in told["source"], name
    assert list(manifest["files"]) == ["data.mdb"] and "data.mdb" in told["files"]
    assert list(manifest["files"]["data.mdb"]) == ["size", "sha256"], manifest["files"]


def header(folder, manifest):
    """Read by the table of FORMAT.md, nothing else, out of the copied file."""
    data = (folder / "data.mdb").read_bytes()
    at = data.index(HEADER_KEY + b"callfold") + len(HEADER_KEY)
    read, end = {}, 0
    for offset, size, what in rows("Header"):
        assert int(offset) == end, f"a gap before {what}"
        end += int(size)
        name = re.split(r"\W", what.replace("`callfold`", "magic").replace("partition count", "partition_count"))[0]
        read[name] = data[at + int(offset):at + end]
    assert end == int(re.search(r"(\d+) bytes", section("Header"))[1])
    number = lambda name: int.from_bytes(read[name], "big")
    for name in ("fold_version", "partition", "partition_count", "next_offset"):
        assert number(name) == manifest[name], name
    assert (number("entries"), number("input")) == (manifest["entries"], manifest["inputs"])
    assert (number("bytes"), number("lines")) == (manifest["source"]["position"], manifest["source"]["lines"])
    assert read["XXH3"].hex() == manifest["source"]["check"]
    assert (read["chain"].decode(), read["digest"].decode()) == (manifest["chain"], manifest["digest"])


def files(folder, manifest):
    stamp = manifest["time"].replace("-", "").replace(":", "")
    assert folder.name == f"{manifest['next_offset']:020}-{stamp}", folder
    assert sorted(path.name for path in folder.iterdir()) == ["data.mdb", "manifest.json", "manifest.sig"]
    for name in ("data.mdb", "manifest.json", "manifest.sig", "lock", ".new", ".gone"):
        assert f"/{name}" in section("Snapshots"), name
    example = re.search(r"^    (\d{20}-\S+)$", section("Snapshots"), re.M)[1]
    assert re.sub(r"\d", "9", example) == re.sub(r"\d", "9", folder.name), example


def signature(folder, keys):
    """R and S apart, as RFC 8032 has them: with either half changed it fits no more."""
    halves = rows("manifest.sig")
    assert [(int(at), int(size)) for at, size, _ in halves] == [(0, 32), (32, 32)]
    whole = (folder / "manifest.sig").read_bytes()
    assert len(whole) == 64
    command = re.search(r"^    (openssl pkeyutl .*)$", section("manifest.sig"), re.M)[1].replace(
        "public.pem", str(keys["public"])).split()
    for spoilt in (None, 0, 32):
        bytes_ = bytearray(whole)
        if spoilt is not None:
            bytes_[spoilt] ^= 1
        (folder / "manifest.sig").write_bytes(bytes_)
        fits = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
        assert fits == (spoilt is None), spoilt
