"""report - the tables as text, and as one JSON object."""

import math

from comparison.bars import bars_of, is_met, verdict
from comparison.programs import FILES, Spread, number_text


def cell(value):
    """A figure with its spread, or a dash."""
    if value is None:
        return "-"
    if value.rounds == 1:
        return number_text(value.median)
    return f"{number_text(value.median)} [{number_text(value.min)}-{number_text(value.max)}]"


def rows_text(heads, rows):
    """heads are the columns, of which the empty ones are left out; rows are pairs of a name and its
    spreads by column."""
    heads = [head for head in heads if any(cells.get(head) for _, cells in rows)]
    lines = [["", *heads]] + [[name, *(cell(cells.get(head)) for head in heads)]
                              for name, cells in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join([line[0].ljust(widths[0])] +
                      [text.rjust(width) for text, width in zip(line[1:], widths[1:])])
            for line in lines]


def by_program(rows):
    return rows_text(list(FILES), rows)


def overhead_text(table):
    return (["Overhead: ns a task"] +
            by_program([(shape, table[shape]["ns_per_task"]) for shape in table]) +
            ["", "dagwood's ratio to each, within a round"] +
            by_program([(shape, table[shape]["ratio"]) for shape in table]))


def efficiency_text(table):
    rows = [(f"{kernel} {task_ns // 1000} us {shape}", figures)
            for kernel, of_kernel in table.items() for task_ns, of_time in of_kernel.items()
            for shape, figures in of_time.items()]
    return (["Efficiency: task time / (wall time x threads); least: the share of all tasks that "
             "the thread of dagwood's with the fewest ran"] +
            rows_text(list(FILES) + ["least"],
                      [(name, {**figures["efficiency"], "least": figures["least_share"]})
                       for name, figures in rows]))


def metg_text(table):
    rows = [(f"METG({wanted:.0%}) width {width}", spreads) for width in table
            for wanted, spreads in table[width]["metg_ns"].items()]
    rated = [(f"METG({wanted:.0%}) width {width}", spreads) for width in table
             for wanted, spreads in table[width]["ratio"].items()]
    peaks = ", ".join(f"{table[width]['peak']:.3f} at width {width}" for width in table)
    return ([f"METG on the 1-D stencil, ns; peak {peaks}"] + by_program(rows) +
            ["", "dagwood's ratio to each, within a round"] + by_program(rated))


def thread_text(table):
    return ["An actor for each of 10 nodes in a chain"] + rows_text(
        ["figure"], [(name, {"figure": value}) for name, value in table.items()
                     if isinstance(value, Spread)])


def scaling_text(table):
    costs = ["ratio", "plan_ns_per_node", "run_bytes_per_node"]
    rows = [(f"{shape} {nodes}", {**figures["ns_per_task"], **{key: figures[key] for key in costs}})
            for shape in table for nodes, figures in table[shape]["nodes"].items()]
    return (["Scaling: ns a task by nodes; ratio: dagwood to the loop"] +
            rows_text(list(FILES) + costs, rows))


def workflow_text(table):
    return (["Workflows, 1 ms a task: makespan to list scheduling's on paper"] +
            by_program([(file, table[file]["to_list"]) for file in table]))


def elsewhere_text(table):
    return ["A worker process over TCP (to_dask: of as many tasks, beside)"] + rows_text(
        ["tasks_per_second", "run_to_raw", "large_to_raw"], list(table.items()))


TEXTS = {"overhead": overhead_text, "efficiency": efficiency_text, "metg": metg_text,
         "thread": thread_text, "scaling": scaling_text, "workflow": workflow_text,
         "elsewhere": elsewhere_text}


def text_of(tables, sitting, load):
    machine = sitting.machine or {}
    lines = [f"{machine.get('cpu')}, {machine.get('cores')} cores, {machine.get('kernel')}",
             "versions: " + ", ".join(f"{key} {value}" for key, value in
                                      sorted(sitting.versions.items())),
             f"load average {load['start'][0]:.2f} at the start, {load['end'][0]:.2f} at the end; "
             f"others used {load['others_percent']} % of all cores",
             f"threads {sitting.options.threads}, nodes {sitting.options.nodes}, at most "
             f"{sitting.options.rounds} rounds, seed {sitting.options.seed}, ns_per_round "
             f"{sitting.ns_per_round:.4g}" +
             (f", peak {sitting.peak:.3f}" if sitting.peak is not None else ""),
             "every figure: the median of the rounds [least-most], or the only one; every hash is "
             "the plain loop's"]
    for what, why in sitting.skipped.items():
        lines.append(f"skipped: {what}: {why}")
    for name, table in tables.items():
        lines += [""] + TEXTS[name](table)
    bars = bars_of(tables)
    width = max([len(bar[0]) for bar in bars] + [0])
    lines += ["", f"Bars: {sum(is_met(bar) is True for bar in bars)} of {len(bars)} met"]
    lines += [f"{bar[0]:<{width}}  {verdict(bar)}" for bar in bars]
    return "\n".join(lines) + "\n"


# ---- JSON --------------------------------------------------------------------------------------


def plain(value):
    """Spreads become dictionaries, and what was never reached null."""
    if isinstance(value, Spread):
        value = vars(value)
    if isinstance(value, float) and math.isinf(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def json_of(tables, sitting, load):
    """Of overhead the medians alone are under "overhead", their spreads and ratios beside it."""
    found = {name: plain(table) for name, table in tables.items()}
    if "overhead" in tables:
        table = tables["overhead"]
        found["overhead"] = {shape: {name: value.median for name, value in
                                     table[shape]["ns_per_task"].items()} for shape in table}
        found["overhead_spread"] = {shape: plain(table[shape]["ns_per_task"]) for shape in table}
        found["overhead_ratio"] = {shape: plain(table[shape]["ratio"]) for shape in table}
    found["bars"] = [{"what": bar[0], **(plain(bar[1]) or {"median": None}), "sense": bar[2],
                      "limit": bar[3], "met": is_met(bar)} for bar in bars_of(tables)]
    options = sitting.options
    found.update(skipped=sitting.skipped, machine=sitting.machine, versions=sitting.versions,
                 load=load, hashes=sitting.hashes, peak=sitting.peak,
                 ns_per_round=sitting.ns_per_round,
                 parameters={"quick": options.quick, "nodes": options.nodes, "seed": options.seed,
                             "threads": options.threads, "rounds": options.rounds})
    return found
