#!/bin/sh
# `make tidy`: is the C code in the project's format (.clang-format), and does
# clang-tidy find nothing in what is shipped (.clang-tidy)? Generated tables are
# left out; with file names as arguments only those are looked at.
set -eu
cd "$(dirname "$0")/.."
missing=""
for program in clang-format clang-tidy; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "make tidy needs$missing; on Debian: apt-get install$missing" >&2
    exit 69
fi
[ $# -gt 0 ] || set -- $(git ls-files '*.[ch]')
hand_written=$(printf '%s\n' "$@" | grep -v '_table\.c$')
shipped=$(printf '%s\n' "$hand_written" | grep '\.c$' | grep -v '^tests/' || true)

code=0
# shellcheck disable=SC2086
clang-format --dry-run -Werror $hand_written || code=1
printf '%s\n' "$shipped" | xargs -r -P "$(nproc)" -n 4 sh -c '
    clang-tidy --quiet "$@" -- -std=c11 -D_GNU_SOURCE -I. 2>/dev/null' clang-tidy || code=1
exit $code
