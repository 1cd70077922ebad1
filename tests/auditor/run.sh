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
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-auditor-XXXXXX")
trap '[ "$BASHPID" -eq $$ ] && rm -rf "$work"' EXIT
export LC_ALL=C TMPDIR=$work/tmp PYTHONDONTWRITEBYTECODE=1
mkdir "$TMPDIR"
. ../tally.sh

# A case's command may use these, the files here and $work.
replay() { "$build/callfold-replay" "$@"; }
explain() { replay explain --events history.jsonl "$@"; }
explain_from() { replay explain --events "$@"; }
partitioned() { # history.jsonl as records of partition 1, into archived.jsonl
    jq -Rc '. as $value | fromjson | {partition: 1, offset: (input_line_number * 2),
        timestamp: (.time | sub("\\.[0-9]+"; "") | fromdate * 1000), key: .subject, value: $value}' \
        history.jsonl >"$work/archived.jsonl"
}

golden() {
    local line name command code
    while IFS= read -r line; do
        case $line in ''|'#'*) continue ;; esac
        name=${line%%:*}
        command=${line#*: }
        (eval "$command") >"$work/stdout" 2>"$work/stderr" </dev/null
        code=$?
        {
            printf '$ %s\n' "$command"
            cat "$work/stdout"
            sed "s|$work|SCRATCH|g; s/^/stderr: /" "$work/stderr"
            echo "exit code $code"
        } >"$work/actual"
        if [ $accept = yes ]; then cp "$work/actual" "golden/$name"; fi
        diff -u "golden/$name" "$work/actual" >"$work/diff" 2>&1
        result "$name" $? "$work/diff"
    done <cases.txt
    for name in golden/*; do
        grep -q "^$(basename "$name"): " cases.txt
        result "$name belongs to a case" $?
    done
}

play() { # a day of the platform
    local meter
    : >"$work/day.jsonl"
    "$build/callfold" run --quiet --follow --events "$work/day.jsonl" --out "$work/out" --state "$work/state" &
    meter=$!
    (cd ../.. && "$build/platform" --events "$work/day.jsonl" --out "$work/out" --meter-pid "$meter" \
        --summary "$work/summary.json" --seed "${SEED:-3}" --accounts "${ACCOUNTS:-12}" --hours "${HOURS:-13}") \
        >"$work/summary.txt" 2>"$work/messages"
    result "the platform is content with its day" $? "$work/messages"
    kill "$meter"
    wait "$meter"
}

golden
play
part "every call of a day is explained, and adds up" python3 adds_up.py "$build" "$work"
part "a carrier's file with known differences" python3 carrier.py "$build" "$work"
[ -z "$(ls "$TMPDIR")" ]
result "nothing is left of the scratch directories" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
