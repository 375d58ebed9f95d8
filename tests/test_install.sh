#!/bin/bash
# An installed dagwood is found by pkg-config and by find_package, its headers are C and C++, and its command runs.
# usage: test_install.sh BUILD
set -eu
build=$1
if nm -D "$build/libdagwood.so" | grep -qE ' __(asan|tsan|ubsan)_'; then
    echo "built with a sanitizer, which a user's program would have to link: not installed"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix
cmake --install "$build" --prefix "$prefix" >"$folder/log" || { cat "$folder/log"; exit 1; }

mkdir "$folder/program"
cd "$folder/program"
cat >main.c <<'END'
#include <dagwood.h>
#include <dagwood_processor.h>
#include <stdio.h>

int main (void) {
    dw_graph_t *graph = dw_graph_new ();
    printf ("dagwood %s was found, linked and called\n", dw_version ());
    dw_graph_destroy (&graph);
    return 0;
}
END
cat >CMakeLists.txt <<'END'
cmake_minimum_required (VERSION 3.25)
project (program LANGUAGES C)
find_package (dagwood 0.1 REQUIRED)
add_executable (program main.c)
target_link_libraries (program PRIVATE dagwood::dagwood)
if (NOT TARGET dagwood::core)
    message (FATAL_ERROR "the package has no dagwood::core")
endif ()
END

pc=$(find "$prefix" -name dagwood.pc)
library=$(dirname "$(find "$prefix" -name libdagwood.so)")
export PKG_CONFIG_PATH=${pc%/*}
${CC:-cc} -Wall -Wextra -Werror main.c $(pkg-config --cflags --libs dagwood) -o by-pkg-config
LD_LIBRARY_PATH=$library ./by-pkg-config
! command -v c++ >/dev/null || c++ -Wall -Wextra -Werror -fsyntax-only -x c++ main.c $(pkg-config --cflags dagwood)

cmake -S . -B by-cmake -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$folder/log" &&
    cmake --build by-cmake >>"$folder/log" || { cat "$folder/log"; exit 1; }
by-cmake/program

readelf -d "$library/libdagwood.so" | grep -q 'SONAME.*\[libdagwood.so.0\]' ||
    { echo "the soname is not libdagwood.so.0"; exit 1; }
[ -e "$library/libdagwood_core.a" ] || { echo "libdagwood_core.a is not installed"; exit 1; }
"$prefix/bin/dagwood" --version
