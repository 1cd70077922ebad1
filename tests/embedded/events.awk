# events.awk - events for the tests of the embedded log: a deck, fx, accounts,
# then calls that tick, end, overrun their credits and repeat, with broken and
# blank lines between them. Not a day of a telephony company: only enough to
# make every output file grow.
#
#   awk -v accounts=20 -v rounds=100 -v seed=1 [-v partitions=4] -f events.awk
#
# With partitions the lines are in archive form: broadcasts in each partition,
# an account's events in one of them (not murmur2's: run without --partitions).

function stamp(ms,    s) {
    s = int(ms / 1000)
    return strftime("%Y-%m-%dT%H:%M:%S", 1767225600 + s, 1) sprintf(".%03dZ", ms % 1000)
}

function archived(partition, key, value) {
    gsub(/\\/, "\\\\", value)
    gsub(/"/, "\\\"", value)
    last = sprintf("{\"partition\":%d,\"offset\":%d,\"timestamp\":%.0f,\"key\":%s,\"value\":\"%s\"}", partition,
        offsets[partition]++, 1767225600000 + now, key == "" ? "null" : "\"" key "\"", value)
    print last
}

function event(account, type, data,    line, p) {
    line = sprintf("{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/pbx\",\"type\":\"callfold.%s\",\"time\":\"%s\"",
        ++serial, type, stamp(now))
    if (account != "")
        line = line ",\"subject\":\"" account "\""
    line = line ",\"data\":{" data "}}"
    bare = line
    if (!partitions)
        print line
    else if (account != "")
        archived(substr(account, 2) % partitions, account, line)
    else
        for (p = 0; p < partitions; p++)
            archived(p, "", line)
}

function open_deck() {
    event("", "ratedeck.opened", "\"deck_id\":\"d1\",\"currency\":\"USD\",\"effective_at\":\"2026-01-01T00:00:00Z\"," \
        "\"origins\":[{\"origin\":\"US\",\"country\":\"US\",\"currency\":\"USD\"}]")
    event("", "ratedeck.rates", "\"deck_id\":\"d1\",\"rates\":[" \
        "{\"origin\":\"US\",\"prefix\":\"+33\",\"destination\":\"France\",\"status\":\"open\",\"price\":\"0.5\"}," \
        "{\"origin\":\"US\",\"prefix\":\"+44\",\"destination\":\"United Kingdom\",\"status\":\"open\",\"price\":\"1.2\",\"first_s\":30,\"step_s\":6}," \
        "{\"origin\":\"US\",\"prefix\":\"+1\",\"destination\":\"United States\",\"status\":\"open\",\"price\":\"0.1\",\"domestic\":true}," \
        "{\"origin\":\"US\",\"prefix\":\"+881\",\"destination\":\"Satellite\",\"status\":\"blocked\"}]")
    event("", "ratedeck.published", "\"deck_id\":\"d1\",\"rates\":4")
    event("", "policy.configured", "\"low_credits\":{\"USD\":\"1\"},\"retention_ms\":120000")
}

function open_account(a,    number) {
    number = sprintf("+1202555%04d", substr(a, 2))
    event(a, "account.opened", "\"currency\":\"USD\",\"owner\":\"m1\"")
    event(a, "number.added", "\"number\":\"" number "\",\"origin\":\"US\"")
    event(a, "member.assigned", "\"number\":\"" number "\",\"member_id\":\"m1\"")
    event(a, "number.international_enabled", "\"number\":\"" number "\",\"actor\":\"m1\"")
    event(a, "auto_recharge.configured", "\"enabled\":true,\"amount\":\"5\",\"currency\":\"USD\",\"actor\":\"m1\"")
    event(a, "credit.topped_up", "\"topup_id\":\"t1\",\"amount\":\"3\",\"currency\":\"USD\"")
}

function start_call(a,    number, to) {
    number = sprintf("+1202555%04d", substr(a, 2))
    to = destinations[int(rand() * 6) + 1]
    call[a] = "c" (++calls)
    talked[a] = 0
    event(a, "call.started", "\"call_id\":\"" call[a] "\",\"direction\":\"outbound\",\"from\":\"" number \
        "\",\"to\":\"" to "\",\"member_id\":\"m1\"")
}

function go_on(a,    dice) {
    dice = rand()
    talked[a] += 6000
    if (dice < 0.1) {
        event(a, "call.ended", "\"call_id\":\"" call[a] "\",\"duration_ms\":" talked[a])
        delete call[a]
    } else if (dice < 0.12 && !partitions)
        print bare # sent twice: absorbed
    else if (dice < 0.15)
        event(a, "credit.topped_up", "\"topup_id\":\"t" serial "\",\"amount\":\"2\",\"currency\":\"USD\"")
    else
        event(a, "call.ticked", "\"call_id\":\"" call[a] "\",\"duration_ms\":" talked[a])
}

function disturb() {
    disturbance++
    if (partitions && disturbance % 2)
        print last # its offset is not above the last one any more: a reject
    else if (disturbance % 5 == 0)
        print ""
    else if (disturbance % 5 == 1)
        print "{\"specversion\":\"1.0\",\"id\":"
    else if (disturbance % 5 == 2)
        print "{\"partition\":1,\"offset\":\"not a number\",\"value\":\"{}\"}"
    else if (disturbance % 5 == 3)
        event("a1", "call.ticked", "\"call_id\":\"never\",\"duration_ms\":1")
    else
        print " \t\r"
}

BEGIN {
    srand(seed)
    split("+33612345678 +442071838750 +14155550100 +33140000000 +442079460000 +8816123456", destinations, " ")
    open_deck()
    for (i = 1; i <= accounts; i++)
        open_account("a" i)
    for (round = 0; round < rounds; round++) {
        for (i = 1; i <= accounts; i++) {
            now += int(rand() * 400)
            a = "a" i
            if (a in call)
                go_on(a)
            else
                start_call(a)
        }
        if (rand() < 0.3)
            disturb()
    }
}
