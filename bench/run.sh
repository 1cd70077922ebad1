#!/bin/sh
# What it costs on this machine: medians, and ratios against something measured
# in the same run.   usage: bench/run.sh BUILD
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
"$build/bench/bench_decode"
echo
"$build/bench/bench_fold" 10000 100000
echo
"$build/bench/bench_fold" 200000 1000000
