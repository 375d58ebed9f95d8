#!/bin/bash
# What the libraries import and export. The core decides: it needs memory, strings, sorting, formatting and assertions,
# and no clock, file, thread or random number. libdagwood.so shows dw_ symbols and nothing else.
# usage: test_symbols.sh BUILD
set -u
build=$1
status=0
for library in libdagwood.so libdagwood_core.a; do
    [ -e "$build/$library" ] || { echo "$build/$library was not built"; exit 1; }
done

# Sanitizers add symbols of their own to both.
if nm -D "$build/libdagwood.so" | grep -qE '__(asan|tsan|ubsan)_'; then
    echo 'built with a sanitizer, which imports and exports its own symbols: not looked at'
    exit 77
fi

exports=$(nm -D --defined-only --format=posix "$build/libdagwood.so" | awk '$1 !~ /^dw_/ {print $1}')
if [ -n "$exports" ]; then
    printf 'libdagwood.so exports what is not dw_:\n%s\n' "$exports"
    status=1
fi

core=$build/libdagwood_core.a
allowed='malloc|calloc|realloc|reallocarray|free|(mem|str|stp)[a-z]*|bcmp|qsort|qsort_r|bsearch|v?snprintf'
allowed+='|__((mem|str|stp)[a-z]*|v?snprintf)_chk|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_'
# These are called after strings, but ask the locale, the clock or a hidden static.
hidden='str(error|error_r|signal|coll|xfrm|ftime|ptime|fmon|tok)'
defined=$(nm --defined-only --format=posix "$core" | awk 'NF > 2 {print $1}' | sort -u)
imports=$(nm --undefined-only --format=posix "$core" | awk 'NF > 1 {print $1}' | sort -u)
refused=$(comm -23 <(echo "$imports") <(echo "$defined") | awk -v allowed="^($allowed)$" -v hidden="^($hidden)$" \
    'NF && ($0 !~ allowed || $0 ~ hidden)')
for symbol in $refused; do
    echo "the core may not use $symbol:"
    nm -A --undefined-only "$core" | grep -w "$symbol"
    status=1
done

[ $status = 0 ] && echo 'the core imports only what it may; the library exports only dw_'
exit $status
