#!/usr/bin/python3
"""A worker by examples/worker.py whose processors take their time: `nap` (option ms) asks whether it is cancelled, `deaf` does not and is
stuck the first time."""
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples"))
import worker

naps = 0


def nap(call):
    until = time.monotonic() + call.options["ms"] / 1000
    while time.monotonic() < until:
        if call.cancelled():
            raise worker.Failure(499, "cancelled")
        time.sleep(0.005)
    return call.payload


def deaf(call):
    global naps
    naps += 1
    time.sleep(3600 if naps == 1 else 0)
    return call.payload


worker.main({"nap": nap, "deaf": deaf})
