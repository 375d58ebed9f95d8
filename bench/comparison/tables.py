"""tables - what is compared: each function measures one table and returns its figures.

docs/BENCHMARKS.md defines every figure. Figures of several rounds are spreads (programs.py); a
program that was not measured is not in its table.
"""

import math
import os

from comparison.programs import DEFECT, Failure, figure, ratio, spread

SHAPES = ["chain", "fan", "tree", "wave", "random"]
TASK_NS = [1000, 10000, 100000]
KERNELS = {"even": "compute", "uneven": "uneven"}
WIDTHS = [2, 16]
EFFICIENCIES = [0.5, 0.75]
METG_TASK_NS_MAX = 1 << 18
METG_STEPS_MIN = 50


def repeats(sitting):
    return 3 if sitting.options.quick else 5


def spreads(names, rounds, key="ns_per_task"):
    """By program."""
    found = {name: spread(rounds, lambda rows: figure(rows, name, key)) for name in names}
    return {name: found[name] for name in found if found[name]}


def ratios(names, rounds, key="ns_per_task"):
    """dagwood's figure to each other program's, in the same round."""
    found = {name: spread(rounds, lambda rows: ratio(rows, name, key))
             for name in names if name != "dagwood"}
    return {name: found[name] for name in found if found[name]}


def nodes_for(sitting, task_ns, seconds):
    """As many as work so long on one core, and no more than were asked for."""
    return max(1, min(sitting.options.nodes, int(seconds * 1e9 / max(task_ns, 1))))


# ---- Pools -------------------------------------------------------------------------------------


def overhead(sitting):
    """By shape: ns a task, and dagwood's ratio to each."""
    works = [{"shape": shape, "nodes": sitting.options.nodes} for shape in SHAPES]
    results = sitting.measure(works, sitting.names, repeats(sitting))
    return {work["shape"]: {"ns_per_task": spreads(sitting.names, rounds),
                            "ratio": ratios(sitting.names, rounds)}
            for work, rounds in zip(works, results)}


def efficiency(sitting):
    """By kernel, task time and shape: the share of both threads' time that went into tasks."""
    sitting.find_peak()
    names = [name for name in sitting.names if name != "sequential"]
    seconds = 0.1 if sitting.options.quick else 0.5
    works = [{"shape": shape, "nodes": nodes_for(sitting, task_ns, seconds),
              "kernel": KERNELS[kernel], "task-ns": task_ns}
             for kernel in KERNELS for task_ns in TASK_NS for shape in SHAPES[1:]]
    results = sitting.measure(works, names, 3)
    table = {kernel: {task_ns: {} for task_ns in TASK_NS} for kernel in KERNELS}
    for work, rounds in zip(works, results):
        kernel = "uneven" if work["kernel"] == "uneven" else "even"
        table[kernel][work["task-ns"]][work["shape"]] = {
            "efficiency": spreads(names, rounds, "efficiency"),
            "least_share": spread(rounds, least_share)}
    return table


def least_share(rows):
    """Of the tasks that dagwood ran, the share of the thread that ran fewest. The coordinator's
    thread stands in for one of the workers, so that one thread more is listed than works."""
    tasks = sorted(rows["dagwood"]["tasks_by_worker"], reverse=True) if "dagwood" in rows else []
    threads = rows["dagwood"]["threads"] if tasks else 0
    return tasks[threads - 1] / sum(tasks) if 0 < threads <= len(tasks) and sum(tasks) else None


# ---- METG --------------------------------------------------------------------------------------


def metg_points(rounds_by_task_ns, name, threads, peak):
    """The sweep of one program in one round: task time, granularity and efficiency, from the
    longest tasks to the shortest."""
    points = []
    for task_ns, rows in rounds_by_task_ns:
        ns = figure(rows, name)
        if ns:
            points.append((task_ns, ns * threads, task_ns / (ns * threads) / peak))
    return points


def metg_find(points, wanted):
    """The smallest granularity that has the efficiency, interpolated to the next point of the
    sweep; infinite: the efficiency is never reached; None: it is never left."""
    able = [index for index, point in enumerate(points) if point[2] >= wanted]
    if not able:
        return math.inf
    best = min(able, key=lambda index: points[index][1])
    if best + 1 == len(points):
        return None
    _, granularity, share = points[best]
    _, next_granularity, next_share = points[best + 1]
    if next_share >= wanted or next_granularity >= granularity:
        return granularity
    return granularity - (granularity - next_granularity) * (share - wanted) / (share - next_share)


def metg_sweep(sitting, width):
    """Halves the task time until a program is below the lowest efficiency twice in a row. Returns
    by task time the rounds of that point, and the peak: what threads reach that only compute, or
    any program where that is more, as in Task Bench."""
    seconds = 0.02 if sitting.options.quick else 0.1
    names = {name: 0 for name in sitting.names if name != "sequential"}
    task_ns, sweep, peak = METG_TASK_NS_MAX, [], sitting.find_peak()
    while names and task_ns >= 1:
        nodes = min(sitting.options.nodes,
                    max(nodes_for(sitting, task_ns, seconds), METG_STEPS_MIN * width))
        work = {"shape": "stencil", "width": width, "nodes": nodes, "kernel": "compute",
                "task-ns": task_ns}
        rounds, = sitting.measure([work], list(names), 3)
        sweep.append((task_ns, rounds))
        shares = spreads(list(names), rounds, "efficiency")
        peak = max([peak] + [share.median for share in shares.values()])
        for name in list(names):
            low = name not in shares or shares[name].median < 0.8 * min(EFFICIENCIES) * peak
            names[name] = names[name] + 1 if low else 0
            if names[name] == 2:
                del names[name]
        task_ns //= 2
    return sweep, peak


def metg(sitting):
    """By width: each program's METG in ns, dagwood's ratio to it, and the curve of the medians."""
    threads, table = sitting.options.threads, {}
    for width in WIDTHS:
        sweep, peak = metg_sweep(sitting, width)
        rounds = [{} for _ in range(max(len(rounds) for _, rounds in sweep))]
        for index, found in enumerate(rounds):  # by program, its METG by efficiency
            of_round = [(ns, points[index]) for ns, points in sweep if index < len(points)]
            for name in sitting.names:
                points = metg_points(of_round, name, threads, peak)
                if points:
                    found[name] = {wanted: metg_find(points, wanted) for wanted in EFFICIENCIES}
        table[width] = {
            "peak": peak,
            "metg_ns": {wanted: spreads(sitting.names, rounds, wanted) for wanted in EFFICIENCIES},
            "ratio": {wanted: ratios(sitting.names, rounds, wanted) for wanted in EFFICIENCIES},
            "curve": {name: metg_curve(sweep, name, threads, peak) for name in rounds[0]}}
    return table


def metg_curve(sweep, name, threads, peak):
    """The points of the medians over all rounds."""
    spreads_ns = [(ns, spread(rounds, lambda rows: figure(rows, name))) for ns, rounds in sweep]
    medians = [(ns, {name: {"ns_per_task": value.median}}) for ns, value in spreads_ns if value]
    return metg_points(medians, name, threads, peak)


# ---- Threads, sizes, workflows -----------------------------------------------------------------


def thread(sitting):
    """An actor for each node: how long one run alone takes a hop, and how many hops a stream
    has a second. The peers have no such thing."""
    quick = sitting.options.quick
    works = {"latency": {"nodes": 10, "runs": 100 if quick else 500},
             "stream": {"nodes": 10, "runs": max(1, sitting.options.nodes // (5 if quick else 1))}}
    latencies, streams = results = [], []
    for _ in range(sitting.options.rounds):
        if latencies and sitting.is_late():
            break
        for bench, rounds in zip(works, results):
            row = sitting.run("dagwood", works[bench], repeats(sitting), bench)
            rounds.append({"dagwood": row})
            if row["hash"] != rounds[0]["dagwood"]["hash"]:
                raise Failure(DEFECT, f"wrong hash: dagwood bench {bench} gives {row['hash']}, and "
                              f"{rounds[0]['dagwood']['hash']} before: no figure of it counts")
    keys = {"hop_ns": "hop_ns_p50", "run_ns_per_hop": "run_ns_per_hop", "wakeup_ns": "wakeup_ns"}
    table = {name: spread(latencies, lambda rows: figure(rows, "dagwood", key))
             for name, key in keys.items()}
    for name, key in (("hop_to_wakeup", "hop_ns_p50"), ("run_to_wakeup", "run_ns_per_hop")):
        table[name] = spread(latencies, lambda rows: figure(rows, "dagwood", key) /
                             figure(rows, "dagwood", "wakeup_ns"))
    table["hops_per_second"] = spread(streams,
                                      lambda rows: figure(rows, "dagwood", "hops_per_second"))
    table["histogram"] = merge_histograms([rows["dagwood"] for rows in latencies])
    return table


def merge_histograms(rows):
    """Pairs of a bucket's end and its count, of all rounds."""
    merged = {}
    for row in rows:
        for end, count in zip(row["hop_ns_up_to"], row["hop_counts"]):
            merged[end] = merged.get(end, 0) + count
    return sorted(merged.items())


def scaling(sitting):
    """By shape and nodes: ns a task, dagwood's ratio to the loop, and what a node costs; by shape
    how the ratio grows from the smallest graph to the largest."""
    names = [name for name in ("dagwood", "sequential", "onetbb", "onetbb_tasks")
             if name in sitting.names]
    sizes = sorted({max(1, sitting.options.nodes // 10), sitting.options.nodes,
                    sitting.options.nodes * (1 if sitting.options.quick else 10)})
    works = [{"shape": shape, "nodes": nodes} for shape in SHAPES for nodes in sizes]
    results = sitting.measure(works, names, 3)
    table = {shape: {"nodes": {}} for shape in SHAPES}
    for work, rounds in zip(works, results):
        table[work["shape"]]["nodes"][work["nodes"]] = {
            "ns_per_task": spreads(names, rounds),
            "ratio": ratios(names, rounds).get("sequential"),
            **{key: spread(rounds, lambda rows: figure(rows, "dagwood", key))
               for key in ("plan_ns_per_node", "run_bytes_per_node")}}
    for index, shape in enumerate(SHAPES):
        of_shape = results[index * len(sizes):(index + 1) * len(sizes)]
        table[shape]["growth"] = spread(zip(of_shape[0], of_shape[-1]), growth)
    return table


def growth(pair):
    small, large = (ratio(rows, "sequential") for rows in pair)
    return large / small if small and large else None


def workflow(sitting):
    """By file: the makespan of each program to that of list scheduling on paper."""
    folder = sitting.options.workflows
    files = [os.path.join(folder, file) for file in sorted(os.listdir(folder))
             if file.endswith(".json")]
    names = [name for name in sitting.names if name != "sequential"]
    works = [{"graph": file, "kernel": "compute", "task-ns": 1000000} for file in files]
    results = sitting.measure(works, names, repeats(sitting), "workflow")
    table = {}
    for file, rounds in zip(files, results):
        paper = rounds[0]["dagwood"]
        for rows in rounds:
            for row in rows.values():
                row["to_list"] = row.get("makespan_ns", row.get("ns_per_task", 0) *
                                         row["nodes"]) / paper["list_ns"]
        table[os.path.basename(file)] = {
            "nodes": paper["nodes"], "list_ns": paper["list_ns"],
            "lower_bound_ns": paper["lower_bound_ns"], "to_list": spreads(names, rounds, "to_list")}
    return table


# ---- Elsewhere ---------------------------------------------------------------------------------


def elsewhere(sitting):
    """A worker process over TCP: empty tasks a second, plain, with CURVE, and of Dask distributed; a
    run of one task, and large payloads, to what ZeroMQ alone needs in the same process."""
    quick = sitting.options.quick
    sitting.run("dagwood", {"shape": "chain", "nodes": 10}, 1)  # which tells of the machine
    few, many = {"tasks": 500 if quick else 2000}, {"tasks": 2000 if quick else 100000}
    small = {"large": 1 << 16, "large-runs": 20} if quick else {}
    works = {"plain": ("elsewhere", {**many, **small}),
             "curve": ("elsewhere", {**many, **small, "keys": 1}),
             "beside": ("elsewhere", {**few, "large": 1, "large-runs": 1}), "dask": ("dask", few)}
    rounds = []
    for _ in range(sitting.options.rounds):
        if rounds and sitting.is_late():
            break
        rows = {}
        for what in sitting.random.sample(list(works), len(works)):
            name, work = works[what]
            rows[what] = None if name in sitting.slow else sitting.run(name, work, repeats(sitting))
            if not rows[what]:
                sitting.slow.add(name)
        if rows["dask"] and rows["dask"]["hash"] != rows["beside"]["hash"]:
            raise Failure(DEFECT, f"wrong hash: dask gives {rows['dask']['hash']}, and dagwood "
                          f"{rows['beside']['hash']}: no figure of it counts")
        rounds.append({what: row for what, row in rows.items() if row})
    table = {what: {key: spread(rounds, lambda rows: figure(rows, what, key))
                    for key in ("tasks_per_second", "run_to_raw", "large_to_raw")}
             for what in ("plain", "curve")}
    for what in ("beside", "dask"):
        table[what] = {"tasks_per_second": spread(
            rounds, lambda rows: figure(rows, what, "tasks_per_second"))}
    table["to_dask"] = {"tasks_per_second": spread(
        [rows for rows in rounds if "dask" in rows],
        lambda rows: rows["beside"]["tasks_per_second"] / rows["dask"]["tasks_per_second"])}
    return table


TABLES = {"overhead": overhead, "efficiency": efficiency, "metg": metg, "thread": thread,
          "scaling": scaling, "workflow": workflow, "elsewhere": elsewhere}
