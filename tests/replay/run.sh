#!/usr/bin/env bash
# callfold-replay on a day of examples/: what the meter published is what comes
# out when the events are folded again, from any source and from any state.
# usage: [SEED=1] [ACCOUNTS=30] tests/replay/run.sh BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
. tests/replay/lib.sh
verify_day=("$replay" verify --events "$day" --outputs "$out" --all --json)

play
cp -r "$out" "$work/kept"
lines=$(for topic in $topics; do cat "$out/$topic.jsonl"; done | wc -l)
expect "every output comes again, byte for byte" 0 "\"outputs\":$lines" "${verify_day[@]}"
expect "so does every attestation" 0 "\"attestations\":$(wc -l <"$out/attestations.jsonl")," \
    "$replay" verify --events - --outputs "$out" --json <"$day"

for keep in 1 30; do
    expect "what may stay in memory changes nothing: $keep records" 0 "\"outputs\":$lines" \
        "${verify_day[@]}" --keep-records $keep
    "$replay" state --events "$day" --table partitions --keep-records $keep --json >"$work/now"
    "$build/callfold" status --state "$work/state" --table partitions --json | cmp - "$work/now" >"$work/said" 2>&1
    result "nor in the state" $? "$work/said"
done

# --- what an auditor kept ---
entry=$(sed -n 50p "$out/ledger.jsonl" | jq -r '"0:\(.data.entry):\(.data.hash)"')
input=$(sed -n 50p "$out/attestations.jsonl" | jq -r '"0:\(.data.inputs):\(.data.input)"')
expect "hashes that were kept are found again" 0 "\"outputs\":0" \
    "$replay" verify --events "$day" --expect "$entry" --expect-input "$input" --json
expect "another hash of an entry" 1 "ledger entry 50: another hash" \
    "$replay" verify --events "$day" --expect "${entry%?}$(tr 0-9a-f 1-9a-f0 <<<"${entry: -1}")"
expect "another hash of the input" 1 "another hash than the one that was kept" \
    "$replay" verify --events "$day" --expect-input "${input%?}$(tr 0-9a-f 1-9a-f0 <<<"${input: -1}")"
expect "an entry that is not there" 1 "there is no ledger entry 999999" \
    "$replay" verify --events "$day" --expect "0:999999:${entry##*:}"
expect "no attestation at that record" 1 "no attestation stands at input record 999999" \
    "$replay" verify --events "$day" --expect-input "0:999999:${input##*:}"
expect "a hash that is none" 64 "is not PARTITION:ENTRY:HASH" "$replay" verify --events "$day" --expect 0:1:abc

# --- from a state that is near: a third and two thirds of the day, each with a snapshot ---
for third in 1 2; do
    head -n $((events * third / 3)) "$day" >"$work/part.jsonl"
    fold "$work/part.jsonl" "$work/part" "$work/part-state"
    "$build/callfold-snapshot" create --state "$work/part-state" --snapshots "$work/snapshots" >"$work/said" 2>&1
    result "a snapshot is made" $? "$work/said"
done
first=$((events / 3)) second=$((events * 2 / 3))
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
expect "what lies before the state cannot be expected" 78 "lies before the state that the fold began with" \
    "${verify_day[@]}" --snapshots "$work/snapshots" --expect "0:1:${entry##*:}"
chain=$(jq -r '"0:\(.entries):\(.chain)"' "$work/snapshots"/partition-0/*"$second"-*/manifest.json)
expect "but the entry that it ends with can" 0 "\"first_offset\":$second" \
    "${verify_day[@]}" --snapshots "$work/snapshots" --expect "$chain"
sed "${second}s/\"id\":\"./\"id\":\"Z/" "$day" >"$work/other.jsonl"
expect "another events file than the snapshot's" 78 "has another line" \
    "$replay" verify --events "$work/other.jsonl" --outputs "$out" --state "$work/part-state"

# --- a part of the ledger from a state that is near, as from the first event ---
last=$(jq -r '.entries' "$work/snapshots"/partition-0/*"$second"-*/manifest.json)
for entry in $((last - 3)) "$last" $((last + 1)) $((last + 20)); do
    for format in csv ndjson; do
        export_some=("$replay" export ledger --format $format --events "$day" --from-entry "$entry")
        "${export_some[@]}" >"$work/then"
        "${export_some[@]}" --snapshots "$work/snapshots" >"$work/now" 2>"$work/said"
        [ -s "$work/then" ] && cmp "$work/then" "$work/now" >>"$work/said" 2>&1
        result "export: $format from entry $entry" $? "$work/said"
    done
done
expect "export: a state that is past the first entry" 78 "past the place asked for" \
    "$replay" export ledger --format csv --events "$day" --from-entry "$last" --state "$work/part-state"
expect "export: everything from a snapshot is everything" 0 ",$(tail -n 1 "$out/ledger.jsonl" | jq -r .data.reference)," \
    "$replay" export ledger --format csv --events "$day" --snapshots "$work/snapshots"
"$replay" export ledger --format csv --events "$day" | cmp - "$work/said" >"$work/now" 2>&1
result "export: all of it" $? "$work/now"

# --- any moment of the past is what `callfold status` said then ---
at_second=$("$build/callfold" status --state "$work/part-state" --table partitions --json | jq -r '.[0].time')
account=$("$build/callfold" status --state "$work/part-state" --table calls --json | jq -r '.[0].account')
said_then() { "$build/callfold" status --state "$work/part-state" --json "$@"; }
for table in partitions decks fx policy accounts calls events rejects; do
    said_then --table "$table" >"$work/then"
    "$replay" state --at $((second - 1)) --events "$day" --table "$table" --json >"$work/now"
    cmp "$work/then" "$work/now" >"$work/said" 2>&1
    result "state: the table $table at an offset" $? "$work/said"
done
said_then --account "$account" >"$work/then"
for source in "--events $day" "--events $day --snapshots $work/snapshots" "--events $day --state $work/part-state"; do
    # shellcheck disable=SC2086
    "$replay" state --at "0:$((second - 1))" $source --account "$account" --json >"$work/now"
    cmp "$work/then" "$work/now" >"$work/said" 2>&1
    result "state: account $account at an offset, $source" $? "$work/said"
done
"$replay" state --at "$at_second" --events "$day" --snapshots "$work/snapshots" --table partitions --json >"$work/now"
at_time=$(jq '.[0].next_offset' "$work/now")
fold <(head -n "$at_time" "$day") "$work/at-time" "$work/at-time-state"
"$build/callfold" status --state "$work/at-time-state" --table partitions --json | cmp - "$work/now" >"$work/said" 2>&1
result "state: at a time is the state after $at_time events" $? "$work/said"
sed -n "$((at_time + 1)),\$p" "$day" | jq -r 'select(.time != null) | .time' 2>/dev/null | head -n 1 >"$work/next"
jq -e --arg next "$(cat "$work/next")" '.[0].time < $next' "$work/now" >"$work/said" 2>&1
result "state: the next event is later than that time" $? "$work/said"
expect "state: an account that was not there yet" 65 "account $account was not there at 1" \
    "$replay" state --at 1 --events "$day" --account "$account"
expect "state: before the first event" 65 "there is no event up to 2001" \
    "$replay" state --at 2001-01-01T00:00:00Z --events "$day"
expect "state: a later state is no place to begin" 78 "past the place asked for" \
    "$replay" state --at 3 --events "$day" --state "$work/part-state"
expect "state: no such place" 64 "neither an offset" "$replay" state --at noon --events "$day"

# --- an archive is a source like any other ---
archive=("$replay" archive --archive "$work/archive" --segment-mb 1 --json)
expect "an archive is begun" 0 "\"next_offset\":$first," "${archive[@]}" --events - < <(head -n "$first" "$day")
expect "and goes on where it ended" 0 "\"next_offset\":$events," "${archive[@]}" --events "$day"
cp -r "$work/archive" "$work/archive-kept"
expect "with nothing new it stays as it is" 0 "\"next_offset\":$events," "${archive[@]}" --events "$day"
diff -r "$work/archive" "$work/archive-kept" >"$work/said"
result "byte for byte" $? "$work/said"
expect "it proves itself" 0 "\"next_offset\":$events," "$replay" archive --archive "$work/archive" --verify --json
(cd "$work/archive" && sha256sum --quiet --strict -c SHA256SUMS) >"$work/said" 2>&1
result "sha256sum -c agrees" $? "$work/said"
grep -c . "$work/archive/SHA256SUMS" | grep -qx "$(find "$work/archive" -name '*.zst' | wc -l)"
result "it knows every segment" $?
[ "$(find "$work/archive" -name '*.zst' | wc -l)" -gt 2 ]
result "there are several segments" $?
zstdcat "$work"/archive/partition-0/0*.zst | jq -r 'select(.value != null) | .value' | head -c 200000 >"$work/values"
grep -av '^[[:space:]]*$' "$day" | head -c 200000 | cmp - "$work/values" >"$work/said" 2>&1
result "zstdcat and jq give back the lines" $? "$work/said"
expect "verify reads it" 0 "\"outputs\":$lines" "$replay" verify --events "$work/archive" --outputs "$out" --all --json
expect "from a snapshot too" 0 "\"first_offset\":$second,\"next_offset\":$events" \
    "$replay" verify --events "$work/archive" --outputs "$out" --all --json --snapshots "$work/snapshots"
zstdcat "$work"/archive/partition-0/0*.zst >"$work/lines.jsonl"
fold "$work/lines.jsonl" "$work/from-archive" "$work/from-archive-state"
for topic in $topics; do
    cmp "$out/$topic.jsonl" "$work/from-archive/$topic.jsonl" >"$work/said" 2>&1
    result "callfold run reads its lines: $topic" $? "$work/said"
done
expect "an archive can be archived" 0 "\"next_offset\":$events," \
    "$replay" archive --archive "$work/again" --events "$work/archive" --json
zstdcat "$work"/again/partition-0/0*.zst | cmp - "$work/lines.jsonl" >"$work/said" 2>&1
result "and holds the same lines" $? "$work/said"
expect "another events file than the archive's" 78 "has another line" \
    "${archive[@]}" --events <(sed "${events}s/\"id\":\"./\"id\":\"Z/" "$day"; echo '{}')
expect "a directory that is no archive" 65 "without a manifest.json" "$replay" verify --events "$out" --outputs "$out"

# --- many partitions in one file, in archive form: each account to its own ---
"$build/callfold" rates publish examples/decks/2026-standard.csv --deck-id d --effective-at 2026-01-01T00:00:00Z \
    --time 2026-01-01T00:00:00Z --partitions 3 >"$work/many.jsonl" 2>"$work/messages"
fold "$work/many.jsonl" "$work/many" "$work/many-state" --partitions 3
expect "verify: three partitions" 0 '"partition":2' \
    "$replay" verify --events "$work/many.jsonl" --partitions 3 --outputs "$work/many" --all --json
expect "archive: three partitions" 0 '"partition":2' \
    "$replay" archive --archive "$work/many-archive" --partitions 3 --events "$work/many.jsonl" --json
expect "verify: three partitions from an archive" 0 '"partition":2' \
    "$replay" verify --events "$work/many-archive" --outputs "$work/many" --all --json
expect "the archive knows how many there are" 64 "is of 3" \
    "$replay" verify --events "$work/many-archive" --partitions 4 --outputs "$work/many"

# --- differences ---
fold "$day" "$work/same" "$work/same-state"
expect "diff: two states of one history" 0 "[" "$replay" diff "$work/state" "$work/same-state" --json
expect "diff: two outputs of one history" 0 "[" "$replay" diff "$out" "$work/same" --json
expect "diff: a snapshot and its state" 0 "[" "$replay" diff "$work/part-state" "$work/snapshots" --json
"$replay" diff "$work/part-state" "$work/state" --json >"$work/differences"
result "diff: two moments differ" $(($? == 1 ? 0 : 1))
jq -e --argjson was "$second" --argjson is "$events" \
    'map(select(.kind == "partition" and .field == "next_offset")) | .[0] | (.a | tonumber) == $was and (.b | tonumber) == $is' \
    "$work/differences" >"$work/said" 2>&1
result "diff: says the field and both sides" $? "$work/said"
"$build/callfold" status --state "$work/part-state" --table accounts --json >"$work/then"
"$build/callfold" status --state "$work/state" --table accounts --json >"$work/now"
jq -n --slurpfile a "$work/then" --slurpfile b "$work/now" \
    '[($a[0] | map({(.account): .balance}) | add) as $was | $b[0][] | select($was[.account] != .balance) | .account] | sort' \
    >"$work/moved"
jq '[.[] | select(.kind == "account" and (.change != "changed" or .field == "posted_micros")) | .record] | sort' \
    "$work/differences" | cmp - "$work/moved" >"$work/said" 2>&1
result "diff: the accounts whose balance moved are those of callfold status" $? "$work/said"
sed '10s/"amount":"/"amount":"1/' "$out/ledger.jsonl" >"$work/same/ledger.jsonl"
expect "diff: one line of the outputs" 1 '"field":"data.amount"' "$replay" diff "$out" "$work/same" --json
expect "diff: a state and outputs" 78 "are not two states" "$replay" diff "$work/state" "$out"
expect "diff: one and the same" 64 "one and the same" "$replay" diff "$out" "$work/../${work##*/}/out"
expect "diff: one name only" 64 "too few words" "$replay" diff "$out"

diff -r "$out" "$work/kept" >"$work/said"
result "the outputs are left as they were" $? "$work/said"
finish
