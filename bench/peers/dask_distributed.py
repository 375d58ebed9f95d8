#!/usr/bin/python3
"""dask_distributed - empty tasks of one worker process by Dask distributed, as bench/elsewhere has them by dagwood.

A scheduler and a client in this process, one worker process with one thread, TCP over the loopback interface. Each
task is given a payload of its own and gives it back, and all results come to the client. The tasks are submitted as one
graph, which is how Dask's documentation has it where the graph is known. Debian: python3-distributed.
"""

import argparse
import json
import statistics
import sys
import time

DEFECT, REFUSED = 70, 71
MASK = (1 << 64) - 1


def mix_in(value, data):
    """bench/lib/mix.h, dw_mix_in."""
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at:at + 8], "little")
        value = (value ^ word) * 0xff51afd7ed558ccd & MASK
    return value


def text_of(payload):
    """bench/elsewhere.c, s_text: with its header it has so many bytes."""
    head = 1 if payload < 32 else 2 if payload < 256 + 2 else 3 if payload < 65536 + 3 else 5
    return b"x" * max(payload - head, 1)


def identity(payload):
    return payload


def run(client, tasks, payload):
    """Seconds, and the hash of all results."""
    text = text_of(payload)
    graph = {f"n{index}": (identity, text) for index in range(tasks)}
    begin = time.perf_counter()
    results = client.get(graph, list(graph))
    seconds = time.perf_counter() - begin
    value = 0
    for result in results:
        value = mix_in(value, result)
    return seconds, value


def measure(options):
    import distributed  # pylint: disable=import-outside-toplevel
    import dask  # pylint: disable=import-outside-toplevel
    dask.config.set({"distributed.admin.tick.limit": "1h"})  # no warnings of a busy machine
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True,
                                  protocol="tcp://", dashboard_address=None,
                                  silence_logs=50) as cluster, distributed.Client(cluster) as client:
        run(client, options.tasks, options.payload)
        runs = [run(client, options.tasks, options.payload) for _ in range(options.repeat)]
    hashes = {value for _, value in runs}
    if len(hashes) != 1:
        sys.exit(DEFECT)
    seconds = [seconds for seconds, _ in runs]
    return {"bench": "dask", "version": distributed.__version__, "tasks": options.tasks,
            "payload": options.payload, "repeat": options.repeat,
            "tasks_per_second": options.tasks / statistics.median(seconds),
            "tasks_per_second_min": options.tasks / max(seconds),
            "tasks_per_second_max": options.tasks / min(seconds), "hash": f"{hashes.pop():016x}"}


def main():
    parser = argparse.ArgumentParser(prog="dask_distributed", description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=2000, help="[2000]")
    parser.add_argument("--payload", type=int, default=100, help="bytes [100]")
    parser.add_argument("--repeat", type=int, default=3, help="[3]")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    try:
        row = measure(options)
    except ImportError as missing:
        print(f"{missing}: install python3-distributed", file=sys.stderr)
        return REFUSED
    if options.format == "json":
        print(json.dumps(row))
    else:
        print("\n".join(f"{key:<28} {value}" for key, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
