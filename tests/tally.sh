# How the suites in bash count what they find. Sourced once $work, a directory of theirs, is there;
# they end with "$passed passed, $failed failed".
passed=0 failed=0

result() { # NAME STATUS [FILE with more about it]
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    echo "FAILED: $1"
    if [ $# -gt 2 ]; then head -n 40 "$3"; fi
}

# A suite with its own "N passed, N failed" as a part of this one.
part() { # NAME COMMAND...
    local name=$1 log=$work/log counts more_passed more_failed
    shift
    "$@" >"$log" 2>&1
    counts=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" | tail -n 1)
    read -r more_passed more_failed <<<"${counts:-0 1}"
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
    if [ "$more_failed" -gt 0 ]; then echo "FAILED: $name"; head -n 40 "$log"; fi
}
