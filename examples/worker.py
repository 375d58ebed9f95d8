#!/usr/bin/python3
"""A dagwood worker in Python, written from docs/PROTOCOL.md ("A solo"): one process, one connection, one task at a time.

    apt-get install python3-zmq python3-msgpack
    dagwood coordinator examples/python.yaml --listen ipc:///tmp/hub
    examples/worker.py --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub]

The main thread has the connection and says that the process is there; another one runs the processors, so that a long task is no silence.
SIGTERM drains. Exit status: 64 usage, 76 nonsense, 77 the key is refused or cannot be read, 78 there is nothing here that it could do."""
import collections, functools, itertools, json, os, queue, re, signal, socket, sys, threading, time, types
import msgpack, zmq

class T:  # types of messages
    HELLO, WELCOME, REFUSED, TASKS, ANSWERS, CANCEL, STOP, BYE, BEAT, DRAIN, REPLACE = 0, 1, 2, 3, 4, 5, 6, 10, 15, 16, 17

MORE, DONE, FAILED, RETURNED = range(4)  # how an answer goes on
VERSION, SOLO, CREDIT, TOGETHER_BYTES, AGAIN = 3, 5, 1024, 65536, -1  # AGAIN, in place of an exit status: by another connection

# ---- Processors: add yours, or import this file and call main with others. call has payload, options, id, dependencies (id -> (output,
# metadata)), cancelled(); metadata may be set. An output is any value of msgpack. To fail: raise Failure(code, "why"). ----

class Failure(Exception): pass

def word_counts(call):
    """How often there is each word, with apostrophes and hyphens inside; option `top`: only the most frequent."""
    words = collections.Counter(re.findall(r"\w+(?:['’-]\w+)*", call.payload.lower()))
    call.metadata = {"words": str(sum(words.values())), "different": str(len(words))}
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:call.options.get("top")])

def json_reshape(call):
    """JSON in, JSON out: the option `fields` is such as "name=user.name first=list.0"."""
    step = lambda value, key: value[int(key) if isinstance(value, list) else key]
    fields, document = (field.split("=") for field in call.options["fields"].split()), json.loads(call.payload)
    shaped = {name: functools.reduce(step, path.split("."), document) for name, path in fields}
    return json.dumps(shaped, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

PROCESSORS = {"word_counts": word_counts, "json_reshape": json_reshape, "reverse_text": lambda call: call.payload[::-1]}

# ---- A message: a head of values that follow each other, and frames to which they refer by number ----

def pack(*values):
    return msgpack.packb(values)[1:]  # an array of up to 15 values is a byte, and these

def unpack(head):  # its values; those before damage count, behind them is what is none
    values, unpacker = [], msgpack.Unpacker(strict_map_key=False, max_buffer_size=len(head))
    unpacker.feed(head)
    try:
        values.extend(unpacker)
    except Exception:
        values.append(...)
    return values

def resolve(ref, frames):  # bytes are in the head or in a frame, None is nothing
    if type(ref) not in (int, bytes, type(None)) or ref == 0:
        raise ValueError("no reference to bytes")
    return frames[ref] if isinstance(ref, int) else ref

def log(*words):
    print("worker.py:", *words, file=sys.stderr, flush=True)

class Connection:
    """From HELLO to BYE. Its two threads share a queue of tasks, one of answers, and which tickets are cancelled."""
    is_drained, bell = threading.Event(), os.pipe()  # of all connections: SIGTERM has come; there are answers for the main thread

    def __init__(self, server, processors):
        self.server, self.processors, self.nodes, self.heartbeat, self.silence = server, processors, None, 1, 3
        self.tasks, self.answers, self.ticket, self.cancelled = queue.SimpleQueue(), collections.deque(), 0, set()
        self.is_stopping = self.is_over = False

    # ---- The thread that runs processors ----

    def run(self):
        try:
            for values, frames in iter(self.tasks.get, None):
                for self.ticket, run in enumerate(values, next(values)):  # the first task's ticket; a task begins with its run
                    task = self.read(values, frames)
                    if not self.is_stopping:
                        self.do(self.ticket, *task)
        except Exception as error:  # who cannot read a task cannot answer for it, and leaves
            log(f"tasks make no sense: {error!r}")
        self.is_over = True
        os.write(self.bell[1], b"!")

    def read(self, values, frames):
        node, steps, attempt, payload, given = itertools.islice(values, 5)
        pairs = [*(given or []), *itertools.islice(values, len(given or []))]  # a list of n pairs is followed by 2 n values
        if not steps > 0 or payload is None or len(pairs) != 2 * len(given or []):
            raise ValueError(f"a task of node {node} without steps, a payload or a dependency")
        return self.nodes[node], steps, [resolve(ref, frames) for ref in [payload, *pairs]]

    def do(self, ticket, node, steps, given):
        begin, (node, id, processor, options, dependencies) = time.perf_counter_ns(), node
        if ticket in self.cancelled:  # its answer is still waited for, but not its output
            return self.answer(ticket, 0, RETURNED, 0)
        try:
            payload, *given = [value and msgpack.unpackb(value, strict_map_key=False) for value in given]
            call = types.SimpleNamespace(payload=payload, options=options, id=id, node=node, metadata=None,
                                         dependencies=dict(zip(dependencies or [], zip(given[::2], given[1::2]))),
                                         cancelled=lambda: ticket in self.cancelled)
            output, metadata = msgpack.packb(self.processors[processor](call)), call.metadata and msgpack.packb(call.metadata)
            if len(output) > self.largest:
                raise Failure(413, f"an output of {len(output)} bytes, where {self.largest} are allowed")
            rest = (ticket, 1, RETURNED, 0) if steps > 1 else ()  # of a chain of nodes the first is done, the others are given back
            self.answer(ticket, 0, MORE if rest else DONE, time.perf_counter_ns() - begin, 1, output, metadata, *rest)
        except Exception as error:
            code, why = error.args if isinstance(error, Failure) else (500, f"{type(error).__name__}: {error}")
            self.answer(ticket, 0, FAILED, time.perf_counter_ns() - begin, code, why[:4000])

    def answer(self, *values):
        self.answers.append(pack(*values))
        if len(self.answers) == 1:  # else the main thread has heard of others, and not looked yet
            os.write(self.bell[1], b"!")

    # ---- The main thread ----

    def say(self, *values):
        self.server.send(pack(*values))

    def serve(self, uuid, incarnation):
        """Until it is over; gives the exit status."""
        self.say(T.HELLO, "dagwood", VERSION, VERSION, SOLO, bytes(16), 0, CREDIT, uuid, incarnation, 1, os.getpid(), socket.gethostname(),
                 sorted(self.processors), [])  # no tags
        poller, heard, beat, status = zmq.Poller(), time.monotonic(), 0, None
        poller.register(self.server, zmq.POLLIN), poller.register(self.bell[0], zmq.POLLIN)
        while status is None:
            ready, now, is_over = dict(poller.poll(500 * self.heartbeat)), time.monotonic(), self.is_over
            if self.bell[0] in ready:
                os.read(self.bell[0], 4096)
            while self.answers:
                message = bytearray(pack(T.ANSWERS, self.peer))
                while self.answers and len(message) < TOGETHER_BYTES:
                    message += self.answers.popleft()
                self.server.send(message)
            if is_over:  # nothing is said behind BYE
                self.say(T.BYE, self.peer)
                return 0 if self.is_stopping else AGAIN
            if self.server in ready:
                heard, status = now, self.hear(self.server.recv_multipart())
            elif now - heard > self.silence:
                return AGAIN
            if self.nodes and now >= beat:
                beat = now + self.heartbeat
                self.say(T.BEAT, self.peer)
                if self.is_drained.is_set():
                    self.say(T.DRAIN, self.peer)  # it will be told STOP
        return status

    def hear(self, frames):
        match unpack(frames[0]):
            case T.TASKS, *values:
                self.tasks.put((iter(values), frames))
            case (T.CANCEL, int(ticket)) | (T.CANCEL, int(ticket), 0, *_):  # what was answered meanwhile is forgotten
                self.cancelled = {each for each in (*self.cancelled, ticket) if each >= self.ticket}
            case T.STOP, *_:
                self.stop()
            case T.REPLACE, _, *_:  # it is forgotten, and may come again
                return AGAIN
            case T.REFUSED, int(code), text, *_:
                log(f"refused: {text} ({code})")
                return {403: 77, 404: 78, 503: AGAIN}.get(code, 76)
            case T.WELCOME, peer, int(heartbeat), int(silence), int(largest), nodes, *_ if not self.nodes and 1 <= heartbeat <= silence / 2:
                self.nodes = {node[0]: node[:5] for node in msgpack.unpackb(resolve(nodes, frames))}
                self.peer, self.heartbeat, self.silence, self.largest = peer, heartbeat / 1000, silence / 1000, largest
                threading.Thread(target=self.run, daemon=True).start()
                log("serves", *(node[1] for node in self.nodes.values()))
            case _ if not self.nodes:
                raise ValueError("neither WELCOME nor REFUSED")

    def stop(self):  # after the task that it is at; who is stuck in one stays there, and nobody hears of it
        self.is_stopping = True
        self.tasks.put(None)

# ---- The process ----

def key(file, which):  # of `dagwood keygen`
    found, = re.findall(rf"^\s*{which} = (\S+)", open(file).read(), re.M)
    return found.encode()

def end(status, why):
    log(why)
    sys.exit(status)

def main(processors=PROCESSORS):
    words, context, uuid = dict(zip(sys.argv[1::2], sys.argv[2::2])), zmq.Context(), os.urandom(16)
    endpoint, own, servers = (words.pop(word, None) for word in ("--connect", "--key", "--server-key"))
    if words or len(sys.argv) % 2 == 0 or not endpoint or bool(own) != bool(servers):
        end(64, "usage: worker.py --connect ENDPOINT [--key FILE --server-key FILE.pub]")
    sys.setswitchinterval(0.001)  # s, after which the main thread has its turn: others wait for answers
    signal.signal(signal.SIGTERM, lambda *_: Connection.is_drained.set())
    for incarnation in itertools.count(1):  # of one uuid the coordinator listens to the latest alone
        server = context.socket(zmq.DEALER)
        try:
            if own:
                server.curve_publickey, server.curve_secretkey = key(own, "public"), key(own, "secret")
                server.curve_serverkey = key(servers, "public")
        except (OSError, ValueError, zmq.ZMQError) as error:
            end(77, f"{own} and {servers} have no keys of `dagwood keygen` that can be read: {error}")
        try:
            server.connect(endpoint)
        except zmq.ZMQError as error:
            end(64, f'"{endpoint}" is no endpoint to connect to ({error}): tcp://HOST:PORT, or ipc://FILE')
        connection = Connection(server, processors)
        try:
            status = connection.serve(uuid, incarnation)
        except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
            end(76, f"the answer to HELLO makes no sense: {error!r}")
        connection.stop()
        server.close(200)  # ms, for what was said last to leave
        if status == AGAIN and not connection.nodes and incarnation == 1:
            log(f"nobody answers at {endpoint}: it goes on trying")
        if status != AGAIN or Connection.is_drained.wait(min(0.1 * incarnation, 3)):
            context.term()
            sys.exit(max(status, 0))

if __name__ == "__main__":
    main()
