"""The history that the golden exports are made of: two partitions, two months.

usage: history.py [--hostile | --huge] [--until DAY] > events.jsonl

Prices of the deck, per minute:
    US to +960  Maldives                 0.60 USD   0.01 a second
    US to +44   =UK; "mobile", a:b       0.60 USD   0.06 for each 6 s begun
    US to +49   Germany                  0.30 USD   0.30 for each minute begun
    US to +46   Sweden                   free
    FR to +1    USA  Côte d’Est %41      0.06 USD   that is 0.054 EUR at 0.9

What each line comes to is said beside it. acme is in partition 0, b:ob in 1.
"""
import json
import sys
from datetime import datetime, timedelta, timezone

UK = '=UK; "mobile", a:b'
USA = "USA  Côte d’Est %41"
RATES = [
    ("US", "+960", "Maldives", "0.6", {}),
    ("US", "+44", UK, "0.6", {"first_s": 6, "step_s": 6}),
    ("US", "+49", "Germany", "0.3", {"first_s": 60, "step_s": 60}),
    ("US", "+46", "Sweden", None, {}),
    ("FR", "+1", USA, "0.06", {}),
]
# Every way in which a name can be taken for something else.
HOSTILE = ["+1+cmd|' /C calc'!A0", "@SUM(1)", "-1", "=1+1", "\ttab", " edges ", "two  blanks", "a;b", "(virtual)", "[balanced]",
           "* cleared", "! pending", "a  ; comment", "100%", "%41", "A", "quote\"quote", "apo'strophe", "new\nline", "\nline", "cr\rlf",
           "comma,comma", "a:b:c", ":", "::", "date:2020-01-01", "[2020-01-01]", "no\u00a0break", "\u3000wide", "line\u2028sep",
           "\u202eright to left", "zero\u200bwidth", "<script>alert(1)</script>", "&amp;", "1 USD", "= 1 USD", "|", "~", "\\",
           "\u0001control", "\u0085next", "emoji \U0001f600", "accent é", "{json}", "`tick`", "$(sh)", "#hash", "'; DROP TABLE calls; --"]


class History:
    def __init__(self):
        self.records = []  # (when the broker had it, partition, event)

    def add(self, partition, time, kind, subject, arrives=None, **data):
        """arrives: when the broker had it, if that is not the event's own time."""
        event = {"specversion": "1.0", "id": f"{partition}-{len(self.records)}", "source": "/books", "type": "callfold." + kind,
                 "time": text_of(instant(time)), "data": data}
        if subject is not None:
            event["subject"] = subject
        self.records.append((instant(arrives or time), partition, event))

    def lines(self):
        offsets = {}
        for arrived, partition, event in sorted(self.records, key=lambda record: record[0]):
            offset = offsets[partition] = offsets.get(partition, -1) + 1
            yield arrived, json.dumps({"partition": partition, "offset": offset, "timestamp": int(arrived.timestamp() * 1000),
                                       "key": event.get("subject"), "value": json.dumps(event, ensure_ascii=False)}, ensure_ascii=False)


def instant(text):
    return text if isinstance(text, datetime) else datetime.fromisoformat("2026-" + text).replace(tzinfo=timezone.utc)


def text_of(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (time.microsecond // 1000)


def money(amount, currency="USD"):
    return {"amount": amount, "currency": currency}


def deck(history, partition, rates):
    history.add(partition, "10-01 00:00:00", "ratedeck.opened", None, deck_id="d1", currency="USD",
                effective_at="2026-10-01T00:00:00Z",
                origins=[{"origin": "US", "country": "US", "currency": "USD"}, {"origin": "FR", "country": "FR", "currency": "EUR"}])
    history.add(partition, "10-01 00:00:00", "ratedeck.rates", None, deck_id="d1", rates=[
        dict({"origin": origin, "prefix": prefix, "destination": destination, "status": "open" if price else "free"},
             **({"price": price} if price else {}), **more) for origin, prefix, destination, price, more in rates])
    history.add(partition, "10-01 00:00:00", "ratedeck.published", None, deck_id="d1", rates=len(rates))
    history.add(partition, "10-01 00:00:00", "fx.published", None, base="USD", rates={"EUR": "0.9"},
                effective_at="2026-10-01T00:00:00Z")


def account(history, partition, name, currency, number, origin):
    history.add(partition, "10-01 00:00:01", "account.opened", name, currency=currency, owner="ann")
    history.add(partition, "10-01 00:00:01", "number.added", name, number=number, origin=origin)
    history.add(partition, "10-01 00:00:01", "number.international_enabled", name, number=number, actor="ann")
    history.add(partition, "10-01 00:00:01", "member.assigned", name, number=number, member_id="ann")


def call(history, partition, name, call_id, number, to, *reports, voicemail=False):
    """reports: (time, seconds); the first is the start, the last the end."""
    start, *ticks, end = reports
    history.add(partition, start, "call.started", name, call_id=call_id, direction="outbound", **{"from": number}, to=to,
                member_id="ann")
    for time, seconds in ticks:
        history.add(partition, time, "call.ticked", name, call_id=call_id, duration_ms=int(seconds * 1000))
    if end:
        history.add(partition, end[0], "call.ended", name, call_id=call_id, duration_ms=int(end[1] * 1000), voicemail=voicemail)


def acme(h):
    number, maldives = "+12125550100", "+9603331234"

    def topup(time, topup_id, amount, paid=None, arrives=None):
        h.add(0, time, "credit.topped_up", "acme", arrives=arrives, topup_id=topup_id, **money(amount),
              **({"paid": money(paid)} if paid else {}))

    def calls(call_id, to, *reports):
        call(h, 0, "acme", call_id, number, to, *reports)

    account(h, 0, "acme", "USD", number, "US")
    topup("10-31 10:00:00", "t1", "10")                                    # 10
    calls("c1", maldives, "10-31 23:59:48", ("10-31 23:59:54", 6),         # 0.06 in October: 9.94
          ("11-01 00:00:00", 12), ("11-01 00:00:12", 24))                  # 0.18 in November: 9.76
    topup("11-02 09:00:00", "t2", "12", paid="10")                         # 12, 2 of them a promotion: 21.76
    calls("c2", "+4412345678", "11-03 10:00:00", ("11-03 10:00:10", 10))   # 12 s billed, 0.12: 21.64
    calls("c3", "+46812345678", "11-03 11:00:00", ("11-03 11:01:01", 61))  # free
    h.add(0, "11-03 12:00:00", "call.started", "acme", call_id="c4", direction="inbound", **{"from": "=cmd|' /C calc'!A0"}, to=number)
    h.add(0, "11-03 12:00:30", "call.ended", "acme", call_id="c4", duration_ms=30000)
    calls("c5", "+493012345", "11-04 10:00:00", ("11-04 10:00:20", 0))     # nobody answers
    calls("c6", maldives, "11-05 23:59:50", ("11-05 23:59:56", 6),         # over midnight: 0.06: 21.58
          ("11-06 00:00:02", 12), ("11-06 00:00:08", 18))                  # and 0.12: 21.46
    calls("c7", maldives, "11-10 10:00:00", ("11-10 10:00:06", 6), None)   # goes silent: 0.06 after ten minutes: 21.4
    for minute in range(1, 13):
        h.add(0, f"11-10 10:{minute:02}:10", "clock.advanced", None)
    h.add(0, "11-10 11:00:00", "call.ended", "acme", call_id="c7", duration_ms=10000)  # found again: 0.04 more: 21.36
    h.add(0, "11-15 12:00:00", "topup.reversed", "acme", topup_id="t2", reason="fraud")  # all 12: 9.36
    topup("11-16 09:00:00", "t3", "1")                                     # 10.36
    calls("c8", maldives, "11-16 10:00:00",
          *[(instant("11-16 10:00:00") + timedelta(seconds=s), s) for s in range(6, 300, 6)], ("11-16 10:05:00", 300))  # 3: 7.36
    h.add(0, "11-17 12:00:00", "topup.reversed", "acme", topup_id="t1", reason="fraud")  # 7.36 of 10, 2.64 still owed: 0
    h.add(0, "11-17 12:00:01", "topup.reversed", "acme", topup_id="t3", reason="fraud")  # nothing left, 1 still owed: 0
    topup("11-20 09:00:00", "t4", "5")                                     # 5
    topup("11-30 23:50:00", "t5", "0.5", arrives="12-01 00:05:00")         # late, November is not final: 5.5
    h.add(0, "12-01 00:20:00", "clock.advanced", None)
    topup("11-30 23:55:00", "t6", "0.25", arrives="12-01 00:20:01")        # too late: December's, for November 30: 5.75
    calls("c9", maldives, "12-02 10:00:00", ("12-02 10:00:10", 10))        # 0.1: 5.65
    calls("c10", maldives, "12-02 11:00:00", ("12-02 11:00:06", 6), None)  # still on


def bob(h):
    def topup(time, topup_id, amount, currency, paid=None):
        h.add(1, time, "credit.topped_up", "b:ob", topup_id=topup_id, **money(amount, currency), **({"paid": paid} if paid else {}))

    account(h, 1, "b:ob", "EUR", "+33155550100", "FR")
    topup("10-31 10:00:00", "date:2020-01-01", "9", "EUR")                 # 9
    topup("11-07 10:00:00", "t2", "10", "USD")                             # 10 USD paid, 9 EUR granted: 18
    topup("11-08 10:00:00", "t3", "1", "EUR", paid=money("1.2"))           # 1.2 USD paid, 1 EUR granted: 19
    call(h, 1, "b:ob", "c1", "+33155550100", "+12125550100", "11-09 10:00:00", ("11-09 10:01:01", 61))  # 0.0549: 18.9451
    h.add(1, "11-10 10:00:00", "topup.reversed", "b:ob", topup_id="t2", reason="fraud")  # 9 EUR, 10 USD: 9.9451
    # Over midnight, and a top-up gets into the ledger before what the call owes for the day before.
    call(h, 1, "b:ob", "c2", "+33155550100", "+12125550100", "11-11 23:59:50", ("11-11 23:59:56", 6), None)
    topup("11-12 00:00:01", "t4", "1", "EUR")                              # 10.9451
    h.add(1, "11-12 00:00:02", "call.ticked", "b:ob", call_id="c2", duration_ms=12000)  # 0.0054 of the 11th: 10.9397
    h.add(1, "11-12 00:00:08", "call.ended", "b:ob", call_id="c2", duration_ms=18000)   # 0.0108: 10.9289
    h.add(1, "12-02 10:00:00", "clock.advanced", None)


def hostile(h):
    rates = [("US", f"+2{n:03}", name, "0.6", {}) for n, name in enumerate(HOSTILE)]
    deck(h, 0, rates)
    account(h, 0, "eve", "USD", "+12125550100", "US")
    h.add(0, "11-01 00:00:00", "credit.topped_up", "eve", topup_id="t1", **money("10"))
    for n in range(len(HOSTILE)):
        start = instant("11-02 00:00:00") + timedelta(minutes=n)
        call(h, 0, "eve", f"date:{n}", "+12125550100", f"+2{n:03}5550100", start, (start + timedelta(seconds=1), 1))
        h.add(0, start, "call.started", "eve", call_id=f"in-{n}", direction="inbound", **{"from": HOSTILE[n]}, to="+12125550100")
        h.add(0, start, "call.ended", "eve", call_id=f"in-{n}", duration_ms=1000)


def huge(h):
    """Three customers who have more together than 64-bit micros hold."""
    for name in ("a", "b", "c"):
        h.add(0, "11-01 00:00:00", "account.opened", name, currency="USD", owner="ann")
        h.add(0, "11-01 00:00:01", "credit.topped_up", name, topup_id="t1", **money("9000000000000"))


def main():
    h = History()
    if "--hostile" in sys.argv:
        hostile(h)
    elif "--huge" in sys.argv:
        huge(h)
    else:
        for partition, fill in ((0, acme), (1, bob)):
            deck(h, partition, RATES)
            fill(h)
    until = instant(sys.argv[sys.argv.index("--until") + 1] + " 00:00:00") if "--until" in sys.argv else None
    for arrived, line in h.lines():
        if until is None or arrived < until:
            print(line)


main()
