#!/usr/bin/env python3
"""make_deck - prices put to the numbering plan: the decks of examples/decks.

    make_deck.py          writes ../decks/2026-standard.csv and ../decks/2027-increase.csv
    make_deck.py check    exit 1 when those files are not what the tables give

Plain Python 3.8 or later. In: numbering.csv (prefix, region, kind; make_numbering.py says from
which version of libphonenumber), places.csv (name and price zone of each region), prices.csv,
and increase-2027.csv, the cells of prices.csv that the second deck changes. The same tables
give the same bytes.
"""
import csv
import decimal
import io
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
DECKS = HERE.parent / "decks"

CURRENCY = "USD"
ORIGINS = {"US": ("US", "USD"), "FR-mobile": ("FR", "EUR"), "FR-landline": ("FR", "EUR"), "UK": ("GB", "GBP")}
INCREMENT = ("connect", "first_s", "step_s")
COLUMNS = ("origin", "prefix", "destination", "kind", "status", "price", "connect", "first_s", "step_s", "domestic")
WORLD = "001"  # libphonenumber's region of calling codes that belong to no country
# Kinds without a price of their own cost what these cost; where landlines and mobiles look the
# same, the dearer of the two is what the call may cost.
PRICED_AS = {"landline": "landline", "mobile": "mobile", "landline-mobile": "mobile", "voicemail": "mobile",
             "voip": "landline", "corporate": "landline", "freephone": "landline"}
# What is said after the country's name.
NAMES = {"landline": "landline", "mobile": "mobile", "landline-mobile": "", "voicemail": "voicemail",
         "voip": "VoIP", "corporate": "company numbers", "freephone": "freephone", "premium": "premium rate",
         "shared-cost": "shared cost", "personal": "personal numbers", "pager": "pagers"}
DESTINATION_MAX = 128  # bytes
PRICE_PLACES = decimal.Decimal("0.0001")


def read_csv(name):
    """(notes, rows as dicts) of a table beside this script; lines that begin with # are notes."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    notes = [line[2:] for line in lines if line.startswith("# ")]
    return notes, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def keyed_prices(name, old=None):
    """{(place, kind): {origin or increment column: cell}}; a cell of a table of changes that is
    empty keeps the old one, "+8%" or "-5%" moves the old price."""
    table = dict(old or {})
    seen = set()
    for row in read_csv(name)[1]:
        key = row.pop("place"), row.pop("kind")
        if key in seen or (old is not None and key not in old):
            raise ValueError(f"{name}: {','.join(key)}: " + ("twice" if key in seen else "not in the table it changes"))
        seen.add(key)
        table[key] = {column: changed(old[key][column], cell) if old else cell for column, cell in row.items()}
    return table


def changed(old, cell):
    if not cell.endswith("%"):
        return cell or old
    price = decimal.Decimal(old) * (100 + decimal.Decimal(cell[:-1])) / 100
    return str(price.quantize(PRICE_PLACES, decimal.ROUND_HALF_UP).normalize())


def place_of(region, number):
    """The place of places.csv: a country's region, or a calling code of no country ("+870")."""
    return number[:4] if region == WORLD else region


def destination(places, place, kind):
    """What users see: "France mobile", "United States", "Inmarsat satellite"."""
    name = places[place]["name"]
    return name if place.startswith("+") else f"{name} {NAMES[kind]}".rstrip()


def read_places():
    return {row["place"]: row for row in read_csv("places.csv")[1]}


class Deck:
    def __init__(self, prices):
        self.places = read_places()
        self.numbering_notes, self.numbering = read_csv("numbering.csv")
        self.prices = prices
        self.used = set()  # keys of prices that some prefix had

    def price(self, place, kind, origin):
        """The row of prices.csv for a place and kind. Free landlines do not make company
        numbers or VoIP free: those go on to the next row that fits."""
        like = PRICED_AS.get(kind)
        for scope in (place, self.places[place]["zone"], "*"):
            for name in (kind, like, "all" if like else None):
                row = self.prices.get((scope, name))
                if row and (name in (kind, "all") or row[origin] != "free"):
                    self.used.add((scope, name))
                    return row
        raise KeyError(f"prices.csv: no row for {place} {kind}")

    def rates(self, origin):
        """The rates of an origin, in the order of their prefixes."""
        for row in self.numbering:
            place = place_of(row["region"], row["prefix"])
            price = self.price(place, row["kind"], origin)
            cell = price[origin]
            status = cell if cell in ("free", "blocked") else "free" if cell == "domestic" else "open"
            terms = [cell, *(price[column] for column in INCREMENT)] if status == "open" else ["", "", "", ""]
            yield [origin, row["prefix"], destination(self.places, place, row["kind"]), row["kind"], status, *terms,
                   "true" if cell == "domestic" else "false"]

    def text(self, title):
        """The whole deck as CSV."""
        out = io.StringIO()
        heads = [("title", title), ("prices", "examples, not an operator's tariff"),
                 *(("prefixes", note) for note in self.numbering_notes), ("currency", CURRENCY),
                 *(("origin", " ".join((name, *facts))) for name, facts in ORIGINS.items())]
        out.writelines(f"# {key}: {value}\n" for key, value in heads)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        seen = set()
        for origin in ORIGINS:
            for rate in self.rates(origin):
                validate(rate, seen)
                writer.writerow(rate)
        unused = set(self.prices) - self.used
        if unused:
            raise ValueError(f"prices.csv: no prefix has {sorted(unused)}")
        return out.getvalue()


def validate(rate, seen):
    """What the meter would refuse must not be written in the first place."""
    origin, prefix, name, _, status, price = rate[:6]
    problem = ("prefix" if not re.fullmatch(r"\+[0-9]{1,15}", prefix)
               else "prefix twice" if (origin, prefix) in seen
               else "destination" if not 1 <= len(name.encode()) <= DESTINATION_MAX
               else "price" if (status == "open") != bool(re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]{1,6})?", price))
               else None)
    if problem:
        raise ValueError(f"{problem}: {rate}")
    seen.add((origin, prefix))


def decks():
    """{path: text} of every deck."""
    prices = keyed_prices("prices.csv")
    increase = keyed_prices("increase-2027.csv", prices)
    return {DECKS / "2026-standard.csv": Deck(prices).text("Standard rates 2026"),
            DECKS / "2027-increase.csv": Deck(increase).text("Rates from 2027: some up, some down")}


def main(arguments):
    if arguments not in ([], ["check"]):
        print(__doc__, file=sys.stderr)
        return 64
    stale = []
    for path, text in decks().items():
        if not arguments:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"make_deck: {', '.join(stale)}: not what the tables give; run examples/tools/make_deck.py",
              file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
