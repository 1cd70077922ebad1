#!/bin/sh
# run.sh N_SEEDS [EVENTS] [FIRST_SEED] - the seeds one after another; prints each that fails.
# CALLFOLD names the program, COMPARE_OPTIONS holds further options of compare.py.
set -eu
seeds=${1:?usage: run.sh N_SEEDS [EVENTS] [FIRST_SEED]}
first=${3:-1}
cd "$(dirname "$0")/../.."
[ -w /dev/shm ] && export TMPDIR=/dev/shm # kills are of the process, not of the machine: no need to wait for a disk
# shellcheck disable=SC2046,SC2086
exec python3 tests/model/compare.py --callfold "${CALLFOLD:-build/callfold}" --events "${2:-1000}" \
    ${COMPARE_OPTIONS:-} $(seq "$first" $((first + seeds - 1)))
