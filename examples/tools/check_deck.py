#!/usr/bin/env python3
"""check_deck - is a deck right about real numbers?

    check_deck.py DECK.csv ...     exit 1 when a deck is wrong, 65 when it cannot be read

Plain Python 3.8 or later. Reads a deck as its README says, finds the rate of every number of
example_numbers.csv by longest prefix match, and compares country and kind with what
libphonenumber says of that number. It also holds the deck to what it promises: premium and
satellite numbers blocked, each origin's own country covered and no other, one price a
destination, and $25 lasting 20 to 35 hours where most calls go.
"""
import collections
import csv
import decimal
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # leave no __pycache__ in the tree
import make_deck  # noqa: E402

MUST_BLOCK = {"premium", "satellite"}
# The least share of numbers that must have the right kind; the country must always be right.
LEAST_RIGHT = {"example": decimal.Decimal("0.99"), "sample": decimal.Decimal("0.98")}
CREDIT, HOURS_LEAST, HOURS_MOST = 25, 20, 35
POPULAR = ("India mobile", "India landline", "Mexico", "China landline", "China mobile", "Canada",
           "United States", "France landline", "United Kingdom landline", "Germany landline", "Italy landline",
           "Spain landline", "Netherlands landline", "Ireland landline", "Poland landline", "Brazil landline")


class DeckError(Exception):
    """A line of the deck that cannot be read; the message names file and line."""


class Deck:
    """A deck as a reader of its CSV sees it: origins {name: (country, currency)}, rates
    {origin: {prefix: rate}}, a rate being a dict of the columns."""

    def __init__(self, path):
        self.path = path
        self.origins = {}
        self.seen = set()  # (origin, prefix)
        self.rates = collections.defaultdict(dict)
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        body = next((n for n, line in enumerate(lines) if not line.startswith("# ")), len(lines))
        for number, line in enumerate(lines[:body], 1):
            self._head(number, line)
        reader = csv.DictReader(lines[body:])
        if tuple(reader.fieldnames or ()) != make_deck.COLUMNS:
            raise DeckError(f"{path}:{body + 1}: columns must be {','.join(make_deck.COLUMNS)}")
        for rate in reader:
            self._rate(body + reader.line_num, rate)

    def _head(self, number, line):
        key, colon, value = line[2:].partition(": ")
        if not colon:
            raise DeckError(f"{self.path}:{number}: a head line is \"# key: value\"")
        if key == "origin":
            words = value.split(" ")
            if len(words) != 3:
                raise DeckError(f"{self.path}:{number}: an origin is a name, a country and a currency")
            self.origins[words[0]] = (words[1], words[2])

    def _rate(self, number, rate):
        if rate["origin"] not in self.origins or None in rate or None in rate.values():
            raise DeckError(f"{self.path}:{number}: not {len(make_deck.COLUMNS)} columns, or an origin without a head")
        try:
            make_deck.validate([rate[column] for column in make_deck.COLUMNS], self.seen)
        except ValueError as problem:
            raise DeckError(f"{self.path}:{number}: {problem}") from None
        self.rates[rate["origin"]][rate["prefix"]] = rate

    def match(self, origin, number):
        """The rate of the longest prefix of number, None without one."""
        rates = self.rates[origin]
        return next((rates[number[:n]] for n in range(len(number), 1, -1) if number[:n] in rates), None)


class Check:
    def __init__(self, deck):
        self.deck = deck
        places = make_deck.read_places()
        self.names = {place: {make_deck.destination(places, place, kind) for kind in make_deck.NAMES}
                      for place in places}  # every destination that is a place's
        self.problems = []
        self.right = collections.Counter()
        self.total = collections.Counter()

    def numbers(self):
        """Every number against every origin; fills right and total by (from, kind)."""
        for origin, (country, _) in self.deck.origins.items():
            for row in make_deck.read_csv("example_numbers.csv")[1]:
                self.number(origin, country, row)

    def number(self, origin, country, row):
        rate = self.deck.match(origin, row["number"])
        place = make_deck.place_of(row["region"], row["number"])
        problem = None
        if rate is None:
            problem = "no rate"
        elif rate["destination"] not in self.names[place]:
            problem = f"goes to {rate['destination']}, is of {place}"
        elif row["kind"] in MUST_BLOCK and rate["status"] != "blocked":
            problem = f"{row['kind']}, but {rate['status']} as {rate['destination']}"
        elif rate["status"] != "blocked" and (rate["domestic"] == "true") != (row["region"] == country):
            problem = f"domestic is {rate['domestic']}"
        if problem:
            self.problems.append(f"{origin} {row['number']}: {problem}")
        key = row["from"], row["kind"]
        self.total[key] += 1
        self.right[key] += rate is not None and rate["kind"] == row["kind"]

    def shares(self):
        for source, least in LEAST_RIGHT.items():
            right = sum(n for key, n in self.right.items() if key[0] == source)
            total = sum(n for key, n in self.total.items() if key[0] == source)
            if right < least * total:
                self.problems.append(f"only {right} of {total} {source} numbers have the right kind")

    def places_covered(self):
        for origin in self.deck.origins:
            seen = {rate["destination"] for rate in self.deck.rates[origin].values()}
            self.problems += [f"{origin}: no prefix of {place}" for place, names in self.names.items()
                              if not names & seen]

    def terms(self):
        """One destination, one price."""
        for origin in self.deck.origins:
            terms = {}
            for rate in self.deck.rates[origin].values():
                these = tuple(rate[c] for c in ("kind", "status", "price", "connect", "first_s", "step_s", "domestic"))
                if terms.setdefault(rate["destination"], these) != these:
                    self.problems.append(f"{origin}: {rate['destination']} at two prices")

    def hours(self):
        """{destination: {origin: what CREDIT is worth there}} of the popular ones."""
        table = collections.defaultdict(dict)
        for origin in self.deck.origins:
            by_name = {rate["destination"]: rate for rate in self.deck.rates[origin].values()}
            for name in POPULAR:
                table[name][origin] = self.talk_time(origin, name, by_name.get(name))
        return table

    def talk_time(self, origin, name, rate):
        """Hours of talk for CREDIT, or why it is not a question of hours."""
        if rate is None:
            self.problems.append(f"{origin}: no rate for {name}")
            return "none"
        if rate["status"] != "open":
            return "domestic" if rate["domestic"] == "true" else rate["status"]
        hours = decimal.Decimal(CREDIT) / decimal.Decimal(rate["price"]) / 60
        if not HOURS_LEAST <= hours <= HOURS_MOST:
            self.problems.append(f"{origin}: ${CREDIT} lasts {hours:.1f} h to {name}")
        return f"{hours:.1f}"

    def run(self):
        self.numbers()
        self.shares()
        self.places_covered()
        self.terms()
        self.report(self.hours())
        return self.problems

    def report(self, hours):
        """Markdown, as in the decks' README."""
        origins = list(self.deck.origins)
        print(f"## {pathlib.Path(self.deck.path).name}\n")
        print("| kind | libphonenumber's examples | drawn at random |\n|---|---|---|")
        for kind in sorted({kind for _, kind in self.total}):
            cells = (f"{self.right[s, kind] // len(origins)} of {self.total[s, kind] // len(origins)}"
                     for s in LEAST_RIGHT)
            print(f"| {kind} | {' | '.join(cells)} |")
        print(f"\nHours of talk for ${CREDIT}:\n\n| to | {' | '.join(origins)} |\n|---|" + "---|" * len(origins))
        for name, row in hours.items():
            print(f"| {name} | {' | '.join(row[origin] for origin in origins)} |")


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 64
    wrong = False
    for path in paths:
        try:
            problems = Check(Deck(path)).run()
        except DeckError as problem:
            print(f"check_deck: {problem}", file=sys.stderr)
            return 65
        print(f"\n{path}: {len(problems)} problems\n")
        for problem in problems:
            print(f"  {problem}", file=sys.stderr)
        wrong = wrong or bool(problems)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
