#!/usr/bin/env bash
# callfold-replay on a day of examples/: what the meter published is what comes
# out when the events are folded again.
# usage: [SEED=1] [ACCOUNTS=30] tests/replay/run.sh BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(realpath "${1:-build}")
replay=$build/callfold-replay
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-replay-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work/scratch
mkdir "$TMPDIR"
passed=0 failed=0

result() { # NAME STATUS [FILE with more about it]
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    echo "FAILED: $1"
    if [ $# -gt 2 ]; then head -n 40 "$3"; fi
}

# A command must end with this code and say these words, on either stream.
expect() { # NAME CODE WORDS COMMAND...
    local name=$1 code=$2 words=$3 got
    shift 3
    "$@" >"$work/said" 2>&1
    got=$?
    [ "$got" -eq "$code" ] && grep -qF -- "$words" "$work/said"
    result "$name: exit code $got, wanted $code and '$words'" $? "$work/said"
}

play() { # a day of the platform
    local meter
    : >"$work/day.jsonl"
    "$build/callfold" run --quiet --follow --events "$work/day.jsonl" --out "$work/out" --state "$work/state" &
    meter=$!
    "$build/platform" --events "$work/day.jsonl" --out "$work/out" --meter-pid "$meter" --summary "$work/summary.json" \
        --seed "${SEED:-1}" --accounts "${ACCOUNTS:-30}" --hours 9 >"$work/summary.txt" 2>"$work/messages"
    result "the platform is content with its day" $? "$work/messages"
    kill "$meter"
    wait "$meter"
}

play
cp -r "$work/out" "$work/kept"
lines=$(cat "$work"/out/{commands,ledger,calls,balances,rejects,attestations}.jsonl | wc -l)
expect "every output comes again, byte for byte" 0 "\"outputs\":$lines" \
    "$replay" verify --events "$work/day.jsonl" --outputs "$work/out" --all --json
expect "so does every attestation" 0 "\"attestations\":$(wc -l <"$work/out/attestations.jsonl")," \
    "$replay" verify --events - --outputs "$work/out" --json <"$work/day.jsonl"

# From a state that is near: a third and two thirds of the day, each with a snapshot.
events=$(wc -l <"$work/day.jsonl")
for third in 1 2; do
    head -n $((events * third / 3)) "$work/day.jsonl" >"$work/part.jsonl"
    "$build/callfold" run --quiet --events "$work/part.jsonl" --out "$work/part" --state "$work/part-state"
    "$build/callfold-snapshot" create --state "$work/part-state" --snapshots "$work/snapshots" >"$work/said" 2>&1
    result "a snapshot is made" $? "$work/said"
done
first=$((events / 3)) second=$((events * 2 / 3))
verify_day=("$replay" verify --events "$work/day.jsonl" --outputs "$work/out" --all --json)
expect "verify from the newest snapshot" 0 "\"first_offset\":$second,\"next_offset\":$events" \
    "${verify_day[@]}" --snapshots "$work/snapshots"
expect "what was not looked at is said" 0 "begins with a state at offset $second; what came before" \
    "${verify_day[@]}" --snapshots "$work/snapshots"
expect "verify from a state directory" 0 "\"first_offset\":$second,\"next_offset\":$events" \
    "${verify_day[@]}" --state "$work/part-state"
expect "verify from the newest snapshot before an offset" 0 "\"first_offset\":$first,\"next_offset\":$events" \
    "${verify_day[@]}" --snapshots "$work/snapshots" --since $((second - 2))
expect "verify from the first event when no snapshot is early enough" 0 "\"first_offset\":0,\"next_offset\":$events" \
    "${verify_day[@]}" --snapshots "$work/snapshots" --since 0:1
newest=$(ls -d "$work"/snapshots/partition-0/0* | tail -n 1)
printf 'x' | dd of="$newest/data.mdb" bs=1 seek=20000 conv=notrunc status=none
expect "a snapshot that was changed is passed over, and an older one taken" 0 "\"first_offset\":$first" \
    "${verify_day[@]}" --snapshots "$work/snapshots"
sed "${second}s/\"id\":\"./\"id\":\"Z/" "$work/day.jsonl" >"$work/other.jsonl"
expect "another events file than the snapshot's" 78 "has another line" \
    "$replay" verify --events "$work/other.jsonl" --outputs "$work/out" --state "$work/part-state"

diff -r "$work/out" "$work/kept" >"$work/said"
result "the outputs are left as they were" $? "$work/said"
[ -z "$(ls "$TMPDIR")" ]
result "nothing is left of the scratch directory" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
