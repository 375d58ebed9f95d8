"""programs - the programs that are compared: found, run one at a time, checked, and timed in turns.

A program is dagwood or a peer (bench/peers/peer.h). It is run for a work: a dict of the options
that both understand. One round runs every program once, each as a clean process, in a shuffled
order; what is compared is compared within a round.
"""

import json
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import time

USAGE, NO_PROGRAMS, DEFECT = 64, 69, 70

FILES = {  # by the name that figures have; the order of tables and plots
    "dagwood": "dagwood",
    "sequential": "bench/peers/sequential",
    "four_mutexes": "bench/peers/four_mutexes",
    "onetbb": "bench/peers/onetbb_graph",
    "onetbb_tasks": "bench/peers/onetbb_tasks",
    "openmp": "bench/peers/openmp",
    "starpu": "bench/peers/starpu",
    "caf": "bench/peers/caf",
}
ELSEWHERE = {  # of the table elsewhere, which has works of its own; a script lies beside these
    "elsewhere": "bench/elsewhere",
    "dask": os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                         "peers", "dask_distributed.py"),
}
OURS = {"sequential", "four_mutexes", "elsewhere"}  # of dagwood's version
HEAVY = {"openmp", "starpu", "caf"}  # over 0.3 us a task: a quick comparison asks them less
QUICK_SECONDS = 35.0  # of a table, after which a quick comparison begins no further round
QUICK_SLOW_SECONDS = 1.0  # a program that takes longer is not asked for a second round of it
QUIET_PERCENT = 5.0  # of all cores, that others may use
LOAD_QUIET = 0.5


class Failure(Exception):
    """Ends the comparison: text says why, status is the exit status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


# ---- Figures of several rounds -----------------------------------------------------------------


class Spread:
    """The median of values, and how far they are spread."""

    def __init__(self, values):
        self.median, self.min, self.max = statistics.median(values), min(values), max(values)
        self.rounds = len(values)


def number_text(number):
    """Three digits, of what is below 0.1 two."""
    if math.isinf(number):
        return "never"
    if abs(number) >= 999.5e3:
        return f"{number / 1e6:.3g}M"
    if abs(number) >= 9995:
        return f"{number / 1000:.0f}k"
    if abs(number) >= 999.5:
        return f"{number:.0f}"
    return f"{number:.3g}" if abs(number) >= 0.1 else f"{number:.2g}"


def spread(rounds, function):
    """Of what function makes of each round; None: of no round anything."""
    values = [function(rows) for rows in rounds]
    values = [value for value in values if value is not None]
    return Spread(values) if values else None


def figure(rows, name, key="ns_per_task"):
    """A program's figure in a round, if it was asked there."""
    return rows[name].get(key) if name in rows else None


def ratio(rows, other, key="ns_per_task"):
    """dagwood's figure as a ratio to another program's, in one round."""
    ours, theirs = figure(rows, "dagwood", key), figure(rows, other, key)
    if ours is None or not theirs or math.isinf(ours) and math.isinf(theirs):
        return None
    return ours / theirs


# ---- The machine -------------------------------------------------------------------------------


def busy_seconds():
    """What all cores of the machine have worked so far, stolen time included; None: unknown."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Load:
    """How quiet the machine is while something is measured on it."""

    def __init__(self):
        self.start, self.begin = os.getloadavg(), time.monotonic()
        self.busy, self.own = busy_seconds(), own_seconds()
        if self.start[0] > LOAD_QUIET:
            say(f"warning: the machine is not quiet: its load average is {self.start[0]:.2f}; "
                "what others use from now on is told at the end")

    def end(self):
        """What the report says of it; warns when others had a share that counts."""
        load = {"start": self.start, "end": os.getloadavg(), "others_percent": None,
                "quiet": self.start[0] <= LOAD_QUIET}
        if self.busy is not None:
            others = busy_seconds() - self.busy - (own_seconds() - self.own)
            all_seconds = (time.monotonic() - self.begin) * (os.cpu_count() or 1)
            load["others_percent"] = round(max(0.0, 100 * others / all_seconds), 1)
            load["quiet"] = load["others_percent"] <= QUIET_PERCENT
        if not load["quiet"]:
            say(f"warning: the machine was not quiet: load average {self.start[0]:.2f} at the start"
                f" and {load['end'][0]:.2f} at the end, others used {load['others_percent']} % of "
                "all cores: take the ratios for magnitudes")
        return load


# ---- A sitting ---------------------------------------------------------------------------------


class Sitting:
    """What is measured in one go: the programs that are there, and what was found out on the way.

    options are those of the command line: build, threads, rounds, seed, quick."""

    def __init__(self, options, home):
        self.options = options
        self.environment = {**os.environ, "HOME": home, "STARPU_HOME": home, "STARPU_SILENT": "1"}
        self.random = random.Random(options.seed)
        self.begin = time.monotonic()
        self.machine, self.versions, self.skipped, self.hashes = None, {}, {}, {}
        self.asked, self.slow = set(), set()  # programs and works; those that are asked no more
        self.names = [name for name in FILES if self.find(name)]
        for name in ("dagwood", "sequential"):
            if name not in self.names:
                raise Failure(NO_PROGRAMS, f"{self.path(name)} is not there: build it with "
                              "./bootstrap build, or name the folder with --build DIR")
        self.ns_per_round, self.peak = self.calibrate(), None

    def path(self, name):
        return os.path.join(self.options.build, {**FILES, **ELSEWHERE}[name])

    def find(self, name):
        if os.access(self.path(name), os.X_OK):
            return True
        self.skip(name, f"{self.path(name)} was not built")
        return False

    def skip(self, what, why):
        """Says once what is left out."""
        if what not in self.skipped:
            self.skipped[what] = why
            say(f"skipped {what}: {why}")

    def begin_table(self):
        self.begin = time.monotonic()

    def is_late(self):
        return self.options.quick and time.monotonic() - self.begin > QUICK_SECONDS

    # -- One process --

    def command(self, name, work, repeat, bench="overhead"):
        words = [self.path(name)] + (["bench", bench] if name == "dagwood" else [])
        options = {"threads": self.options.threads, **work, "repeat": repeat, "format": "json"}
        if name in ELSEWHERE:
            del options["threads"]
        if work.get("task-ns") and self.ns_per_round:
            options["ns-per-round"] = f"{self.ns_per_round:.6g}"
        if bench == "latency":
            del options["threads"]
        return words + [word for key in options for word in (f"--{key}", str(options[key]))]

    def run(self, name, work, repeat, bench="overhead"):
        """The row that a program prints; None: it has none, and was skipped aloud."""
        command = self.command(name, work, repeat, bench)
        try:
            ended = subprocess.run(command, env=self.environment, capture_output=True, check=False,
                                   text=True, timeout=20 if self.options.quick else 600)
            status, said = ended.returncode, ended.stderr.strip()
            row = json.loads(ended.stdout) if status == 0 else None
        except subprocess.TimeoutExpired as late:
            row, status, said = None, 71, f"it was stopped after {late.timeout:.0f} s"
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as wrong:
            row, status, said = None, 71, f"it cannot be used: {wrong}"
        if isinstance(row, dict) and "hash" in row:
            self.note(name, row)
            return row
        if status == DEFECT or name in ("dagwood", "sequential", "elsewhere"):
            raise Failure(status if status > 0 else DEFECT,
                          f"exit status {status} of: {' '.join(command)}\n{said}")
        self.skip(f"{name} ({describe(work)})", f"exit status {status}: {said}")
        return None

    def hash_of(self, work):
        """The hash of a plain loop; the kernel changes none."""
        shape = {key: work[key] for key in work if key not in ("kernel", "task-ns")}
        key = describe(shape)
        if key not in self.hashes:
            if "graph" in shape:  # A workflow brings its times, unless the kernel has none.
                shape["kernel"] = "empty"
            self.hashes[key] = self.run("sequential", shape, 1)["hash"]
        return self.hashes[key]

    def checked(self, name, work, repeat, bench="overhead"):
        """As run; a wrong hash ends the comparison."""
        expected, row = self.hash_of(work), self.run(name, work, repeat, bench)
        if row and row["hash"] != expected:
            raise Failure(DEFECT, f"wrong hash: {name} ({describe(work)}) gives {row['hash']}, and "
                          f"a plain loop {expected}: no figure of it counts")
        return row

    def note(self, name, row):
        """With what it was measured, and where."""
        if name == "dagwood":
            self.machine = row.get("machine")
            self.versions.update(row.get("versions", {}))
        elif name not in OURS:
            self.versions[name] = row.get("version")

    # -- Many processes --

    def measure(self, works, names, repeat, bench="overhead"):
        """All rounds of some works: for each work a list of rounds, a round a row by program."""
        results = [[] for _ in works]
        for index in range(self.options.rounds):
            for work, rounds in zip(works, results):
                if index and self.is_late():
                    return results
                rounds.append(self.measure_round(work, names, repeat, bench))
        return results

    def measure_round(self, work, names, repeat, bench):
        rows = {}
        for name in self.random.sample(names, len(names)):
            key = (name, describe(work))
            if key in self.slow:
                continue
            if name in HEAVY and self.is_late():
                if key not in self.asked:
                    self.skip(f"{name} in part", f"no time was left, first for {key[1]}")
                continue
            self.asked.add(key)
            begin = time.monotonic()
            row = self.checked(name, work, 1 if self.options.quick and name in HEAVY else repeat,
                               bench if name == "dagwood" else "overhead")
            if row:
                rows[name] = row
            if not row or self.options.quick and time.monotonic() - begin > QUICK_SLOW_SECONDS:
                self.slow.add(key)
        return rows

    # -- What the machine can do --

    def calibrate(self):
        """How long a round of the kernel takes, for all programs: the least of several, since what
        disturbs only ever adds."""
        self.ns_per_round = None  # measured by the program
        work = {"shape": "none", "nodes": 1, "kernel": "compute"}
        return min(self.run("sequential", {**work, "task-ns": 1000}, 1)["ns_per_round"]
                   for _ in range(5))

    def find_peak(self):
        """Task time / (wall time x threads) of as many processes as threads, which only compute:
        the best of all tries so far."""
        work = {"threads": 1, "shape": "none", "nodes": 20, "task-ns": 1000000}
        tries = [self.compute_together(work) for _ in range(5)]
        self.peak = max(tries + [self.peak or 0])
        return self.peak

    def compute_together(self, work):
        command = self.command("sequential", work, 5)
        children = [subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE)
                    for _ in range(self.options.threads)]
        rows = [json.loads(child.communicate()[0]) for child in children]
        return statistics.mean(row["efficiency"] for row in rows)


def describe(work):
    """A work in words, for messages and as a key."""
    return " ".join(f"{key} {work[key]}" for key in work)
