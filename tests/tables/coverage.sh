#!/usr/bin/env bash
# Every word that events/reasons.h fixes stands in a table, in the kind of line where it means
# something: a type as an input or an output, a reason beside the output that carries it.
# Prints each word that does not; the list must be empty.
set -u
cd "$(dirname "$0")/../.." || exit 70
lines=$(sed -E 's/(^|[[:space:]])#.*$//' tests/tables/*.table tests/tables/*.setup)

# The list of reasons.h a word is in -> an extended regular expression of the line it must be on.
line_of() { # LIST WORD
    case $1 in
    EVENT_TYPES)     echo "^[0-9T:.-]+ +$2( |\$)" ;;
    OUTPUT_TYPES)    echo "^ +$2( |\$)" ;;
    REJECT_REASONS)  echo "^ +event\.rejected +$2( |\$)" ;;
    DENIAL_REASONS)  echo "^ +(call|sms)\.denied +[^ ]+ +$2( |\$)" ;;
    CUTOFF_REASONS)  echo "^ +call\.cutoff +[^ ]+ +[^ ]+ +$2( |\$)" ;;
    NOTIFY_KINDS)    echo "^ +account\.notify +$2( |\$)" ;;
    ENTRY_KINDS)     echo "^ +ledger\.posted +$2( |\$)" ;;
    CALL_ENDINGS)    echo "^ +call\.recorded .*ended_by=$2( |\$)" ;;
    MEMBER_ROLES)    echo "member\.set +[^ ]+ +[^ ]+ +$2( |\$)|role=$2( |\$)" ;;
    CALL_DIRECTIONS) echo "direction=$2( |\$)" ;;
    RATE_STATUSES)   echo "^ +rate +[^ ]+ +[^ ]+ +[^ ]+ +$2( |\$)" ;;
    POLICY_NUMBERS | POLICY_MAPS) echo "policy\.configured .*$2=" ;;
    OUTPUT_TOPICS)   echo "" ;; # topics are told by the types
    *)               echo "no rule for this list" ;;
    esac
}

passed=0 failed=0
while read -r list word; do
    if grep -qE -- "$(line_of "$list" "$word")" <<<"$lines"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "in no table: $word ($list)"
    fi
done < <(awk '/^#define [A-Z_]+\(X\)/ { list = $2; sub(/\(X\).*/, "", list) }
              /^ +X\(/ && match($0, /X\([A-Z_]+, "[^"]+"/) { split(substr($0, RSTART), part, "\""); print list, part[2] }' events/reasons.h)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
