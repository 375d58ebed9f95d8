#!/usr/bin/python3
"""A dagwood client in Python, written from docs/PROTOCOL.md ("A client"): a run for each line, and a line of JSON for
each result, printed as they come. As many runs are in flight as the coordinator lets in, so what is read is bounded by
what is done. It needs wire.py, which is beside it.

    apt-get install python3-zmq python3-msgpack
    examples/client.py --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub] [--output NODE]... < lines

Exit status: 1 a run was not ok, 64 usage, 69 nobody answers, 75 the coordinator was lost, 76 nonsense, 77 the key is
refused or cannot be read."""
import base64, collections, difflib, json, os, struct, sys, time
import msgpack, wire, zmq

CLIENT, TOGETHER = 2, 64  # so many submissions in one message at most
INPUT = 0  # standard input
RUN = "ok", "partial", "failed", "cancelled"
NODE = "done", "failed", "skipped", "cancelled", "not_requested"
SLOT = struct.Struct("<BBHII20s")  # of a table: status, form, attempts, duration in us, size, the payload or its place

class Client:
    def __init__(self, args):
        self.socket, self.peer, self.next, self.in_flight = wire.connect(args), None, 1, set()
        self.heartbeat, self.silence, self.heard = 1, 3, time.monotonic()  # s
        self.nobody = f"nobody answers at {args.connect}" + " who lets this key in" * bool(args.key)
        self.socket.send(wire.pack(wire.HELLO, "dagwood", 3, 3, CLIENT, bytes(16), 0, 0))
        type, frames, values = self.hear()
        if type == wire.REFUSED:
            self.refused(*values)
        self.peer, self.runs_max, self.max_payload_bytes, ids, heartbeat, silence, self.graph, *_ = values
        if type != wire.WELCOME or not 1 <= heartbeat <= silence / 2:
            raise ValueError("no WELCOME")
        self.heartbeat, self.silence = heartbeat / 1000, silence / 1000
        self.ids, self.sinks = wire.unpack(wire.resolve(ids, frames))  # names by rank; nodes on which no other depends

    def refused(self, code, text, *_):
        wire.end(wire.REFUSED_ENDS_WITH.get(code, 76), f"refused: {text} ({code})")

    def wait(self, *others):
        """Until there is a message, or one of the others (files) is ready: what is. Who waits for an answer asks once a
        heartbeat whether anybody is there."""
        poller = zmq.Poller()
        for each in self.socket, *others:
            poller.register(each, zmq.POLLIN)
        is_waiting = self.in_flight or self.peer is None
        while not (ready := dict(poller.poll(1000 * self.heartbeat if is_waiting else None))):
            if time.monotonic() - self.heard > self.silence:
                wire.end(69, self.nobody) if self.peer is None else wire.end(75, "the coordinator was lost")
            if self.peer is not None:
                self.socket.send(wire.pack(wire.BEAT, self.peer))
        return ready

    def hear(self):
        """The next message: its type, its frames, and the values behind the type."""
        self.wait()
        self.heard, frames = time.monotonic(), self.socket.recv_multipart()
        type, *values = wire.unpack(frames[0])
        if ... in values:
            raise ValueError("a damaged message")
        return type, frames, values

    def submit(self, payloads, outputs=None):
        """Begins runs, at most TOGETHER; outputs are ids, None: every node. Their numbers."""
        nodes = [self.ids.index(id) for id in outputs] if outputs else None
        self.heard = self.heard if self.in_flight else time.monotonic()  # it waits from now on
        runs = range(self.next, self.next + len(payloads))
        fields = ((run, msgpack.packb(payload), 0, nodes) for run, payload in zip(runs, payloads))
        self.socket.send(wire.pack(wire.SUBMIT, self.peer, *(value for submission in fields for value in submission)))
        self.next = runs.stop
        self.in_flight.update(runs)
        return runs

    def results(self):
        """Waits for a message; the results that it brings: (run, status, nodes by id)."""
        type, frames, values = self.hear()
        if type == wire.STOP:
            wire.end(75, "the coordinator closes")
        if type == wire.REFUSED:
            code, why, run, *_ = values
            if not run:  # the client itself
                self.refused(code, why)
            self.in_flight.discard(run)
            yield run, f"refused: {why}", {}
        for at in range(0, len(values) if type == wire.RESULTS else 0, 7):
            run, status, _, table, blob, extras, _ = values[at:at + 7]
            self.in_flight.discard(run)
            yield run, RUN[status], self.nodes(*(wire.resolve(ref, frames) for ref in (table, blob, extras)), frames)

    def nodes(self, table, blob, extras, frames):
        nodes = {}
        for id, (status, form, attempts, duration, size, place) in zip(self.ids, SLOT.iter_unpack(table)):
            offset = int.from_bytes(place[:4], "little")
            payload = {0: None, 1: place[:size], 3: (blob or b"")[offset:offset + size],
                       4: form == 4 and frames[offset]}[form]
            nodes[id] = {"status": NODE[status], "attempts": attempts, "duration_us": duration, "metadata": {},
                         "payload": msgpack.unpackb(payload, strict_map_key=False) if payload else None}
        values = iter(wire.unpack(extras or b""))
        for node, metadata, code, message, added, depth, causes in zip(*[values] * 7, strict=True):
            extra = nodes[self.ids[node]]
            extra["metadata"] = msgpack.unpackb(metadata) if metadata else {}
            if code:
                extra["error"] = {"code": code, "message": message}
            if added:
                extra["added"] = {"nodes": added, "depth": depth}
            if causes:
                extra["because_of"] = [self.ids[cause] for cause in causes]
        return nodes

    def close(self):
        self.socket.send(wire.pack(wire.BYE, self.peer))
        self.socket.close(1000)  # ms, for it to leave

def text(line):  # as the command does: what is not UTF-8 is bytes
    try:
        return line.decode()
    except UnicodeDecodeError:
        return bytes(line)

def plain(value):  # bytes are no JSON
    return {"base64": base64.b64encode(value).decode()}

def main():
    parser = wire.parser("A dagwood client in Python: a run for each line of standard input.")
    parser.add_argument("--output", action="append", metavar="NODE", help="ask for these nodes alone", default=[])
    args, lines, rest, is_over, is_ok = parser.parse_args(), collections.deque(), bytearray(), False, True
    client = Client(args)
    for id in args.output:
        if id not in client.ids:
            near = "".join(f'; did you mean "{name}"?' for name in difflib.get_close_matches(id, client.ids, 1, 0))
            wire.end(64, f'--output: {client.graph} has no node "{id}"{near}')
    while lines or client.in_flight or not is_over:
        if room := min(TOGETHER, len(lines), client.runs_max - len(client.in_flight)):
            client.submit([lines.popleft() for _ in range(room)], args.output)
            if lines and len(client.in_flight) < client.runs_max and not client.socket.poll(0):
                continue  # there is room for more
        ready = client.wait(*[INPUT] * (not is_over and not lines))
        if INPUT in ready:
            some = os.read(INPUT, 65536)
            rest, is_over = rest + some, not some
            if b"\n" in some or (is_over and rest):
                *whole, rest = (rest + b"\n" * is_over).split(b"\n")
                lines.extend(map(text, whole))
        for run, status, nodes in client.results() if client.socket in ready else ():
            is_ok &= status == "ok"
            result = {"run": run, "status": status, "results": nodes}
            print(json.dumps(result, default=plain, ensure_ascii=False), flush=True)
    client.close()
    return 0 if is_ok else 1

if __name__ == "__main__":
    try:
        sys.exit(main())
    except (*wire.NONSENSE, struct.error) as error:
        wire.end(76, f"what came makes no sense: {type(error).__name__}: {error}")
