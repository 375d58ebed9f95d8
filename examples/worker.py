#!/usr/bin/python3
"""A dagwood worker in Python, written from docs/PROTOCOL.md ("A solo"): one process, one connection, one task at a time.

    apt-get install python3-zmq python3-msgpack
    dagwood coordinator examples/python.yaml --listen ipc:///tmp/hub
    examples/worker.py --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub] [--tag NAME=VALUE]

The main thread owns the connection and says that the process is there; another one runs the processors, so that a long task is no
silence. A processor is a function of a call that returns its output, any value of msgpack. SIGTERM drains."""
import argparse
import collections
import contextlib
import itertools
import json
import os
import queue
import re
import signal
import socket
import sys
import threading
import time
import types

import msgpack
import zmq

HELLO, WELCOME, REFUSED, TASKS, ANSWERS, CANCEL, STOP, BYE, BEAT, DRAIN, REPLACE = 0, 1, 2, 3, 4, 5, 6, 10, 15, 16, 17
MORE, DONE, FAILED, RETURNED = range(4)  # how an answer goes on
VERSION, SOLO, CREDIT, AGAIN, DRAINED = 3, 5, 1024, -1, False
LATE_S, LARGE_BYTES = 0.001, 65536  # answers older or larger than this are sent before the next task is begun

# ---- Processors: add yours, or import this file and call main with others. call has payload, options, id, dependencies (id -> (output,
# metadata)), cancelled(); metadata may be set. To fail: raise Failure(code, "why"), code from 1 to 999. ----


class Failure(Exception):
    pass


def word_counts(call):
    """How often there is each word, with apostrophes and hyphens inside; option `top`: only the most frequent."""
    words = collections.Counter(re.findall(r"\w+(?:['’-]\w+)*", call.payload.lower()))
    call.metadata = {"words": str(sum(words.values())), "different": str(len(words))}
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:call.options.get("top")])


def json_reshape(call):
    """JSON in, JSON out: the option `fields` is such as "name=user.name first=list.0"."""
    shaped = {}
    for name, path in (field.split("=") for field in call.options["fields"].split()):
        value = json.loads(call.payload)
        for key in path.split("."):
            value = value[int(key) if isinstance(value, list) else key]
        shaped[name] = value
    return json.dumps(shaped, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


PROCESSORS = {"word_counts": word_counts, "json_reshape": json_reshape, "reverse_text": lambda call: call.payload[::-1]}

# ---- The thread that runs them ----


def resolve(ref, frames):
    if type(ref) not in (int, bytes, type(None)) or ref == 0:
        raise ValueError("no reference to bytes")
    return frames[ref] if isinstance(ref, int) else ref  # bytes are in the head or in a frame, None is nothing


def unpack(head):
    unpacker = msgpack.Unpacker(strict_map_key=False, max_buffer_size=len(head))
    unpacker.feed(head)
    return list(unpacker)  # a head is values that follow each other


class Runner(threading.Thread):
    def __init__(self, processors, nodes, peer, answers):
        super().__init__(daemon=True)
        self.processors, self.nodes, self.peer, self.answers = processors, nodes, peer, answers
        self.inbox, self.cancelled, self.ticket, self.stopping, self.packer = queue.SimpleQueue(), set(), 0, False, None

    def run(self):
        try:
            for frames in iter(self.inbox.get, None):
                values = iter(unpack(frames[0])[1:])
                for self.ticket, run in enumerate(values, next(values)):  # the first task's ticket; a task begins with its run
                    task = self.read(values, frames)
                    if not self.stopping:
                        self.answer(*task)
                self.flush()
        except Exception as error:  # who cannot read a task cannot answer for it, and leaves
            print(f"worker.py: tasks make no sense: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            self.flush()
        self.send(b"")  # that it has left
        self.answers.close()

    def read(self, values, frames):
        node, steps, attempt, payload, given = itertools.islice(values, 5)
        pairs = [*(given or []), *itertools.islice(values, len(given or []))]  # a list of n pairs is followed by 2 n values
        if node not in self.nodes or not steps > 0 or payload is None or len(pairs) != 2 * len(given or []):
            raise ValueError(f"task {self.ticket}, of node {node}")
        return node, steps, [resolve(ref, frames) for ref in [payload, *pairs]]

    def answer(self, node, steps, given):
        begin, ticket, (id, processor, options, dependencies) = time.perf_counter_ns(), self.ticket, self.nodes[node]
        spent = lambda: time.perf_counter_ns() - begin
        try:
            if ticket in self.cancelled:  # its answer is still waited for, but not its output
                return self.say(ticket, 0, RETURNED, 0)
            payload, *given = [value and msgpack.unpackb(value, strict_map_key=False) for value in given]
            call = types.SimpleNamespace(payload=payload, options=options, id=id, node=node, metadata=None,
                                         dependencies=dict(zip(dependencies or [], zip(given[::2], given[1::2]))),
                                         cancelled=lambda: ticket in self.cancelled)
            output = msgpack.packb(self.processors[processor](call))
            self.say(ticket, 0, DONE if steps == 1 else MORE, spent(), 1, output, call.metadata and msgpack.packb(call.metadata))
            if steps > 1:  # of a chain of nodes the first is done, the others are given back
                self.say(ticket, 1, RETURNED, 0)
        except Exception as error:
            code, why = error.args if isinstance(error, Failure) else (500, f"{type(error).__name__}: {error}")
            self.say(ticket, 0, FAILED, spent(), code, why[:4000])
        if time.monotonic() > self.late or self.packer.getbuffer().nbytes > LARGE_BYTES:
            self.flush()

    def say(self, *values):
        if not self.packer:
            self.packer, self.late = msgpack.Packer(autoreset=False), time.monotonic() + LATE_S
            values = (ANSWERS, self.peer, *values)
        for value in values:
            self.packer.pack(value)

    def flush(self):
        if self.packer:
            self.send(self.packer.bytes())
        self.packer = None

    def send(self, answers):
        with contextlib.suppress(zmq.ZMQError):  # the connection is there no more
            self.answers.send(answers, zmq.NOBLOCK)

# ---- The connection ----


def key(file, which):
    return re.search(rf"^\s*{which} = (\S+)", open(file).read(), re.M)[1].encode()  # a file of `dagwood keygen`


class Connection:
    def __init__(self, context, args, processors, uuid, incarnation):
        self.processors, self.runner, self.peer, self.heartbeat, self.silence, self.is_unheard = processors, None, None, 1, 3, True
        self.socket, self.answers, self.runners = context.socket(zmq.DEALER), context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        self.answers.hwm = self.runners.hwm = 0
        self.answers.bind(f"inproc://{incarnation}"), self.runners.connect(f"inproc://{incarnation}")
        if args.key:
            self.socket.curve_publickey, self.socket.curve_secretkey = key(args.key, "public"), key(args.key, "secret")
            self.socket.curve_serverkey = key(args.server_key, "public")
        self.socket.connect(args.connect)
        tags = [part for tag in args.tag for part in tag.split("=", 1)]
        self.say(HELLO, "dagwood", VERSION, VERSION, SOLO, bytes(16), 0, CREDIT, uuid, incarnation, 1, os.getpid(),
                 socket.gethostname(), sorted(processors), tags[:len(tags) // 2], *tags[len(tags) // 2:])

    def say(self, *values):
        self.socket.send(b"".join(map(msgpack.packb, values)))

    def serve(self):
        """Until it is over, or the coordinator is lost or has forgotten this connection (AGAIN); gives the exit status."""
        poller, heard, beat, drained = zmq.Poller(), time.monotonic(), 0, False
        poller.register(self.socket, zmq.POLLIN), poller.register(self.answers, zmq.POLLIN)
        while True:
            ready, status, now = dict(poller.poll(500 * self.heartbeat)), None, time.monotonic()
            if self.answers in ready:
                answers = self.answers.recv()
                self.socket.send(answers) if answers else self.say(BYE, self.peer)
                if not answers:  # nothing is said behind BYE
                    return 0 if self.runner.stopping else AGAIN
            if self.socket in ready:
                self.is_unheard, heard, status = False, now, self.hear_out(self.socket.recv_multipart())
            if status is not None or now - heard > self.silence:
                return AGAIN if status is None else status
            if self.runner and now >= beat:
                self.say(BEAT, self.peer)
                beat = now + self.heartbeat
            if self.runner and DRAINED and not drained:
                self.say(DRAIN, self.peer)  # it will be told STOP
                drained = True

    def hear_out(self, frames):
        try:
            return self.hear(frames)
        except Exception as error:  # with another answer to HELLO it ends; nonsense behind WELCOME is passed over
            print(f"worker.py: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            return None if self.runner else 76

    def hear(self, frames):
        type, *values = (TASKS,) if frames[0][0] == TASKS else unpack(frames[0])
        if type == WELCOME and not self.runner:
            self.peer, self.heartbeat, self.silence = values[0], values[1] / 1000, values[2] / 1000
            if not 0.001 <= self.heartbeat <= self.silence / 2:
                raise ValueError("a WELCOME that makes no sense")
            nodes = {node[0]: node[1:5] for node in msgpack.unpackb(resolve(values[4], frames))}
            self.runner = Runner(self.processors, nodes, self.peer, self.runners)
            self.runner.start()
            print("worker.py: serves", *(node[0] for node in nodes.values()), file=sys.stderr, flush=True)
        elif type == TASKS:
            self.runner.inbox.put(frames)
        elif type == CANCEL and not any(values[1:2]):  # (else it is of later steps alone)
            kept = (*self.runner.cancelled, values[0])  # what was answered meanwhile is forgotten
            self.runner.cancelled = {ticket for ticket in kept if ticket >= self.runner.ticket}
        elif type == STOP:
            self.stop()  # after the task that it is at
        elif type == REFUSED:
            print(f"worker.py: refused: {values[1]} ({values[0]})", file=sys.stderr, flush=True)
            return AGAIN if values[0] == 503 else 77 if values[0] == 403 else 78 if values[0] == 404 else 76
        return AGAIN if type == REPLACE and values else None

    def stop(self):
        if self.runner:
            self.runner.stopping = True
            self.runner.inbox.put(None)

    def close(self):
        self.stop()  # who is stuck in a processor stays there, and nobody hears of it
        self.socket.close(200), self.answers.close(0)  # ms, for what was said last to leave
        if not self.runner:
            self.runners.close(0)


def drain(*_):
    global DRAINED
    DRAINED = True


def main(processors=PROCESSORS):
    parser = argparse.ArgumentParser(description="A dagwood worker in Python.")
    parser.add_argument("--connect", required=True, metavar="ENDPOINT")
    parser.add_argument("--key", metavar="FILE"), parser.add_argument("--server-key", metavar="FILE")
    parser.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE")
    args, context, uuid = parser.parse_args(), zmq.Context(), os.urandom(16)
    signal.signal(signal.SIGTERM, drain)
    was_said = False
    for incarnation in itertools.count(1):  # of one uuid the coordinator listens to the latest alone
        connection = Connection(context, args, processors, uuid, incarnation)
        status = connection.serve()
        connection.close()
        if connection.runner:
            was_said = False
        elif connection.is_unheard and not was_said:
            was_said = True
            print(f"worker.py: nobody answers at {args.connect}: it goes on trying", file=sys.stderr, flush=True)
        if status != AGAIN or DRAINED:
            time.sleep(0.2)
            os._exit(max(status, 0))
        time.sleep(min(0.1 * incarnation, 3))


if __name__ == "__main__":
    main()
