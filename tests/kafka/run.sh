#!/usr/bin/env bash
# The tests that need a real broker, or by hand one of the scripts here with what it needs:
#   tests/kafka/run.sh BUILD [cluster.py up --brokers 3 | topics.py PROPERTIES TOPIC | test_day ...]
set -eu
cd "$(dirname "$0")/../.."
BUILD=$(mkdir -p "$1" && cd "$1" && pwd)
shift
brokers=${BUILD%/asan}   # one set for both builds
tests/kafka/fetch.sh "$brokers"
export BUILD BROKERS=$brokers/brokers PYTHONPATH=tests/kafka PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3   # the distribution's, which has its Kafka client
case ${1:-} in
    "") exec $python tests/kafka/all.py ;;
    test_*) exec $python -W ignore::ResourceWarning -m unittest -v "$@" ;;
    *) exec $python "tests/kafka/$1" "${@:2}" ;;
esac
