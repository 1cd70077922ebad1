"""month.py - a month of one partition in small: what is kept grows no more once retention is over.

Each day every account calls, is denied, tops up, and is called; rates and exchange rates are
renewed. After retention_ms (7 days) and a day, the state of each day is that of the last, but for
what is kept for ever: a top-up's id."""

import json

from census import census
from meter import DAY, HOUR, MINUTE, START, Meter, event, time_text

PREFIXES = 200
COMPARED = (10, 30)  # days; the earlier one is past retention already
KEPT_FOR_EVER = "T"


def broadcasts(day):
    """Tomorrow's rates and exchange rates."""
    noon, tomorrow = START + day * DAY + 12 * HOUR, START + (day + 1) * DAY
    deck_id = f"deck-{day:02d}"
    yield event("fx.published", None, noon, base="USD", rates={"EUR": f"0.9{day % 10}", "GBP": f"0.8{day % 10}"},
                effective_at=time_text(tomorrow))
    yield event("ratedeck.opened", None, noon, deck_id=deck_id, currency="USD", effective_at=time_text(tomorrow),
                origins=[{"origin": "US", "country": "US", "currency": "USD"}])
    yield event("ratedeck.rates", None, noon, deck_id=deck_id, rates=[
        {"origin": "US", "prefix": f"+{3000 + place}", "destination": "Somewhere", "status": "open",
         "price": f"0.{day % 10}{place + 1:03d}"} for place in range(PREFIXES)])
    yield event("ratedeck.published", None, noon, deck_id=deck_id, rates=PREFIXES)


def opened(account):
    number = f"+1202555{account:04d}"
    name = f"acct-{account}"
    yield event("account.opened", name, START, currency=("USD", "EUR", "GBP")[account % 3], owner="ann")
    yield event("number.added", name, START, number=number, origin="US")
    yield event("number.international_enabled", name, START, number=number, actor="ann")
    yield event("member.assigned", name, START, number=number, member_id="ann")
    yield event("auto_recharge.configured", name, START, enabled=True, amount="5", currency="USD", threshold="1",
                actor="ann")


def call(account, call_id, time_ms, to, minutes, is_ended=True):
    name = f"acct-{account}"
    yield event("call.started", name, time_ms, call_id=call_id, direction="outbound", from_=f"+1202555{account:04d}",
                to=to, member_id="ann")
    for minute in range(1, minutes):
        yield event("call.ticked", name, time_ms + minute * MINUTE, call_id=call_id, duration_ms=minute * MINUTE)
    if is_ended:
        yield event("call.ended", name, time_ms + minutes * MINUTE, call_id=call_id, duration_ms=minutes * MINUTE)


def account_day(account, day):
    """A call that ends, one that goes stale, one over midnight, one that is denied, one nobody authorized."""
    name, abroad = f"acct-{account}", f"+3{account % PREFIXES:03d}123456"
    morning = START + day * DAY + 8 * HOUR + account * 1000
    yield event("credit.topped_up", name, morning, topup_id=f"day-{day:02d}", amount="10", currency="USD")
    yield from call(account, f"day-{day:02d}-ended", morning + MINUTE, abroad, 3)
    yield from call(account, f"day-{day:02d}-stale", morning + HOUR, abroad, 2, False)
    yield from call(account, f"day-{day:02d}-denied", morning + 2 * HOUR, "+9991234567", 0, False)
    yield event("call.ticked", name, morning + 3 * HOUR, call_id="never-heard-of", duration_ms=1000)
    yield event("destination.blocked", name, morning + 4 * HOUR, prefix="+3999", actor="ann")
    yield event("destination.unblocked", name, morning + 5 * HOUR, prefix="+3999", actor="ann")
    yield from call(account, f"day-{day:02d}-night", START + (day + 1) * DAY - MINUTE, abroad, 2)


def in_order(lines):
    return sorted(lines, key=lambda line: json.loads(line)["time"])


def day_of(day, accounts):
    return in_order([line for account in range(accounts) for line in account_day(account, day)] +
                    list(broadcasts(day)))


def live_through(check, program, directory, sizes):
    """Folds day by day with a restart between; {day: (census, bytes of the state, peak memory)}."""
    meter, seen = Meter(program, directory), {}
    meter.append(broadcasts(-1))
    for account in range(sizes.month_accounts):
        meter.append(opened(account))
    for day in range(sizes.month_days):
        meter.append(day_of(day, sizes.month_accounts))
        usage = meter.run()
        if day in COMPARED:
            state = meter.state / "partition-0"
            seen[day] = census(state), (state / "data.mdb").stat().st_size, usage.peak_bytes
    endings = {output["data"]["ended_by"] for output in meter.outputs("calls")}
    denied = sum(output["type"] == "callfold.call.denied" for output in meter.outputs("commands"))
    check("calls of the month ended, went stale and were denied",
          {"platform", "stale"} <= endings and denied >= sizes.month_days * sizes.month_accounts, (endings, denied))
    return seen


def run(check, program, sizes, directory):
    seen = live_through(check, program, directory, sizes)
    (early, early_bytes, early_peak), (late, late_bytes, late_peak) = (seen[day] for day in COMPARED)
    topups = (COMPARED[1] - COMPARED[0]) * sizes.month_accounts
    check("a top-up's id is kept for ever", late.counts[KEPT_FOR_EVER] - early.counts[KEPT_FOR_EVER] == topups)
    for kind in sorted((early.counts.keys() | late.counts.keys()) - {KEPT_FOR_EVER}):
        before, after = ((day.counts[kind], day.bytes[kind]) for day in (early, late))
        check(f"as many records and bytes of kind {kind} on day {COMPARED[1]} as on day {COMPARED[0]}",
              after == before, (before, after))
    early_data, late_data = sum(early.bytes.values()), sum(late.bytes.values())
    check("the state file grows as its records do", late_bytes / late_data <= 1.2 * early_bytes / early_data,
          (early_bytes, early_data, late_bytes, late_data))
    check("memory does not grow from day to day", late_peak <= 1.2 * early_peak, (early_peak, late_peak))
    print(f"  day {COMPARED[0]}: {sum(early.counts.values())} records, {early_bytes >> 10} KB, {early_peak >> 20} MB; "
          f"day {COMPARED[1]}: {sum(late.counts.values())} records, {late_bytes >> 10} KB, {late_peak >> 20} MB")
