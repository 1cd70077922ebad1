#!/bin/sh
# Golden tests of the command line; see README.md.
# usage: run.sh [--accept] [BUILD]
accept=no
[ "$1" = --accept ] && accept=yes && shift
build=$(realpath -e "${1:-$(dirname "$0")/../../build}") || exit 74
cd "$(dirname "$0")" || exit 74
export LC_ALL=C
scratch=$(mktemp -d) || exit 74
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

# A case's command may use the programs, the files here, and $scratch.
PATH=$build:$PATH

check() { # NAME, and the actual result in $scratch/actual
    if [ $accept = yes ]; then
        cp "$scratch/actual" "golden/$1"
        passed=$((passed + 1))
    elif diff -u "golden/$1" "$scratch/actual" > "$scratch/diff" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1: $command"
        cat "$scratch/diff"
    fi
}

# The state that cases about states read: two decks and day.jsonl, folded.
{
    callfold rates publish decks/small.csv --deck-id d1 --effective-at 2026-10-01T00:00:00Z --time 2026-10-01T00:00:00Z
    callfold rates publish decks/small-later.csv --deck-id d2 --effective-at 2026-12-01T00:00:00Z --time 2026-10-01T00:00:00Z
    cat day.jsonl
} > "$scratch/events.jsonl" 2> /dev/null
callfold run --events "$scratch/events.jsonl" --out "$scratch/out" --state "$scratch/state" 2> /dev/null || exit 70

while IFS= read -r line; do
    case $line in ''|'#'*) continue ;; esac
    name=${line%%:*}
    command=${line#*: }
    (eval "$command") > "$scratch/stdout" 2> "$scratch/stderr" < /dev/null
    code=$?
    {
        printf '$ %s\n' "$command"
        cat "$scratch/stdout"
        sed "s|$scratch|SCRATCH|g; s/^/stderr: /" "$scratch/stderr"
        echo "exit code $code"
    } > "$scratch/actual"
    check "$name"
done < cases.txt

# Every golden file belongs to a case.
for file in golden/*; do
    grep -q "^$(basename "$file"): " cases.txt && continue
    failed=$((failed + 1))
    echo "FAILED $file: no case of that name"
done

result() { # DESCRIPTION, and what is wrong in $scratch/wrong, empty if nothing is
    if [ -s "$scratch/wrong" ]; then
        failed=$((failed + 1))
        echo "FAILED $1:"
        cat "$scratch/wrong"
    else
        passed=$((passed + 1))
    fi
}

# Help fits a terminal; the manual page knows the options that --help knows, and no others.
documented() { # PROGRAM COMMAND...
    program=$1
    shift
    : > "$scratch/helped"
    for command in '' "$@"; do
        # shellcheck disable=SC2086
        $program $command --help > "$scratch/help" 2>&1 || echo "FAILED, exit code $?" >> "$scratch/help"
        grep -E '.{81}|^FAILED' "$scratch/help" > "$scratch/wrong"
        result "$program $command --help fits 80 columns"
        sed -nE 's/^  (-[a-zA-Z], )?(--[a-z-]+).*/\2/p' "$scratch/help" >> "$scratch/helped"
    done
    sort -u -o "$scratch/helped" "$scratch/helped"
    sed -E 's/\\-/-/g; s/\\f[A-Z]/ /g' "../../docs/$program.1" | grep -o -e ' --[a-z-]*' | tr -d ' ' | sort -u > "$scratch/documented"
    echo --help | sort -u - "$scratch/documented" > "$scratch/expected"
    diff "$scratch/helped" "$scratch/expected" > "$scratch/wrong"
    result "options of $program: < is only in --help, > only in docs/$program.1"
}
documented callfold run topics 'topics create' produce status rates 'rates publish' 'rates list' 'rates compare' 'rates diff' \
    'rates estimate'
documented callfold-snapshot create list verify restore prune
documented callfold-replay verify state explain what-if reconcile diff archive export statement

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
