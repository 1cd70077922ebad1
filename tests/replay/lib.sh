# What the suites of callfold-replay share: a day of examples/, and how results are counted.
# usage: . tests/replay/lib.sh, after `cd` to the project's root and with BUILD as $1.
build=$(realpath "${1:-build}")
replay=$build/callfold-replay
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-replay-test-XXXXXX")
trap '[ "$BASHPID" -eq $$ ] && rm -rf "$work"' EXIT
export TMPDIR=$work/scratch
mkdir "$TMPDIR"
. tests/tally.sh
topics="commands ledger calls balances rejects attestations"
day=$work/day.jsonl out=$work/out

# A command must end with this code and say these words, on either stream.
expect() { # NAME CODE WORDS COMMAND...
    local name=$1 code=$2 words=$3 got
    shift 3
    "$@" >"$work/said" 2>&1
    got=$?
    [ "$got" -eq "$code" ] && grep -qF -- "$words" "$work/said"
    result "$name: exit code $got, wanted $code and '$words'" $? "$work/said"
}

play() { # a day of the platform: $day, $out and $work/state
    local meter
    : >"$day"
    "$build/callfold" run --quiet --follow --events "$day" --out "$out" --state "$work/state" &
    meter=$!
    "$build/platform" --events "$day" --out "$out" --meter-pid "$meter" --summary "$work/summary.json" \
        --seed "${SEED:-1}" --accounts "${ACCOUNTS:-30}" --hours 9 >"$work/summary.txt" 2>"$work/messages"
    result "the platform is content with its day" $? "$work/messages"
    kill "$meter"
    wait "$meter"
    events=$(wc -l <"$day")
}

fold() { # EVENTS OUT STATE [OPTIONS...]
    "$build/callfold" run --quiet --events "$1" --out "$2" --state "$3" "${@:4}"
}

finish() {
    [ -z "$(ls "$TMPDIR")" ]
    result "nothing is left of scratch directories" $?
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
