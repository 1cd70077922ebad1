"""decode.py - a record's bytes to a typed event, by the letter of the contract.

The naive counterpart of events/decode.c: the standard library's JSON parser, one
reader function for each kind of field, one table that says which fields a type has.
Amounts become integers of micros, fx rates of nanos, times of milliseconds.
"""

import csv
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace

EVENTS = Path(__file__).resolve().parents[2] / "events"
PREFIX = "callfold."
RECORD_MAX = 1048576
LEVELS_MAX = 32
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
DURATION_MAX = 2**53 - 1
DAY = 86400000


class Invalid(Exception):
    """A field that is not what the contract says; the text names it."""


class Undecodable(Exception):
    """The record is no event: reason is malformed, unknown_type or invalid_field."""

    def __init__(self, reason, detail, subject=None):
        super().__init__(detail)
        self.reason, self.detail, self.subject = reason, detail, subject


def table_column(name, column):
    """One column of a CSV table of events/tools (its '#' lines are comments)."""
    with open(EVENTS / "tools" / name, encoding="utf-8") as lines:
        return {row[column] for row in csv.DictReader(x for x in lines if not x.startswith("#"))}


CURRENCIES = table_column("currencies.csv", "code")
EMERGENCY_NUMBERS = table_column("emergency.csv", "number")

# ---------------------------------------------------------------- JSON


def unique_members(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key twice")
    return members


def int64(digits):
    if len(digits) > 20 or not INT64_MIN <= int(digits) <= INT64_MAX:
        raise ValueError("an integer beyond int64")
    return int(digits)


def double(digits):
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number beyond double")
    return number


def no_constant(word):
    raise ValueError(word + " is not JSON")


NUL_OR_HALF_A_PAIR = re.compile("[\0\ud800-\udfff]")


def check_tree(value, level):
    """Every string whole, no more than LEVELS_MAX containers inside each other."""
    if isinstance(value, str):
        if NUL_OR_HALF_A_PAIR.search(value):
            raise ValueError("NUL or half a surrogate pair")
    elif isinstance(value, (dict, list)):
        if level > LEVELS_MAX:
            raise ValueError("too deep")
        for item in value:
            check_tree(item, level + 1)
        for item in value.values() if isinstance(value, dict) else ():
            check_tree(item, level + 1)


def parse_object(value):
    """The record's one JSON object; ValueError for anything else."""
    if len(value) > RECORD_MAX:
        raise ValueError("over 1 MiB")
    try:
        record = json.loads(value.decode("utf-8"), object_pairs_hook=unique_members, parse_int=int64,
                            parse_float=double, parse_constant=no_constant)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(record, dict):
        raise ValueError("not an object")
    check_tree(record, 1)
    return record


# ---------------------------------------------------------------- readers: JSON value -> typed value, or Invalid


def string(value):
    if not isinstance(value, str):
        raise Invalid("not a string")
    return value


def matching(pattern):
    compiled = re.compile(pattern)

    def read(value):
        if not compiled.fullmatch(string(value)):
            raise Invalid("does not match " + pattern)
        return value
    return read


def bytes_within(least, most):
    def read(value):
        if not least <= len(string(value).encode()) <= most:
            raise Invalid("wrong length")
        return value
    return read


def one_of(*words):
    def read(value):
        if string(value) not in words:
            raise Invalid("not one of " + ", ".join(words))
        return value
    return read


def integer(least, most):
    def read(value):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid("not an integer within its limits")
        return value
    return read


def boolean(value):
    if not isinstance(value, bool):
        raise Invalid("not true or false")
    return value


def decimal(places, least):
    pattern = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]{1,%d}))?" % places)

    def read(value):
        match = pattern.fullmatch(string(value))
        if not match:
            raise Invalid("not a decimal")
        sign, units, fraction = match.groups()
        number = int(units + (fraction or "").ljust(places, "0")) * (-1 if sign else 1)
        if not least <= number <= INT64_MAX:
            raise Invalid("out of range")
        return number
    return read


identifier = matching(r"[A-Za-z0-9._:-]{1,64}")
e164 = matching(r"\+[1-9][0-9]{1,14}")
dial_prefix = matching(r"\+[0-9]{1,15}")
currency_code = matching(r"[A-Z]{3}")
country_code = matching(r"[A-Z]{2}")
dialled = bytes_within(0, 64)
words = bytes_within(1, 128)
amount_above_zero = decimal(6, 1)
amount_or_zero = decimal(6, 0)
fx_rate = decimal(9, 1)
duration = integer(0, DURATION_MAX)

RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
                     r"(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


def days_before(year, month, day):
    """Days from 1970-01-01, counted month by month; valid for year 0 too."""
    def leap(of):
        return of % 4 == 0 and (of % 100 != 0 or of % 400 == 0)
    lengths = [31, 29 if leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        raise Invalid("no such day")
    before = year - 1
    whole_years = 365 * year + (before // 4 - before // 100 + before // 400 + 1 if year > 0 else 0)
    return whole_years + sum(lengths[:month - 1]) + day - 1 - 719528


def instant(value):
    """RFC 3339 -> ms since 1970, truncated to the millisecond."""
    match = RFC3339.fullmatch(string(value))
    if not match:
        raise Invalid("not RFC 3339")
    year, month, day, hour, minute, second = (int(x) for x in match.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    if hour > 23 or minute > 59 or second > 60 or int(offset_hours or 0) > 23 or int(offset_minutes or 0) > 59:
        raise Invalid("no such time of day")
    offset = (int(offset_hours or 0) * 60 + int(offset_minutes or 0)) * (-1 if sign == "-" else 1)
    minutes = days_before(year, month, day) * 1440 + hour * 60 + minute - offset
    if second == 60:
        if minutes % 1440 != 1439:
            raise Invalid("no leap second there")
        ms = (minutes + 1) * 60000
    else:
        ms = minutes * 60000 + second * 1000 + int((fraction or "").ljust(3, "0")[:3])
    if not days_before(0, 1, 1) * DAY <= ms < days_before(9999, 12, 31) * DAY + DAY:
        raise Invalid("beyond the years 0000-9999")
    return ms


def list_of(read):
    def read_list(value):
        if not isinstance(value, list):
            raise Invalid("not an array")
        return [read(item) for item in value]
    return read_list


def map_of(read):
    """{currency: decimal}"""
    def read_map(value):
        if not isinstance(value, dict):
            raise Invalid("not an object")
        return {currency_code(code): read(item) for code, item in sorted(value.items())}
    return read_map


REQUIRED = object()


def optional(read, default=None):
    return (read, default)


def fields(**readers):
    """An object with these members; those not made by optional() are required, others ignored."""
    table = {name: read if isinstance(read, tuple) else (read, REQUIRED) for name, read in readers.items()}

    def read_object(value):
        if not isinstance(value, dict):
            raise Invalid("not an object")
        missing = [name for name, (_, default) in table.items() if default is REQUIRED and name not in value]
        if missing:
            raise Invalid(missing[0] + " is missing")
        return {name: read(value[name]) if name in value else default for name, (read, default) in table.items()}
    return read_object


# ---------------------------------------------------------------- the types


def call_started(value):
    read = fields(call_id=identifier, direction=one_of("outbound", "inbound"), to=dialled,
                  member_id=optional(identifier), **{"from": dialled})
    data = read(value)
    if data["direction"] == "outbound":
        e164(data["from"])
        if data["member_id"] is None:
            raise Invalid("member_id is missing")
    return data


def rate(value):
    data = fields(origin=identifier, prefix=dial_prefix, destination=words, status=one_of("open", "free", "blocked"),
                  price=optional(amount_or_zero, 0), connect=optional(amount_or_zero, 0),
                  first_s=optional(integer(1, 86400), 1), step_s=optional(integer(1, 86400), 1),
                  kind=optional(words), domestic=optional(boolean, False))(value)
    if data["status"] == "open" and "price" not in value:
        raise Invalid("price is missing")
    return data


def fx_published(value):
    data = fields(base=currency_code, rates=map_of(fx_rate), effective_at=instant)(value)
    if data["rates"].get(data["base"], 10**9) != 10**9:
        raise Invalid("the base's own rate is not 1")
    return data


POLICY_DEFAULTS = {
    "tick_ms": 6000, "horizon_ms": 30000, "stale_after_ms": 600000, "retention_ms": 604800000,
    "max_call_ms": 14400000, "recharge_timeout_ms": 900000, "notice_ms": 0, "low_credits": {},
    "daily_spend": {}, "max_concurrent_calls": 0,
}
MAY_BE_ZERO = {"retention_ms", "notice_ms"}


def policy_configured(value):
    """Only the members that are named."""
    readers = {name: optional(integer(0 if name in MAY_BE_ZERO else 1, DURATION_MAX)) for name in POLICY_DEFAULTS}
    readers.update(low_credits=optional(map_of(amount_or_zero)), daily_spend=optional(map_of(amount_or_zero)),
                   horizon_ms=optional(integer(1, DAY)), max_concurrent_calls=optional(integer(0, 2**31 - 1)))
    return {name: item for name, item in fields(**readers)(value).items() if item is not None}


def nothing(_value):
    return {}


toggle = fields(number=e164, actor=identifier)
assignment = fields(number=e164, member_id=identifier)
block = fields(prefix=dial_prefix, number=optional(e164), actor=identifier)

def topped_up(value):
    data = fields(topup_id=identifier, amount=amount_above_zero, currency=currency_code,
                  paid=optional(fields(amount=amount_above_zero, currency=currency_code)),
                  recharge_id=optional(identifier))(value)
    data["paid"] = data["paid"] or {"amount": data["amount"], "currency": data["currency"]}
    return data


ACCOUNT_TYPES = {
    "account.opened": fields(currency=currency_code, owner=identifier),
    "member.set": fields(member_id=identifier, role=one_of("admin", "manager", "member")),
    "member.removed": fields(member_id=identifier),
    "number.added": fields(number=e164, origin=identifier),
    "number.removed": fields(number=e164),
    "member.assigned": assignment,
    "member.unassigned": assignment,
    "number.international_enabled": toggle,
    "number.international_disabled": toggle,
    "destination.blocked": block,
    "destination.unblocked": block,
    "auto_recharge.configured": fields(enabled=boolean, amount=amount_above_zero, currency=currency_code,
                                       threshold=optional(amount_or_zero, 0),
                                       daily_limit=optional(integer(0, 1000000), 5), actor=identifier),
    "credit.topped_up": topped_up,
    "topup.reversed": fields(topup_id=identifier, reason=words),
    "credit.refunded": nothing,
    "recharge.failed": fields(recharge_id=identifier, reason=words),
    "call.started": call_started,
    "call.ticked": fields(call_id=identifier, duration_ms=duration),
    "call.ended": fields(call_id=identifier, duration_ms=duration, voicemail=optional(boolean, False)),
    "sms.requested": fields(message_id=identifier, to=e164, **{"from": e164}),
}
BROADCAST_TYPES = {
    "ratedeck.opened": fields(deck_id=identifier, currency=currency_code, effective_at=instant,
                              origins=list_of(fields(origin=identifier, country=country_code,
                                                     currency=currency_code))),
    "ratedeck.rates": fields(deck_id=identifier, rates=list_of(rate)),
    "ratedeck.published": fields(deck_id=identifier, rates=duration),
    "fx.published": fx_published,
    "policy.configured": policy_configured,
}
TYPES = {**ACCOUNT_TYPES, **BROADCAST_TYPES, "clock.advanced": nothing}
DATA_NOT_READ = {"clock.advanced", "credit.refunded"}


def read_envelope(record, kind):
    def attribute(name, read):
        try:
            return read(record[name])
        except KeyError as error:
            raise Invalid(name + ": missing") from error
        except Invalid as error:
            raise Invalid(f"{name}: {error}") from error

    attribute("specversion", one_of("1.0"))
    attribute("id", matching(r"(?s).+"))
    attribute("source", matching(r"(?s).+"))
    time = attribute("time", instant)
    subject = attribute("subject", identifier) if kind in ACCOUNT_TYPES else None
    if subject is None and "subject" in record:
        raise Invalid("subject: not in this type")
    data = attribute("data", TYPES[kind]) if kind not in DATA_NOT_READ else {}
    return SimpleNamespace(type=kind, time=time, subject=subject, data=data)


def decode(value):
    """The typed event in value (bytes), or Undecodable."""
    try:
        record = parse_object(value)
    except ValueError as error:
        raise Undecodable("malformed", str(error)) from error
    record = {name: item for name, item in record.items() if item is not None}
    subject = record.get("subject")
    if not (isinstance(subject, str) and re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", subject)):
        subject = None
    kind = record.get("type")
    if not isinstance(kind, str):
        raise Undecodable("invalid_field", "type: not a string", subject)
    if not kind.startswith(PREFIX) or kind[len(PREFIX):] not in TYPES:
        raise Undecodable("unknown_type", kind, subject)
    try:
        return read_envelope(record, kind[len(PREFIX):])
    except Invalid as error:
        raise Undecodable("invalid_field", str(error), subject) from error
