#!/usr/bin/python3
"""A dagwood worker in Python, written from docs/PROTOCOL.md ("A solo"): one process, one connection, a task at a time.

    apt-get install python3-zmq python3-msgpack
    dagwood coordinator examples/python.yaml --listen ipc:///tmp/hub
    examples/worker.py --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub]

It needs wire.py, and processors.py, where yours go; or import this file and call main with them. SIGTERM drains. Exit
status: 64 usage, 76 nonsense, 77 the key is refused or cannot be read, 78 there is nothing here that it could do."""
import collections, itertools, os, queue, signal, sys, threading, time, types
import msgpack, wire, zmq
from processors import Failure, PROCESSORS

MORE, DONE, FAILED, RETURNED = range(4)  # how an answer goes on
SOLO, CREDIT, TOGETHER_BYTES = 5, 1024, 65536
bell, is_drained = os.pipe(), threading.Event()  # there is something for the main thread; SIGTERM has come

class Connection:
    """From HELLO to BYE. The main thread has the socket, and says that the process is there; another one runs tasks, so
    that a long one is no silence. They share a queue of tasks, one of answers, and which tickets are cancelled."""

    def __init__(self, server, processors):
        self.server, self.processors, self.nodes, self.heartbeat, self.silence = server, processors, None, 1, 3  # s
        self.tasks, self.answers, self.ticket, self.cancelled = queue.SimpleQueue(), collections.deque(), 0, set()
        self.is_stopping, self.is_over, self.why = False, False, None

    # ---- The thread that runs tasks ----

    def run(self):
        try:
            for values, frames in iter(self.tasks.get, None):
                for self.ticket, _ in enumerate(values, next(values)):  # the first task's; a task begins with its run
                    self.answers.append(self.answer(self.ticket, values, frames))
                    if len(self.answers) == 1:  # else the main thread has heard of others, and not looked yet
                        os.write(bell[1], b"!")
        except Exception as error:  # who cannot read a task cannot answer for it, and leaves
            self.why = f"tasks make no sense: {error!r}"
        self.is_over = True
        os.write(bell[1], b"!")

    def answer(self, ticket, values, frames):
        node, steps, _, payload, given = itertools.islice(values, 5)
        given = given or []
        refs = payload, *given, *itertools.islice(values, len(given))  # n values follow a list of n pairs
        if steps < 1 or payload is None or len(refs) != 1 + 2 * len(given):
            raise ValueError(f"{steps} steps from node {node} on, with {len(refs)} references")
        node, id, name, options, dependencies = self.nodes[node]
        refs = [wire.resolve(ref, frames) for ref in refs]
        if self.is_stopping or ticket in self.cancelled:  # that it is answered is waited for, but not its output
            return wire.pack(ticket, 0, RETURNED, 0)
        begin = time.perf_counter_ns()
        try:
            payload, *given = [ref and msgpack.unpackb(ref, strict_map_key=False) for ref in refs]
            call = types.SimpleNamespace(payload=payload, options=options, id=id, node=node, metadata=None,
                                         dependencies=dict(zip(dependencies or (), zip(given[::2], given[1::2]))),
                                         cancelled=lambda: ticket in self.cancelled)
            output = msgpack.packb(self.processors[name](call))
            metadata = call.metadata and msgpack.packb(call.metadata)
            if len(output) > self.largest:
                raise Failure(413, f"an output of {len(output)} bytes, where {self.largest} are allowed")
            rest = (ticket, 1, RETURNED, 0) if steps > 1 else ()  # of a chain of nodes those behind this are given back
            duration = time.perf_counter_ns() - begin
            return wire.pack(ticket, 0, MORE if rest else DONE, duration, 1, output, metadata, *rest)
        except Exception as error:
            code, why = error.args if isinstance(error, Failure) else (500, f"{type(error).__name__}: {error}")
            return wire.pack(ticket, 0, FAILED, time.perf_counter_ns() - begin, code, why[:4000])

    def stop(self):  # behind the task that it is at; who is stuck in one stays there, and nobody hears of it
        self.is_stopping = True
        self.tasks.put(None)

    # ---- The main thread ----

    def serve(self, *identity):
        """Until it is over; gives why it may come again by another connection, or None when it was told to stop."""
        self.server.send(wire.pack(wire.HELLO, "dagwood", 3, 3, SOLO, bytes(16), 0, CREDIT, *identity))
        heard, beat, is_over = time.monotonic(), 0, False
        while not is_over:
            ready, now = zmq.select([self.server, bell[0]], [], [], self.heartbeat / 2)[0], time.monotonic()
            if self.server in ready:
                heard, why = now, self.hear(self.server.recv_multipart())
                if why:
                    return why
            elif now - heard > self.silence:
                return "nobody answers"
            if self.nodes and now >= beat:
                beat = now + self.heartbeat
                self.server.send(wire.pack(wire.BEAT, self.peer))
                if is_drained.is_set():
                    self.server.send(wire.pack(wire.DRAIN, self.peer))  # it will be told STOP
            if bell[0] in ready:
                os.read(bell[0], 4096)
            is_over = self.is_over  # then no answer comes behind those that there are now
            while self.answers:
                message = bytearray(wire.pack(wire.ANSWERS, self.peer))
                while self.answers and len(message) < TOGETHER_BYTES:
                    message += self.answers.popleft()
                self.server.send(message)
        self.server.send(wire.pack(wire.BYE, self.peer))
        return self.why

    def hear(self, frames):
        match wire.unpack(frames[0]):
            case wire.TASKS, *values:
                self.tasks.put((iter(values), frames))
            case (wire.CANCEL, int(ticket)) | (wire.CANCEL, int(ticket), 0, *_):  # what was answered is forgotten
                self.cancelled = {each for each in (*self.cancelled, ticket) if each >= self.ticket}
            case wire.STOP, *_:
                self.stop()
            case wire.REPLACE, _, *_:
                return "the coordinator has forgotten this worker"
            case wire.REFUSED, 503, text, *_:
                return f"refused: {text} (503)"
            case wire.REFUSED, int(code), text, *_:
                wire.end(wire.REFUSED_ENDS_WITH.get(code, 76), f"refused: {text} ({code})")
            case wire.WELCOME, peer, int(heartbeat), int(silence), int(largest), nodes, *_ if not self.nodes:
                if not 1 <= heartbeat <= silence / 2:
                    raise ValueError(f"a heartbeat of {heartbeat} ms in a silence of {silence} ms")
                self.peer, self.largest, self.heartbeat, self.silence = peer, largest, heartbeat / 1000, silence / 1000
                self.nodes = {node[0]: node[:5] for node in msgpack.unpackb(wire.resolve(nodes, frames))}
                threading.Thread(target=self.run, daemon=True).start()
                print("worker.py: serves", *(node[1] for node in self.nodes.values()), file=sys.stderr)
            case _ if not self.nodes:
                raise ValueError("neither WELCOME nor REFUSED")

def main(processors=PROCESSORS):
    args, uuid, said = wire.parser("A dagwood worker in Python.").parse_args(), os.urandom(16), None
    sys.setswitchinterval(0.001)  # s, after which the main thread has its turn: others wait for answers
    signal.signal(signal.SIGTERM, lambda *_: is_drained.set())
    for incarnation in itertools.count(1):  # of one uuid the coordinator listens to the latest alone
        connection = Connection(wire.connect(args), processors)
        try:
            why = connection.serve(uuid, incarnation, 1, os.getpid(), os.uname().nodename, sorted(processors), [])
        except wire.NONSENSE as error:
            wire.end(76, f"the answer to HELLO makes no sense: {error!r}")
        connection.stop()
        connection.server.close(200)  # ms, for what was said last to leave
        if why and (connection.nodes or why != said):
            print(f"worker.py: {why} at {args.connect}: it goes on trying", file=sys.stderr)
        said = why
        if not why or is_drained.wait(min(0.1 * incarnation, 3)):
            break
    zmq.Context.instance().term()

if __name__ == "__main__":
    main()
