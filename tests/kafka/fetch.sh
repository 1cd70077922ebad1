#!/bin/sh
# Sees to what the tests need beside the distribution's packages, in BUILD/kafka:
#   jars/    Apache Kafka's own, 45 or so, 43 MB, from Maven Central (pom.xml)
#   python/  a Python client with a newer librdkafka than Debian 12's: that one's
#            SCRAM is refused by brokers since 3.7.2 and 3.8.1 (mended in 2.6.1)
#   newer/   that librdkafka under its own name, for LD_LIBRARY_PATH
# Quiet when they are there.   usage: tests/kafka/fetch.sh BUILD
set -eu
client=confluent-kafka==2.16.1
cd "$(dirname "$0")"
there=$(cd ../.. && mkdir -p "$1/kafka" && cd "$1/kafka" && pwd)
wanted=$(cat pom.xml; echo "$client")
[ "$(cat "$there/fetched" 2>/dev/null)" = "$wanted" ] && exit 0

log=$there/fetch.log
fetch() { # WHAT COMMAND...
    echo "callfold: bringing $1 to $there (once)"
    shift
    "$@" >"$log" 2>&1 || { cat "$log" >&2; echo "callfold: $1 could not bring it; is its registry in reach?" >&2; exit 69; }
}
rm -rf "$there"
mkdir -p "$there/newer"
fetch "Apache Kafka from Maven Central" \
    mvn -q -B -f pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$there/jars"
fetch "$client from PyPI" \
    python3 -m pip install -q --no-deps --disable-pip-version-check --target "$there/python" "$client"
ln -s "$there"/python/confluent_kafka.libs/librdkafka*.so.1 "$there/newer/librdkafka.so.1"
echo "$wanted" >"$there/fetched"   # last: says that all is there
