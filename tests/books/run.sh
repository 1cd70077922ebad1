#!/usr/bin/env bash
# callfold-replay export and statement: a small history against goldens whose amounts
# were worked out by hand (history.py), and check.py over what is too large for that.
# usage: tests/books/run.sh [--accept] BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
accept=no
[ "${1:-}" = --accept ] && accept=yes && shift
build=$(realpath "${1:-build}")
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-books-XXXXXX")
trap '[ "$BASHPID" -eq $$ ] && rm -rf "$work"' EXIT
export TMPDIR=$work/scratch PATH=$build:$PATH LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
mkdir "$TMPDIR"
. tests/day/play.sh
. tests/tally.sh

expect() { # CODE WORDS COMMAND...: it must end with this code and say these words, on either stream
    local code=$1 words=$2 got
    shift 2
    "$@" >"$work/said" 2>&1
    got=$?
    [ "$got" -eq "$code" ] && grep -qF -- "$words" "$work/said"
    result "${*#"$work"/}: exit code $got, wanted $code and '$words'" $? "$work/said"
}

golden() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >"$work/actual" 2>"$work/messages"
    result "$name: exit code" $? "$work/messages"
    [ $accept = yes ] && cp "$work/actual" "tests/books/golden/$name"
    diff -u "tests/books/golden/$name" "$work/actual" >"$work/diff"
    result "golden/$name" $? "$work/diff"
}

history() { python3 tests/books/history.py "$@"; }
fold() { callfold run --quiet --events "$1" --out "$2/out" --state "$2/state"; }

# --- goldens ---

small=$work/small.jsonl
history >"$small"
november=(--from 2026-11-01 --to 2026-11-30)
export_small() { callfold-replay export "$@" --events "$small"; }
statement_small() { callfold-replay statement "$@" --events "$small"; }
goldens() {
    golden ledger.csv export_small ledger --format csv
    golden ledger.journal export_small ledger --format hledger
    golden calls.csv export_small calls --format csv
    golden balances.csv export_small balances --format csv
    golden balances.ndjson export_small balances --format ndjson
    golden november.csv export_small ledger --format csv "${november[@]}"
    golden november.journal export_small ledger --format hledger "${november[@]}"
    golden november-calls.csv export_small calls --format csv "${november[@]}"
    golden november-balances.csv export_small balances --format csv "${november[@]}"
    golden bob.journal export_small ledger --format hledger --account b:ob
    golden entries.csv export_small ledger --format csv --from-entry 0:16 --from-entry 1:2 --to-entry 1:2
    golden statement.txt statement_small --account acme --month 2026-11
    golden statement.csv statement_small --account acme --month 2026-11 --csv
    golden statement.json statement_small --account acme --month 2026-11 --json
    golden statement.html statement_small --account acme --month 2026-11 --html
    golden statement-october.txt statement_small --account acme --month 2026-10
    golden statement-december.txt statement_small --account acme --month 2026-12
    golden statement-bob.txt statement_small --account b:ob --month 2026-11
    local file
    for file in tests/books/golden/*; do
        grep -q "golden ${file##*/} " tests/books/run.sh
        result "$file belongs to a test" $?
    done
}

# --- entries and call records are the same from a snapshot, of which nothing before is read ---

from_snapshots() {
    local range
    sed 's/ratedeck.opened/ratedeck.openes/' "$small" >"$work/unread.jsonl" # no rates
    while read -r range; do
        # shellcheck disable=SC2086
        set -- $range
        export_small "$@" >"$work/whole"
        callfold-replay export "$@" --events "$work/unread.jsonl" --snapshots "$work/snapshots" >"$work/near" 2>"$work/messages"
        [ -s "$work/whole" ] && cmp "$work/whole" "$work/near" >"$work/diff" 2>&1
        result "export $range from a snapshot" $? "$work/diff"
        callfold-replay export "$@" --events "$work/unread.jsonl" 2>/dev/null | cmp -s - "$work/whole"
        [ $? -ne 0 ]
        result "export $range without one reads the lines before" $?
    done <<'END'
ledger --format csv --from 2026-11-01
ledger --format csv --from-entry 0:9 --from-entry 1:6
ledger --format csv --from 2026-11-02 --to 2026-11-20
ledger --format csv --from 2026-11-01 --account acme
ledger --format ndjson --from 2026-11-01
ledger --format ndjson --from-entry 0:3 --to-entry 0:11
ledger --format ndjson --from 2026-11-01 --account b:ob
calls --format ndjson --from 2026-11-01
END
    # What an entry rests on may have been said before the snapshot (1:2, a rate of exchange): then all is read.
    local entry events
    for entry in "--entry 3" "--entry 10" "--entry 12 --json" "--entry 2 --partition 1" "--entry 2 --partition 1 --json" \
        "--entry 5 --partition 1" "--entry 1"; do
        events=$work/unread.jsonl
        case $entry in *" 2 "*|*" 1") events=$small ;; esac
        # shellcheck disable=SC2086
        callfold-replay explain $entry --events "$small" >"$work/whole"
        # shellcheck disable=SC2086
        callfold-replay explain $entry --events "$events" --snapshots "$work/snapshots" >"$work/near" 2>"$work/messages"
        [ -s "$work/whole" ] && cmp "$work/whole" "$work/near" >"$work/diff" 2>&1
        result "explain $entry from a snapshot" $? "$work/diff"
    done
}

# --- a statement of a month that is over stays as it is, wherever folding begins and ends ---

stays() {
    history --until 10-15 >"$work/october.jsonl"
    history --until 12-01 >"$work/not-over.jsonl"
    fold "$work/october.jsonl" "$work/october"
    callfold-snapshot create --state "$work/october/state" --snapshots "$work/snapshots" >"$work/messages" 2>&1
    result "a snapshot of October" $? "$work/messages"
    for account in acme b:ob; do
        statement_small --account $account --month 2026-11 --html >"$work/whole.html"
        statement_small --account $account --month 2026-11 --html --snapshots "$work/snapshots" >"$work/near.html" 2>"$work/messages"
        cmp "$work/whole.html" "$work/near.html" >"$work/diff" 2>&1
        result "statement of $account from a snapshot" $? "$work/diff"
    done
    # The call over October's end was on when this snapshot was made.
    history --until 11-01 >"$work/late.jsonl"
    fold "$work/late.jsonl" "$work/late"
    callfold-snapshot create --state "$work/late/state" --snapshots "$work/snapshots" >"$work/messages" 2>&1
    for form in "" --csv --json; do
        statement_small --account acme --month 2026-11 $form >"$work/whole"
        statement_small --account acme --month 2026-11 $form --snapshots "$work/snapshots" >"$work/near" 2>"$work/messages"
        diff "$work/whole" "$work/near" >"$work/diff" 2>&1
        result "statement $form from a snapshot with a call on" $? "$work/diff"
    done
    from_snapshots
    expect 0 "provisional, as of 2026-11-20" callfold-replay statement --account acme --month 2026-11 --events "$work/not-over.jsonl"
    expect 0 "State                 final" callfold-replay statement --account acme --month 2026-10 --events "$work/not-over.jsonl"
    for form in "" --csv --json --html; do
        statement_small --account acme --month 2026-10 $form >"$work/whole"
        callfold-replay statement --account acme --month 2026-10 $form --events "$work/not-over.jsonl" >"$work/near"
        cmp "$work/whole" "$work/near" >"$work/diff" 2>&1
        result "statement $form of October, drawn up before and after November" $? "$work/diff"
    done
    expect 78 "past the place asked for" statement_small --account acme --month 2026-10 --state "$work/late/state"
}

# --- what is refused ---

refusals() {
    local events=(--events "$small")
    expect 64 "export ledger --format hledger" callfold-replay export calls --format hledger "${events[@]}"
    expect 64 "export ledger --format hledger" callfold-replay export balances --format hledger "${events[@]}"
    expect 64 "export ledger --format sqlite" callfold-replay export calls --format sqlite "${events[@]}"
    expect 64 "did you mean 'calls'" callfold-replay export call --format csv "${events[@]}"
    expect 64 "no format" callfold-replay export calls --format xlsx "${events[@]}"
    expect 64 "go with --entry" callfold-replay explain --call c1 --account acme --snapshots snapshots "${events[@]}"
    expect 64 "sums and settings need all" callfold-replay export balances --format csv --snapshots snapshots "${events[@]}"
    expect 64 "sums and settings need all" callfold-replay export ledger --format sqlite --state state "${events[@]}"
    expect 64 "choose calls by --from" callfold-replay export calls --format csv --from-entry 3 "${events[@]}"
    expect 64 "no day" callfold-replay export ledger --format csv --from 2026-02-30 "${events[@]}"
    expect 64 "is after --to" callfold-replay export ledger --format csv --from 2026-11-02 --to 2026-11-01 "${events[@]}"
    expect 64 "named twice" callfold-replay export ledger --format csv --from-entry 1 --from-entry 0:2 "${events[@]}"
    expect 64 "no ledger entry" callfold-replay export ledger --format csv --from-entry 0 "${events[@]}"
    expect 64 "is after --to-entry" callfold-replay export ledger --format csv --from-entry 3 --to-entry 2 "${events[@]}"
    expect 64 "no account id" callfold-replay export ledger --format csv --account 'a b' "${events[@]}"
    expect 65 "No such file or directory" callfold-replay export ledger --format csv --events "$work/none"
    for format in csv ndjson sqlite; do
        expect 65 "no account nobody" callfold-replay export ledger --format $format --account nobody "${events[@]}"
    done
    history --huge >"$work/huge.jsonl"
    expect 0 "9000000000000" callfold-replay export balances --format csv --events "$work/huge.jsonl"
    expect 65 "64-bit micros" callfold-replay export ledger --format csv --from 2026-11-02 --events "$work/huge.jsonl"
    expect 64 "that is no file" callfold-replay export ledger --format csv --output /dev/null "${events[@]}"
    expect 78 "No such file or directory" callfold-replay export ledger --format csv --output "$work/none/x" "${events[@]}"
    expect 64 "no month" callfold-replay statement --account acme --month 2026-13 "${events[@]}"
    expect 64 "no month" callfold-replay statement --account acme --month 2026-11-01 "${events[@]}"
    expect 64 "exclude each other" callfold-replay statement --account acme --month 2026-11 --html --csv "${events[@]}"
    expect 65 "no account nobody" callfold-replay statement --account nobody --month 2026-11 "${events[@]}"
}

# --- whole or not at all ---

# Of the day: in this form, into FILE.
export_day() { # FORMAT FILE
    callfold-replay export ledger --format "$1" --events "$work/day/day.jsonl" --output "$2"
}

is_left_alone() { # NAME: the file is what it was, and nothing is beside it but what the next run writes over
    [ "$(cat "$work/place/books")" = before ] && [ -z "$(find "$work/place" ! -name books ! -name books.partial -type f)" ]
    result "$1: the file is left alone" $?
}

place() { rm -rf "$work/place"; mkdir "$work/place"; echo before >"$work/place/books"; }

killed() { # FORMAT: at the points, and at any moment
    local point moment
    export_day "$1" "$work/whole"
    for point in outfile-written fsync; do
        place
        { CALLFOLD_FAIL_POINT=$point export_day "$1" "$work/place/books"; } 2>"$work/messages"
        [ $? -eq 137 ]
        result "$1: killed at $point" $? "$work/messages"
        is_left_alone "$1, killed at $point"
    done
    for moment in 0.002 0.01 0.02 0.04 0.07 0.1 0.15 0.2; do
        place
        { timeout -s KILL $moment callfold-replay export ledger --format "$1" --events "$work/day/day.jsonl" \
            --output "$work/place/books"; } 2>/dev/null
        cmp -s "$work/place/books" "$work/whole" || is_left_alone "$1, killed after $moment s"
    done
    export_day "$1" "$work/place/books" && [ ! -e "$work/place/books.partial" ] && cmp "$work/place/books" "$work/whole"
    result "$1: the next run writes it over" $?
    place
    timeout -s TERM 0.05 callfold-replay export ledger --format "$1" --events "$work/day/day.jsonl" --output "$work/place/books" 2>/dev/null
    [ ! -e "$work/place/books.partial" ]
    result "$1: nothing is left after SIGTERM" $?
    rm -rf "${TMPDIR:?}"/*
}

full() { # FORMAT
    place
    (ulimit -f 40; export_day "$1" "$work/place/books") >"$work/messages" 2>&1
    [ $? -eq 74 ] && grep -q "nothing is lost" "$work/messages"
    result "$1: a limit on the size of files" $? "$work/messages"
    [ ! -e "$work/place/books.partial" ] && [ -z "$(ls "$TMPDIR")" ]
    result "$1: nothing is left after that" $?
    is_left_alone "$1, a limit on the size of files"
    callfold-replay export ledger --format "$1" --events "$work/day/day.jsonl" >/dev/full 2>"$work/messages"
    [ $? -eq 74 ]
    result "$1: stdout is full" $? "$work/messages"
    mkdir "$work/disk"
    if mount -t tmpfs -o size=64k tmpfs "$work/disk" 2>/dev/null; then
        echo before >"$work/disk/books"
        export_day "$1" "$work/disk/books" >"$work/messages" 2>&1
        [ $? -eq 74 ] && grep -q "nothing is lost" "$work/messages" && [ "$(cat "$work/disk/books")" = before ] &&
            [ ! -e "$work/disk/books.partial" ]
        result "$1: the disk is full" $? "$work/messages"
        umount "$work/disk"
    else
        echo "skipped: a full disk needs the right to mount"
    fi
    rmdir "$work/disk"
}

goldens
stays
refusals
play "$work/day"
history --hostile >"$work/hostile.jsonl"
mkdir "$work/small" "$work/hostile"
fold "$small" "$work/small"
fold "$work/hostile.jsonl" "$work/hostile"
for events in "$small" "$work/hostile.jsonl" "$work/day/day.jsonl"; do
    name=$(basename "$events" .jsonl)
    part "check.py $name" python3 tests/books/check.py "$events" "$work/$name/out"
done
for format in csv ndjson sqlite hledger; do
    killed $format
    full $format
done
[ -z "$(ls "$TMPDIR")" ]
result "nothing is left of scratch directories" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
