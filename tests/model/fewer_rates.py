"""fewer_rates.py - a history with fewer rates in its decks, for shrinking: a deck is still published with all it has."""

import json

PREFIX = "callfold.ratedeck."


def deck_event(record):
    """(kind, event) of a record that is a part of a deck, as JSON would have it; else (None, None)."""
    try:
        event = json.loads(record.value)
        if event["type"].startswith(PREFIX) and event["data"]["deck_id"]:
            return event["type"].removeprefix(PREFIX), event
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return None, None


def names(event):
    return [(event["data"]["deck_id"], rate["origin"], rate["prefix"]) for rate in event["data"]["rates"]]


def rates_of(records):
    """(deck, origin, prefix) of every rate, each once, in order."""
    found = {}
    for record in records:
        kind, event = deck_event(record)
        if kind == "rates":
            found.update(dict.fromkeys(names(event)))
    return list(found)


def without_rates(records, dropped):
    return [without_its_rates(record, dropped) for record in records]


def without_its_rates(record, dropped):
    kind, event = deck_event(record)
    if kind == "rates":
        rates = [rate for name, rate in zip(names(event), event["data"]["rates"]) if name not in dropped]
        event["data"]["rates"] = rates
    elif kind == "published":
        event["data"]["rates"] -= sum(deck == event["data"]["deck_id"] for deck, _, _ in dropped)
    else:
        return record
    return record._replace(value=json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
