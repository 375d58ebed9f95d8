#!/bin/bash
# No floor includes a higher one, every include is written from the root, and the product holds no lock and no atomic.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

include='^[[:space:]]*#[[:space:]]*include'

refuse () { # WHAT LINES: fails if there are any lines
    [ -z "$2" ] || { printf '%s:\n%s\n' "$1" "$2"; status=1; }
}

includes () { # FIND'S ARGUMENTS...: the includes of these files, as file:line:name
    find "$@" -name '*.[ch]' -exec grep -HnE "$include" {} + 2>/dev/null |
        sed -E 's/^([^:]*:[0-9]*):[^<"]*[<"]([^>"]*)[>"].*/\1:\2/'
}

public='dagwood(_processor)?\.h'
pure='(assert|float|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h'
ours='(dagwood|include|runtime|actors|cli|bench|examples|tests|\.)[^:]*[/_]?[^:]*'

# What is allowed of ours, floor by floor: itself and what is below.
refuse 'floor 0, include/, stands on nothing' \
    "$(includes include | grep -vE ":($public|std(bool|def|int)\.h)$")"
refuse 'floor 1, runtime/core/, decides: only itself, include/ and pure C' \
    "$(includes runtime/core | grep -vE ":(runtime/core/[^/]*|$public|$pure)$")"
refuse 'floor 2, runtime/, translates: nothing from upstairs' \
    "$(includes runtime -maxdepth 1 | grep -E ":$ours$" | grep -vE ":(runtime/.*|$public)$")"
refuse 'floor 2, runtime/, has no thread and no socket' \
    "$(includes runtime -maxdepth 1 | grep -E ':(pthread|threads|zmq|czmq|sys/socket)\.h$')"
refuse 'floor 3, actors/, moves: nothing from upstairs' \
    "$(includes actors | grep -E ":$ours$" | grep -vE ":(runtime/.*|actors/.*|$public)$")"
refuse 'floor 4, cli/ and bench/, use' \
    "$(includes cli bench | grep -E ":$ours$" | grep -vE ":(runtime/.*|actors/.*|cli/.*|bench/.*|$public)$")"
refuse 'examples/ see what users see' \
    "$(includes examples | grep -E ":$ours$" | grep -vE ":$public$")"

# An include in quotes names a file from the root, or a public header.
refuse 'not written from the root' "$(
    find runtime actors cli bench tests -name '*.[ch]' -exec grep -HnE "$include"'[[:space:]]*"' {} + |
        while IFS= read -r line; do
            name=${line#*\"}
            name=${name%\"*}
            [[ $name != *..* ]] && { [ -e "$name" ] || [ -e "include/$name" ]; } || echo "$line"
        done
)"

shared='pthread_(mutex|cond|rwlock|spin|barrier|once)|\<(mtx|cnd)_|call_once|stdatomic|_Atomic|\<atomic_|__atomic_'
shared+='|__sync_|\<sem_(init|open|wait|post)|semaphore\.h|zmq_atomic|zmutex'
refuse 'two threads share a message or what never changes, not memory under a lock or an atomic' \
    "$(grep -rnE --include='*.[ch]' "$shared" include runtime actors cli)"

refuse 'one file makes sockets listen, which looks at who could reach them: actors/endpoint.c' \
    "$(grep -rnE --include='*.[ch]' '\<zmq_bind[[:space:]]*\(' include runtime actors cli bench |
        grep -vE '^(actors/endpoint|bench/crowd/sockets)\.c:')" # which has none of ZeroMQ's

refuse 'one file sets what ZeroMQ takes, and reads it back: actors/option.c' \
    "$(grep -rnE --include='*.[ch]' '\<zmq_(setsockopt|ctx_set)[[:space:]]*\(' include runtime actors cli |
        grep -v '^actors/option\.c:')"

[ $status = 0 ] && echo 'every floor uses only the floors below it; no lock, no atomic'
exit $status
