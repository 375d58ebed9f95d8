#!/usr/bin/python3
"""A dagwood worker in Python: one process, one connection, one task at a time (docs/PROTOCOL.md, "A solo").

    apt-get install python3-zmq python3-msgpack
    dagwood coordinator examples/python.yaml --listen ipc:///tmp/hub
    examples/worker.py --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub] [--tag NAME=VALUE]

The main thread owns the connection and says that the process is there; a second one runs the processors, so that a long task is no
silence. A processor is a function of a call: it returns its output, any value that msgpack knows. SIGTERM drains."""
import argparse, json, os, queue, re, signal, socket, sys, threading, time
from collections import Counter
import msgpack, zmq

HELLO, WELCOME, REFUSED, TASKS, ANSWERS, CANCEL, STOP, BYE, BEAT, DRAIN, REPLACE = 0, 1, 2, 3, 4, 5, 6, 10, 15, 16, 17
MORE, DONE, FAILED, RETURNED = range(4)
VERSION, SOLO, CREDIT, FLUSH_S, FLUSH_BYTES, EX_PROTOCOL, EX_KEY = 3, 5, 1024, 0.001, 65536, 76, 77

# ---- Processors: add your own here, or import this file and call main with others ---------------------------------------

class Failure (Exception):
    """Fails the attempt: Failure (code, "why"), the code from 1 to 999."""

class Call:
    """What a processor gets: payload, options, dependencies (id -> (output, metadata)), cancelled (); it may set metadata."""

def word_counts (call):
    """How often each word is there, apostrophes and hyphens inside included; option `top`: only so many of the most frequent."""
    words = Counter (word.lower () for word in re.findall (r"\w+(?:['’-]\w+)*", call.payload))
    top = sorted (words.items (), key = lambda item: (-item[1], item[0]))[:call.options.get ("top", None)]
    call.metadata = {"words": str (sum (words.values ())), "different": str (len (words))}
    return dict (top)

def json_reshape (call):
    """JSON in, JSON out: option `fields`, such as "name=user.name city=address.city"."""
    document = json.loads (call.payload) if isinstance (call.payload, (str, bytes)) else call.payload
    shaped = {}
    for field in call.options["fields"].split ():
        name, _, path = field.partition ("=")
        value = document
        for key in (path or name).split ("."):
            value = value[int (key)] if isinstance (value, list) else value[key]
        shaped[name] = value
    return json.dumps (shaped, ensure_ascii = False, sort_keys = True)

PROCESSORS = {"word_counts": word_counts, "json_reshape": json_reshape, "reverse_text": lambda call: call.payload[::-1]}

# ---- The thread that runs them -----------------------------------------------------------------------------------------

class Runner (threading.Thread):
    def __init__ (self, context, processors, nodes, peer, address):
        super ().__init__ (daemon = True)
        self.processors, self.nodes, self.peer, self.inbox = processors, nodes, peer, queue.SimpleQueue ()
        self.cancelled, self.stopping, self.ticket = set (), False, 0
        self.socket = context.socket (zmq.PAIR)
        self.socket.connect (address)
        self.start ()

    def run (self):
        for frames in iter (self.inbox.get, None):
            self.serve (frames)
        self.socket.send (b"") # it has left
        self.socket.close (0)

    def serve (self, frames):
        values, self.packer, self.began = iter (unpack (frames[0])), None, time.monotonic ()
        next (values) # the type
        for self.ticket, run in enumerate (values, next (values)):
            node, steps, attempt, payload, given = (next (values) for _ in range (5))
            given = (given or []) + [next (values) for _ in given or []] # a list of pairs: n, then 2 n values
            if not self.stopping:
                self.answer (node, steps, *(resolve (ref, frames) for ref in [payload, *given]))
        self.flush ()

    def answer (self, node, steps, payload, *given):
        begin = time.perf_counter_ns ()
        try:
            if self.ticket in self.cancelled:
                return self.say (self.ticket, 0, RETURNED, 0)
            output, metadata = self.call (node, payload, given)
            spent = time.perf_counter_ns () - begin
            # Of a chain of nodes this takes one, and gives back the others.
            self.say (self.ticket, 0, MORE if steps > 1 else DONE, spent, 1, output, metadata)
            if steps > 1:
                self.say (self.ticket, 1, RETURNED, 0)
        except Exception as error:
            code, text = error.args if isinstance (error, Failure) else (500, f"{type (error).__name__}: {error}")
            self.say (self.ticket, 0, FAILED, time.perf_counter_ns () - begin, code, text[:4000])
        finally:
            self.cancelled.discard (self.ticket)

    def call (self, node, payload, given):
        id, processor, options, dependencies = self.nodes[node]
        call, ticket = Call (), self.ticket
        call.payload = msgpack.unpackb (payload, strict_map_key = False)
        call.options, call.metadata, call.cancelled = options, None, lambda: ticket in self.cancelled
        pairs = [value and msgpack.unpackb (value, strict_map_key = False) for value in given]
        call.dependencies = dict (zip (dependencies or [], zip (pairs[::2], pairs[1::2])))
        output = self.processors[processor] (call)
        return msgpack.packb (output), call.metadata and msgpack.packb (call.metadata)

    def say (self, *values):
        if not self.packer:
            self.packer = msgpack.Packer (autoreset = False)
            self.say (ANSWERS, self.peer)
        for value in values:
            self.packer.pack (value)
        if values[0] == self.ticket and (time.monotonic () - self.began > FLUSH_S or self.packer.getbuffer ().nbytes > FLUSH_BYTES):
            self.flush () # who waits for it need not wait for the whole message

    def flush (self):
        if self.packer:
            self.socket.send (self.packer.bytes ())
        self.packer, self.began = None, time.monotonic ()

# ---- The connection ----------------------------------------------------------------------------------------------------

def unpack (head):
    unpacker = msgpack.Unpacker (strict_map_key = False, max_buffer_size = len (head) or 1)
    unpacker.feed (head)
    return list (unpacker)

def resolve (ref, frames):
    return frames[ref] if isinstance (ref, int) else ref # bytes are in the head, or in a frame

def pack (*values):
    return b"".join (msgpack.packb (value) for value in values)

def keys (file):
    return dict (re.findall (r"^\s*(public|secret) = (\S+)", open (file).read (), re.M))

class Connection:
    wish = None # signals, for all of them: SIGTERM, and once it was said DRAIN

    def __init__ (self, context, args, processors, uuid, incarnation):
        self.context, self.args, self.processors = context, args, processors
        self.socket, self.answers, self.runner = context.socket (zmq.DEALER), context.socket (zmq.PAIR), None
        self.socket.linger, self.answers.linger = 200, 0
        if args.key:
            own = keys (args.key)
            self.socket.curve_publickey, self.socket.curve_secretkey = own["public"].encode (), own["secret"].encode ()
            self.socket.curve_serverkey = keys (args.server_key)["public"].encode ()
        self.address = f"inproc://answers-{incarnation}"
        self.answers.bind (self.address)
        self.socket.connect (args.connect)
        tags = [part for tag in args.tag for part in tag.partition ("=")[::2]]
        self.socket.send (pack (HELLO, "dagwood", VERSION, VERSION, SOLO, bytes (16), 0, CREDIT, uuid, incarnation, 1, os.getpid (),
                                socket.gethostname (), sorted (processors)) + bytes ([0x90 | len (tags) // 2]) + pack (*tags))

    def serve (self):
        """Until it ends: the exit status; or the coordinator is lost or has forgotten us: None."""
        poller, heard, beat, status = zmq.Poller (), time.monotonic (), 0, None
        self.peer, self.heartbeat, self.silence, told = None, 1, 3, False
        poller.register (self.socket, zmq.POLLIN)
        poller.register (self.answers, zmq.POLLIN)
        while status is None:
            ready = dict (poller.poll (self.heartbeat * 500))
            now = time.monotonic ()
            if self.answers in ready:
                answers = self.answers.recv ()
                self.socket.send (answers or pack (BYE, self.peer)) # nothing: the runner has left
                status = None if answers else 0
            if self.socket in ready:
                heard, status = now, self.hear (self.socket.recv_multipart ())
            if now - heard > self.silence or status == REPLACE:
                return None
            if self.peer is not None and now >= beat:
                self.socket.send (pack (BEAT, self.peer))
                beat = now + self.heartbeat
            if self.peer is not None and Connection.wish and not told:
                self.socket.send (pack (DRAIN, self.peer)) # STOP will come
                told = True
        return status

    def hear (self, frames):
        type, *values = unpack (frames[0]) if self.runner is None or frames[0][0] != TASKS else [TASKS]
        if type == WELCOME:
            self.peer, self.heartbeat, self.silence = values[0], values[1] / 1000, values[2] / 1000
            nodes = {node[0]: node[1:5] for node in msgpack.unpackb (resolve (values[4], frames))}
            self.runner = Runner (self.context, self.processors, nodes, self.peer, self.address)
            print (f"worker.py: serves {', '.join (node[0] for node in nodes.values ())}", file = sys.stderr, flush = True)
        elif type == TASKS:
            self.runner.inbox.put (frames)
        elif type == CANCEL:
            self.runner.cancelled.add (values[0])
        elif type == STOP:
            self.runner.stopping = True # after the task that it is at
            self.runner.inbox.put (None)
        elif type == REFUSED:
            print (f"worker.py: refused: {values[1]} ({values[0]})", file = sys.stderr)
            return REPLACE if values[0] == 503 else EX_KEY if values[0] == 403 else EX_PROTOCOL
        elif type == REPLACE:
            return REPLACE

    def close (self):
        self.socket.close ()
        self.answers.close ()
        if self.runner: # if it is stuck in a processor, it stays there; nobody hears its answers
            self.runner.stopping = True
            self.runner.inbox.put (None)

def main (processors = PROCESSORS):
    parser = argparse.ArgumentParser (description = "A dagwood worker in Python.")
    parser.add_argument ("--connect", required = True, metavar = "ENDPOINT")
    parser.add_argument ("--key", metavar = "FILE"), parser.add_argument ("--server-key", metavar = "FILE")
    parser.add_argument ("--tag", action = "append", default = [], metavar = "NAME=VALUE")
    parser.add_argument ("--processors", metavar = "NAME,...", help = "offer only these")
    args = parser.parse_args ()
    if args.processors:
        processors = {name: processors[name] for name in args.processors.split (",")}
    signal.signal (signal.SIGTERM, lambda *_: setattr (Connection, "wish", signal.SIGTERM))
    signal.signal (signal.SIGINT, lambda *_: os._exit (130))
    context, uuid, incarnation, status = zmq.Context (), os.urandom (16), 0, None
    while status is None:
        incarnation += 1 # of one uuid the coordinator listens to the latest alone
        connection = Connection (context, args, processors, uuid, incarnation)
        status = connection.serve ()
        connection.close ()
        if status is None and Connection.wish:
            status = 0
        elif status is None:
            time.sleep (min (0.1 * incarnation, 3))
    sys.stderr.flush ()
    time.sleep (0.2 if status == 0 else 0) # for BYE to leave
    os._exit (status) # whatever a processor is still in

if __name__ == "__main__":
    main ()
