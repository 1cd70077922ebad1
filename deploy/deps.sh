#!/bin/sh
# Sees to the packages that building (build) or testing (check) needs: quiet
# when they are there, installs them on Debian and its kin, lists what is
# missing anywhere else.   usage: deploy/deps.sh build|check
set -eu

build="gcc make libc6-dev pkg-config liblmdb-dev libjansson-dev libssl-dev libxxhash-dev libsmartcols-dev librdkafka-dev libmicrohttpd-dev libsystemd-dev libsqlite3-dev libzstd-dev"
check="$build libcmocka-dev python3 python3-jsonschema python3-yaml binutils jq zstd python3-confluent-kafka default-jre-headless maven openssl hledger sqlite3"
case "${1:-}" in
    build) wanted=$build ;;
    check) wanted=$check ;;
    *) echo "usage: $0 build|check" >&2; exit 64 ;;
esac

has_package() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    missing=""
    for header in lmdb.h jansson.h openssl/sha.h xxhash.h libsmartcols/libsmartcols.h librdkafka/rdkafka.h microhttpd.h systemd/sd-daemon.h sqlite3.h zstd.h; do
        echo "#include <$header>" | ${CC:-cc} -E - >/dev/null 2>&1 || missing="$missing $header"
    done
    [ "$1" = build ] || for program in python3 nm jq java mvn openssl hledger sqlite3; do
        command -v "$program" >/dev/null || missing="$missing $program"
    done
    [ -z "$missing" ] && exit 0
    echo "callfold: this is no Debian-like system, so nothing is installed for you." >&2
    echo "Missing:$missing" >&2
    echo "On Debian they come from:" >&2
    for package in $wanted; do echo "    $package" >&2; done
    exit 69
fi

missing=""
for package in $wanted; do has_package "$package" || missing="$missing $package"; done
[ -z "$missing" ] && exit 0

echo "callfold: installing from the distribution:$missing"
as_root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "callfold: not root and no sudo; run as root: apt-get install$missing" >&2; exit 69; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "callfold: apt-get failed; the packages wanted are:$missing" >&2
    exit 69
fi
