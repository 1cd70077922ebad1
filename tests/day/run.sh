#!/usr/bin/env bash
# A day of traffic (examples/platform/) against the meter: the same seed gives
# the same day, through kills and replays; an audit of all that was written; and
# what the platform does without a meter.
# usage: [SEED=1] [ACCOUNTS=60] tests/day/run.sh BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(realpath "${1:-build}")
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-day-XXXXXX")
seed=${SEED:-1} accounts=${ACCOUNTS:-60}
meter=
comm=$(cat /proc/$$/comm)
# A child that is still this shell has its trap too.
trap '[ "$BASHPID" -eq $$ ] && { stop_meter 2>/dev/null; rm -rf "$work"; }' EXIT
. tests/tally.sh
topics="commands ledger calls balances rejects attestations"

start_meter() { # DIR [BUILD]
    "${2:-$build}/callfold" run --quiet --follow --events "$1/day.jsonl" --out "$1/out" --state "$1/state" 2>>"$1/messages" &
    meter=$!
    # Until its child has become callfold it is still this shell, which may swallow a signal.
    while [ "$(cat /proc/$meter/comm 2>/dev/null)" = "$comm" ]; do :; done
}

stop_meter() {
    [ -n "$meter" ] && kill "$meter" && wait "$meter"
    meter=
}

prepare() { # DIR
    mkdir -p "$1"
    : >"$1/day.jsonl"
}

platform() { # DIR OPTIONS...: on the meter of DIR
    local dir=$1
    shift
    "${platform_build:-$build}/platform" --events "$dir/day.jsonl" --out "$dir/out" --summary "$dir/summary.json" \
        "$@" >"$dir/summary.txt" 2>>"$dir/messages"
}

play() { # NAME OPTIONS...: a day from start to end
    local dir=$work/$1
    shift
    prepare "$dir"
    start_meter "$dir" "${platform_build:-$build}"
    platform "$dir" --meter-pid "$meter" "$@"
    result "the platform is content with day $dir" $? "$dir/messages"
    stop_meter
    result "the meter ends in good order after day $dir" $? "$dir/messages"
}

same_outputs() { # NAME NAME
    local topic
    for topic in $topics; do cmp "$work/$1/out/$topic.jsonl" "$work/$2/out/$topic.jsonl" || return 1; done
}

# The meter is killed again and again while the platform goes on with its day.
play_with_kills() { # NAME OPTIONS...
    local dir=$work/$1 player
    shift
    prepare "$dir"
    start_meter "$dir"
    platform "$dir" "$@" &
    player=$!
    kills=0
    while kill -0 "$player" 2>/dev/null; do
        sleep 0.3
        kill -0 "$player" 2>/dev/null || break
        { kill -9 "$meter" && wait "$meter"; } 2>/dev/null
        kills=$((kills + 1))
        start_meter "$dir"
    done
    wait "$player"
    result "the platform plays its day through kills of the meter" $? "$dir/messages"
    stop_meter
}

play first --seed "$seed" --accounts "$accounts"
play other --seed $((seed + 1)) --accounts 60
play_with_kills killed --seed "$seed" --accounts "$accounts"
result "the meter was killed at least once" $((kills > 0 ? 0 : 1))
cmp "$work/first/day.jsonl" "$work/killed/day.jsonl"
result "one seed, one events file" $?
same_outputs first killed
result "one seed, one output, whether the meter was killed or not" $?
cmp -s "$work/first/day.jsonl" "$work/other/day.jsonl"
result "another seed, another day" $(($? == 1 ? 0 : 1))

mkdir "$work/again"
"$build/callfold" run --quiet --events "$work/first/day.jsonl" --out "$work/again/out" --state "$work/again/state"
same_outputs first again
result "the finished day folded in one go gives the same bytes" $?

if [ -x "$build/asan/platform" ]; then
    platform_build=$build/asan play sanitized --seed 3 --accounts 10 --hours 11
else
    echo "no sanitized build in $build/asan: its day is not played"
fi

for day in first other; do
    part "the audit of day '$day'" python3 tests/day/check.py "$work/$day"
done
# All that the platform writes knowingly fits the schemas, and all that the meter answers.
grep -a '"id":"e[0-9]' "$work/first/day.jsonl" >"$work/events.jsonl"
part "schemas" python3 tests/schemas/check.py --lines "$work/events.jsonl" "$work"/first/out/*.jsonl

# Without a meter.
expect_code() { # NAME CODE WORDS COMMAND...
    local name=$1 code=$2 words=$3 got
    shift 3
    "$@" >"$work/said" 2>&1
    got=$?
    [ "$got" -eq "$code" ] && grep -qF -- "$words" "$work/said"
    result "$name: code $got, said '$(head -n 1 "$work/said")'" $?
}
prepare "$work/dead"
start_meter "$work/dead"
until [ -s "$work/dead/out/progress.jsonl" ]; do sleep 0.05; done
kill -STOP "$meter"
expect_code "a meter that stands still" 69 "still running" \
    "$build/platform" --events "$work/dead/day.jsonl" --out "$work/dead/out" --patience 1
: >"$work/dead/day.jsonl"
disown "$meter"
(sleep 0.3; kill -9 "$meter") &
expect_code "a meter that dies" 69 "the meter ended after" \
    "$build/platform" --events "$work/dead/day.jsonl" --out "$work/dead/out" --meter-pid "$meter"

meter=
expect_code "no meter at all" 69 "is a meter running" \
    "$build/platform" --events "$work/none.jsonl" --out "$work/none" --patience 1
expect_code "an events file that is not empty" 73 "new or empty" \
    "$build/platform" --events "$work/first/day.jsonl" --out "$work/none"
expect_code "a deck that is not there" 74 "no-such.csv" \
    "$build/platform" --events "$work/none.jsonl" --out "$work/none" --deck no-such.csv
expect_code "hours that are none" 64 "--hours 'noon'" \
    "$build/platform" --events "$work/none.jsonl" --out "$work/none" --hours noon

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
