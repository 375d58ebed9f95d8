#!/usr/bin/python3
"""What load.c has done, by the worker of examples/worker.py: the same bytes, whoever runs it."""
import os
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples"))

import msgpack
import worker

MASK, PRIME = (1 << 64) - 1, 0x100000001b3


class Random:  # SplitMix64, as tests/support/random.h
    def __init__(self, seed):
        self.state = seed
        self.state = self.next()

    def next(self):
        self.state = z = (self.state + 0x9e3779b97f4a7c15) & MASK
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
        z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
        return z ^ z >> 31

    def below(self, below):
        return (self.next() >> 32) * below >> 32


def hash_on(value, data):  # FNV-1a, as random_hash
    value = (value ^ (data is not None)) * PRIME & MASK
    for byte in data or b"":
        value = (value ^ byte) * PRIME & MASK
    return (value ^ len(data or b"")) * PRIME & MASK


def hash_call(call):
    value = hash_on(hash_on(0xcbf29ce484222325, call.node.to_bytes(4, "little")), msgpack.packb(call.payload))
    for output, metadata in call.dependencies.values():
        value = hash_on(value, msgpack.packb(output))
        value = hash_on(value, metadata["sum"].encode())
    return value


def give(call, value, random, length):
    call.metadata = {"sum": f"{value:x}"}
    return bytes(random.below(256) for _ in range(length))


def mix(call):
    value = hash_call(call)
    random = Random(value)
    for _ in range(random.below(6) if random.below(2) == 0 else 0):
        time.sleep(0.0009)
        if call.cancelled():
            raise worker.Failure(499, "cancelled")
    return give(call, value, random, 1000 + random.below(8000) if random.below(16) == 0 else random.below(200))


def heavy(call):
    value = hash_call(call)
    return give(call, value, Random(value), 64 << 10)


worker.main({"mix": mix, "heavy": heavy})
