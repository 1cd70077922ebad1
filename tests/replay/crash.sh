#!/usr/bin/env bash
# `callfold-replay archive` killed at any moment, and without room: nothing half
# done is taken for good, and the next run ends as if there had been no accident.
# usage: [SEED=1] [ACCOUNTS=30] [KILLS=12] tests/replay/crash.sh BUILD
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
. tests/replay/lib.sh

play
add() { "$replay" archive --archive "$1" --events "$day" --segment-mb 1 --json; }
add "$work/whole" >"$work/said" 2>&1
result "the day is archived" $? "$work/said"
segments=$(find "$work/whole" -name '*.zst' | wc -l)

# What counts is whole, by our own judgement and by sha256sum's; then on with it.
check_and_go_on() { # NAME DIR
    if [ -f "$2/manifest.json" ]; then
        "$replay" archive --archive "$2" --verify >"$work/said" 2>&1
        result "$1: what counts is whole" $? "$work/said"
        if [ -f "$2/SHA256SUMS" ]; then
            (cd "$2" && sha256sum --quiet --strict -c SHA256SUMS) >"$work/said" 2>&1
            result "$1: so does sha256sum say" $? "$work/said"
        fi
    fi
    add "$2" >"$work/said" 2>&1
    result "$1: the next run goes on" $? "$work/said"
    diff -r "$work/whole" "$2" >"$work/said"
    result "$1: and ends as if nothing had been" $? "$work/said"
}

for point in fsync segment-written segment-named archive-replacing archive-counted; do
    for times in 1 2 5; do
        rm -rf "$work/killed"
        { CALLFOLD_FAIL_POINT=$point:$times add "$work/killed"; } >"$work/said" 2>&1
        [ $? -eq 137 ]
        result "killed at $point:$times" $? "$work/said"
        check_and_go_on "$point:$times" "$work/killed"
    done
done

RANDOM=${SEED:-1}
for ((kill = 1; kill <= ${KILLS:-12}; kill++)); do
    rm -rf "$work/killed"
    delay=$((RANDOM % 400))
    { timeout -s KILL "0.$(printf %03d $delay)" "$replay" archive --archive "$work/killed" --events "$day" --segment-mb 1; } >"$work/said" 2>&1
    check_and_go_on "killed after $delay ms" "$work/killed"
done

# --- no room: a limit on files, as a full disk ---
for blocks in 1 4 16 64; do # of 1024 bytes
    rm -rf "$work/full"
    (ulimit -f $blocks; add "$work/full") >"$work/said" 2>&1
    code=$?
    if [ $code -ne 0 ]; then
        [ $code -eq 74 ] && grep -q "$work/full/" "$work/said"
        result "files of at most $blocks blocks: exit code 74 and the file's name, not $code" $? "$work/said"
    fi
    check_and_go_on "files of at most $blocks blocks" "$work/full"
done
mkdir "$work/small"
if mount -t tmpfs -o size=100k tmpfs "$work/small" 2>/dev/null; then
    trap '[ "$BASHPID" -eq $$ ] && { umount "$work/small" 2>/dev/null; rm -rf "$work"; }' EXIT
    add "$work/small/archive" >"$work/said" 2>&1
    [ $? -eq 74 ] && grep -q "$work/small/archive/" "$work/said"
    result "a full disk: exit code 74, and the file's name" $? "$work/said"
    "$replay" archive --archive "$work/small/archive" --verify >"$work/said" 2>&1
    result "a full disk: what counts is whole" $? "$work/said"
    mount -o remount,size=100m "$work/small"
    check_and_go_on "a full disk, then room" "$work/small/archive"
    umount "$work/small"
else
    echo "skipped: a full disk needs the right to mount"
fi

# --- two at once ---
mkfifo "$work/pipe"
"$replay" archive --archive "$work/twice" --events "$work/pipe" >"$work/first" 2>&1 &
first=$!
exec 3>"$work/pipe"
until [ -d "$work/twice" ]; do sleep 0.02; done
sleep 0.2
expect "two at once: the second is refused" 78 "another process adds to the archive" add "$work/twice"
exec 3>&-
wait "$first"
result "two at once: the first ends well" $? "$work/first"

# --- a signal ends a long fold in good order ---
for signal in TERM INT HUP; do
    "$replay" verify --events "$work/pipe" --outputs "$out" >"$work/said" 2>&1 &
    verifier=$!
    exec 3>"$work/pipe"
    head -n 1000 "$day" >&3
    until [ -n "$(ls "$TMPDIR")" ]; do sleep 0.02; done
    kill -"$signal" "$verifier"
    wait "$verifier" 2>/dev/null
    [ $? -eq $((128 + $(kill -l "$signal"))) ] && grep -q "stopped by a signal" "$work/said"
    result "SIG$signal: it says so and ends by it" $? "$work/said"
    [ -z "$(ls "$TMPDIR")" ]
    result "SIG$signal: the scratch directory is removed" $?
    exec 3>&-
done

[ "$segments" -gt 2 ]
result "there were several segments to lose" $?
finish
