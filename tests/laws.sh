#!/usr/bin/env bash
# The house's walls, read off the built libraries and the sources.
# usage: tests/laws.sh BUILD
set -u
cd "$(dirname "$0")/.." || exit 70
build=${1:-build}
passed=0 failed=0
expect() { # DESCRIPTION, then what broke it (empty = fine)
    if [ -z "$2" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL %s:\n%s\n' "$1" "$2"; fi
}
undefined() { nm --undefined-only "$1" | awk '$1 == "U" { print $2 }' | sort -u; }

# Law 1: the fold is pure. All it may ask of the world is memory, strings,
# sorting, hashing and the last words of an aborting process.
allowed='^(_*mem(cpy|set|cmp|chr|move)|str(len|cmp|tou?ll)|(m|c|re|aligned_)alloc|madvise|free|abort|qsort(_r)?|v?snprintf'
allowed+='|__v?snprintf_chk|__mem(cpy|set|move)_chk|__isoc23_strtoull|__stack_chk_fail|__assert_fail|fputs|fwrite|stderr'
allowed+='|SHA256_(Init|Update|Final)|XXH3_64bits|XXH3_128bits(_withSeed)?|_GLOBAL_OFFSET_TABLE_|__(u?div|u?mod)ti3)$'
own=$(nm --defined-only "$build/libfold.a" "$build/libevents.a" | awk 'NF == 3 { print $3 }' | sort -u)
expect "libfold.a asks for nothing but memory and hashes" \
    "$(comm -23 <(undefined "$build/libfold.a") <(echo "$own") | grep -Ev "$allowed")"
expect "the test sees what it looks at" "$([ -n "$own" ] || echo "no symbols in $build/libfold.a")"
for symbol in open fopen read time clock_gettime getenv mdb_get rd_kafka_poll socket; do
    expect "libfold.a does not use $symbol" "$(undefined "$build/libfold.a" | grep -x "$symbol")"
done

# One door to each outside thing.
includes() { grep -rlE "#include *[<\"]$1[>\"]" --include='*.[ch]' . --exclude-dir="${build%%/*}" | sed 's|^\./||' | grep -v '^tests/'; }
expect "only snapshots/store.c includes lmdb.h" "$(includes lmdb.h | grep -vx snapshots/store.c)"
expect "the fold includes only itself and events/" \
    "$(grep -hoE '#include "[^"]+"' processor/fold/*.[ch] | grep -vE '"(events|processor/fold)/')"
expect "events/ includes only itself" "$(grep -hoE '#include "[^"]+"' events/*.[ch] | grep -v '"events/')"
expect "terminal/ includes only itself and events/" \
    "$(grep -hoE '#include "[^"]+"' terminal/*.[ch] | grep -vE '"(events|terminal)/')"
expect "snapshots/ includes only itself, events/, terminal/ and the fold's records" \
    "$(grep -hoE '#include "[^"]+"' snapshots/*.[ch] | grep -vE '"((events|terminal|snapshots)/|processor/fold/(fold|records)\.h")')"
expect "only replay-tool/segment.c includes zstd.h" "$(includes zstd.h | grep -vx replay-tool/segment.c)"
expect "only processor/kafka/ includes rdkafka.h" "$(includes librdkafka/rdkafka.h | grep -v '^processor/kafka/')"
expect "only processor/http.c includes microhttpd.h" "$(includes microhttpd.h | grep -vx processor/http.c)"
expect "only processor/service.c includes sd-daemon.h" "$(includes systemd/sd-daemon.h | grep -vx processor/service.c)"
expect "only replay-tool/sql.c includes sqlite3.h" "$(includes sqlite3.h | grep -vx replay-tool/sql.c)"
expect "every top folder has a README" \
    "$(for d in events terminal processor processor/fold processor/kafka snapshots replay-tool tests bench deploy docs examples; do [ -s "$d/README.md" ] || echo "$d"; done)"

# No function over 70 lines in what we ship.
expect "no function over 70 lines" "$(awk '
    FNR == 1 { open = 0 }
    /^[a-z].*\)$/ || /^[a-z].*,$/ { head = FNR }
    /^\{$/ { open = FNR }
    /^\}$/ && open { if (FNR - open > 70) print FILENAME ":" open ": " FNR - open " lines"; open = 0 }
    ' $(git ls-files '*.c' | grep -v _table.c))"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
