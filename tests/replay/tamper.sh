#!/usr/bin/env bash
# What a forger, a bad disk or a careless hand does to events, outputs and
# archives: each is found, and where it is is said.
# usage: [SEED=1] [ACCOUNTS=30] tests/replay/tamper.sh BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
. tests/replay/lib.sh

play
verify() { "$replay" verify --events "$day" --outputs "$1" --all; }
expect "the day is in order" 0 PARTITION verify "$out"

# --- outputs: COPY NAME, then what is done to it ---
forged=$work/forged
forge() { # TOPIC PROGRAM...: the outputs, one topic of them put through a filter
    rm -rf "$forged"
    cp -r "$out" "$forged"
    "${@:2}" <"$out/$1.jsonl" >"$forged/$1.jsonl"
    cmp -s "$out/$1.jsonl" "$forged/$1.jsonl" && { result "nothing was forged in $1" 1; return; }
    return 0
}
id_of() { sed -n "$2p" "$out/$1.jsonl" | jq -r .id; } # TOPIC LINE
swap_lines() { awk -v at="$1" 'NR == at { held = $0; next } { print } NR == at + 1 { print held }'; }
double_line() { awk -v at="$1" '{ print } NR == at { print }'; }

for topic in $topics; do
    count=$(wc -l <"$out/$topic.jsonl")
    at=$((count / 2))
    id=$(id_of "$topic" $at) next_id=$(id_of "$topic" $((at + 1)))
    place=$forged/$topic.jsonl
    forge "$topic" sed "${at}s/T\([0-9]\)/T9\1/"
    expect "$topic: a byte more" 1 "$place, partition 0, line $at: $id differs from what the events give" verify "$forged"
    # One byte of the hash, amount, reason ... whatever stands in the middle of the line.
    forge "$topic" awk -v at="$at" 'NR == at { m = int(length($0) / 2); c = substr($0, m, 1); $0 = substr($0, 1, m - 1) (c == "1" ? "2" : "1") substr($0, m + 1) } { print }'
    expect "$topic: one byte changed" 1 "$place, partition 0, line $at: $id differs from what the events give" verify "$forged"
    forge "$topic" sed "${at}d"
    expect "$topic: a record dropped" 1 "$place, partition 0, line $at: $id is missing" verify "$forged"
    forge "$topic" swap_lines $at
    expect "$topic: two records swapped" 1 "$place, partition 0, line $at: $id is missing" verify "$forged"
    grep -qF "published  {\"specversion\":\"1.0\",\"id\":\"$next_id\"" "$work/said"
    result "$topic: two records swapped: both sides are shown" $? "$work/said"
    forge "$topic" double_line $at
    expect "$topic: a record published twice" 1 "$place, partition 0, line $((at + 1)): $id was published, but the events do not give it there" verify "$forged"
    forge "$topic" sed "${at}s/^/{\"specversion\":\"1.0\",\"id\":\"0:1:9\"}\n/"
    expect "$topic: a record inserted" 1 "$place, partition 0, line $at: 0:1:9 was published, but the events do not give it there" verify "$forged"
    forge "$topic" head -n $((count - 2))
    expect "$topic: the file cut short" 1 "$place, partition 0: $(id_of "$topic" $((count - 1))) is missing" verify "$forged"
    forge "$topic" sed "\$s/\$/\n$(id_of "$topic" 1)/"
    expect "$topic: a line that is no output at the end" 1 "$place, partition 0, line $((count + 1))" verify "$forged"
    forge "$topic" sh -c "cat; echo '{\"specversion\":\"1.0\",\"id\":\"0:999999999:0\"}'" # past the last commit: never published
    expect "$topic: what a killed meter wrote after its last commit does not count" 0 PARTITION verify "$forged"
done

# --- attestations alone find it too, wherever they look ---
attested() { "$replay" verify --events "$1" --outputs "${2:-$out}"; }
forge attestations sed '40s/"input":"\(.\)/"input":"x/'
expect "an attestation's input chain" 1 "line 40: $(id_of attestations 40) differs" attested "$day" "$forged"
forge attestations sed 's/"fold_version":[0-9]*/"fold_version":999/'
version=$(sed -n 's/^#define FOLD_VERSION //p' processor/fold/fold.h)
expect "attestations of another version of the rules" 78 "this program folds by version $version:" attested "$day" "$forged"
SEED=2 # another run: another day's attestation at the same place
other=$work/other
mkdir "$other"
(day=$other/day.jsonl out=$other/out work=$other; play) >"$work/said" 2>&1
foreign=$(sed -n 40p "$other/out/attestations.jsonl")
forge attestations awk -v at=40 -v line="$foreign" 'NR == at { print line; next } { print }'
expect "an attestation of another run" 1 "line 40: " attested "$day" "$forged"
expect "another day's events" 1 "partition 0" attested "$other/day.jsonl"

# --- events: found at the next attestation, whose record says how many of them it covers ---
event=$((events / 2))
until sed -n "${event}p" "$day" | grep -q '"type":"callfold.call.ticked"' && sed -n "$((event + 1))p" "$day" | grep -q .; do
    event=$((event + 1))
done
# The first attestation of at least as many records, from the offset on that it names.
covering=$(jq -r --argjson offset $((event - 1)) 'select(.data.next_offset > $offset) | .id' "$out/attestations.jsonl" | head -n 1)
tampered=$work/tampered.jsonl
tamper() { "$@" <"$day" >"$tampered"; ! cmp -s "$day" "$tampered" || result "nothing was tampered with" 1; }
tamper sed "${event}s/\"source\":\"./\"source\":\"#/"
expect "events: one byte that changes no amount" 1 "$covering differs" attested "$tampered"
grep -q '"input":' "$work/said"
result "events: one byte: both input chains are shown" $? "$work/said"
tamper sed "${event}d"
expect "events: one dropped" 1 "attestations.jsonl, partition 0, line" attested "$tampered"
tamper swap_lines "$event"
expect "events: two swapped" 1 "$covering differs" attested "$tampered"
tamper double_line "$event"
expect "events: one inserted" 1 "attestations.jsonl, partition 0, line" attested "$tampered"
tamper sed "${event}s/\$/ /"
expect "events: a blank at a line's end" 1 "$covering differs" attested "$tampered"
tamper head -n $((events - 30))
expect "events: the file cut short" 1 "but the events end before the one that caused it" attested "$tampered"
tamper head -n $((events - 1))
expect "events: the last one gone" 1 "partition 0" attested "$tampered"
for topping in 1 2 3; do # the amount of a top-up: the ledger tells at once
    line=$(grep -an '"type":"callfold.credit.topped_up"' "$day" | sed -n "$((topping * 5))p" | cut -d: -f1)
    tamper sed "${line}s/\"amount\":\"/\"amount\":\"1/"
    expect "events: the amount of a top-up" 1 "ledger.jsonl, partition 0, line" \
        "$replay" verify --events "$tampered" --outputs "$out" --all
    grep -q "0:$((line - 1)):" "$work/said"
    result "events: the amount of a top-up: found at its own offset" $? "$work/said"
done

# --- archives ---
"$replay" archive --archive "$work/archive" --events "$day" --segment-mb 1 >"$work/said" 2>&1
result "the day is archived" $? "$work/said"
damaged=$work/damaged
mapfile -t segments < <(cd "$work/archive" && ls partition-0/*.zst)
segment=${segments[1]}
damage() { rm -rf "$damaged"; cp -r "$work/archive" "$damaged"; "$@"; }
flip() { printf '\x5a' | dd of="$damaged/$1" bs=1 seek="$2" conv=notrunc status=none; }
archived() { # NAME WORDS: by both who look at an archive
    expect "archive: $1" 1 "$2" "$replay" archive --archive "$damaged" --verify
    expect "archive: $1, as a source" 65 "$2" "$replay" verify --events "$damaged" --outputs "$out"
}
damage flip "$segment" 200
archived "one byte of a segment" "$segment (offsets"
(cd "$damaged" && sha256sum --quiet -c SHA256SUMS) >"$work/said" 2>&1
[ $? -eq 1 ] && grep -qF "$segment: FAILED" "$work/said"
result "archive: one byte: sha256sum -c names the segment" $? "$work/said"
damage truncate -s -5 "$damaged/$segment"
archived "a segment cut short" "$segment (offsets"
damage truncate -s 0 "$damaged/$segment"
archived "a segment emptied" "$segment (offsets"
damage rm "$damaged/$segment"
archived "a segment gone" "$segment"
damage cp "$damaged/${segments[0]}" "$damaged/$segment"
archived "a segment in another's place" "$segment (offsets"
damage sed -i "\\|$segment|d" "$damaged/manifest.json"
archived "a segment left out of the manifest" "a segment is missing, or the manifest was changed"
damage sed -i 's/"format":1/"format":9/' "$damaged/manifest.json"
archived "a manifest of another format" "no manifest of an archive of format 1"
damage truncate -s -100 "$damaged/manifest.json"
archived "a manifest cut short" "manifest.json, line"

# A forger who makes hashes and manifest anew is told by the attestations.
remake() { # FILTER...: the lines of one segment through it, all sums made anew
    zstdcat "$damaged/$segment" | "$@" | zstd -q -f -o "$work/forged.zst"
    mv "$work/forged.zst" "$damaged/$segment"
    local sum size bytes records
    sum=$(sha256sum <"$damaged/$segment" | cut -d' ' -f1) size=$(stat -c %s "$damaged/$segment")
    bytes=$(zstdcat "$damaged/$segment" | wc -c) records=$(zstdcat "$damaged/$segment" | wc -l)
    jq -c --arg file "$segment" --arg sum "$sum" --argjson size "$size" --argjson bytes "$bytes" --argjson records "$records" \
        '.segments |= map(if .file == $file then .sha256 = $sum | .size = $size | .bytes = $bytes | .records = $records else . end)' \
        "$damaged/manifest.json" >"$work/manifest" && mv "$work/manifest" "$damaged/manifest.json"
}
damage remake sed '100d'
expect "archive: an event dropped, all hashes made anew: it looks whole" 0 PARTITION \
    "$replay" archive --archive "$damaged" --verify
expect "archive: but not what was attested" 1 "attestations.jsonl, partition 0, line" attested "$damaged"
damage remake sed '100s/"value":"./"value":" /'
expect "archive: an event changed, all hashes made anew" 1 "attestations.jsonl, partition 0, line" attested "$damaged"
damage remake swap_lines 100
archived "lines out of order" "comes a line that is no record of offsets below"
damage remake double_line 100
archived "a line twice" "comes a line that is no record of offsets below"
damage remake sed '100s/"partition":0/"partition":1/'
archived "a line of another partition" "comes a line that is no record of offsets below"
damage remake sed '100s/^.*$/no JSON/'
archived "a line that is none" "comes a line that is no record of offsets below"
damage remake head -c 100000
archived "lines that end within one" "ends within a line"

finish
