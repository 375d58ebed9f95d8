#!/usr/bin/python3
"""Workers and a client in other languages against the coordinator: `check.py BUILD [CASE]...`. A case's name is a sentence."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DAGWOOD = os.path.join(os.path.abspath(sys.argv[1]), "dagwood")
PYTHON = [sys.executable, os.path.join(ROOT, "examples/worker.py")]
SLOW = [sys.executable, os.path.join(ROOT, "tests/foreign/slow.py")]
C = [DAGWOOD, "worker", "--slots", "1"]
CLIENT = [sys.executable, os.path.join(ROOT, "examples/client.py")]
LETTER = json.dumps({"message": {"body": "To be or not to be", "sender": {"name": "William"}}})

REVERSE = "processors:\n  - {id: one, processor: reverse_text}\n  - {id: two, processor: reverse_text, depends_on: [one]}\n" \
          "  - {id: three, processor: reverse_text, depends_on: [two]}\n  - {id: other, processor: reverse_text, depends_on: [one]}\n"


class Field:
    """A coordinator in a folder of its own, and what a case starts beside it; all of it ends with the case."""

    def __init__(self, folder):
        self.folder, self.running, self.endpoint = folder, [], f"ipc://{folder}/hub"

    def file(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            open(path, "w").write(text)
        return path

    def start(self, words, expected=None):
        log = self.file(f"log-{len(self.running)}", "")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=open(log, "w"), stdin=subprocess.DEVNULL)
        process.log = log
        self.running.append(process)
        if expected:
            self.expect(process, expected)
        return process

    def expect(self, process, text, seconds=15):
        until = time.monotonic() + seconds
        while text not in open(process.log).read():
            assert time.monotonic() < until, f"not said: {text}; only: {open(process.log).read()}"
            time.sleep(0.01)

    def coordinate(self, graph, *words):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.file("at"))
        coordinator = self.start([DAGWOOD, "coordinator", graph, "--listen", self.endpoint, "--rendezvous", self.file("at"), *words])
        while not os.path.exists(self.file("at")):
            assert coordinator.poll() is None, open(coordinator.log).read()
            time.sleep(0.01)
        return coordinator

    def work(self, words, expected="serves", *more):
        return self.start([*words, "--connect", self.endpoint, *more], expected)

    def run(self, words, text="", status=0, said=""):
        done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == status and said in done.stderr, f"{words}: status {done.returncode}: {done.stdout[-500:]} {done.stderr}"
        return done.stdout

    def submit(self, lines, *words, status=0):
        return self.run([DAGWOOD, "submit", "--connect", self.endpoint, "--lines", "-", *words], "\n".join(lines) + "\n", status)

    def status(self):
        return json.loads(self.run([DAGWOOD, "status", "--connect", self.endpoint, "--format", "json"]))

    def end(self, process, number=signal.SIGTERM, seconds=20):
        process.send_signal(number)
        return process.wait(seconds)

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()


def masked(text):  # what may differ between two runs
    return re.sub(r'"(duration_us|attempts)":\d+', r'"\1":0', text)


def javascript(field):
    """The words of a worker in Node.js; None where node or its modules cannot be had."""
    modules = os.environ.get("DAGWOOD_NODE_MODULES", os.path.join(ROOT, "examples/node_modules"))
    if not shutil.which("node") or not os.path.isdir(os.path.join(modules, "zeromq")):
        return None
    if not os.path.exists(field.file("node_modules")):  # a module is looked for beside whoever imports it
        os.symlink(os.path.abspath(modules), field.file("node_modules"))
        shutil.copy(os.path.join(ROOT, "examples/worker.mjs"), field.file("worker.mjs"))
    return ["node", field.file("worker.mjs")]

def others(field):
    """The words of the workers in other languages than Python that can be had here."""
    words = [javascript(field)] if javascript(field) else []
    has_ruby = shutil.which("ruby") and subprocess.run(["ruby", "-e", 'require "ffi-rzmq"; require "msgpack"'], stderr=subprocess.DEVNULL).returncode == 0
    return words + ([["ruby", os.path.join(ROOT, "examples/worker.rb")]] if has_ruby else [])

# ---- Cases ----


CASES = []


def case(function):
    CASES.append(function)
    return function


@case
def the_examples_serve_and_submit(field):
    field.coordinate(os.path.join(ROOT, "examples/python.yaml"))
    worker = field.work(PYTHON)
    results = [json.loads(line) for line in
               field.run([*CLIENT, "--connect", field.endpoint], LETTER + "\nno letter\n", status=1).splitlines()]
    good, bad = sorted(results, key=lambda result: result["run"])
    nodes = good["results"]
    assert good["status"] == "ok" and nodes["record"]["payload"] == '{"from":"William","text":"To be or not to be"}', good
    assert nodes["backwards"]["payload"] == nodes["record"]["payload"][::-1], good
    assert nodes["words"]["payload"] == {"be": 2, "to": 2, "from": 1}, good
    assert nodes["words"]["metadata"] == {"words": "9", "different": "7"}, good
    assert bad["status"] == "failed" and bad["results"]["record"]["error"]["message"].startswith("JSONDecodeError"), bad
    assert bad["results"]["words"] == {"status": "skipped", "attempts": 0, "duration_us": 0, "metadata": {}, "payload": None,
                                       "because_of": ["record"]}, bad
    assert field.end(worker) == 0


@case
def a_client_prints_results_while_its_lines_are_still_to_come(field):
    field.coordinate(field.file("reverse.yaml", REVERSE))
    worker = field.work(PYTHON)
    client = subprocess.Popen([*CLIENT, "--connect", field.endpoint, "--output", "one"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    field.running.append(client)
    client.log = os.devnull
    for line, reversed in (b"abc\n", "cba"), (b"\n", ""), (b"def", "fed"):
        client.stdin.write(line)
        client.stdin.flush()
        if not line.endswith(b"\n"):
            client.stdin.close()
        result = json.loads(client.stdout.readline())  # (comes to no end if it waits for more lines: the test's time does)
        assert result["results"]["one"]["payload"] == reversed, result
    assert client.wait(20) == 0
    assert field.end(worker) == 0


@case
def a_line_that_is_no_text_is_bytes(field):
    field.coordinate(field.file("reverse.yaml", REVERSE))
    worker = field.work(PYTHON)
    done = subprocess.run([*CLIENT, "--connect", field.endpoint, "--output", "one"], input=b"\xff\x01\n", capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"]["one"]["payload"] == {"base64": "Af8="}, done.stdout
    assert field.end(worker) == 0


@case
def a_client_says_what_is_wrong_and_ends_with_its_status(field):
    field.coordinate(field.file("reverse.yaml", REVERSE))
    at = lambda endpoint, *words: [*CLIENT, "--connect", endpoint, *words]
    field.run(at(field.endpoint, "--output", "tow"), "x\n", 64, 'has no node "tow"; did you mean "two"?')
    field.run(at(field.endpoint, "--key", "x"), "x\n", 64, "go together")
    field.run(at(field.endpoint, "--key", field.file("no.key"), "--server-key", "x"), "x\n", 77, "no.key: it cannot be read")
    short = field.file("short.key", "public = " + "x" * 32 + "\n")  # as long as a key in bytes, which it is not meant to be
    field.run(at(field.endpoint, "--key", short, "--server-key", short), "x\n", 77, "short.key: it has no public key")
    field.run(at(f"ipc://{field.folder}/nobody"), "x\n", 69, "nobody answers at ipc://")


@case
def what_cannot_be_used_is_named_and_nobody_prints_a_traceback(field):
    missing, other = field.file("no.key"), field.file("other.key", "public = short\n")
    for words in [PYTHON, CLIENT, *others(field)]:
        at = lambda endpoint, *more: [*words, "--connect", endpoint, *more]
        for tried, status, said in ((words, 64, "--connect"), (at("foo"), 64, '"foo" is no endpoint to connect to'),
                                    (at("tcp://127.0.0.1"), 64, "tcp://HOST:PORT"), (at(field.endpoint, "--key", "x"), 64, "--server-key"),
                                    (at(field.endpoint, "--key", missing, "--server-key", missing), 77, missing),
                                    (at(field.endpoint, "--key", other, "--server-key", other), 77, other)):
            done = subprocess.run(tried, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
            assert done.returncode == status and said in done.stderr and done.stderr.count("\n") == 1, f"{tried}: {done.returncode}: {done.stderr}"


@case
def a_worker_says_that_nobody_answers_and_serves_who_comes(field):
    worker = field.work(PYTHON, "nobody answers at ipc://")
    field.coordinate(field.file("reverse.yaml", REVERSE))
    field.expect(worker, "serves")
    assert open(worker.log).read().count("nobody answers") == 1
    assert field.end(worker) == 0


@case
def two_languages_give_the_same_bytes(field):
    words, results = javascript(field), []
    if not words:
        return "no node with zeromq and @msgpack/msgpack (npm install --prefix examples zeromq @msgpack/msgpack)"
    for worker in PYTHON, words:
        coordinator = field.coordinate(os.path.join(ROOT, "examples/python.yaml"))
        field.work(worker)
        results.append(masked(field.submit([LETTER] * 100 + ["no letter"], status=1)))
        assert field.end(coordinator) == 0
    good = [[line for line in result.splitlines() if '"status":"ok"' in line] for result in results]
    assert len(good[0]) == 100 and good[0] == good[1], good


@case
def what_workers_of_several_languages_give_is_what_one_process_gives(field):
    graph, lines = field.file("reverse.yaml", REVERSE), [f"line {i} ä ö ü" * (i % 50) for i in range(3000)]
    expected = masked(field.run([DAGWOOD, "run", graph, "--lines", "-"], "\n".join(lines) + "\n"))
    field.coordinate(graph)
    workers = [field.work(PYTHON), field.work(C, "working for"), field.work(PYTHON)]
    workers += [field.work(words) for words in others(field)]
    assert masked(field.submit(lines)) == expected
    steps = [worker["steps_done"] for worker in field.status()["workers"]]
    assert len(steps) == len(workers) and all(count > 0 for count in steps), steps
    for worker in workers:
        assert field.end(worker) == 0


@case
def a_worker_that_drains_finishes_and_loses_nothing(field):
    words = [PYTHON, *others(field)]
    graph, lines = field.file("reverse.yaml", REVERSE), [f"line {i}" for i in range(8000)]
    field.coordinate(graph)
    for worker in words:
        first, second = field.work(worker), field.work(worker)
        submit = subprocess.Popen([DAGWOOD, "submit", "--connect", field.endpoint, "--lines", field.file("lines", "\n".join(lines))],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        head = submit.stdout.readline()
        assert field.end(first) == 0
        text = head + submit.stdout.read()  # (communicate would not give what readline has read ahead)
        assert submit.wait(20) == 0 and text.count('"status":"ok"') == len(lines), text[-500:]
        assert field.status()["lost"] == 0, field.status()
        assert field.end(second) == 0


@case
def keys_are_shown_and_a_clients_is_none_of_a_worker(field):
    os.mkdir(field.file("keys"), 0o700)
    listed = ""
    for name, role in ("keys/coordinator.key", None), ("worker.key", "worker"), ("client.key", "client"):
        text = field.run([DAGWOOD, "keygen", field.file(name)])
        if role:
            listed += f"{role} {re.search('^ *worker (.*) NAME$', text, re.M)[1]} {role}\n"
    field.file("keys/allowed", listed)
    own = lambda name: ["--key", field.file(name), "--server-key", field.file("keys/coordinator.key.pub")]
    field.coordinate(field.file("reverse.yaml", REVERSE), "--keys", field.file("keys"))
    for worker in [PYTHON, *others(field)]:
        wrong = field.work(worker, None, *own("client.key"))
        assert wrong.wait(20) == 77, open(wrong.log).read()
        right = field.work(worker, "serves", *own("worker.key"))
        field.run([*CLIENT, "--connect", field.endpoint, *own("worker.key")], LETTER + "\n", 77, "refused: ")
        result = json.loads(field.run([*CLIENT, "--connect", field.endpoint, *own("client.key")], LETTER + "\n"))
        assert result["status"] == "ok", result
        assert field.end(right) == 0


@case
def a_cancelled_task_stops_and_a_stuck_one_is_left_behind(field):
    graph = field.file("slow.yaml", "failure_strategy: continue_on_error\nprocessors:\n"
                       "  - {id: nap, type: remote, processor: nap, options: {ms: 60000}, timeout_seconds: 0.2}\n"
                       "  - {id: deaf, type: remote, processor: deaf, timeout_seconds: 0.2, retry_attempts: 3}\n")
    field.coordinate(graph)
    worker = field.work(SLOW)
    begin = time.monotonic()
    results = json.loads(field.submit(["hello"], status=1))["results"]
    assert results["nap"]["error"]["code"] == 408, results
    assert results["deaf"]["status"] == "done" and results["deaf"]["attempts"] >= 2, results
    assert time.monotonic() - begin < 15
    assert open(worker.log).read().count("serves") >= 2  # it has come again
    assert field.end(worker) == 0


@case
def a_worker_comes_again_to_a_coordinator_that_was_killed(field):
    graph = field.file("reverse.yaml", REVERSE)
    coordinator = field.coordinate(graph, "--silence-ms", "2000")
    workers = [field.work(words) for words in [PYTHON, *others(field)]]
    field.submit(["hello"])
    field.end(coordinator, signal.SIGKILL)
    field.coordinate(graph)
    until = time.monotonic() + 20
    while len(field.status()["workers"]) < len(workers):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert field.submit(["hello"]).count('"status":"ok"') == 1
    for worker in workers:
        assert field.end(worker) == 0


@case
def who_offers_nothing_that_is_needed_is_told_and_ends(field):
    field.coordinate(field.file("sleep.yaml", "processors:\n  - {id: a, processor: sleep, options: {ms: 1}}\n"))
    for words in [PYTHON] + ([javascript(field)] if javascript(field) else []):
        worker = field.work(words, None)
        assert worker.wait(20) == 78
        assert 'it lacks the processor "sleep"' in open(worker.log).read()


@case
def large_payloads_and_many_dependencies_arrive_whole(field):
    text = "processors:\n" + "".join(f"  - {{id: n{i}, type: remote, processor: reverse_text}}\n" for i in range(40))
    text += "  - {id: all, processor: concat, depends_on: [" + ", ".join(f"n{i}" for i in range(40)) + "], input: run}\n"
    graph, lines = field.file("wide.yaml", text), ["ab" * 100000, "", "x", "ä" * 513]
    local = field.run([DAGWOOD, "run", field.file("local.yaml", text.replace("type: remote, ", "")), "--lines", "-", "--output", "all"],
                      "\n".join(lines) + "\n")
    field.coordinate(graph)
    workers = [field.work(PYTHON), field.work(C, "working for")]
    assert masked(field.submit(lines, "--output", "all")) == masked(local)
    for worker in workers:
        assert field.end(worker) == 0


def main():
    failed = 0
    for each in CASES:
        if sys.argv[2:] and each.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory(prefix="dw-") as folder:
            field, begin = Field(folder), time.monotonic()
            try:
                skipped = each(field)
                print(f"{'skipped' if skipped else 'ok'} {each.__name__} ({time.monotonic() - begin:.1f} s){': ' + skipped if skipped else ''}")
            except Exception as error:
                failed += 1
                print(f"FAILED {each.__name__}: {type(error).__name__}: {error}")
                for process in field.running:
                    print("  ", " ".join(process.args[:4]), "said:", open(process.log).read()[-600:])
            finally:
                field.close()
    return 1 if failed else 0


sys.exit(main())
