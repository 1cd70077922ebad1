#!/bin/sh
# run.sh BUILD [TARGET...] - `make fuzz`: every tests/fuzz/fuzz_*.c (or those named, as
# in `run.sh build history`) on libFuzzer with both sanitizers, one after the other.
#
# FUZZ_SECONDS=60 is how long each runs. It begins with what is in its corpus_TARGET and in
# BUILD/fuzz/TARGET, where it keeps what it finds new; what broke it is kept in
# BUILD/fuzz as TARGET-crash-* and named. A name of its own under corpus_TARGET makes it
# a test. Prints "N passed, N failed"; exits 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=${1:?usage: run.sh BUILD [TARGET...]}
shift
seconds=${FUZZ_SECONDS:-60}
clang=${CLANG:-clang}
out=$build/fuzz
objects=$out/objects
flags="-std=c11 -D_GNU_SOURCE -I. -fno-strict-aliasing -O1 -g -fno-omit-frame-pointer"
checks="address,undefined -fno-sanitize-recover=all"
passed=0 failed=0

mkdir -p "$objects"
echo 'int LLVMFuzzerTestOneInput(const void *at, unsigned long len) { return at && len > 9; }' >"$out/probe.c"
if ! "$clang" -fsanitize=fuzzer,address,undefined -o "$out/probe" "$out/probe.c" 2>"$out/probe.log"; then
    echo "make fuzz needs clang with libFuzzer; on Debian: apt-get install clang libclang-rt-14-dev" >&2
    sed 's/^/    /' "$out/probe.log" >&2
    exit 69
fi

[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')

# What every target may use, once for all of them.
echo "  CC  $out"
parts="tests/fuzz/compose.c tests/fuzz/judge_pipe.c tests/fuzz/hear.c tests/tables/memory.c tests/tables/audit.c"
for source in events/*.c terminal/*.c processor/fold/*.c snapshots/*.c processor/*.c processor/kafka/settings.c $parts; do
    case $source in */main.c | */cmd_*.c | snapshots/selection.c) continue ;; esac
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer-no-link,$checks -c -o "$objects/$(echo "$source" | tr / -).o" "$source" || exit 70
done

# The dictionary: every type, word and member that the decoders know.
grep -ohE '"[a-z0-9_.]+"' events/reasons.h events/decode*.c | sort -u >"$out/words"

for target; do
    corpus=tests/fuzz/corpus_$target
    most=65536
    [ "$target" = model ] && most=1024 # 128 records: the model is slow
    more=$(ls "tests/fuzz/mutate_$target.c" 2>/dev/null)
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer,$checks -o "$out/fuzz_$target" "tests/fuzz/fuzz_$target.c" $more "$objects"/*.o \
        -llmdb -lsmartcols -lmicrohttpd -lsystemd -ljansson -lcrypto -lxxhash || exit 70
    mkdir -p "$out/$target"
    echo "  fuzz_$target for $seconds s, log in $out/$target.log"
    "$out/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len="$most" -print_final_stats=1 \
        -dict="$out/words" -artifact_prefix="$out/$target-" \
        "$out/$target" "$corpus" >"$out/$target.log" 2>&1
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        sed -n 's/^stat::number_of_executed_units: */    inputs run: /p' "$out/$target.log"
    else
        failed=$((failed + 1))
        grep -vE '^#[0-9]+[[:space:]]' "$out/$target.log" | tail -n 40 | cut -c1-240 | sed 's/^/    | /'
        sed -n 's|.*Test unit written to \(.*\)$|    kept: \1|p' "$out/$target.log"
        echo "FAILED: fuzz_$target; its log: $out/$target.log"
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
