#!/usr/bin/env python3
"""make_numbering - which prefix is which country's landlines, mobiles, premium numbers ...

    make_numbering.py     libphonenumber's metadata -> numbering.csv, example_numbers.csv

numbering.csv (prefix,region,kind) is the numbering plan as a table for longest prefix match;
make_deck.py puts prices to it. example_numbers.csv (number,region,kind) holds numbers of
each region and kind, libphonenumber's examples and random ones, for check_deck.py. Needs,
exactly:

    phonenumbers 9.0.43       libphonenumber 9.0.43's metadata (Apache-2.0)

    python3 -m venv /tmp/numbering && /tmp/numbering/bin/pip install phonenumbers==9.0.43
    /tmp/numbering/bin/python examples/tools/make_numbering.py

How: the metadata has one pattern for each region and type of number. A prefix's subtree
is the set of numbers that may still follow, of every region and type at once (the regions
of +1 or +44 together); what region and type a full number has is decided as libphonenumber
decides it. Full detail would be 80,716 prefixes for +1 and a hundred million for +20, where
short numbers of one kind begin long ones of another. So each prefix has a cost, and so has
each number that would be taken for another: the table is the cheapest one, found by dynamic
programming over the tree (as in Draves and others, Constructing Optimal IP Routing Tables,
1999, but lossy). Numbers that the plan does not assign cost nothing, whatever they are taken
for, but in +1: there a new area code may be any country's, so nothing covers what is not
assigned.
"""
import csv
import functools
import pathlib
import random
import sys

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # leave no __pycache__ in the tree
sys.path.insert(0, str(HERE.parent.parent / "events" / "tools"))
import digits  # noqa: E402  (events/tools/digits.py)

SOURCE = "9.0.43"
NUMBERING_CSV = HERE / "numbering.csv"
EXAMPLES_CSV = HERE / "example_numbers.csv"

# In libphonenumber's order: the first type whose pattern matches is the number's.
KINDS = {
    "premium_rate": "premium", "toll_free": "freephone", "shared_cost": "shared-cost", "voip": "voip",
    "personal_number": "personal", "pager": "pager", "uan": "corporate", "voicemail": "voicemail",
    "fixed_line": "landline", "mobile": "mobile",
}
BOTH = "landline-mobile"  # landlines and mobiles look the same
WORLD = "001"  # libphonenumber's region of codes that belong to no country
WORLD_KINDS = {870: "satellite", 881: "satellite", 882: "satellite", 883: "satellite"}

WHOLE = 10**12  # the cost of taking all numbers of a region and kind for another's, times its weight:
WEIGHT = {"premium": 40, "personal": 20, "satellite": 40,  # must not be let through
          "landline": 10, "mobile": 10, BOTH: 10,
          "freephone": 1, "shared-cost": 1, "voip": 1, "pager": 1, "corporate": 1, "voicemail": 1}
PREFIX_COST = WHOLE // 100  # a prefix must put right a thousandth of the mobiles, a hundredth of the pagers
ROOT_DIGITS = {1: 3}  # +1: one tree an area code, none above them
SPACE = 10**17  # libphonenumber's longest national number has 17 digits
LONGEST = 15  # digits of an E.164 number, calling code included
SAMPLES = 4  # numbers drawn from all of a region's kind, beside libphonenumber's own example


def metadata_of(region, code):
    return PhoneMetadata.metadata_for_region_or_calling_code(code, region)


class Plan:
    """The numbers of one calling code."""

    def __init__(self, code):
        self.code = code
        self.regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        self.lengths = {}  # (region, type) -> possible lengths; empty: any
        self.leading = set()  # regions that leading digits decide
        start = {}
        for region in self.regions:
            metadata = metadata_of(region, code)
            for name in ("general_desc", *KINDS):
                desc = getattr(metadata, name)
                if desc is not None and desc.national_number_pattern:
                    start[region, name] = digits.node(desc.national_number_pattern)
                    self.lengths[region, name] = frozenset(desc.possible_length)
            if metadata.leading_digits:
                self.leading.add(region)
                start[region, "leading"] = digits.beginning(digits.node(metadata.leading_digits))
        self.start = self._pack(start)

    @staticmethod
    def _pack(nodes):
        """A state: the live (slot, node) pairs; empty when no number can follow."""
        live = {slot: n for slot, n in nodes.items() if n != digits.DEAD}
        return frozenset(live.items()) if any(slot[1] not in ("leading", "general_desc") for slot in live) \
            else frozenset()

    @functools.lru_cache(maxsize=None)
    def following(self, state):
        """The ten states after each digit."""
        return tuple(self._pack({slot: digits.NODES[n][1][digit] for slot, n in state}) for digit in range(10))

    def _kind(self, region, ended, length):
        """libphonenumber's _number_type_helper; None for no number."""
        found = {name for r, name in ended if r == region
                 and (not self.lengths.get((r, name)) or length in self.lengths[r, name])}
        if "general_desc" not in found:
            return None
        if {"fixed_line", "mobile"} <= found and not found & (set(KINDS) - {"fixed_line", "mobile"}):
            return BOTH
        return next((kind for name, kind in KINDS.items() if name in found), None)

    def label(self, state, length):
        """(region, kind) of the number that ends here, None for no number; as
        libphonenumber's _region_code_for_number_from_list."""
        if len(str(self.code)) + length > LONGEST:
            return None
        ended = {slot for slot, n in state if digits.NODES[n][0]}
        for region in self.regions:
            decided = region in self.leading and len(self.regions) > 1
            kind = self._kind(region, ended, length)
            if (region, "leading") in ended if decided else kind is not None:
                break
        else:
            return None
        if region == WORLD and kind is not None:
            kind = WORLD_KINDS.get(self.code, kind)
        return (region, kind) if kind else None

    @functools.lru_cache(maxsize=None)
    def mass(self, state, length):
        """{label: share of the number space}, in units of 1/SPACE; length digits read."""
        total = {}
        here = self.label(state, length)
        if here:
            total[here] = SPACE // 10**length
        for child in self.following(state):
            if child:
                for label, mass in self.mass(child, length + 1).items():
                    total[label] = total.get(label, 0) + mass
        return total


class Table:
    """The cheapest prefixes for a plan."""

    def __init__(self, plan):
        self.plan = plan
        self.total = plan.mass(plan.start, 0)
        self.labels = sorted(self.total, key=lambda label: (-self.total[label], label))

    def wrong(self, mass, label):
        """The cost of taking these numbers for label."""
        return sum(WHOLE * WEIGHT[other[1]] * m // self.total[other]
                   for other, m in mass.items() if other != label)

    @functools.lru_cache(maxsize=None)
    def costs(self, state, length):
        """{label: the least cost below here if this prefix is label's}."""
        mass = self.plan.mass(state, length)
        if self.is_leaf(state, length):
            return {label: self.wrong(mass, label) for label in self.labels}
        here = self.plan.label(state, length)
        ended = {here: SPACE // 10**length} if here else {}
        result = {label: self.wrong(ended, label) for label in self.labels}
        for child in self.plan.following(state):
            if child:
                below = self.costs(child, length + 1)
                least = min(below.values()) + PREFIX_COST
                for label in self.labels:
                    result[label] += min(below[label], least)
        return result

    @functools.lru_cache(maxsize=None)
    def is_leaf(self, state, length):
        """True when no prefix below here could be worth its cost."""
        mass = self.plan.mass(state, length)
        costs = sorted(self.wrong({label: m}, None) for label, m in mass.items())
        return len(costs) == 1 or sum(costs[:-1]) < PREFIX_COST

    def rows(self, state, length, prefix, inherited, root=None):
        """The (prefix, label) below here, where inherited is the label from above; root: the
        label of this very prefix, if it has to have one."""
        costs = self.costs(state, length)
        label = root
        if not label:
            best = min(self.labels, key=lambda one: costs[one])
            keeps = inherited and costs[inherited] <= costs[best] + PREFIX_COST
            label = inherited if keeps else best
        if label != inherited:
            yield prefix, label
        if not self.is_leaf(state, length):
            for digit, child in enumerate(self.plan.following(state)):
                if child:
                    yield from self.rows(child, length + 1, prefix + str(digit), label)

    def geographic(self):
        """The label of a country's code itself: what most calls there are."""
        region = self.plan.regions[0]
        return next((label for kind in ("landline", BOTH, "mobile")
                     for label in self.labels if label == (region, kind)), self.labels[0])


def prefixes(code):
    """The (prefix, (region, kind)) of a calling code."""
    plan = Plan(code)
    table = Table(plan)
    if code not in ROOT_DIGITS:
        return table.rows(plan.start, 0, f"+{code}", None, table.geographic())
    roots = [(plan.start, "")]
    for _ in range(ROOT_DIGITS[code]):
        roots = [(child, prefix + str(digit)) for state, prefix in roots
                 for digit, child in enumerate(plan.following(state)) if child]
    return (row for state, prefix in roots for row in table.rows(state, len(prefix), f"+{code}{prefix}", None))


# ---- numbers to check the table with ----

def library_says(code, national):
    """(region, kind) of a full number, from libphonenumber's own functions."""
    zeros = min(len(national) - len(national.lstrip("0")), len(national) - 1)
    number = phonenumbers.PhoneNumber(country_code=code, national_number=int(national),
                                      italian_leading_zero=zeros > 0 or None,
                                      number_of_leading_zeros=zeros if zeros > 1 else None)
    names = {getattr(phonenumbers.PhoneNumberType, name.upper()): kind for name, kind in KINDS.items()}
    names[phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE] = BOTH
    region = phonenumbers.region_code_for_number(number)
    kind = names.get(phonenumbers.number_type(number))
    if region == WORLD and kind:
        kind = WORLD_KINDS.get(code, kind)
    return (region, kind) if kind else None


def draw(plan, label, chance):
    """A number of this label, each as likely as its share of the number space."""
    state, national = plan.start, ""
    while True:
        ways = [("", SPACE // 10**len(national))] if plan.label(state, len(national)) == label else []
        children = [(digit, plan.mass(child, len(national) + 1).get(label, 0))
                    for digit, child in enumerate(plan.following(state)) if child]
        ways += [(str(digit), mass) for digit, mass in children if mass]
        at = chance.randrange(sum(mass for _, mass in ways))
        for digit, mass in ways:
            at -= mass
            if at < 0:
                break
        if not digit:
            return national
        state, national = plan.following(state)[int(digit)], national + digit


def example_numbers(code):
    """The (number, region, kind, from) of a calling code: libphonenumber's example of each of
    its patterns, and numbers drawn at random, the same on every run."""
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        metadata = metadata_of(region, code)
        for name in KINDS:
            desc = getattr(metadata, name)
            if desc is not None and desc.example_number:
                yield (f"+{code}{desc.example_number}", *library_says(code, desc.example_number), "example")
    plan = Plan(code)
    for label in sorted(plan.mass(plan.start, 0)):
        drawn = random.Random(f"{code} {label[0]} {label[1]}")
        for _ in range(SAMPLES):
            national = draw(plan, label, drawn)
            if library_says(code, national) != label:
                raise AssertionError(f"+{code}{national}: libphonenumber says {library_says(code, national)}, "
                                     f"the plan {label}")
            yield (f"+{code}{national}", *label, "sample")


def write_csv(path, head, rows):
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(f"# source: libphonenumber {SOURCE} metadata, as packaged by PyPI phonenumbers {SOURCE}\n"
                  "# licence: Apache-2.0 (see events/tools/NOTICE)\n")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def main():
    if phonenumbers.__version__ != SOURCE:
        sys.exit(f"make_numbering: needs phonenumbers {SOURCE}, found {phonenumbers.__version__}; "
                 f"pip install phonenumbers=={SOURCE}")
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE, key=str)
    write_csv(NUMBERING_CSV, ("prefix", "region", "kind"),
              sorted((prefix, *label) for code in codes for prefix, label in prefixes(code)))
    write_csv(EXAMPLES_CSV, ("number", "region", "kind", "from"),
              sorted({row for code in codes for row in example_numbers(code)}))


if __name__ == "__main__":
    main()
