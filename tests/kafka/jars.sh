#!/bin/sh
# Sees to Apache Kafka's jars (45 or so, 43 MB) in BUILD/kafka: quiet when they
# are there, else from Maven Central.   usage: tests/kafka/jars.sh BUILD
set -eu
cd "$(dirname "$0")"
jars=$(cd ../.. && mkdir -p "$1" && cd "$1" && pwd)/kafka
cmp -s pom.xml "$jars/pom.xml" && exit 0

echo "callfold: bringing Apache Kafka from Maven Central to $jars (once)"
rm -rf "$jars"
mkdir -p "$jars"
mvn -q -B -f pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars" >"$jars/mvn.log" 2>&1 || {
    cat "$jars/mvn.log" >&2
    echo "callfold: maven could not bring Kafka's jars; is Maven Central in reach?" >&2
    exit 69
}
cp pom.xml "$jars/"   # last: says that they are all there
