#!/usr/bin/env python3
"""Holds the tables of snapshots/FORMAT.md against the structs of records.h:
every field where it stands, its type, its name, and the size of the whole;
no struct has padding that it does not name; `callfold-replay diff` knows every field.

usage: tests/format.py [--accept]      --accept rewrites the tables
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDS = ROOT / "processor/fold/records.h"
FORMAT = ROOT / "snapshots/FORMAT.md"
SHOWN = ROOT / "replay-tool/record_fields.c"
SIZES = {"int64_t": 8, "uint64_t": 8, "int32_t": 4, "uint32_t": 4, "uint16_t": 2, "uint8_t": 1, "char": 1}
NAMES = {"int64_t": "i64", "uint64_t": "u64", "int32_t": "i32", "uint32_t": "u32", "uint16_t": "u16",
         "uint8_t": "u8", "char": "char"}


def constants():
    """What the lengths of arrays are written as."""
    words = (ROOT / "events/reasons.h").read_text()
    count = lambda name: len(re.findall(r"\bX\(\w+, ", re.search(name + r"\(X\)(.*?)\n\n", words, re.S)[1]))
    defines = dict(re.findall(r"#define (\w+) +(\d+)\b", "".join(
        (ROOT / "events" / name).read_text() for name in ("output.h", "phone.h", "text.h"))))
    known = {name: int(value) for name, value in defines.items()}
    known |= {"HASH_HEX": 2 * known["HASH_SIZE"], "EXPIRY_QUEUES": 2}
    for name, counted in (("EVENT_TYPE", "EVENT_TYPES"), ("REJECT_REASON", "REJECT_REASONS"),
                          ("POLICY_NUMBER", "POLICY_NUMBERS"), ("POLICY_MAP", "POLICY_MAPS")):
        known[name + "_COUNT"] = count(counted)
    return known


def layouts():
    """struct name -> (size, [(offset, type, field)]), by C's rules of alignment."""
    known, structs, alignments = constants(), {}, {}
    text = re.sub(r"/\*.*?\*/", "", RECORDS.read_text(), flags=re.S)
    for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", text, re.S | re.M):
        at, widest, rows = 0, 1, []
        for kind, fields in re.findall(r"^\s*(?:struct )?(\w+) ([^;]+);", body, re.M):
            size = SIZES.get(kind) or structs[kind][0]
            align = SIZES.get(kind) or alignments[kind]
            widest = max(widest, align)
            for field in fields.split(","):
                field, length = re.fullmatch(r"\s*(\w+)(?:\[(\w*)\])?\s*", field).groups()
                times = 1 if length is None else 0 if length == "" else known.get(length) or int(length)
                if at % align != 0:
                    sys.exit(f"FAILED {RECORDS.name}: struct {name}: padding without a name before {field}")
                more = "" if length is None else f" x {times or 'n'}"
                rows.append((at, NAMES.get(kind, kind) + more, field))
                at += size * times
        if at % widest != 0:
            sys.exit(f"FAILED {RECORDS.name}: struct {name}: padding without a name at its end")
        structs[name], alignments[name] = (at, rows), widest
    return structs


def expected(document, structs):
    """The document with every table as it should be."""
    def table(match):
        size, rows = structs[match[2]]
        lines = "".join(f"| {at} | {kind} | {field} |\n" for at, kind, field in rows)
        return f"{match[1]}`struct {match[2]}`, {size} bytes\n\n| at | type | field |\n|---:|---|---|\n{lines}"
    return re.sub(r"^(.*)`struct (\w+)`, \d+ bytes\n\n\| at \| type \| field \|\n\|---:\|---\|---\|\n(?:\|.*\|\n)+",
                  table, document, flags=re.M)


def shown_fields():
    """struct name -> its fields in order, as replay-tool/record_fields.c lists them."""
    text = SHOWN.read_text()
    return {name: re.findall(rf"\b[A-Z_]+\({name}, (\w+)", body)
            for name, body in re.findall(r"^LAYOUT\((\w+),(.*?)\);$", text, re.M | re.S)}


def main():
    document, structs = FORMAT.read_text(), layouts()
    right = expected(document, structs)
    if sys.argv[1:] == ["--accept"]:
        FORMAT.write_text(right)
        return 0
    drawn = set(re.findall(r"`struct (\w+)`, \d+ bytes", document))
    wrong = sorted(f"struct {name} is not drawn" for name in structs.keys() - drawn)
    was, now = document.splitlines(), right.splitlines()
    wrong += [f"line {i + 1}: '{a}' should be '{b}'" for i, (a, b) in enumerate(zip(was, now)) if a != b][:10]
    wrong += ["a table has too many or too few fields"] if len(was) != len(now) else []
    shown = shown_fields()
    for name, (_, rows) in structs.items():
        if shown.get(name) != [field for _, _, field in rows]:
            wrong.append(f"struct {name}: {SHOWN.name} lists other fields")
    for line in wrong:
        print(f"FAILED snapshots/FORMAT.md: {line} (processor/fold/records.h; tests/format.py --accept)")
    print(f"{len(drawn) if not wrong else 0} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
