"""rate_deck.py - a deck of half a million prefixes, from CSV to calls, and what replaces it."""

import csv
import io
import json
import random

from census import census
from meter import DAY, HOUR, START, Meter, event, time_text

ORIGINS = {"US": "+12025550100", "FR-mobile": "+33612345678"}  # and a number of each
DIALLED = 400
DECKS = 5  # the first fills its pages; those that come into a tree with records behind them, half of each
UNHURRIED = ("--batch-ms", 3_600_000, "--checkpoint-ms", 3_600_000)  # stores at the end, whatever the clock says


class Deck:
    """So many prefixes of one to eight digits, many of them inside others; prices in dollars."""

    def __init__(self, directory, name, prefixes, effective_ms):
        rng = random.Random(name)
        self.name, self.effective_ms, self.path = name, effective_ms, directory / f"{name}.csv"
        numbers = rng.sample(range(1, 10 * prefixes), prefixes)
        self.prices = {origin: {f"+{number}": f"{0.01 + number % 9973 / 10**4 + place / 10**6:.6f}"
                                for number in numbers[place::len(ORIGINS)]} for place, origin in enumerate(ORIGINS)}
        self.write()

    def write(self):
        with self.path.open("w") as file:
            file.write("# currency: USD\n# origin: US US USD\n# origin: FR-mobile FR EUR\n")
            file.write("origin,prefix,destination,kind,status,price,connect,first_s,step_s,domestic\n")
            for origin, prices in self.prices.items():
                file.writelines(f"{origin},{prefix},Anywhere,,open,{price},,,,\n" for prefix, price in prices.items())

    def match(self, origin, number):
        """The longest prefix of the number and its price, or None."""
        prices = self.prices[origin]
        found = next((number[:size] for size in range(len(number), 1, -1) if number[:size] in prices), None)
        return found and (found, amount(prices[found]))


def amount(text):
    """As callfold writes it: without superfluous zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def publish(meter, deck, time_ms):
    usage = meter.call("rates", "publish", deck.path, "--deck-id", deck.name, "--effective-at",
                       time_text(deck.effective_ms), "--time", time_text(time_ms))
    meter.append([usage.stdout])
    return usage


def open_account(meter):
    meter.append([event("account.opened", "a", START, currency="USD", owner="ann"),
                  event("credit.topped_up", "a", START, topup_id="t", amount="1000000", currency="USD")])
    for number, origin in zip(ORIGINS.values(), ORIGINS):
        meter.append([event("number.added", "a", START, number=number, origin=origin),
                      event("number.international_enabled", "a", START, number=number, actor="ann"),
                      event("member.assigned", "a", START, number=number, member_id="ann")])


def check_calls(check, meter, deck, time_ms):
    """Calls to random numbers are priced by the deck's longest prefix."""
    rng = random.Random(deck.name)
    numbers = [f"+{rng.randrange(10**10, 10**11)}" for _ in range(DIALLED)]
    origins = [rng.choice(list(ORIGINS)) for _ in numbers]
    meter.append(event("call.started", "a", time_ms, call_id=f"{deck.name}-{place}", direction="outbound",
                       from_=ORIGINS[origin], to=number, member_id="ann")
                 for place, (origin, number) in enumerate(zip(origins, numbers)))
    meter.append(event("call.ended", "a", time_ms, call_id=f"{deck.name}-{place}", duration_ms=0)
                 for place in range(DIALLED))
    meter.run(*UNHURRIED)
    answers = {output["data"]["call_id"]: output["data"] for output in meter.outputs("commands")
               if output["type"] in ("callfold.call.authorized", "callfold.call.denied")}
    wrong = []
    for place, (origin, number) in enumerate(zip(origins, numbers)):
        data, match = answers[f"{deck.name}-{place}"], deck.match(origin, number)
        priced = (data["prefix"], data["price"]) if "price" in data else None
        known = data.get("deck_id") == deck.name if match else data.get("reason") == "destination_unknown"
        if priced != match or not known:
            wrong.append((number, match, data))
    check(f"{DIALLED} calls are priced by the longest prefix of {deck.name}", not wrong, wrong[:2])


def rows(usage):
    return list(csv.DictReader(io.StringIO(usage.stdout)))


def check_tools(check, meter, deck, later):
    """What the rates commands say of decks this large, by other means."""
    us = deck.prices["US"]
    listed = {row["prefix"]: row["price"] for row in rows(meter.call("rates", "list", deck.path, "--from-origin", "US",
                                                                    "--csv"))}
    check("rates list has every prefix and its price", listed == {prefix: amount(us[prefix]) for prefix in us})
    meter.call("rates", "list", deck.path, "--from-origin", "US")
    compared = {row["prefix"] for row in rows(meter.call("rates", "compare", deck.path, "--csv"))}
    check("rates compare has every prefix of every origin", compared == set().union(*deck.prices.values()))
    number = max(us, key=len) + "0"
    estimate = rows(meter.call("rates", "estimate", deck.path, "--amount", "25", "--from-origin", "US", "--to", number,
                               "--csv"))
    check("rates estimate finds the longest prefix", estimate[0]["price"] == deck.match("US", number)[1], estimate)
    usage = meter.call("rates", "diff", deck.path, later.path, "--from-origin", "US", "--csv",
                       code=1)
    check("rates diff names a prefix for each of the differences",
          {row["prefix"] for row in rows(usage)} == differing(deck, later, "US"))


def differing(deck, later, origin):
    """Prefixes of either deck whose numbers cost something else, or nothing more, under the later."""
    prefixes = deck.prices[origin].keys() | later.prices[origin].keys()
    return {prefix for prefix in prefixes if (deck.match(origin, prefix) or "??")[1] !=
            (later.match(origin, prefix) or "??")[1]}


def check_status(check, meter, deck):
    status = meter.call("status", "--state", meter.state, "--table", "decks", "--json")
    decks = [(row["deck_id"], row["state"], row["rates"]) for row in json.loads(status.stdout)]
    rates = sum(len(prices) for prices in deck.prices.values())
    check(f"status has {deck.name} and nothing else", decks == [(deck.name, "in force", rates)], decks)
    listed = rows(meter.call("rates", "list", "--state", meter.state, "--account", "a", "--number", ORIGINS["US"],
                             "--csv"))
    check("rates list --state has the deck's prices",
          {row["prefix"]: row["price"] for row in listed} ==
          {prefix: amount(price) for prefix, price in deck.prices["US"].items()})


def state_bytes(meter):
    return (meter.state / "partition-0" / "data.mdb").stat().st_size


def run(check, program, sizes, directory):
    meter = Meter(program, directory)
    open_account(meter)
    decks = [Deck(directory, f"deck-{day}", sizes.prefixes, START + day * DAY) for day in range(DECKS)]
    seen = []
    for deck in decks:
        published = publish(meter, deck, deck.effective_ms - HOUR if seen else START)
        folded = meter.run(*UNHURRIED)
        check_calls(check, meter, deck, deck.effective_ms)
        meter.append([event("clock.advanced", None, deck.effective_ms + HOUR + 1)])
        meter.run(*UNHURRIED)
        restarted = meter.run(*UNHURRIED)
        kept = census(meter.state / "partition-0").counts["R"]
        check(f"{deck.name} is the only deck whose rates are kept", kept == sizes.prefixes, kept)
        seen.append((folded.peak_bytes, restarted.peak_bytes, state_bytes(meter)))
        print(f"  {deck.name}: publish {published.cpu_s:.2f} s, fold {folded.cpu_s:.2f} s, "
              f"{folded.peak_bytes >> 20} MB; restart {restarted.cpu_s:.2f} s, {restarted.peak_bytes >> 20} MB; "
              f"state {seen[-1][2] >> 20} MB")
    names = ("memory of a run that takes up a deck", "memory of a restart", "state file")
    for name, third, last, growth in zip(names, seen[2], seen[-1], (1.1, 1.1, 1.02)):
        check(f"the {name} does not grow from deck to deck", last <= growth * third, f"{third}, at last {last} bytes")
    check_status(check, meter, decks[-1])
    check_tools(check, meter, decks[0], decks[1])
