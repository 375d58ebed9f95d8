#!/bin/bash
# What the README says is so, and docs/GRAPHS.md and docs/RUNNING.md, which go on where it ends: their files and programs are
# written out, their commands are run, and they print what is shown. Of all pages the links lead somewhere.
# Times and rates differ from run to run and are not compared.
# usage: test_readme.sh BUILD
set -eu
build=$(realpath "$1")
root=$PWD
pages=("$root/README.md" "$root/docs/GRAPHS.md" "$root/docs/RUNNING.md")

if nm -D "$build/libdagwood.so" | grep -qE ' __(asan|tsan|ubsan)_'; then
    echo "built with a sanitizer, which the README's programs would have to link: not tried"
    exit 77
fi
for tool in pkg-config cmake "${CC:-cc}"; do
    command -v "$tool" >/dev/null || { echo "$tool is missing"; exit 77; }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/blocks" "$folder/work" "$folder/home"

# Every fenced block becomes blocks/NUMBER.LANGUAGE, in the pages' order.
awk -v folder="$folder/blocks" '
    /^```/ && file { close (file); file = ""; next }
    /^```/         { language = substr ($0, 4)
                     gsub (" ", "-", language)
                     if (language == "") { print FILENAME ":" FNR ": a block without a language"; exit 1 }
                     file = sprintf ("%s/%02d.%s", folder, ++count, language); printf "" > file; next }
    file           { print > file }
    END            { if (file) { print "the last block does not end"; exit 1 } }
' "${pages[@]}"

# The README stands in the project's root: what it reaches from there is reached from here.
cd "$folder/work"
ln -s "$build" build
ln -s "$root/examples" examples
ln -s "$root/bootstrap" bootstrap
export HOME=$folder/home LC_ALL=C.UTF-8

plain () { # what does not differ from run to run
    sed -E 's/[0-9.]+ (us|ms|s)\b/TIME/g; s/\([0-9]+ a second\)/(RATE)/g; s/"duration_us":( ?)[0-9]+/"duration_us":\1TIME/g
            s/ +/ /g; s/ $//'
}

# bootstrap would build and test all over again: what is shown of it must at least be what it knows.
check_bootstrap () { # FILE
    local line verb
    while read -r line; do
        verb=$(sed -nE 's/^\.\/bootstrap ([a-z]+).*/\1/p' <<<"$line")
        [ -n "$verb" ] || { echo "not run, and not bootstrap: $line"; return 1; }
        ./bootstrap help | grep -qE "^ +$verb " || { echo "bootstrap knows no $verb"; return 1; }
    done <"$1"
}

# Makes a script of the lines that begin with "$ ": it prints them and what they print, as the block shows them.
script_console () { # FILE
    local line
    printf 'exec >%q 2>&1\n' "$1.printed"
    while IFS= read -r line; do
        [[ $line != '$ '* ]] || printf 'printf "%%s\\n" %q\n%s\n' "$line" "${line#??}"
    done <"$1"
}

programs=0 commands=0
for block in "$folder"/blocks/*; do
    case $block in
        *.yaml | *.c)
            name=$(sed -nE '1s/^(# |\/\* )([a-z_]+\.(yaml|c)).*/\2/p' "$block")
            [ -n "$name" ] || { echo "a block does not name its file: $(head -n 1 "$block")"; exit 1; }
            cp "$block" "$name"
            programs=$((programs + 1))
            ;;
        *.sh) check_bootstrap "$block" ;;
        *.console | *.console-root) ;;
        *) echo "a block in an unknown language: ${block##*.}"; exit 1 ;;
    esac
done
for graph in *.yaml; do
    [ "$graph" = shout.yaml ] || build/dagwood validate "$graph" # its processor is the program's
done
cmp embed.c "$root/examples/embed.c" || { echo "the README's program is not examples/embed.c"; exit 1; }
for program in *.c; do
    ${CC:-cc} -std=c11 -Wall -Wextra -Wshadow -Wconversion -Werror -fsyntax-only -I "$root/include" "$program"
done

# One shell runs them all: what is exported in one block holds in the next. What it started ends with it.
echo 'trap "kill \$(jobs -p) 2>/dev/null" EXIT' >"$folder/script"
for block in "$folder"/blocks/*.console; do
    script_console "$block"
    commands=$((commands + $(grep -c '^\$ ' "$block")))
done >>"$folder/script"
bash "$folder/script"

# What needs root has network namespaces whose names nobody else sees, and which end with it.
if [ "$(id -u)" != 0 ] || ! command -v ip >/dev/null || ! unshare --mount --net true 2>/dev/null; then
    echo "SKIPPED, which need root, network namespaces and iproute2: $(cat "$folder"/blocks/*.console-root | grep -c '^\$ ') commands"
    rm -f "$folder"/blocks/*.console-root
else
    for block in "$folder"/blocks/*.console-root; do
        script_console "$block"
        commands=$((commands + $(grep -c '^\$ ' "$block")))
    done >"$folder/root-script"
    unshare --mount --net bash -c 'mkdir -p /run/netns && mount -t tmpfs none /run/netns && exec bash "$0"' "$folder/root-script"
fi

for block in "$folder"/blocks/*.console*; do
    [[ $block != *.printed ]] || continue
    if ! diff <(plain <"$block") <(plain <"$block.printed") >"$folder/difference"; then
        echo "what is shown (<) and what is printed (>) differ:"
        cat "$folder/difference"
        exit 1
    fi
done

# Every file and folder that they name is there.
grep -ohE '`(examples|include|runtime|actors|cli|tests|docs)/[a-z_./]*`' "${pages[@]}" | tr -d '`' |
    while read -r name; do
        [ -e "$root/$name" ] || { echo "a page names $name, which is not there"; exit 1; }
    done

# The headings of a page as links name them.
anchors () { # PAGE
    sed -nE 's/^#+ //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9_ -]//g; s/ /-/g'
}

# Every link of every page leads to a file that is there, and to a heading of it; and no item or row stands there twice, nor
# two items of one section that begin with the same bold words, as merging pages can leave them.
for page in "$root"/README.md "$root"/docs/*.md; do
    grep -oE '\]\([^) ]+\)' "$page" | sed -E 's/^\]\(//; s/\)$//' | grep -v '^https\?:' |
        while IFS='#' read -r file heading; do
            target=$(dirname "$page")/$file
            [ "$file" ] || target=$page
            [ -e "$target" ] || { echo "$page: a link to $file, which is not there"; exit 1; }
            [ ! "$heading" ] || anchors "$target" | grep -qx -e "$heading" ||
                { echo "$page: a link to $file#$heading, which is no heading there"; exit 1; }
        done
    awk 'length > 60 && /^[|*]/ && seen[$0]++ { print FILENAME ":" FNR ": this stands here twice"; exit 1 }
         /^```/ { is_block = !is_block }
         /^#/ && !is_block { section++ }
         match ($0, /^[*-] \*\*[^*]+\*\*/) && heads[section, substr ($0, 1, RLENGTH)]++ {
             print FILENAME ":" FNR ": " substr ($0, 3, RLENGTH - 2) " stands in this section twice"; exit 1 }' "$page"
done
echo "$commands commands print what the pages show; $programs files of them are right"
