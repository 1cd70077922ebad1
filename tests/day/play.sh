# Sourced by suites that need a day of examples/: play DIR plays one there (day.jsonl, out/,
# state/) with the programs on PATH, SEED=1 and ACCOUNTS=30 unless they say else. The suite's
# own `result NAME STATUS FILE` hears how it went.
play() {
    local meter
    mkdir -p "$1"
    : >"$1/day.jsonl"
    callfold run --quiet --follow --events "$1/day.jsonl" --out "$1/out" --state "$1/state" &
    meter=$!
    platform --events "$1/day.jsonl" --out "$1/out" --meter-pid "$meter" --summary "$1/summary.json" \
        --deck examples/decks/2026-standard.csv --next-deck examples/decks/2027-increase.csv \
        --seed "${SEED:-1}" --accounts "${ACCOUNTS:-30}" >"$1/summary.txt" 2>"$1/messages"
    result "the platform is content with its day" $? "$1/messages"
    kill "$meter"
    wait "$meter"
}
