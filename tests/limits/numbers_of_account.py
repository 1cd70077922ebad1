"""numbers_of_account.py - many numbers on one account, with all that can be set for a number."""

import json
import tempfile

from meter import DAY, START, Meter, deck, event

ABROAD, BLOCKED = "+33612345678", "+447700900123"


def number(place):
    return f"+1202{5_000_000 + place}"


def opened():
    yield from deck("d", START - DAY, START, [("US", "+33", "0.6", 1, 1), ("US", "+44", "0.6", 1, 1)])
    yield event("account.opened", "a", START, currency="USD", owner="ann")
    yield event("member.set", "a", START, member_id="bob", role="manager")
    yield event("credit.topped_up", "a", START, topup_id="t", amount="1000000", currency="USD")


def settings(count):
    """Every number switched on, assigned to two members, with a block of its own."""
    for place in range(count):
        yield event("number.added", "a", START, number=number(place), origin="US")
        yield event("number.international_enabled", "a", START, number=number(place), actor="ann")
        yield event("member.assigned", "a", START, number=number(place), member_id="ann")
        yield event("member.assigned", "a", START, number=number(place), member_id="bob")
        yield event("destination.blocked", "a", START, number=number(place), prefix="+44", actor="bob")


def changes(count):
    """As many changes of what belongs to one number, or to the member who has them all."""
    for place in range(count):
        at = START + 1 + place
        yield event("member.removed", "a", at, member_id="bob")
        yield event("member.set", "a", at, member_id="bob", role="manager")
        yield event("member.assigned", "a", at, number=number(place), member_id="bob")
        yield event("number.international_disabled", "a", at, number=number(place), actor="ann")
        yield event("number.international_enabled", "a", at, number=number(place), actor="bob")
        yield event("number.removed", "a", at, number=number(place))
        yield event("number.added", "a", at, number=number(place), origin="US")


def calls(count, time_ms):
    """From each number once: by ann, by bob, and to what was blocked."""
    for place in range(count):
        for member, to in (("ann", ABROAD), ("bob", ABROAD), ("ann", BLOCKED)):
            call_id = f"{member}-{to}-{place}-{time_ms}"
            yield event("call.started", "a", time_ms, call_id=call_id.replace("+", ""), direction="outbound",
                        from_=number(place), to=to, member_id=member)
            yield event("call.ended", "a", time_ms, call_id=call_id.replace("+", ""), duration_ms=0)


def answers(meter, count, time_ms):
    """What the calls from some numbers were answered: a list of [ann, bob, blocked] words."""
    before = len(meter.outputs("commands"))
    meter.append(calls(count, time_ms))
    meter.run()
    words = [output["data"].get("reason", "authorized") for output in meter.outputs("commands")[before:]]
    return {tuple(words[at:at + 3]) for at in range(0, len(words), 3)}


def status(meter, table):
    return json.loads(meter.call("status", "--state", meter.state, "--account", "a", "--table", table, "--json").stdout)


def check_calls(check, program, directory, count):
    meter = Meter(program, directory)
    meter.append(opened())
    meter.append(settings(count))
    meter.run()
    some = 100
    check("every number may call as it was set", answers(meter, some, START + 1) ==
          {("authorized", "authorized", "destination_blocked_by_account")})
    check("status lists every number with its members and its block",
          [(row["number"], row["members"], row["blocked"]) for row in status(meter, "numbers")] ==
          [(number(place), ["ann", "bob"], ["+44"]) for place in range(count)])
    meter.append([event("member.removed", "a", START + 2, member_id="bob"),
                  event("member.set", "a", START + 2, member_id="bob", role="manager")])
    meter.run()
    check("a member who was removed is assigned to none of them", answers(meter, some, START + 3) ==
          {("authorized", "member_not_assigned", "destination_blocked_by_account")})
    check("status says so", [len(row["numbers"] or []) for row in status(meter, "members")] == [count, 0])


def folding(program, *parts):
    """cost(size) of a history in parts."""
    def cost(size):
        with tempfile.TemporaryDirectory(prefix="callfold-limits-") as directory:
            meter = Meter(program, directory)
            meter.append(opened())
            for part in parts:
                meter.append(part(size))
            return meter.run().cpu_s
    return cost


def showing(program):
    """cost(size) of status --account for so many numbers."""
    def cost(size):
        with tempfile.TemporaryDirectory(prefix="callfold-limits-") as directory:
            meter = Meter(program, directory)
            meter.append(opened())
            meter.append(settings(size))
            meter.run()
            return meter.call("status", "--state", meter.state, "--account", "a").cpu_s
    return cost


def run(check, program, sizes, directory):
    check_calls(check, program, directory, sizes.numbers)
    quarter = sizes.numbers // 4
    check.linear("settings and changes of the numbers of one account", folding(program, settings, changes), quarter)
    check.linear("status --account", showing(program), quarter)
