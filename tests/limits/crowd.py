"""crowd.py - thousands of calls on one account, all at once, and what befalls them together.

Each case is a history of so many calls; a fourth as many cost no less than an eighth of it. What
is answered is checked by counting."""

import tempfile
from collections import Counter

from meter import DAY, MINUTE, START, Meter, deck, event

TICK_MS = 6000
CALLED = {"cheap": "+33612345678", "dear": "+447700900123"}  # 0.01 and 0.1 a second


def number(place):
    return f"+1202{5_000_000 + place}"


def dollars(amount):
    return f"{amount:.6f}"


def opened(credits, numbers=1):
    """An account with credits and so many numbers."""
    yield from deck("d", START - DAY, START, [("US", "+33", "0.6", 1, 1), ("US", "+44", "6", 1, 1)])
    yield event("account.opened", "a", START, currency="USD", owner="ann")
    yield event("member.set", "a", START, member_id="bob", role="member")
    yield event("credit.topped_up", "a", START, topup_id="first", amount=dollars(credits), currency="USD")
    for place in range(numbers):
        yield event("number.added", "a", START, number=number(place), origin="US")
        yield event("number.international_enabled", "a", START, number=number(place), actor="ann")
        yield event("member.assigned", "a", START, number=number(place), member_id="bob")


def started(count, numbers=1, price="cheap"):
    for place in range(count):
        yield event("call.started", "a", START + MINUTE, call_id=f"c{place}", direction="outbound",
                    from_=number(place % numbers), to=CALLED[price], member_id="bob")


def reported(kind, count, duration_ms):
    for place in range(count):
        yield event(kind, "a", START + MINUTE + duration_ms, call_id=f"c{place}", duration_ms=duration_ms)


def talked(count, until_ms):
    """Every call ticks, one after the other, until so much talk time."""
    for duration_ms in range(TICK_MS, until_ms + 1, TICK_MS):
        yield from reported("call.ticked", count, duration_ms)


def later(kind, subject="a", **data):
    """An event after all the ticks."""
    return event(kind, subject, START + 3 * MINUTE, **data)


def run_out(count):
    """40 seconds for each call, and a horizon of 30: all of them run out within it."""
    yield from opened(0.40 * count)
    yield from started(count)
    yield from talked(count, 36_000)


def ample(count, numbers=1):
    yield from opened(100 * count, numbers)
    yield from started(count, numbers)
    yield from talked(count, TICK_MS)


def ends_early(count):
    """Each end frees what the others buy on from."""
    yield from run_out(count)
    yield from reported("call.ended", count, 37_000)


def tops_up(count):
    yield from run_out(count)
    yield later("credit.topped_up", topup_id="second", amount=dollars(count), currency="USD")
    yield from reported("call.ended", count, 40_000)


def tops_up_by_cents(count):
    """Each top-up is a second for one call."""
    yield from run_out(count)
    for place in range(count):
        yield later("credit.topped_up", topup_id=f"cent-{place}", amount="0.01", currency="USD")


def goes_stale(count):
    yield from run_out(count)
    for minute in range(1, 13):
        yield event("clock.advanced", None, START + (3 + minute) * MINUTE)


def removes_member(count):
    yield from ample(count)
    yield later("member.removed", member_id="bob")
    yield from reported("call.ended", count, 7_000)


def removes_number(count):
    yield from ample(count)
    yield later("number.removed", number=number(0))
    yield from reported("call.ended", count, 7_000)


def toggles_off(count):
    yield from ample(count)
    yield later("number.international_disabled", number=number(0), actor="ann")
    yield from reported("call.ended", count, 7_000)


def reaches_daily_spend(count):
    yield event("policy.configured", None, START, daily_spend={"USD": dollars(0.05 * count)})
    yield from ample(count)
    yield from reported("call.ended", count, 7_000)


def changes_policy(count):
    yield from ample(count)
    yield later("policy.configured", None, max_call_ms=20_000)
    yield from reported("call.ended", count, 7_000)


def charges_back(count):
    """All grants are made anew, with nothing left to share."""
    yield from run_out(count)
    yield later("topup.reversed", topup_id="first", reason="fraud")
    yield from reported("call.ended", count, 41_000)


# What is said to how many of the calls, at the least.
CASES = {
    run_out: {"cutoff credits_exhausted": 0.99},
    ends_early: {"cutoff credits_exhausted": 0.99, "recorded platform": 0.99},
    tops_up: {"cutoff_withdrawn": 0.99, "recorded platform": 1},
    tops_up_by_cents: {"cutoff credits_exhausted": 1.9},
    goes_stale: {"cutoff stale": 1, "recorded stale": 1},
    removes_member: {"cutoff member_removed": 1, "recorded cutoff": 1},
    removes_number: {"cutoff number_removed": 1, "recorded cutoff": 1},
    toggles_off: {"cutoff international_disabled": 1, "recorded cutoff": 1},
    reaches_daily_spend: {"cutoff daily_spend_reached": 1},
    changes_policy: {"cutoff max_duration": 0.99, "recorded platform": 1},
    charges_back: {"cutoff credits_exhausted": 1.5, "recorded cutoff": 1},
}
BYTES_A_CALL = 16_000  # of memory, at most, over an empty program's


def said(meter):
    """How often each thing was said of a call."""
    counts = Counter()
    for output in meter.outputs("commands") + meter.outputs("calls"):
        data = output["data"]
        kind = output["type"].removeprefix("callfold.call.")
        counts[f"{kind} {data.get('reason') or data.get('ended_by') or ''}".strip()] += 1
    return counts


def check_ledger(check, name, meter):
    """The ledger sums to the balance, and nothing is taken that was not there."""
    entries = [output["data"] for output in meter.outputs("ledger")]
    total = 0
    for entry in entries:
        total += micros(entry["amount"])
        if total != micros(entry["balance"]) or total < 0:
            break
    check(f"{name}: the ledger sums to a balance that is never below zero",
          total == micros(entries[-1]["balance"]) >= 0)


def micros(text):
    units, _, fraction = text.lstrip("-").partition(".")
    return int(units + fraction.ljust(6, "0")) * (-1 if text.startswith("-") else 1)


def check_answers(check, case, meter, count):
    counts = said(meter)
    for words, share in CASES[case].items():
        check(f"{case.__name__}: {words} for each of {count} calls", counts[words] >= share * count, counts)
    check(f"{case.__name__}: no call is denied", counts["authorized"] == count, counts)
    check_ledger(check, case.__name__, meter)


def costs(check, program, case, largest):
    """cost(size) of a case; the largest is looked at closely."""
    def cost(count):
        with tempfile.TemporaryDirectory(prefix="callfold-limits-") as directory:
            meter = Meter(program, directory)
            idle = meter.call("--help").peak_bytes
            meter.append(case(count))
            usage = meter.run()
            if count == largest:
                check_answers(check, case, meter, count)
                used = (usage.peak_bytes - idle) / count
                check(f"{case.__name__}: memory for {count} calls", used < BYTES_A_CALL, f"{used:.0f} bytes a call")
                print(f"  {case.__name__}: {usage.cpu_s:.2f} s, {usage.peak_bytes >> 20} MB")
            return usage.cpu_s
    return cost


def run(check, program, sizes, _):
    quarter = sizes.calls // 4
    for case in CASES:
        check.linear(f"{case.__name__} with a crowd of calls", costs(check, program, case, 4 * quarter), quarter)
