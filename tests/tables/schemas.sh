#!/usr/bin/env bash
# Every event that the decoder takes from a table, and every output, against the JSON Schema of its type.
# usage: tests/tables/schemas.sh RUNNER
set -u
runner=$(realpath "${1:?usage: schemas.sh RUNNER}")
cd "$(dirname "$0")/../.." || exit 70
dir=$(mktemp -d) || exit 70
trap 'rm -rf "$dir"' EXIT
"$runner" -w "$dir" tests/tables/*.table >/dev/null 2>&1
[ -s "$dir/inputs.jsonl" ] && [ -s "$dir/outputs.jsonl" ] || { echo "the tables left no events or outputs"; exit 1; }
/usr/bin/python3 tests/schemas/check.py --lines "$dir/inputs.jsonl" "$dir/outputs.jsonl"
