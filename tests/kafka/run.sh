#!/usr/bin/env bash
# The tests that need a real broker, or by hand one of the scripts here with what it needs:
#   tests/kafka/run.sh BUILD [cluster.py up --brokers 3 | topics.py PROPERTIES TOPIC | test_X.py ...]
set -eu
cd "$(dirname "$0")/../.."
BUILD=$(mkdir -p "$1" && cd "$1" && pwd)
shift
tests/kafka/fetch.sh "$BUILD"
export BUILD PYTHONPATH=$BUILD/kafka/python PYTHONDONTWRITEBYTECODE=1
if [ $# -gt 0 ]; then
    script=$1
    shift
    exec python3 "tests/kafka/$script" "$@"
fi
exec python3 -W ignore::ResourceWarning -m unittest discover -v -s tests/kafka
