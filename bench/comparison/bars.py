"""bars - what dagwood has to reach, and whether it does.

A bar is met by the median. One whose peer is not here, or which neither dagwood nor the peer has a
figure for, is told as not measured. A bar is what it is of, the spread or None, sense and limit.
"""

from comparison.programs import number_text

OVERHEAD_MAX = {"chain": 0.30, "fan": 0.35, "tree": 0.35, "wave": 0.60, "random": 0.60}
EFFICIENCY_MIN = {1000: 0.80, 10000: 0.92, 100000: 0.97}
METG_MAX = 1.0
WAKEUPS_MAX = 1.3
HOPS_MIN = 4e6
GROWTH_MAX = 1.5
PLAN_NS_MAX = 200
RUN_BYTES_MAX = 100
MAKESPAN_MAX = 1.03
REMOTE_MIN = {"plain": 1e6, "curve": 5e5}
REMOTE_RUN_MAX = 1.5
REMOTE_LARGE_MIN = 0.6


def at_most(what, spread, limit):
    return what, spread, "<=", limit


def at_least(what, spread, limit):
    return what, spread, ">=", limit


def of_overhead(table):
    return [at_most(f"overhead, {shape}: to onetbb", table[shape]["ratio"].get("onetbb"),
                    OVERHEAD_MAX[shape]) for shape in table]


def of_efficiency(table):
    return [at_least(f"efficiency, {kernel} tasks of {task_ns // 1000} us, {shape}",
                     figures["efficiency"].get("dagwood"), EFFICIENCY_MIN[task_ns])
            for kernel in table for task_ns in table[kernel]
            for shape, figures in table[kernel][task_ns].items()]


def of_metg(table):
    return [at_most(f"METG(75 %), stencil, width {width}: to {peer}",
                    table[width]["ratio"][0.75].get(peer), METG_MAX)
            for width in table for peer in ("onetbb", "onetbb_tasks")]


def of_thread(table):
    return [at_most("thread, one run alone, a hop: to a wake-up's round trip",
                    table["run_to_wakeup"], WAKEUPS_MAX),
            at_most("thread, from node to node: to a wake-up's round trip",
                    table["hop_to_wakeup"], WAKEUPS_MAX),
            at_least("thread, stream: hops a second", table["hops_per_second"], HOPS_MIN)]


def of_scaling(table):
    bars = []
    for shape, of_shape in table.items():
        sizes = list(of_shape["nodes"])
        bars.append(at_most(f"scaling, {shape}: ratio to the loop at {sizes[-1]} nodes to that at "
                            f"{sizes[0]}", of_shape["growth"], GROWTH_MAX))
    for key, text, limit in (("plan_ns_per_node", "planning, ns a node", PLAN_NS_MAX),
                             ("run_bytes_per_node", "a run, bytes a node", RUN_BYTES_MAX)):
        for shape, of_shape in table.items():
            found = [figures[key] for figures in of_shape["nodes"].values() if figures[key]]
            if found:
                worst = max(found, key=lambda spread: spread.median)
                bars.append(at_most(f"scaling, {shape}: {text}, its worst size", worst, limit))
    return bars


def of_workflow(table):
    return [at_most(f"workflow, {file}: makespan to list scheduling's",
                    table[file]["to_list"].get("dagwood"), MAKESPAN_MAX) for file in table]


def of_elsewhere(table):
    bars = []
    for what, text in (("plain", "plain"), ("curve", "with CURVE")):
        figures = table[what]
        bars += [at_least(f"elsewhere, {text}: tasks a second", figures["tasks_per_second"],
                          REMOTE_MIN[what]),
                 at_most(f"elsewhere, {text}: a run of one task to ZeroMQ's round trip",
                         figures["run_to_raw"], REMOTE_RUN_MAX),
                 at_least(f"elsewhere, {text}: large payloads to ZeroMQ's throughput",
                          figures["large_to_raw"], REMOTE_LARGE_MIN)]
    return bars


BARS = {"overhead": of_overhead, "efficiency": of_efficiency, "metg": of_metg, "thread": of_thread,
        "scaling": of_scaling, "workflow": of_workflow, "elsewhere": of_elsewhere}


def is_met(bar):
    """None: not measured."""
    _, spread, sense, limit = bar
    if not spread:
        return None
    return spread.median <= limit if sense == "<=" else spread.median >= limit


def bars_of(tables):
    return [bar for name in tables for bar in BARS[name](tables[name])]


def verdict(bar):
    """As "met 0.27 <= 0.3" or "MISSED 0.41 > 0.35"."""
    _, spread, sense, limit = bar
    if not spread:
        return f"not measured, {sense} {number_text(limit)}"
    if not is_met(bar):
        sense = ">" if sense == "<=" else "<"
    return (f"{'met' if is_met(bar) else 'MISSED'} {number_text(spread.median)} {sense} "
            f"{number_text(limit)}")
