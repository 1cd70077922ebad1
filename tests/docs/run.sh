#!/usr/bin/env bash
# Runs what the documents in docs/ tell people to type: every block fenced as sh,
# from a document's top to its end, in one directory that has a day of examples/
# (day.jsonl, out/, state/) and the programs on PATH.
#
#     ```sh            must end with exit code 0
#     ```sh exit=1     must end with that one
#     ```sh if=git     likewise, where the source is a git checkout
#     ```sql           is run on books.db, which a block before it has made
#     ```text          is to be read only
#
# usage: [SEED=1] [ACCOUNTS=30] [THEN=COMMIT] tests/docs/run.sh BUILD [DOCUMENT...]
# THEN: the release that audit.md builds and asks as well; HEAD unless given.
# Prints "N passed, N failed"; exits with 1 if any failed.
set -u
cd "$(dirname "$0")/../.." || exit 70
build=$(realpath "${1:-build}")
shift
root=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/callfold-docs-XXXXXX")
trap '[ "$BASHPID" -eq $$ ] && rm -rf "$work"' EXIT
export TMPDIR=$work/scratch PATH=$build:$PATH LC_ALL=C.UTF-8
# Built fast, to fold one day; nothing of what a make above this one was told holds for it.
export SOURCE=$root THEN=${THEN:-HEAD} CFLAGS=-O0
unset MAKEFLAGS MAKELEVEL BUILD
mkdir "$TMPDIR"
. tests/day/play.sh
. tests/tally.sh

# Each block into a file LINE.LANGUAGE, with what stands behind the language in LINE.how.
extract() { # DOCUMENT DIR
    awk -v dir="$2" '
        /^```/ && file == "" {
            info = substr($0, 4)
            split(info, word, " ")
            file = sprintf("%s/%05d.%s", dir, NR, word[1] == "" ? "none" : word[1])
            print substr(info, length(word[1]) + 2) >(file ".how")
            printf "" >file
            next
        }
        /^```/ { close(file); file = ""; next }
        file != "" { print >file }
        file == "" && /^(    |\t)(\$ |callfold)/ { print FILENAME ":" NR ": a command that no fence says how to run" }
        END { if (file != "") print FILENAME ": a block is not closed" }' "$1"
}

run_block() { # DOCUMENT FILE
    local line how wanted=0 got
    line=$(basename "$2" | sed 's/^0*//; s/\..*//')
    how=$(cat "$2.how")
    case $how in
        exit=*) wanted=${how#exit=} how= ;;
        if=git) git -C "$root" rev-parse --quiet --verify "$THEN^{commit}" >/dev/null 2>&1 || return 0; how= ;;
    esac
    case ${2##*.}:$how in
        sh:) bash -eu -o pipefail "$2" >"$work/said" 2>&1 </dev/null ;;
        sql:) sqlite3 -bail -readonly books.db <"$2" >"$work/said" 2>&1 ;;
        text:) return ;;
        *) echo "the block is called '${2##*.} $how': sh, sh exit=N, sql or text" >"$work/said"; false ;;
    esac
    got=$?
    [ "$got" -eq "$wanted" ]
    result "$1:$line: exit code $got, wanted $wanted" $? "$work/said"
    # What prints nothing shows nothing: a block of sql has to find something on that day.
    [ "${2##*.}" != sql ] || [ -s "$work/said" ]
    result "$1:$line: finds nothing" $? "$2"
}

try() { # DOCUMENT
    local place file
    place=$work/$(basename "$1" .md)
    mkdir "$place" "$place.blocks"
    cp -r "$work/day/." "$place"
    extract "$1" "$place.blocks" >"$work/faults"
    [ ! -s "$work/faults" ]
    result "$1 says of every command how it is run" $? "$work/faults"
    cd "$place" || exit 70
    for file in "$place.blocks"/*.*; do
        [ "${file%.how}" = "$file" ] && run_block "$1" "$file"
    done
    cd "$root" || exit 70
}

play "$work/day"
shopt -s nullglob
[ $# -gt 0 ] || set -- docs/[a-z]*.md
for document; do try "$document"; done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
