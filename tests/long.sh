#!/usr/bin/env bash
# `make check-long`: the suites that throw dice, with more of them. Everything that fails
# is printed with the seed that repeats it.           usage: tests/long.sh BUILD [SUITE...]
#
#   model     MODEL_SEEDS=500 histories of MODEL_EVENTS=2000 records against the naive
#             model, from FIRST_SEED=1 on; PARALLEL_SEEDS=100 of 100 calls at once
#   laws      LAW_SEEDS=100 of them told in other ways: kills, evictions, accounts alone, ticks lost
#   embedded  EMBEDDED_SEEDS=3 times the commit rule, each with KILLS=300 at any moment in each
#             form of input and about 460 at the fail points: some 3,200 kills
#   snapshots SNAPSHOT_SEEDS=20 times tests/snapshots/, each with KILLS=300 in every verb and BYTES=200
#             bytes changed in every file
#   replay    REPLAY_SEEDS=5 days of 200 accounts folded again, tampered with and archived through
#             KILLS=300; FLIPS=100 times one byte changed in each of 13 places
#   kafka     KAFKA_SEEDS=4 times tests/kafka/, each with KAFKA_KILLS=500 at any moment, 216 at the
#             fail points and 50 zombies, and KAFKA_BROKER_KILLS=50 of the broker; KAFKA_TESTS="test_chaos
#             test_brokers": those files alone
#   day       DAY_SEEDS=3 days of ACCOUNTS=3000 accounts
#   books     the exports of a day of BOOKS_ACCOUNTS=1000 accounts, a spreadsheet among their
#             readers: needs LibreOffice (libreoffice-calc-nogui)
#   hostile   ARGUMENT_TRIES=5000 command lines, and lines of HOSTILE_MB=1000 MB
#   fuzz      each target of tests/fuzz/ for FUZZ_SECONDS=600; needs clang
#   limits    tests/limits/ in sizes of PREFIXES=500000, NUMBERS=100000, CALLS=40000,
#             MONTH_ACCOUNTS=300, AMOUNTS_SEEDS=1000
#
# FIRST_SEED is where each of them begins. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 70
build=$(realpath "${1:?usage: tests/long.sh BUILD [model|laws|embedded|snapshots|replay|kafka|day|books|hostile|fuzz|limits]...}")
shift
[ $# -gt 0 ] || set -- model laws embedded snapshots replay kafka day books hostile fuzz limits
first=${FIRST_SEED:-1}
log=$build/tests/long-$$.log # of one part; several campaigns may run at once
mkdir -p "$build/tests"
passed=0 failed=0

# A suite that says itself what failed, and ends with its sum.
part() { # NAME COMMAND...
    local name=$1 start=$SECONDS status sum
    shift
    echo "$name"
    "$@" 2>&1 </dev/null | tee "$log" | sed 's/^/    /'
    status=${PIPESTATUS[0]}
    sum=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" | tail -n 1)
    read -r more_passed more_failed <<<"${sum:-0 1}"
    [ "$status" -ne 0 ] && [ "$more_failed" -eq 0 ] && more_failed=1
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
    [ "$more_failed" -gt 0 ] && echo "FAILED: $name"
    echo "    $((SECONDS - start)) s"
}

seeds() { seq "$first" $((first + $1 - 1)); }

model() {
    CALLFOLD=$build/callfold COMPARE_OPTIONS="--order --coverage" part "model, seeds $first to $((first + ${MODEL_SEEDS:-500} - 1)), ${MODEL_EVENTS:-2000} records each" \
        tests/model/run.sh "${MODEL_SEEDS:-500}" "${MODEL_EVENTS:-2000}" "$first"
    CALLFOLD=$build/callfold COMPARE_OPTIONS="--calls 100" part "model, 100 calls at once, from seed $first on" \
        tests/model/run.sh "${PARALLEL_SEEDS:-100}" "${MODEL_EVENTS:-2000}" "$first"
}

laws() {
    CALLFOLD=$build/callfold COMPARE_OPTIONS=--laws part "laws, seeds $first to $((first + ${LAW_SEEDS:-100} - 1)), ${MODEL_EVENTS:-2000} records each" \
        tests/model/run.sh "${LAW_SEEDS:-100}" "${MODEL_EVENTS:-2000}" "$first"
}

# In memory where there is such a place: kill -9 loses nothing that a disk would have kept.
embedded() {
    local fast=${TMPDIR:-/tmp}
    [ -w /dev/shm ] && fast=/dev/shm
    for seed in $(seeds "${EMBEDDED_SEEDS:-3}"); do
        TMPDIR=$fast SEED=$seed KILLS=${KILLS:-300} part "embedded, SEED=$seed, ${KILLS:-300} kills a form" tests/embedded/run.sh "$build"
    done
}

snapshots() {
    for seed in $(seeds "${SNAPSHOT_SEEDS:-20}"); do
        SEED=$seed KILLS=${KILLS:-300} BYTES=${BYTES:-200} MOVES=50 SNAPSHOTS=40 RESTORED=40 \
            part "snapshots, SEED=$seed" tests/snapshots/run.py "$build"
    done
}

kafka() {
    for seed in $(seeds "${KAFKA_SEEDS:-4}"); do
        # shellcheck disable=SC2086  # a list of names
        SEED=$seed KILLS=${KAFKA_KILLS:-500} BROKER_KILLS=${KAFKA_BROKER_KILLS:-50} ACCOUNTS=600 \
            part "kafka, SEED=$seed, ${KAFKA_KILLS:-500} kills at any moment, ${KAFKA_BROKER_KILLS:-50} of the broker" \
            tests/kafka/run.sh "$build" all.py ${KAFKA_TESTS:-}
    done
}

replay() {
    for seed in $(seeds "${REPLAY_SEEDS:-5}"); do
        for each in run tamper crash; do
            SEED=$seed ACCOUNTS=200 KILLS=${KILLS:-300} part "replay, $each, SEED=$seed" "tests/replay/$each.sh" "$build"
        done
        SEED=$seed part "replay, bytes changed, SEED=$seed" tests/replay/hostile.py "$build" "${FLIPS:-100}"
    done
}

day() {
    for seed in $(seeds "${DAY_SEEDS:-3}"); do
        SEED=$seed ACCOUNTS=${ACCOUNTS:-3000} part "day, SEED=$seed, ${ACCOUNTS:-3000} accounts" tests/day/run.sh "$build"
    done
}

books() {
    ACCOUNTS=${BOOKS_ACCOUNTS:-1000} SPREADSHEET=yes part "books, ${BOOKS_ACCOUNTS:-1000} accounts" tests/books/run.sh "$build"
}

hostile() {
    part "hostile, lines of ${HOSTILE_MB:-1000} MB" tests/hostile/events.py "$build/callfold" "${HOSTILE_MB:-1000}"
    part "hostile, SEED=$first, ${ARGUMENT_TRIES:-5000} command lines" \
        tests/hostile/arguments.py "$build/callfold" "$first" "${ARGUMENT_TRIES:-5000}"
}

fuzz() {
    FUZZ_SECONDS=${FUZZ_SECONDS:-600} part "fuzz, ${FUZZ_SECONDS:-600} s a target" tests/fuzz/run.sh "$build"
}

limits() {
    PREFIXES=${PREFIXES:-500000} NUMBERS=${NUMBERS:-100000} CALLS=${CALLS:-40000} \
        MONTH_ACCOUNTS=${MONTH_ACCOUNTS:-300} AMOUNTS_SEEDS=${AMOUNTS_SEEDS:-1000} FIRST_SEED=$first \
        part "limits" tests/limits/run.py "$build"
}

for suite; do
    case $suite in
    model | laws | embedded | snapshots | replay | kafka | day | books | hostile | fuzz | limits) "$suite" ;;
    *) echo "tests/long.sh: no suite '$suite'; there are model, laws, embedded, snapshots, replay, kafka, day, books, hostile, fuzz and limits" >&2; exit 64 ;;
    esac
done

rm -f "$log"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
