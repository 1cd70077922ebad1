#!/bin/sh
# Sees to what the tests need beside the distribution's packages: the jars of Apache Kafka's brokers,
# 45 or so, 45 MB a release, from Maven Central (pom.xml) to BUILD/brokers/RELEASE. Two releases:
# SCRAM as librdkafka before 2.6.1 speaks it is refused by brokers since 3.7.2.
# Quiet when they are there.   usage: tests/kafka/fetch.sh BUILD
set -eu
releases="4.1.1 3.7.1"
cd "$(dirname "$0")"
there=$(cd ../.. && mkdir -p "$1/brokers" && cd "$1/brokers" && pwd)

for release in $releases; do
    [ -d "$there/$release" ] && continue
    echo "callfold: bringing Apache Kafka $release from Maven Central to $there/$release (once)"
    new=$there/$release.new
    rm -rf "$new"
    if ! mvn -q -B -f pom.xml -Dkafka.release="$release" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$new" >"$there/fetch.log" 2>&1; then
        cat "$there/fetch.log" >&2
        echo "callfold: Maven could not bring Apache Kafka $release; is Maven Central in reach?" >&2
        exit 69
    fi
    mv "$new" "$there/$release"
done
