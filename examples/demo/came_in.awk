# came_in.awk - what the events file holds; what was sent twice counts once.
{ id = text("id") }
id != "" && id in seen { twice++; next }
id == "" || id ~ /^wrong-/ { wrong++; next } # as mischief.c names them
{ seen[id]; kind = type(); n[kind]++ }
kind == "call.ended" && number("duration_ms") == 0 { unanswered++ }
index($0, "\"voicemail\":true") { voicemail++ }
kind == "call.started" && index($0, "\"inbound\"") { inbound++ }

function row(count, what) { printf "  %9s  %s\n", commas(count), what }
END {
    row(n["account.opened"], "accounts opened; with the owners " commas(n["member.set"] + n["account.opened"]) " members, who share " commas(n["number.added"]) " numbers")
    row(n["ratedeck.published"], "rate decks, " n["fx.published"] " tables of exchange rates and " n["policy.configured"] " policies published")
    row(n["credit.topped_up"], "top-ups by hand or by recharge; " n["recharge.failed"] " recharges failed, " n["topup.reversed"] " chargebacks")
    row(n["call.started"], "calls started, " commas(inbound) " of them inbound; " commas(unanswered) " rang in vain, " commas(voicemail) " met a voicemail")
    row(n["call.ticked"], "ticks: how long a live call has been talking, every 6 seconds")
    row(n["sms.requested"], "text messages")
    row(NR, "lines in all: " commas(twice) " a second time, " commas(wrong) " torn or wrong, others late or out of order")
}
