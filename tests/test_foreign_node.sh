#!/bin/bash
# The worker in JavaScript (examples/worker.mjs) gives what the one in Python gives, and passes `dagwood conformance`.
# usage: test_foreign_node.sh BUILD
# Its modules are looked for in examples/node_modules, or where DAGWOOD_NODE_MODULES says:
#     npm install --prefix examples zeromq @msgpack/msgpack
set -eu
python=/usr/bin/python3 # Debian's, which has Debian's modules
modules=${DAGWOOD_NODE_MODULES:-examples/node_modules}
if ! command -v node >/dev/null || [ ! -d "$modules/zeromq" ] || [ ! -d "$modules/@msgpack/msgpack" ]; then
    echo "no node with its modules zeromq and @msgpack/msgpack: nothing was tried of examples/worker.mjs"
    exit 77
fi
if ! $python -c 'import zmq, msgpack' 2>/dev/null; then
    echo "no Debian python3 with python3-zmq and python3-msgpack: nothing was tried"
    exit 77
fi
$python tests/foreign/check.py "$1" two_languages_give_the_same_bytes
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$(realpath "$modules")" "$folder/node_modules" # a module is looked for beside whoever imports it
cp examples/worker.mjs "$folder"
timeout -s KILL 110 "$1/dagwood" conformance worker --listen "ipc://$folder/hub" -- node "$folder/worker.mjs" --connect "{}"
