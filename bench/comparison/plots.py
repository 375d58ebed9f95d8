"""plots - data files and gnuplot scripts in a folder, and what gnuplot draws of them.

Each plot is NAME.dat, which says its columns, and NAME.gp, which draws it as NAME.svg and NAME.png:
`gnuplot NAME.gp` in the folder draws it again.
"""

import math
import os
import shutil
import subprocess

from comparison.programs import FILES, Failure, say

# Colours that differ for the colour-blind too (Okabe and Ito), dagwood's the most vivid.
COLOURS = {"dagwood": "#d55e00", "sequential": "#000000", "four_mutexes": "#999999",
           "onetbb": "#0072b2", "onetbb_tasks": "#56b4e9", "openmp": "#009e73",
           "starpu": "#e69f00", "caf": "#cc79a7"}

SCRIPT = """set datafile missing "-"
set title "{title}" noenhanced
set xlabel "{xlabel}" noenhanced
set ylabel "{ylabel}" noenhanced
set key outside right top noenhanced
set grid ytics
{settings}
set terminal svg size 960,560 background "white"
set output "{name}.svg"
plot {plots}
set terminal pngcairo size 960,560
set output "{name}.png"
replot
"""


def write(folder, name, header, rows, **script):
    with open(os.path.join(folder, f"{name}.dat"), "w", encoding="utf-8") as file:
        file.write(f"# {header}\n")
        for row in rows:
            file.write(" ".join("-" if value is None else str(value) for value in row) + "\n")
    with open(os.path.join(folder, f"{name}.gp"), "w", encoding="utf-8") as file:
        file.write(SCRIPT.format(name=name, **script))


def colour(name, kind):
    return f'{kind} linecolor rgb "{COLOURS[name]}" title "{name}"'


def overhead(folder, table):
    names = [name for name in FILES if any(name in table[shape]["ns_per_task"] for shape in table)]
    rows = [[shape] + [getattr(table[shape]["ns_per_task"].get(name), "median", None)
                       for name in names] for shape in table]
    write(folder, "overhead", "shape " + " ".join(names) + ": ns a task", rows,
          title="What a task costs, by shape", xlabel="", ylabel="ns a task",
          settings="set logscale y\nset yrange [1:*]\nset style data histograms\n"
                   "set style histogram clustered gap 1\nset style fill solid border -1\n"
                   "set boxwidth 0.9",
          plots=", ".join(f'"overhead.dat" using {index + 2}:xtic(1) ' +
                          colour(name, "") for index, name in enumerate(names)))
    return ["overhead"]


def metg(folder, table):
    for width, of in table.items():
        curves = {name: of["curve"][name] for name in FILES if name in of["curve"]}
        rows = [[name, *point] for name, points in curves.items() for point in points]
        plots = ", ".join(
            f'"metg_{width}.dat" using (strcol(1) eq "{name}" ? $3 / 1000 : NaN):4 ' +
            colour(name, "with linespoints pointtype 7 pointsize 0.5") for name in curves)
        write(folder, f"metg_{width}", "program task_ns granularity_ns efficiency", rows,
              title=f"Efficiency by task granularity: 1-D stencil, width {width}",
              xlabel="granularity: wall time x threads / tasks, us", ylabel="share of the peak",
              settings='set logscale x\nset format x "%g"\nset yrange [0:1.1]\n'
                       'set datafile missing NaN',
              plots=plots + ', 0.5 with lines dashtype 2 linecolor rgb "#bbbbbb" title "50 %"'
                            ', 0.75 with lines dashtype 3 linecolor rgb "#bbbbbb" title "75 %"')
    return [f"metg_{width}" for width in table]


def scaling(folder, table):
    names = [name for name in FILES if any(name in of["ns_per_task"] for shape in table
                                           for of in table[shape]["nodes"].values())]
    for shape in table:
        rows = [[nodes] + [getattr(of["ns_per_task"].get(name), "median", None) for name in names]
                for nodes, of in table[shape]["nodes"].items()]
        write(folder, f"scaling_{shape}", "nodes " + " ".join(names) + ": ns a task", rows,
              title=f"What a task costs, by nodes: {shape}", xlabel="nodes", ylabel="ns a task",
              settings='set logscale xy\nset format x "%.0f"',
              plots=", ".join(f'"scaling_{shape}.dat" using 1:{index + 2} ' +
                              colour(name, "with linespoints pointtype 7")
                              for index, name in enumerate(names)))
    return [f"scaling_{shape}" for shape in table]


def thread(folder, table):
    """The fine buckets, joined to twenty a decade."""
    joined = {}
    for end, count in table["histogram"]:
        step = math.floor(math.log10(max(end, 1)) * 20)
        joined[step] = joined.get(step, 0) + count
    rows = [[10 ** (step / 20) / 1000, joined.get(step, 0)]
            for step in range(min(joined), max(joined) + 2)]
    write(folder, "latency", "from_us hops", rows, title="Latency of a hop between sleeping actors",
          xlabel="us", ylabel="hops",
          settings='set logscale x\nset format x "%g"\nset style fill solid 0.6 noborder',
          plots='"latency.dat" using 1:2 ' + colour("dagwood", "with fillsteps"))
    return ["latency"]


PLOTS = {"overhead": overhead, "metg": metg, "scaling": scaling, "thread": thread}


def draw(folder, tables):
    try:
        os.makedirs(folder, exist_ok=True)
        names = [name for key in PLOTS if key in tables for name in PLOTS[key](folder, tables[key])]
    except OSError as wrong:
        raise Failure(74, f"the plots cannot be written: {wrong}") from wrong
    if not shutil.which("gnuplot"):
        say(f"gnuplot is not here (./bootstrap install gnuplot-nox): {folder} has the data and the "
            "scripts, and nothing is drawn")
        return
    for name in names:
        drawn = subprocess.run(["gnuplot", f"{name}.gp"], cwd=folder, check=False, text=True,
                               capture_output=True)
        if drawn.returncode != 0:
            say(f"gnuplot does not draw {name}: {drawn.stderr.strip()}")
