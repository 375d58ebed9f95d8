#!/usr/bin/python3
"""A worker by examples/worker.py with the processors that `dagwood conformance` makes most of: it knows what identity gives, and keeps sleep
at work."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples"))
import worker


def sleep(call):
    time.sleep(call.options["ms"] / 1000)
    return call.payload


worker.main({"identity": lambda call: call.payload, "sleep": sleep})
