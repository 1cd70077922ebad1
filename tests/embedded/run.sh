#!/bin/bash
# run.sh BUILD - the commit rule of the embedded log, on the program itself.
#
# Kills it at random moments and at every fail point, resumes, and compares all
# outputs but progress.jsonl byte for byte with a run that was never disturbed;
# then whatever an operator, a disk or a failing machine may do to its files.
# SEED=n repeats a run's dice; KILLS=n is how many random kills each form of input
# gets at least (5), and how far on it is killed at each fail point.
# Prints "N passed, N failed"; exits 1 if any failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
callfold=$(realpath "${1:-$here/../../build}")/callfold
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-embedded-XXXXXX")
trap '[ "$BASHPID" -eq $$ ] && rm -rf "$work"' EXIT
cd "$work" || exit 1
RANDOM=${SEED:=$$}
passed=0 failed=0

# --- the means ---

result() { # NAME STATUS
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

fresh() { rm -rf out state; }

fold() { # EVENTS [OPTIONS]: exit code, messages in ./messages
    local events=$1
    shift
    "$callfold" run --events "$events" --out out --state state "$@" 2>messages
}

same_outputs() { # DIR
    local topic
    for topic in commands ledger calls balances rejects attestations; do
        cmp "$1/$topic.jsonl" "out/$topic.jsonl" || return 1
    done
}

expect_code() { # CODE COMMAND...: the code, and that words of the way out are there
    local wanted=$1 got
    shift
    "$@"
    got=$?
    [ "$got" -eq "$wanted" ] && return 0
    echo "exit code $got, not $wanted: $(cat messages)"
    return 1
}

expect_words() { # WORD...: each in ./messages
    local word
    for word in "$@"; do
        grep -qF -- "$word" messages || {
            echo "no '$word' in: $(cat messages)"
            return 1
        }
    done
}

until_true() { # COMMAND...: waits for it, half a minute at most
    local i
    for i in $(seq 3000); do
        "$@" && return 0
        sleep 0.01
    done
    return 1
}

reference() { # EVENTS DIR: what an undisturbed run gives
    fresh
    fold "$1" || { cat messages; exit 1; }
    mv out "$2"
}

# --- the same bytes, whatever happens ---

settings_do_not_matter() {
    local options
    for options in "--batch 1" "--batch 7 --checkpoint-every 97" "--batch 1000 --checkpoint-every 1 --keep-records 0" \
        "--batch-ms 1 --checkpoint-ms 0 --keep-records 5"; do
        fresh
        # shellcheck disable=SC2086
        fold "$1" $options && same_outputs "$2" || { echo "with $options"; return 1; }
    done
}

killed_until_through() { # EVENTS REFERENCE: adds to kills
    local mine=0 pid
    fresh
    while :; do
        "$callfold" run --events "$1" --out out --state state --batch 20 --checkpoint-every 333 2>messages &
        pid=$!
        sleep "0.0$((RANDOM % 5))$((RANDOM % 10))"
        [ $mine -lt 25 ] && kill -9 $pid 2>/dev/null
        wait $pid 2>/dev/null
        case $? in
        0) break ;;
        137) mine=$((mine + 1)) ;;
        *) cat messages; return 1 ;;
        esac
    done
    kills=$((kills + mine))
    same_outputs "$2" || { echo "after $mine kills, SEED=$SEED"; return 1; }
}

killed_at_random() { # resumes until it gets through, as often as it takes to be killed KILLS times
    local kills=0
    while [ $kills -lt "${KILLS:-5}" ]; do
        killed_until_through "$1" "$2" || return 1
    done
}

killed_at_point() { # EVENTS REFERENCE POINT BATCH: a checkpoint each three batches
    fresh
    CALLFOLD_FAIL_POINT=$3 fold "$1" --batch "$4" --checkpoint-every $(($4 * 3))
    [ $? -eq 137 ] || { echo "was not killed"; return 1; }
    CALLFOLD_FAIL_POINT=$3 fold "$1" --batch 90 --checkpoint-every 200 # perhaps once more while it resumes
    fold "$1" && same_outputs "$2" || { cat messages; return 1; }
}

interrupted_at_random() { # EVENTS REFERENCE SIGNAL: in good order, wherever it is
    local round
    fresh
    for round in 1 2 3 4 5; do
        timeout --preserve-status -s "$3" "0.0$((RANDOM % 4))$((RANDOM % 9 + 1))" "$callfold" run --events "$1" \
            --out out --state state --batch 2 --checkpoint-every 50 2>messages
        case $? in
        0 | 130 | 143) ;; # killed: before it had begun to listen
        *) cat messages; return 1 ;;
        esac
        ! grep -qE "again|good order" messages || { cat messages; return 1; }
    done
    fold "$1" && same_outputs "$2" && ! grep -qE "again|good order" messages || { cat messages; echo "SEED=$SEED"; return 1; }
}

# --- what a failing machine may do ---

fold_logging_syncs() { # as fold, with a line in ./synced for each file that was synced, and how far
    SYNC_LOG=$work/synced LD_PRELOAD=$work/sync_log.so ASAN_OPTIONS=verify_asan_link_order=0 fold "$@"
}

lose_unsynced() { # of every output some bytes at its end, none that were synced
    local file synced size
    for file in out/*.jsonl; do
        synced=$(awk -v path="$work/$file" '$2 == path { size = $1 } END { print size + 0 }' synced)
        size=$(stat -c %s "$file")
        truncate -s $((synced + (RANDOM * 32768 + RANDOM) % (size - synced + 1))) "$file"
    done
}

machine_fails() { # EVENTS REFERENCE: every output loses what was not synced, as much of it as it likes
    local round point
    ${CC:-cc} -shared -fPIC -o sync_log.so "$here/sync_log.c" || return 1
    for round in 1 2 3 4; do
        fresh
        rm -f synced
        point=after-checkpoint:$round
        [ "$round" -lt 4 ] || point=after-progress:$((RANDOM % 45 + 10)) # and leaves more than it has synced
        CALLFOLD_FAIL_POINT=$point fold_logging_syncs "$1" --batch 20 --checkpoint-every 300
        [ $? -eq 137 ] || { echo "was not killed"; return 1; }
        CALLFOLD_FAIL_POINT=before-checkpoint:2 fold_logging_syncs "$1" --batch 20 --checkpoint-every 300
        lose_unsynced
        fold "$1" && same_outputs "$2" || { cat messages; echo "round $round, SEED=$SEED"; return 1; }
    done
}

state_is_older() { # than the outputs, as from a copy: folded forward
    fresh
    CALLFOLD_FAIL_POINT=after-checkpoint:2 fold "$1" --batch 100 --checkpoint-every 300
    cp -r state older
    CALLFOLD_FAIL_POINT=after-checkpoint:3 fold "$1" --batch 100 --checkpoint-every 300
    rm -r state
    mv older state
    fold "$1" && expect_words "folded again" && same_outputs "$2"
}

# --- what an operator may do ---

state_is_lost() {
    fresh
    CALLFOLD_FAIL_POINT=after-checkpoint:4 fold "$1" --batch 100 --checkpoint-every 300
    rm -r state
    fold "$1" && expect_words "folded again" && same_outputs "$2"
}

pages_are_lost() { # after a kill, as when the machine failed: zeros where pages should be
    fresh
    CALLFOLD_FAIL_POINT=after-checkpoint:5 fold "$1" --batch 100 --checkpoint-every 300
    local pages=$(($(stat -c %s state/partition-0/data.mdb) / 4096))
    dd if=/dev/zero of=state/partition-0/data.mdb bs=4096 seek=2 count=$((pages - 2)) conv=notrunc status=none
    fold "$1" && expect_words "damaged" "moved to" && ls -d state/partition-0.damaged-* >/dev/null && same_outputs "$2"
}

record_is_changed() { # after a kill: letters in records
    fresh
    CALLFOLD_FAIL_POINT=after-checkpoint:5 fold "$1" --batch 100 --checkpoint-every 300
    LC_ALL=C sed -i 's/France/Franke/g' state/partition-0/data.mdb
    fold "$1" && expect_words "damaged" && same_outputs "$2"
}

outputs_are_lost() {
    fresh
    fold "$1" && rm -r out
    expect_code 78 fold "$1" && expect_words "state" "up to byte 0" "remove both"
}

one_output_is_cut() {
    fresh
    fold "$1" && truncate -s 100 out/ledger.jsonl
    expect_code 78 fold "$1" && expect_words "out/ledger.jsonl holds 100 bytes of" "bring back" || return 1
    [ "$(stat -c %s out/ledger.jsonl)" -eq 100 ] && [ -s out/commands.jsonl ]
}

progress_is_lost() {
    fresh
    fold "$1" && rm out/progress.jsonl
    expect_code 78 fold "$1" && expect_words "progress.jsonl says nothing" && [ -s out/ledger.jsonl ]
}

state_of_another_history() { # whose last line is the same, but an amount before it was not
    fresh
    head -n 300 "$1" | sed 's/"amount":"3"/"amount":"9"/' >events.jsonl
    fold events.jsonl && rm -r out && cp -r "$2" out
    cp "$1" events.jsonl
    expect_code 70 fold events.jsonl && expect_words "partition 0" "differs" && same_outputs "$2" || return 1
    rm -r state # the way out
    fold events.jsonl && same_outputs "$2"
}

events_are_cut() {
    fresh
    cp "$1" events.jsonl
    fold events.jsonl
    local size
    size=$(stat -c %s events.jsonl)
    truncate -s 1000 events.jsonl
    expect_code 78 fold events.jsonl && expect_words "events.jsonl holds only 1000 bytes" "byte $size" "remove both"
}

events_are_others() {
    fresh
    fold "$1"
    sed 's/"e1[0-9]*"/"e9"/' "$1" >events.jsonl
    expect_code 78 fold events.jsonl && expect_words "events.jsonl" "folded before"
}

events_are_missing() {
    fresh
    expect_code 65 fold none.jsonl && expect_words "none.jsonl" "No such file"
}

partition_count_changes() {
    fresh
    fold "$1" --partitions 4
    expect_code 78 fold "$1" --partitions 5 && expect_words "--partitions 4" "5"
}

fold_version=$(sed -n 's/^#define FOLD_VERSION //p' "$here/../../processor/fold/fold.h")
fold_version_changes() {
    fresh
    fold "$1"
    sed -i 's/"fold_version":[0-9]*/"fold_version":999/' out/progress.jsonl
    expect_code 78 fold "$1" && expect_words "fold version 999" "this program is version $fold_version"
}

second_process() {
    fresh
    "$callfold" run --events "$1" --out out --state state --follow --quiet &
    local pid=$!
    until_true [ -s out/ledger.jsonl ]
    expect_code 78 fold "$1" && expect_words "process $pid" &&
        expect_code 78 fold "$1" --state other && expect_words "outputs to out"
    local status=$?
    kill $pid
    wait $pid && return $status
}

directory_is_read_only() { # EVENTS DIR FILE: which of the two, and what cannot be written there
    local user=()
    fresh
    cp "$callfold" callfold # where another user can get at it
    mkdir out state && chmod 777 out state && chmod 555 "$2"
    if [ "$(id -u)" -eq 0 ]; then
        command -v setpriv >/dev/null || { echo "skipped: needs setpriv when run by root"; return 0; }
        user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
        chmod 755 . && chmod 644 "$1"
    fi
    "${user[@]}" ./callfold run --events "$1" --out out --state state 2>messages
    [ $? -eq 78 ] && expect_words "$3" "Permission denied" "right" || { cat messages; return 1; }
}

# --- the end of the disk ---

file_limit() { # EVENTS REFERENCE KIB FILE: no file may grow beyond it; FILE is the one that wants to
    fresh
    (
        ulimit -f "$3"
        fold "$1" --batch 100 --checkpoint-every 500
    )
    [ $? -eq 74 ] && expect_words "$4" "nothing is lost" || { cat messages; return 1; }
    fold "$1" && same_outputs "$2"
}

disk_is_full() { # EVENTS REFERENCE SIZE DIR...: out, state or both on a small file system
    local events=$1 reference=$2 size=$3 dir
    shift 3
    fresh
    mkdir small
    if ! mount -t tmpfs -o size="$size" tmpfs small 2>/dev/null; then
        echo "skipped: a full disk needs the right to mount"
        return 0
    fi
    for dir; do
        mkdir "small/$dir" && ln -s "small/$dir" "$dir"
    done
    fold "$events" --batch 100 --checkpoint-every 500
    local code=$?
    mv messages first
    mount -o remount,size=256m small
    fold "$events"
    local again=$?
    cat messages >>first && mv first messages
    same_outputs "$reference"
    local same=$?
    rm -f "$@"
    umount small && rmdir small
    [ $code -eq 74 ] && [ $again -eq 0 ] && [ $same -eq 0 ] && expect_words "run the same command again" ||
        { echo "exit codes $code, then $again"; cat messages; return 1; }
}

# --- input in other ways ---

input_is_a_pipe() {
    fresh
    cat "$1" | CALLFOLD_FAIL_POINT=after-progress:9 fold - --batch 50 --checkpoint-every 100
    cat "$1" | fold - && expect_words "folded again" && same_outputs "$2" || return 1
    cat "$1" | fold - && expect_words "nothing" && same_outputs "$2" || return 1
    head -n 100 "$1" | expect_code 78 fold - && expect_words "stdin ends after 100 lines"
}

last_line_is_torn() {
    fresh
    local size
    size=$(stat -c %s "$1")
    head -c $((size - 7)) "$1" >events.jsonl
    fold events.jsonl
    local lines
    lines=$(wc -l <events.jsonl)
    grep -q "\"lines\":$lines," out/progress.jsonl || { echo "a torn line was taken"; return 1; }
    tail -c 7 "$1" >>events.jsonl
    fold events.jsonl && same_outputs "$2"
}

a_line_of_nine_mebibytes() {
    {
        head -n 200 "$1"
        printf '{"specversion":"1.0","id":"long","data":"'
        head -c 9437184 /dev/zero | tr '\0' x
        printf '"}\n\0\1\377 \0\n'
        tail -n +201 "$1"
    } >events.jsonl
    reference events.jsonl long
    [ "$(grep -c '"reason":"malformed"' long/rejects.jsonl)" -gt 2 ] &&
        grep -q '"size":94372' long/rejects.jsonl || { echo "not rejected"; return 1; }
    killed_at_point events.jsonl long after-progress:3 100 &&
        { fresh; cat events.jsonl | fold - --batch 3 && same_outputs long; }
}

progress_stays_short() {
    fresh
    fold "$1" --batch 1 --checkpoint-every 300 && same_outputs "$2" || return 1
    [ "$(stat -c %s out/progress.jsonl)" -lt 600000 ] || { ls -l out/progress.jsonl; return 1; }
    fresh # and can be resumed from once it was shortened
    CALLFOLD_FAIL_POINT=between-partitions:31 fold "$1" --batch 1 --checkpoint-every 150
    fold "$1" && same_outputs "$2"
}

counted() { [ "$(wc -l <out/"$1")" -ge "$2" ]; }

progress_says_lines() { grep -qs "\"lines\":$(wc -l <events.jsonl)," out/progress.jsonl; }

file_is_followed() { # line by line, each answered before the next is written
    fresh
    : >events.jsonl
    "$callfold" run --events events.jsonl --out out --state state --follow --quiet 2>messages &
    local pid=$! started=0 line
    while IFS= read -r line; do
        printf '%s' "$line" >>events.jsonl
        printf '\n' >>events.jsonl
        case $line in *call.started*)
            started=$((started + 1))
            until_true counted commands.jsonl $started || { kill $pid; return 1; }
            ;;
        esac
    done < <(head -n 400 "$1")
    until_true progress_says_lines || { echo "not all lines were taken"; kill $pid; return 1; }
    kill -TERM $pid
    wait $pid || { cat messages; return 1; }
    [ $started -gt 20 ] && mv out followed && reference events.jsonl undisturbed && mv followed out && same_outputs undisturbed
}

blank_lines_are_progress() { # a platform in lock step waits for them too
    fresh
    : >events.jsonl
    "$callfold" run --events events.jsonl --out out --state state --follow --quiet 2>messages &
    local pid=$! lines
    for lines in $'\n' "$(head -n 9 "$1")"$'\n\n' $' \t\r\n\n'; do
        printf '%s' "$lines" >>events.jsonl
        until_true progress_says_lines || { echo "no progress after $(wc -l <events.jsonl) lines"; kill $pid; return 1; }
    done
    kill -9 $pid
    wait $pid 2>/dev/null
    fold events.jsonl && progress_says_lines && mv out killed || return 1
    reference events.jsonl never_killed && mv killed out && same_outputs never_killed && progress_says_lines
}

followed_file_is_cut() {
    fresh
    cp "$1" events.jsonl
    "$callfold" run --events events.jsonl --out out --state state --follow 2>messages &
    local pid=$!
    until_true grep -qs "\"lines\":$(wc -l <events.jsonl)," out/progress.jsonl
    truncate -s 10 events.jsonl
    wait $pid
    [ $? -eq 78 ] && expect_words "shrank to 10 bytes" "restore"
}

interrupted() { # in good order: nothing has to be checked or folded again
    fresh
    cp "$1" events.jsonl
    "$callfold" run --events events.jsonl --out out --state state --follow 2>messages &
    local pid=$!
    until_true [ -s out/calls.jsonl ]
    kill -INT $pid
    wait $pid || return 1
    fold events.jsonl && same_outputs "$2" && ! grep -q "again" messages
}

summary_tells_what_is_in_the_files() {
    fresh
    fold "$1" || return 1
    local topic reason
    expect_words "folded     $(grep -c '[^[:space:]]' "$1" | sed 's/...$/,&/') events" || return 1
    for topic in commands ledger calls balances rejects; do
        expect_words "$topic $(wc -l <out/$topic.jsonl | sed 's/\(.\)\(...\)$/\1,\2/')" || return 1
    done
    reason=$(grep -c '"reason":"call_unknown"' out/rejects.jsonl)
    expect_words "call_unknown $reason" "see out/rejects.jsonl" "duplicates"
    fold "$1" --quiet && [ ! -s messages ]
}

# --- all of them ---

check() { # NAME ARGUMENTS...
    "$@" >report 2>&1
    local status=$?
    [ $status -ne 0 ] && sed 's/^/    /' report
    grep '^skipped' report
    result "$*" $status
}

generate() { awk -v seed="$1" -v accounts="$2" -v rounds="$3" -v partitions="$4" -f "$here/events.awk"; }

generate 1 20 200 0 >bare.jsonl
generate 2 20 80 3 >archive.jsonl
generate 3 1500 1 0 >accounts.jsonl
for form in bare archive accounts; do
    reference $form.jsonl $form
done

# The first ones of each fail point, then every other, of batches so small that there are so many.
passes() {
    local kills=${KILLS:-5}
    echo 1 2 3 5
    seq 7 2 $((kills < 55 ? kills : 55))
}

for form in bare archive; do
    check settings_do_not_matter $form.jsonl $form
    check killed_at_random $form.jsonl $form
    for point in between-outputs after-outputs after-progress before-checkpoint fsync mid-checkpoint \
        between-partitions after-checkpoint; do
        for pass in $(passes); do
            check killed_at_point $form.jsonl $form $point:$pass $((pass < 7 ? 100 : 10))
        done
    done
    check interrupted_at_random $form.jsonl $form TERM
    check interrupted_at_random $form.jsonl $form INT
    check machine_fails $form.jsonl $form
    check state_is_older $form.jsonl $form
    check state_is_lost $form.jsonl $form
    check pages_are_lost $form.jsonl $form
    check last_line_is_torn $form.jsonl $form
    check input_is_a_pipe $form.jsonl $form
    check progress_stays_short $form.jsonl $form
done
check record_is_changed bare.jsonl bare
check outputs_are_lost bare.jsonl
check one_output_is_cut bare.jsonl
check progress_is_lost bare.jsonl
check state_of_another_history bare.jsonl bare
check events_are_cut bare.jsonl
check events_are_others bare.jsonl
check events_are_missing
check partition_count_changes archive.jsonl
check fold_version_changes bare.jsonl
check second_process bare.jsonl
check directory_is_read_only bare.jsonl out out/commands.jsonl
check directory_is_read_only bare.jsonl state state/
check file_limit bare.jsonl bare 200 out/rejects.jsonl
check file_limit accounts.jsonl accounts 300 state/partition-0
check disk_is_full bare.jsonl bare 600k out state
check disk_is_full bare.jsonl bare 300k out
check disk_is_full accounts.jsonl accounts 900k out state
check disk_is_full accounts.jsonl accounts 300k state
check a_line_of_nine_mebibytes bare.jsonl
check file_is_followed bare.jsonl
check blank_lines_are_progress bare.jsonl
check followed_file_is_cut bare.jsonl
check interrupted bare.jsonl bare
check summary_tells_what_is_in_the_files bare.jsonl

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
