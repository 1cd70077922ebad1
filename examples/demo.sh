#!/usr/bin/env bash
# `make demo`: a telephony company's day, metered and explained. What is shown
# comes from the day's files by awk and sha256sum; anybody can look it up there.
# usage: [SEED=N] [ACCOUNTS=N] examples/demo.sh BUILD
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
day=$build/demo
out=$day/out
today=examples/decks/2026-standard.csv
later=examples/decks/2027-increase.csv
export LC_ALL=C

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
# An awk program of demo/, with variables and files.
tell() { local program=$1; shift; awk -f examples/demo/lib.awk -f "examples/demo/$program.awk" "$@"; }
tally() { tell tally -v label="$1" -v member="$2" -v pattern="$3" -v most=3 "$out/$4.jsonl"; }
fail() { echo "demo: $1" >&2; exit 1; }
seconds_since() { awk -v from="$1" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }'; }

# The meter follows the events file; the platform writes it and obeys the meter.
play() {
    rm -rf "$day"
    mkdir -p "$day"
    : >"$day/day.jsonl"
    "$build/callfold" run --quiet --follow --events "$day/day.jsonl" --out "$out" --state "$day/state" &
    meter=$!
    trap 'kill "$meter" 2>/dev/null || true' EXIT
    "$build/platform" --events "$day/day.jsonl" --out "$out" --meter-pid "$meter" --summary "$day/summary.json" \
        --deck "$today" --next-deck "$later" --seed "${SEED:-1}" --accounts "${ACCOUNTS:-1000}" >"$day/summary.txt"
    kill "$meter"
    wait "$meter"
    trap - EXIT
}

# The deck's line for a prefix as a number of that origin pays it: PRICE CONNECT FIRST STEP
rate() { # DECK PREFIX FROM
    local csv=$today origin
    [ "$1" = deck-day ] || csv=$later
    origin=$(grep -m1 "callfold.number.added.*\"number\":\"$3\"" "$day/day.jsonl" | sed 's/.*"origin":"//; s/".*//')
    # From the right: a destination may hold a comma.
    awk -F, -v origin="$origin" -v prefix="$2" '$1 == origin && $2 == prefix { print $(NF - 4), $(NF - 3), $(NF - 2), $(NF - 1) }' "$csv"
}

one_call() {
    local call account deck prefix from price connect first step
    read -r call account deck prefix from < <(tell choose_call "$out/ledger.jsonl" "$out/commands.jsonl" "$out/calls.jsonl")
    if [ -z "$call" ]; then echo '  no such call on this day'; return; fi
    IFS=' ' read -r price connect first step < <(rate "$deck" "$prefix" "$from")
    tell call -v call="$call" -v account="$account" -v deck_price="$price" -v connect="$connect" -v first="$first" \
        -v step="$step" "$out/ledger.jsonl" "$out/calls.jsonl" "$out/commands.jsonl" "$day/day.jsonl"
}

check_ledger() {
    local last
    rm -rf "$day/entries"
    mkdir "$day/entries"
    tell entries -v dir="$day/entries" "$out/ledger.jsonl"
    find "$day/entries" -type f | sort | xargs sha256sum >"$day/recomputed"
    rm -r "$day/entries"
    tell chain "$day/recomputed" "$out/ledger.jsonl" "$out/balances.jsonl"
    last=$(tail -n 1 "$day/recomputed" | cut -c 1-64)
    tail -n 1 "$out/attestations.jsonl" | grep -q "\"chain\":\"$last\"" || fail "the last attestation has another chain"
    echo '  The last hash is the one in the last attestation: who keeps that keeps the whole ledger.'
}

fold_again() {
    local started seconds topic
    started=$(date +%s%N)
    "$build/callfold" run --quiet --events "$day/day.jsonl" --out "$day/again" --state "$day/again-state"
    seconds=$(seconds_since "$started")
    for topic in commands ledger calls balances rejects attestations; do
        cmp "$out/$topic.jsonl" "$day/again/$topic.jsonl" || fail "the same events gave another $topic.jsonl"
    done
    awk -v s="$seconds" -v lines="$(wc -l <"$day/day.jsonl")" -v bytes="$(wc -c <"$day/day.jsonl")" 'BEGIN {
        printf "  The same file (%d MB) folded from its first line in one go: %s s, %d events a second,\n", bytes / 1e6, s, lines / s
        print "  decks, state and fsync included; make bench has the details. It wrote the same six files." }'
}

printf '%scallfold%s meters prepaid calls: a log of events in, commands and a ledger out. This is a day of a\n' "$bold" "$plain"
echo 'telephony company: its platform writes what happens and does what the meter commands.'
started=$(date +%s%N)
play
echo "24.5 hours were played in $(seconds_since "$started") s; every file is in $day/."

heading 'What came in (day.jsonl)'
tell came_in "$day/day.jsonl"
heading 'What came out (out/*.jsonl), by type and by reason'
tally commands type '"type"' commands
tally 'not allowed' reason denied commands
tally 'cut off' reason 'call.cutoff"' commands
tally 'call records' ended_by ended_by calls
tally ledger kind kind ledger
tally rejected reason reason rejects
echo '  The platform checked each command as it came: said once, in order, of a call that was on.'
heading 'Three accounts: an office, one with many calls at a time, one that topped up after a cutoff'
tell accounts "$out/ledger.jsonl"
heading 'One call that was cut off, event by event'
one_call
heading 'The ledger, checked without callfold'
check_ledger
heading 'How fast'
fold_again
heading 'What next'
cat <<END
  $build/callfold status --state $day/state --account rescued
  $build/callfold rates estimate $today --amount 25 --from-origin US
  less $out/rejects.jsonl     what was wrong, record by record
  SEED=2 make demo             another day; one seed gives one day, byte for byte
  make check                   the tests (README.md shows the way through the house)
END
