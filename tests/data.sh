#!/bin/sh
# Generated data is what its kept facts and scripts make of it, bit for bit, and
# the decks' prefixes match real numbers.
cd "$(dirname "$0")/.." || exit 70
passed=0 failed=0
expect() { if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL: $*"; fi; }
expect python3 events/tools/make_tables.py check
expect python3 examples/tools/make_deck.py check
expect python3 examples/tools/check_deck.py examples/decks/*.csv
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
