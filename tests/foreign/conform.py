#!/usr/bin/python3
"""A worker by examples/worker.py with the processors that `dagwood conformance` makes most of: it knows what identity gives, and keeps sleep
at work."""
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples"))
import worker


def sleep(call):
    select.select([], [], [], call.options["ms"] / 1000)  # time.sleep fails where libfaketime sets the clock
    return call.payload


worker.main({"identity": lambda call: call.payload, "sleep": sleep})
