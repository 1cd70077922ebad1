#!/usr/bin/env bash
# Runs every suite, JOBS of them at once (as many as there are cores); a line each
# as it ends, and what a failing one printed. Each suite ends with "N passed, N
# failed" (or cmocka's own summary); the last line here adds them up.
#     usage: [JOBS=2] tests/run.sh BUILD [SUITE...]
set -u
cd "$(dirname "$0")/.." || exit 70
build=${1:-build}; shift
only=("$@")
jobs=${JOBS:-$(nproc)}
logs=$build/tests/logs
mkdir -p "$logs"
results=$(mktemp) # "PASSED FAILED", a line a suite
trap 'rm -f "$results"' EXIT

wanted() {
    [ ${#only[@]} -eq 0 ] && return 0
    local prefix
    for prefix in "${only[@]}"; do [[ $1 == "$prefix"* ]] && return 0; done
    return 1
}

# The plain summary, cmocka's or (of a run that passed) unittest's -> "PASSED FAILED";
# nothing if there is none.
count() {
    sed -nE 's/^.*\b([0-9]+) passed, ([0-9]+) failed.*$/\1 \2/p' "$1" | tail -1 | grep . ||
        awk '/\[  PASSED  \] [0-9]+ test/ { p = $4 } /\[  FAILED  \] [0-9]+ test/ { f = $4 } END { if (p != "" || f != "") print p + 0, f + 0 }' "$1" | grep . ||
        awk '/^Ran [0-9]+ tests? in / { n = $2 } /^OK( \(skipped=[0-9]+\))?$/ { if (n != "") print n, 0 }' "$1"
}

# Runs one suite to its end and says what came of it.
run_suite() {
    local name=$1 log=$logs/${1//\//-}.log start=$SECONDS counts status; shift
    "$@" >"$log" 2>&1 </dev/null
    status=$?
    counts=$(count "$log")
    set -- ${counts:-0 0}
    if [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then set -- "$1" 1; fi
    if [ -z "$counts" ] && [ "$status" -eq 0 ]; then set -- 0 1; echo "no summary line" >>"$log"; fi
    echo "$1 $2" >>"$results"
    printf '  %-28s %6d passed %s %4ds\n' "$name" "$1" "$([ "$2" -gt 0 ] && echo ", $2 FAILED" || echo '          ')" $((SECONDS - start))
    if [ "$2" -gt 0 ]; then tail -40 "$log" | cut -c1-240 | sed 's/^/    | /'; echo "    (all of it: $log)"; fi
}

# In turn, as soon as one of the jobs is free; what it says comes in one piece.
suite() {
    wanted "$1" || return 0
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    { said=$(run_suite "$@"); echo "$said"; } &
}

export CALLFOLD=$build/callfold
for flavour in "" /asan; do
    for test in tests/unit/test_*.c; do
        name=$(basename "$test" .c)
        suite "unit${flavour}/${name#test_}" "$build$flavour/tests/unit/$name"
    done
    suite "tables$flavour" "$build$flavour/tests/tables/runner" tests/tables/*.table
    for replay in "$build$flavour"/tests/fuzz/replay_*; do
        name=${replay##*/replay_}
        suite "corpus$flavour/$name" "$replay" "tests/fuzz/corpus_$name"
    done
    suite "cli$flavour" tests/cli/run.sh "$build$flavour"
    suite "embedded$flavour" tests/embedded/run.sh "$build$flavour"
    suite "auditor$flavour" tests/auditor/run.sh "$build$flavour"
    suite "replay$flavour/hostile" tests/replay/hostile.py "$build$flavour" 8
    for part in run tamper crash; do
        ACCOUNTS=${flavour:+10} suite "replay$flavour/$part" "tests/replay/$part.sh" "$build$flavour"
    done
    suite "snapshots$flavour" tests/snapshots/run.py "$build$flavour"
    suite "books$flavour" tests/books/run.sh "$build$flavour"
    suite "hostile$flavour/events" tests/hostile/events.py "$build$flavour/callfold" 40
    suite "hostile$flavour/arguments" tests/hostile/arguments.py "$build$flavour/callfold" 1 250
done
suite data tests/data.sh
suite tables/schemas tests/tables/schemas.sh "$build/tests/tables/runner"
suite laws tests/laws.sh "$build"
suite format tests/format.py
suite tables/coverage tests/tables/coverage.sh
suite schemas /usr/bin/env python3 tests/schemas/check.py "$build/tests/schemas/probe"
suite model/itself python3 tests/model/test_model.py
COMPARE_OPTIONS=--order suite model tests/model/run.sh "${MODEL_SEEDS:-60}" "${MODEL_EVENTS:-800}"
CALLFOLD=$build/asan/callfold suite model/asan tests/model/run.sh 8 "${MODEL_EVENTS:-800}" 701
COMPARE_OPTIONS="--order --calls 25" suite model/parallel tests/model/run.sh "${PARALLEL_SEEDS:-24}" 700
CALLFOLD=$build/asan/callfold COMPARE_OPTIONS="--calls 25" suite model/parallel/asan tests/model/run.sh 4 700 701
suite model/schemas tests/model/schemas.sh "$build"
COMPARE_OPTIONS=--laws suite model/laws tests/model/run.sh "${LAW_SEEDS:-6}" "${MODEL_EVENTS:-800}" 901
suite day tests/day/run.sh "$build"
suite docs tests/docs/run.sh "$build"
suite running tests/running/run.py "$build"
suite running/asan tests/running/run.py "$build/asan" Figures Answers
wait # brokers and their clients have time-outs: nothing beside them
suite kafka tests/kafka/run.sh "$build"
wait
suite kafka/asan tests/kafka/run.sh "$build/asan" test_errors test_chaos.Groups
suite deploy tests/deploy/check.py "$build"
suite limits tests/limits/run.py "$build"
suite limits/asan tests/limits/run.py "$build/asan" amounts

wait
awk '{ passed += $1; failed += $2 } END { printf "\ncallfold: %d passed, %d failed\n", passed, failed; exit failed > 0 || NR == 0 }' "$results"
