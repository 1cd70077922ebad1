#!/bin/sh
# Prints where promtool is, which reads metrics as Prometheus does: the system's, or that of
# Debian's package, taken out of it into BUILD once (installing it would start a server).
# usage: tests/running/promtool.sh BUILD
set -eu
command -v promtool && exit 0
bring() {
    cd "$1"
    apt-get download -qq prometheus
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool
    rm prometheus_*.deb
}
exec 9>"$1/promtool.lock"
flock 9 # the suites of both builds may want it at once
if [ ! -x "$1/promtool" ]; then
    (bring "$1") >&2 || { echo "callfold: no promtool, and Debian's package prometheus cannot be had; install promtool" >&2; exit 69; }
fi
echo "$1/promtool"
