#!/usr/bin/env bash
# What an auditor asks: explain, what-if, reconcile. Each line of cases.txt is run
# and compared with golden/NAME; then every call of a day of examples/ has to add up.
# usage: tests/auditor/run.sh [--accept] BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
accept=no
[ "${1:-}" = --accept ] && accept=yes && shift
cd "$(dirname "$0")/../.." || exit 70
build=$(realpath "${1:-build}")
cd tests/auditor || exit 70
scratch=$(mktemp -d "${TMPDIR:-/tmp}/callfold-auditor-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
passed=0 failed=0

result() { # NAME STATUS [FILE with more about it]
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    echo "FAILED: $1"
    if [ $# -gt 2 ]; then head -n 40 "$3"; fi
}

# A case's command may use these, the files here and $scratch.
replay() { "$build/callfold-replay" "$@"; }
explain() { replay explain --events history.jsonl "$@"; }
explain_from() { replay explain --events "$@"; }
partitioned() { # history.jsonl as records of partition 1, into archived.jsonl
    jq -Rc '. as $value | fromjson | {partition: 1, offset: (input_line_number * 2),
        timestamp: (.time | sub("\\.[0-9]+"; "") | fromdate * 1000), key: .subject, value: $value}' \
        history.jsonl >"$scratch/archived.jsonl"
}

golden() {
    local line name command code
    while IFS= read -r line; do
        case $line in ''|'#'*) continue ;; esac
        name=${line%%:*}
        command=${line#*: }
        (eval "$command") >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
        code=$?
        {
            printf '$ %s\n' "$command"
            cat "$scratch/stdout"
            sed "s|$scratch|SCRATCH|g; s/^/stderr: /" "$scratch/stderr"
            echo "exit code $code"
        } >"$scratch/actual"
        if [ $accept = yes ]; then cp "$scratch/actual" "golden/$name"; fi
        diff -u "golden/$name" "$scratch/actual" >"$scratch/diff" 2>&1
        result "$name" $? "$scratch/diff"
    done <cases.txt
    for name in golden/*; do
        grep -q "^$(basename "$name"): " cases.txt
        result "$name belongs to a case" $?
    done
}

play() { # a day of the platform
    local meter
    : >"$scratch/day.jsonl"
    "$build/callfold" run --quiet --follow --events "$scratch/day.jsonl" --out "$scratch/out" --state "$scratch/state" &
    meter=$!
    (cd ../.. && "$build/platform" --events "$scratch/day.jsonl" --out "$scratch/out" --meter-pid "$meter" \
        --summary "$scratch/summary.json" --seed "${SEED:-3}" --accounts "${ACCOUNTS:-12}" --hours "${HOURS:-13}") \
        >"$scratch/summary.txt" 2>"$scratch/messages"
    result "the platform is content with its day" $? "$scratch/messages"
    kill "$meter"
    wait "$meter"
}

# A suite with its own "N passed, N failed" as a part of this one.
part() { # NAME COMMAND...
    local name=$1 more_passed more_failed counts
    shift
    "$@" >"$scratch/log" 2>&1
    counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$scratch/log" | tail -n 1)
    read -r more_passed more_failed <<<"${counts:-0 1}"
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
    if [ "$more_failed" -gt 0 ]; then echo "FAILED: $name"; head -n 40 "$scratch/log"; fi
}

golden
play
part "every call of a day is explained, and adds up" python3 adds_up.py "$build" "$scratch"
part "a carrier's file with known differences" python3 carrier.py "$build" "$scratch"
[ -z "$(ls "$TMPDIR")" ]
result "nothing is left of the scratch directories" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
