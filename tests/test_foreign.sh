#!/bin/bash
# Workers and a client in other languages (examples/worker.py, worker.mjs, client.py) against the coordinator.
# usage: test_foreign.sh BUILD
set -eu
python=/usr/bin/python3 # Debian's, which has Debian's modules
if ! $python -c 'import zmq, msgpack' 2>/dev/null; then
    echo "no Debian python3 with python3-zmq and python3-msgpack: nothing was tried"
    exit 77
fi
exec $python tests/foreign/check.py "$1"
