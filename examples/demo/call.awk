# call.awk - one call, event by event, and the arithmetic of its charge.
# -v call= -v account=, of its rate -v deck_price= -v connect= -v first= -v step=
# Files in this order: ledger, calls, commands, events.
function mine() { return text("subject") == account && text("call_id") == call }
FILENAME ~ /ledger/ { if (text("subject") == account && text("reference") == call) entry[cause()] = $0; next }
FILENAME ~ /calls/ { if (mine()) record = $0; next }
FILENAME ~ /commands/ { if (mine()) command[cause()] = $0; next }
FNR - 1 in entry || FNR - 1 in command || mine() { line[++count] = FNR - 1; event[count] = mine() ? $0 : "" }

function say(who, what) { printf "  %s  %-8s  %s\n", clock(), who, what }
function say_event(    talked) {
    talked = number("duration_ms")
    if (type() == "call.started") say("platform", "started   " call " from " text("from") " to " text("to"))
    if (type() == "call.ticked") say("platform", "ticked    " (talked ? "has talked for " commas(talked) " ms" : "it rings"))
    if (type() == "call.ended") say("platform", "ended     after " commas(talked) " ms of talk")
}
function say_command() {
    if (type() == "call.authorized") {
        say("METER", "go ahead  " text("destination") " (" text("prefix") ") at " text("price") " " text("currency") " a minute;")
        printf "  %34s%s\n", "", account "'s credits last for " commas(number("max_duration_ms")) " ms"
    }
    if (type() == "call.cutoff") say("METER", "cut off   at " commas(number("at_duration_ms")) " ms, for " text("reason"))
}
function say_entry() {
    left = micros(text("balance"))
    charged = -micros(text("amount"))
    say("METER", "posted    entry " commas(number("entry")) ": " text("amount") " " text("currency") "; " text("balance") " left")
}
# Ticks that nothing follows, but for the first ones and the last.
function is_dull(i) {
    return i > 4 && event[i] ~ /call\.ticked/ && !(line[i] in command) && event[i + 1] ~ /call\.ticked/ &&
        !(line[i + 1] in command)
}
function say_arithmetic(    billed, price, exact) {
    billed = number("billed_ms")
    price = text("price")
    exact = billed * micros(price) / 60000
    printf "\n  billed   the first %d s, then every %d s begun: %s ms of talk count as %s ms\n", first, step,
        commas(number("duration_ms")), commas(billed)
    if (text("rate") != "")
        printf "  price    the deck says %s %s a minute; x %s = %s %s, fixed when the call began\n", deck_price,
            substr($0, index($0, "\"fx\":") + 14, 3), text("rate"), price, text("currency")
    printf "  amount   %d x %s / 60000 + %s to connect = %s; the ledger says %s\n", billed, price, money(connect_micros),
        money(int(exact + 0.5) + connect_micros), money(charged)
    following = int(step * micros(price) / 60 + 0.5)
    if (left < following)
        printf "  cut off  because %d s more would have cost %s, and %s were left\n", step, money(following), money(left)
}
END {
    for (i = 1; i <= count; i++) {
        if (is_dull(i)) { dull++; continue }
        if (dull) printf "  %12s  %d more ticks\n", "...", dull
        dull = 0
        $0 = event[i]
        if ($0 != "") say_event()
        if (line[i] in command) { $0 = command[line[i]]; say_command() }
        if (line[i] in entry) { $0 = entry[line[i]]; say_entry() }
    }
    $0 = record
    connect_micros = micros(connect == "" ? "0" : connect)
    say_arithmetic()
}
