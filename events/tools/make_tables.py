#!/usr/bin/env python3
"""make_tables - emergency numbers and currencies, from their sources to C.

    make_tables.py facts     sources -> emergency.csv, currencies.csv (needs the two packages)
    make_tables.py tables    the two CSV files -> ../emergency_table.c, ../currency_table.c
    make_tables.py check     exit 1 when the C files are not what the CSV files give

The CSV files are the facts, for reviewers; the C files follow from them and are never edited.
`tables` and `check` need nothing but Python 3.8 or later. `facts` needs, exactly:

    phonenumbers 9.0.43       libphonenumber 9.0.43's metadata (Apache-2.0)
    iso4217 1.16.20260101     SIX's ISO 4217 list one, published 2026-01-01 (public domain)

    python3 -m venv /tmp/tables && /tmp/tables/bin/pip install phonenumbers==9.0.43 iso4217==1.16.20260101
    /tmp/tables/bin/python events/tools/make_tables.py facts && events/tools/make_tables.py tables

To take a newer version change SOURCES, run both, and read the difference of the CSV files:
a number that becomes an emergency number is one that callfold will no longer place.
"""
import csv
import itertools
import pathlib
import re
import sys
import textwrap

sys.dont_write_bytecode = True  # leave no __pycache__ in the tree
import digits  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
EMERGENCY_CSV = HERE / "emergency.csv"
CURRENCIES_CSV = HERE / "currencies.csv"
EMERGENCY_C = HERE.parent / "emergency_table.c"
CURRENCIES_C = HERE.parent / "currency_table.c"

SOURCES = {"phonenumbers": "9.0.43", "iso4217": "1.16.20260101"}
BRUTE_DIGITS = 5  # every string up to here is tried against each pattern, as a check on the expansion


def require(module):
    """Stops unless the package is the version this file names: facts have one source."""
    wanted = SOURCES[module.__name__]
    if module.__version__ != wanted:
        sys.exit(f"make_tables: needs {module.__name__} {wanted}, found {module.__version__}; "
                 f"pip install {module.__name__}=={wanted}")


def write_csv(path, notes, head, rows):
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.writelines(f"# {note}\n" for note in notes)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def read_csv(path):
    """(notes, rows as dicts) of a file that write_csv wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = [line[2:] for line in lines if line.startswith("# ")]
    return notes, list(csv.DictReader(line for line in lines if not line.startswith("# ")))


# ---- facts ----

def emergency_numbers_of(territory, metadata, info):
    """The territory's emergency numbers, expanded from its pattern and checked three ways:
    by re (in digits.strings), by trying every short string, and by the library itself."""
    pattern = metadata.emergency.national_number_pattern
    numbers = digits.strings(pattern)
    matcher = re.compile(pattern)
    for length in range(1, BRUTE_DIGITS + 1):
        tried = {s for s in map("".join, itertools.product(digits.DIGITS, repeat=length)) if matcher.fullmatch(s)}
        if tried != {number for number in numbers if len(number) == length}:
            raise AssertionError(f"{territory}: {pattern} expands to other numbers of {length} digits")
    for number in numbers:
        if not info.is_emergency_number(number, territory):
            raise AssertionError(f"{territory}: the library does not take {number} for an emergency number")
    return numbers


def emergency_facts():
    import phonenumbers
    from phonenumbers import shortnumberinfo
    from phonenumbers.phonemetadata import PhoneMetadata
    require(phonenumbers)
    rows, without = [], []
    for territory in sorted(shortnumberinfo.SUPPORTED_SHORT_REGIONS):
        metadata = PhoneMetadata.short_metadata_for_region(territory)
        if metadata.emergency is None:
            without.append(territory)
            continue
        rows += [(territory, number) for number in emergency_numbers_of(territory, metadata, shortnumberinfo)]
    write_csv(EMERGENCY_CSV, [
        f"source: libphonenumber {SOURCES['phonenumbers']} short-number metadata, "
        f"as packaged by PyPI phonenumbers {SOURCES['phonenumbers']}",
        "licence: Apache-2.0",
        f"no emergency numbers known to the source: {' '.join(without) or 'none'}",
    ], ("territory", "number"), rows)


def currency_facts():
    import iso4217
    require(iso4217)
    rows = []
    for code, entry in iso4217.raw_table.items():
        if code is None:  # a territory without a currency of its own
            continue
        units = entry["CcyMnrUnts"]
        rows.append((code, f"{entry['CcyNbr']:03d}", units if units.isdigit() else "", entry["CcyNm"]))
    write_csv(CURRENCIES_CSV, [
        f"source: ISO 4217 list one (SIX Financial Information AG), published {iso4217.__published__}, "
        f"as packaged by PyPI iso4217 {SOURCES['iso4217']}",
        "licence: public domain",
        "exponent is empty where the list says N.A. (metals, funds' units of account, test codes)",
    ], ("code", "number", "exponent", "name"), sorted(rows))


# ---- tables ----

def comment(paragraphs):
    """A C comment of these paragraphs, as lines."""
    wrapped = [line for text in paragraphs for line in textwrap.wrap(text, 95) or [""]]
    return ["/* " + wrapped[0], *(" * " + line if line else " *" for line in wrapped[1:]), " */"]


def emergency_table():
    """The text of emergency_table.c."""
    notes, rows = read_csv(EMERGENCY_CSV)
    numbers = sorted({row["number"] for row in rows})
    territories = {row["territory"] for row in rows}
    lines = comment([
        "emergency_table.c - emergency numbers of every territory, sorted.", "",
        "Generated by events/tools/make_tables.py from events/tools/emergency.csv, which says whose "
        "number each is; do not edit.", "",
        *notes,
        f"{len(numbers)} numbers of {len(territories)} territories",
    ])
    lines += ['#include "events/tables.h"', "", "const char *const emergency_numbers[] = {"]
    for _, group in itertools.groupby(numbers, key=lambda number: number[:2]):
        lines += textwrap.wrap(" ".join(f'"{number}",' for number in group), 96,
                               initial_indent=" " * 4, subsequent_indent=" " * 4)
    lines += ["};",
              "const size_t emergency_number_count = sizeof(emergency_numbers) / sizeof(emergency_numbers[0]);"]
    return "\n".join(lines) + "\n"


def currency_table():
    """The text of currency_table.c."""
    notes, rows = read_csv(CURRENCIES_CSV)
    lines = comment([
        "currency_table.c - the active codes of ISO 4217, sorted.", "",
        "Generated by events/tools/make_tables.py from events/tools/currencies.csv; do not edit.", "",
        *notes,
        f"{len(rows)} codes; an empty exponent is -1 here",
    ])
    lines += ['#include "events/tables.h"', "",
              "#define CODE(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))", "",
              "const struct currency_row currency_table[] = {"]
    for row in sorted(rows, key=lambda row: row["code"]):
        letters = ", ".join(f"'{letter}'" for letter in row["code"])
        lines.append(f"    {{CODE({letters}), {row['exponent'] or -1}}}, /* {row['name']} */")
    lines += ["};", "const size_t currency_count = sizeof(currency_table) / sizeof(currency_table[0]);"]
    return "\n".join(lines) + "\n"


TABLES = ((EMERGENCY_C, emergency_table), (CURRENCIES_C, currency_table))


def write_facts():
    emergency_facts()
    currency_facts()


def write_tables():
    for path, text in TABLES:
        path.write_text(text(), encoding="utf-8")


def check_tables():
    stale = [path.name for path, text in TABLES if path.read_text(encoding="utf-8") != text()]
    if stale:
        print(f"make_tables: {', '.join(stale)}: not what the CSV files give; "
              "run events/tools/make_tables.py tables", file=sys.stderr)
    return 1 if stale else 0


def main(arguments):
    commands = {"facts": write_facts, "tables": write_tables, "check": check_tables}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 64
    return commands[arguments[0]]() or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
