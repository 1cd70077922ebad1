# choose_call.awk - a call to be told in full: the shortest that was cut off for
# lack of credits, heard one cutoff only, and left its account with next to nothing.
# Prints: CALL ACCOUNT DECK PREFIX FROM
type() == "ledger.posted" { left[text("reference")] = micros(text("balance")) }
type() ~ /^call.cutoff/ { cutoffs[text("call_id")]++ }
type() == "call.cutoff" { reason[text("call_id")] = text("reason") }
type() == "call.recorded" && /"ended_by":"cutoff"/ && /"uncollected":"0"/ {
    call = text("call_id")
    duration = number("duration_ms")
    if (cutoffs[call] == 1 && reason[call] == "credits_exhausted" && left[call] < 10000 && duration >= 42000 &&
        (!shortest || duration < shortest)) {
        shortest = duration
        chosen = call " " text("subject") " " text("deck_id") " " text("prefix") " " text("from")
    }
}
END { print chosen }
