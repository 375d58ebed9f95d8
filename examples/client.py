#!/usr/bin/python3
"""A dagwood client in Python, written from docs/PROTOCOL.md ("A client"): a run for each line, a line of JSON for each result.

    apt-get install python3-zmq python3-msgpack
    examples/client.py --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub] [--output NODE]... < lines

Results are printed as they come. As many runs are in flight as the coordinator lets in, so what is read is bounded by what is done. Exit
status: 1 a run was not ok, 64 usage, 69 nobody answers, 75 the coordinator was lost, 76 nonsense, 77 the key is refused or cannot be read."""
import argparse
import base64
import collections
import difflib
import json
import os
import re
import struct
import sys
import time

import msgpack
import zmq

HELLO, WELCOME, REFUSED, STOP, SUBMIT, RESULTS, BYE, BEAT = 0, 1, 2, 6, 7, 9, 10, 15
VERSION, CLIENT, TOGETHER = 3, 2, 64  # so many submissions in one message at most
INPUT = 0  # standard input
RUN = ("ok", "partial", "failed", "cancelled")
NODE = ("done", "failed", "skipped", "cancelled", "not_requested")
SLOT = struct.Struct("<BBHII20s")  # of a result's table: status, form, attempts, duration in us, size, the payload or its place


class Lost(Exception):
    """Why it is over, and the exit status."""

    def __init__(self, why, status=75):
        super().__init__(why)
        self.status = status


def refused(code, text, *_):
    return Lost(f"refused: {text} ({code})", {403: 77, 404: 78, 503: 75}.get(code, 76))


def unpack(head):
    unpacker = msgpack.Unpacker(strict_map_key=False, max_buffer_size=len(head) or 1)
    unpacker.feed(head)
    return list(unpacker)  # values that follow each other


def resolve(ref, frames):
    return frames[ref] if isinstance(ref, int) else ref


def set_key(socket, option, file, which):
    try:
        found = re.search(rf"^\s*{which} = (\S+)", open(file, errors="replace").read(), re.M)  # a file of `dagwood keygen`
        setattr(socket, option, found[1].encode())
    except OSError as error:
        raise Lost(f"{file}: it cannot be read: {error.strerror}", 77) from None
    except (TypeError, zmq.ZMQError):
        raise Lost(f"{file}: it has no {which} key of `dagwood keygen`", 77) from None


class Client:
    def __init__(self, endpoint, own_key=None, server_key=None):
        self.socket, self.next, self.in_flight = zmq.Context.instance().socket(zmq.DEALER), 1, set()
        self.heartbeat, self.silence, self.heard = 1, 3, time.monotonic()
        for option, file, which in ("publickey", own_key, "public"), ("secretkey", own_key, "secret"), ("serverkey", server_key, "public"):
            if file:
                set_key(self.socket, f"curve_{option}", file, which)
        try:
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            raise Lost(f'"{endpoint}" is no endpoint to connect to ({error}): tcp://HOST:PORT, or ipc://FILE', 64) from None
        self.say(HELLO, "dagwood", VERSION, VERSION, CLIENT, bytes(16), 0, 0)
        try:
            type, frames, values = self.hear()
        except Lost:
            raise Lost(f"nobody answers at {endpoint}" + " who lets this key in" * bool(own_key), 69) from None
        if type == REFUSED:
            raise refused(*values)
        self.peer, self.runs_max, self.max_payload_bytes, ids, heartbeat, silence, self.graph = values[:7]
        if not 1 <= heartbeat <= silence / 2:
            raise Lost("a WELCOME that makes no sense")
        self.heartbeat, self.silence = heartbeat / 1000, silence / 1000
        self.ids, self.sinks = unpack(resolve(ids, frames))  # the names of nodes by rank; on which ones no other depends

    def say(self, *values):
        self.socket.send(b"".join(map(msgpack.packb, values)))

    def wait(self, *others):
        """Until there is a message, or one of the others (files) is ready: what is. Who waits for an answer asks once a heartbeat
        whether anybody is there."""
        poller = zmq.Poller()
        for each in self.socket, *others:
            poller.register(each, zmq.POLLIN)
        is_welcome = hasattr(self, "peer")
        while not (ready := dict(poller.poll(1000 * self.heartbeat if self.in_flight or not is_welcome else None))):
            if time.monotonic() - self.heard > self.silence:
                raise Lost("the coordinator was lost")
            if is_welcome:
                self.say(BEAT, self.peer)
        return ready

    def hear(self):
        """The next message."""
        self.wait()
        self.heard, frames = time.monotonic(), self.socket.recv_multipart()
        type, *values = unpack(frames[0])
        return type, frames, values

    def submit(self, payloads, outputs=None):
        """Begins runs, at most TOGETHER; outputs are ids, None: every node. Their numbers."""
        nodes = [self.ids.index(id) for id in outputs] if outputs else None
        self.heard = self.heard if self.in_flight else time.monotonic()  # it waits from now on
        runs = range(self.next, self.next + len(payloads))
        fields = ((run, msgpack.packb(payload), 0, nodes) for run, payload in zip(runs, payloads))
        self.say(SUBMIT, self.peer, *(value for submission in fields for value in submission))
        self.next = runs.stop
        self.in_flight.update(runs)
        return runs

    def results(self):
        """Waits for a message; the results that it brings: (run, status, nodes by id)."""
        type, frames, values = self.hear()
        if type == STOP:
            raise Lost("the coordinator closes")
        if type == REFUSED and not values[2]:  # the client itself
            raise refused(*values)
        if type == REFUSED:  # one run
            self.in_flight.discard(values[2])
            yield values[2], f"refused: {values[1]}", {}
        for at in range(0, len(values) if type == RESULTS else 0, 7):
            run, status, duration, table, blob, extras, outputs = values[at:at + 7]
            self.in_flight.discard(run)
            yield run, RUN[status], self.nodes(*(resolve(ref, frames) for ref in (table, blob, extras)), frames)

    def nodes(self, table, blob, extras, frames):
        nodes = {}
        for id, (status, form, attempts, duration, size, place) in zip(self.ids, SLOT.iter_unpack(table)):
            offset = int.from_bytes(place[:4], "little")
            payload = {0: None, 1: place[:size], 3: (blob or b"")[offset:offset + size], 4: form == 4 and frames[offset]}[form]
            nodes[id] = {"status": NODE[status], "attempts": attempts, "duration_us": duration, "metadata": {},
                         "payload": msgpack.unpackb(payload, strict_map_key=False) if payload else None}
        values = unpack(extras or b"")
        for node, metadata, code, message, added, depth, causes in zip(*[iter(values)] * 7):
            nodes[self.ids[node]]["metadata"] = msgpack.unpackb(metadata) if metadata else {}
            if code:
                nodes[self.ids[node]]["error"] = {"code": code, "message": message}
            if added:
                nodes[self.ids[node]]["added"] = {"nodes": added, "depth": depth}
            if causes:
                nodes[self.ids[node]]["because_of"] = [self.ids[cause] for cause in causes]
        return nodes

    def close(self):
        self.say(BYE, self.peer)
        self.socket.close(1000)


def text(line):  # as the command does: what is not UTF-8 is bytes
    try:
        return line.decode()
    except UnicodeDecodeError:
        return bytes(line)


def plain(value):  # bytes are no JSON
    return {"base64": base64.b64encode(value).decode()}


def usage(why):
    raise Lost(f"{why}; --help says more", 64)


def main():
    parser = argparse.ArgumentParser(description="A dagwood client in Python: a run for each line of standard input.")
    parser.error = usage
    parser.add_argument("--connect", required=True, metavar="ENDPOINT")
    parser.add_argument("--key", metavar="FILE"), parser.add_argument("--server-key", metavar="FILE")
    parser.add_argument("--output", action="append", metavar="NODE", help="ask for these nodes alone", default=[])
    args, lines, rest, is_over, is_ok = parser.parse_args(), collections.deque(), bytearray(), False, True
    if bool(args.key) != bool(args.server_key):
        usage("--key and --server-key go together")
    client = Client(args.connect, args.key, args.server_key)
    for id in args.output:
        if id not in client.ids:
            near = "".join(f'; did you mean "{name}"?' for name in difflib.get_close_matches(id, client.ids, 1, 0))
            raise Lost(f'--output: {client.graph} has no node "{id}"{near}', 64)
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
            print(json.dumps({"run": run, "status": status, "results": nodes}, default=plain, ensure_ascii=False), flush=True)
    client.close()
    return 0 if is_ok else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Lost as error:
        print(f"client.py: {error}", file=sys.stderr)
        sys.exit(error.status)
    except (ValueError, LookupError, TypeError, struct.error, msgpack.UnpackException) as error:
        print(f"client.py: what came makes no sense: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(76)
