#!/usr/bin/env bash
# What callfold answers to random histories, against the JSON Schema of each output's type.
# usage: tests/model/schemas.sh BUILD
set -u
cd "$(dirname "$0")/../.." || exit 70
build=${1:?usage: schemas.sh BUILD}
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
for seed in 11 12 13; do
    python3 tests/model/history.py "$seed" 1500 >"$dir/events.jsonl" || exit 1
    "$build/callfold" run --quiet --events "$dir/events.jsonl" --out "$dir/$seed" --state "$dir/state-$seed" || exit 1
done
/usr/bin/python3 tests/schemas/check.py --lines "$dir"/*/*.jsonl
