"""What a worker and a client in Python share: messages, words of the command, keys, how it ends (docs/PROTOCOL.md)."""
import argparse, os, re, sys
import msgpack, zmq

HELLO, WELCOME, REFUSED, TASKS, ANSWERS, CANCEL, STOP, SUBMIT, ABORT, RESULTS, BYE = range(11)  # types of messages
BEAT, DRAIN, REPLACE = 15, 16, 17
NONSENSE = ValueError, TypeError, LookupError, msgpack.UnpackException  # of who reads what was not to be said
REFUSED_ENDS_WITH = {403: 77, 404: 78, 503: 75}  # by the code of REFUSED; with 76 where it is another one

def pack(*values):  # a head: they follow each other, without the header of their array
    return msgpack.packb(values)[1 if len(values) < 16 else 3:]

def unpack(head):  # its values; in place of damage, and of what is behind it, `...`
    values, unpacker = [], msgpack.Unpacker(strict_map_key=False, max_buffer_size=len(head))
    unpacker.feed(head)
    try:
        values.extend(unpacker)
    except NONSENSE:
        values.append(...)
    return values

def resolve(ref, frames):  # bytes are in the head or in a frame, None is nothing
    if type(ref) not in (int, bytes, type(None)) or type(ref) is int and ref < 1:
        raise ValueError(f"{ref!r} is no reference to bytes")
    return frames[ref] if type(ref) is int else ref

def end(status, why):
    print(f"{os.path.basename(sys.argv[0])}: {why}", file=sys.stderr)
    sys.exit(status)

def parser(about):
    words = argparse.ArgumentParser(description=about)
    words.error = lambda why: end(64, f"{why}; --help says more")
    words.add_argument("--connect", required=True, metavar="ENDPOINT")
    words.add_argument("--key", metavar="FILE", help="of `dagwood keygen`")
    words.add_argument("--server-key", metavar="FILE.pub", help="the coordinator's")
    return words

def set_key(server, option, file, which):
    try:
        found = re.search(rf"^\s*{which} = (\S{{40}})\s*$", open(file, errors="replace").read(), re.M)
        server.set(option, found[1].encode())
    except OSError as error:
        end(77, f"{file}: it cannot be read: {error.strerror}")
    except (TypeError, zmq.ZMQError):
        end(77, f"{file}: it has no {which} key of `dagwood keygen`")

def connect(args):  # a socket by which nothing was said yet
    if bool(args.key) != bool(args.server_key):
        end(64, "--key and --server-key go together")
    server = zmq.Context.instance().socket(zmq.DEALER)
    if args.key:
        set_key(server, zmq.CURVE_PUBLICKEY, args.key, "public")
        set_key(server, zmq.CURVE_SECRETKEY, args.key, "secret")
        set_key(server, zmq.CURVE_SERVERKEY, args.server_key, "public")
    try:
        server.connect(args.connect)
    except zmq.ZMQError as error:
        end(64, f'"{args.connect}" is no endpoint to connect to ({error}): tcp://HOST:PORT, or ipc://FILE')
    return server
