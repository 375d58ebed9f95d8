#!/usr/bin/env node
// A dagwood worker in JavaScript, written from docs/PROTOCOL.md ("A solo"): one process, one connection, one task at a time.
//
//     npm install --prefix examples zeromq @msgpack/msgpack
//     dagwood coordinator examples/python.yaml --listen ipc:///tmp/hub
//     node examples/worker.mjs --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub] [--tag NAME=VALUE]
//
// The main thread owns the connection and says that the process is there; another one runs the processors, so that a long task is no
// silence, and ends when it is stuck. A processor is a function of a call, or an async one, that returns its output. SIGTERM drains.
import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { MessageChannel, Worker, isMainThread, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { decode, decodeMulti, encode } from "@msgpack/msgpack";

const HELLO = 0, WELCOME = 1, REFUSED = 2, TASKS = 3, ANSWERS = 4, CANCEL = 5, STOP = 6, BYE = 10, BEAT = 15, DRAIN = 16, REPLACE = 17;
const MORE = 0, DONE = 1, FAILED = 2, RETURNED = 3; // how an answer goes on
const VERSION = 3, SOLO = 5, CREDIT = 1024, LATE_MS = 1;

// ---- Processors: add yours. call has payload, options, id, node (its number), dependencies (id -> [output, metadata]), cancelled(); metadata
// may be set. To fail: throw an Error with a code from 1 to 999. ----

const processors = {
    // How often there is each word, with apostrophes and hyphens inside; option `top`: only the most frequent.
    word_counts(call) {
        const counts = new Map();
        let words = 0;
        for (const [word] of call.payload.toLowerCase().matchAll(/[\p{L}\p{N}_]+(?:['’-][\p{L}\p{N}_]+)*/gu)) {
            counts.set(word, (counts.get(word) ?? 0) + 1);
            words++;
        }
        call.metadata = { words: `${words}`, different: `${counts.size}` };
        const order = (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);
        return Object.fromEntries([...counts].sort(order).slice(0, call.options.top));
    },
    // JSON in, JSON out: the option `fields` is such as "name=user.name first=list.0".
    json_reshape(call) {
        const shaped = {}, document = JSON.parse(call.payload);
        for (const [name, path] of call.options.fields.split(" ").map(field => field.split("=")).sort())
            shaped[name] = path.split(".").reduce((value, step) => value[step], document);
        return JSON.stringify(shaped);
    },
    reverse_text: call => [...call.payload].reverse().join(""),
};

function resolve(ref, frames) { // bytes are in the head or in a frame, null is nothing
    if (ref === null || ref instanceof Uint8Array)
        return ref;
    if (!Number.isInteger(ref) || ref < 1 || !frames[ref])
        throw new Error("no reference to bytes");
    return frames[ref];
}

const pack = (...values) => Buffer.concat(values.map(value => encode(value)));

// ---- The thread that runs them ----

const cancelled = new Set();

function isCancelled(ticket) { // also while it is at work: nobody has to wait for a message
    for (let message; (message = receiveMessageOnPort(workerData.cancels));)
        if (message.message >= ticket) // what was answered meanwhile is forgotten
            cancelled.add(message.message);
    return cancelled.has(ticket);
}

async function answer(ticket, node, steps, [payload, ...given]) {
    const [id, processor, options, dependencies] = workerData.nodes[node], begin = process.hrtime.bigint();
    const spent = () => process.hrtime.bigint() - begin, value = bytes => bytes && decode(bytes);
    try {
        if (isCancelled(ticket)) // its answer is still waited for, but not its output
            return [ticket, 0, RETURNED, 0];
        const call = { payload: decode(payload), options, id, node, metadata: null, dependencies: {}, cancelled: () => isCancelled(ticket) };
        (dependencies ?? []).forEach((id, i) => call.dependencies[id] = [value(given[2 * i]), value(given[2 * i + 1])]);
        const output = encode(await processors[processor](call)), metadata = call.metadata && encode(call.metadata);
        if (output.length > workerData.largest)
            throw Object.assign(new Error(`an output of ${output.length} bytes, where ${workerData.largest} are allowed`), { code: 413 });
        const done = [ticket, 0, steps === 1 ? DONE : MORE, Number(spent()), 1, output, metadata];
        return steps === 1 ? done : [...done, ticket, 1, RETURNED, 0]; // of a chain of nodes the first is done, the others are given back
    } catch (error) {
        return [ticket, 0, FAILED, Number(spent()), Number.isInteger(error.code) ? error.code : 500, `${error.message}`.slice(0, 2000)];
    } finally {
        cancelled.delete(ticket);
    }
}

function* tasks(frames) {
    let [, ticket, ...values] = decodeMulti(frames[0]); // a task begins with its run
    for (let at = 0; at < values.length; ticket++) {
        const [, node, steps, , payload, list] = values.slice(at, at + 6), pairs = list?.length ?? 0;
        const given = [...list ?? [], ...values.slice(at + 6, at + 6 + pairs)]; // a list of n pairs is followed by 2 n values
        if (!Number.isInteger(node) || !workerData.nodes[node] || !(steps > 0) || payload === null || given.length !== 2 * pairs)
            throw new Error(`task ${ticket}, of node ${node}`);
        at += 6 + pairs;
        yield [ticket, node, steps, [payload, ...given].map(ref => resolve(ref, frames))];
    }
}

async function run(frames) {
    let answers = [], late = performance.now() + LATE_MS, isReady = true;
    const flush = () => {
        if (answers.length)
            parentPort.postMessage(pack(ANSWERS, workerData.peer, ...answers));
        [answers, late] = [[], performance.now() + LATE_MS];
    };
    try {
        for (const task of tasks(frames)) {
            answers.push(...await answer(...task));
            if (performance.now() > late)
                flush();
        }
    } catch (error) { // who cannot read a task cannot answer for it, and leaves
        console.error(`worker.mjs: tasks make no sense: ${error.message}`);
        isReady = false;
    }
    flush();
    parentPort.postMessage(isReady); // for more
}

// ---- The connection ----

function attempt(status, what, action) { // who cannot do what the command line says ends
    try {
        return action();
    } catch (error) {
        console.error(`worker.mjs: ${what}: ${error.message}`);
        process.exit(status);
    }
}

const key = (file, which) => attempt(77, `${file}: no ${which} key of \`dagwood keygen\``, () =>
    new RegExp(`^\\s*${which} = (\\S+)`, "m").exec(readFileSync(file, "latin1"))?.[1] ?? assert.fail("it has none"));

class Connection {
    constructor(zmq, args, uuid, incarnation) {
        Object.assign(this, { waiting: [], draining: false, stopping: false, busy: false, heard: performance.now(), silence: 3000 });
        this.socket = new zmq.Dealer({ linger: 200, sendHighWaterMark: 0 });
        const keys = args.key ? { curvePublicKey: key(args.key, "public"), curveSecretKey: key(args.key, "secret"),
                                  curveServerKey: key(args["server-key"], "public") } : {};
        attempt(77, `the keys of ${args.key} and ${args["server-key"]}`, () => Object.assign(this.socket, keys));
        attempt(64, `"${args.connect}" is no endpoint to connect to (tcp://HOST:PORT, or ipc://FILE)`, () => this.socket.connect(args.connect));
        const tags = args.tag.flatMap(tag => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)]);
        this.say(pack(HELLO, "dagwood", VERSION, VERSION, SOLO, new Uint8Array(16), 0, CREDIT, uuid, incarnation, 1, process.pid, hostname(),
                        Object.keys(processors), tags.slice(0, tags.length / 2), ...tags.slice(tags.length / 2)));
        this.over = new Promise(resolve => this.end = resolve); // with an exit status, or null: say HELLO again
        this.look = setInterval(() => performance.now() - this.heard > this.silence && this.end(null), 100);
        this.listen();
    }

    say(message) { // one after another: a socket sends one message at a time
        this.sent = (this.sent ?? Promise.resolve()).then(() => this.socket.send(message)).catch(() => {});
        return this.sent;
    }

    async listen() {
        try {
            for await (const frames of this.socket) {
                this.heard = performance.now();
                this.hearOut(frames);
            }
        } catch {} // it was closed
    }

    hearOut(frames) {
        try {
            this.hear(frames);
        } catch (error) { // with another answer to HELLO it ends; nonsense behind WELCOME is passed over
            console.error(`worker.mjs: ${error.message}`);
            if (!this.runner)
                this.end(76);
        }
    }

    hear(frames) {
        const [type] = decodeMulti(frames[0]);
        if (type === TASKS && this.runner) {
            this.waiting.push(frames);
            return this.next();
        }
        const [, ...values] = decodeMulti(frames[0]);
        if (type === WELCOME && !this.runner)
            this.begin(values, frames);
        else if (type === STOP) {
            this.stopping = true;
            this.next();
        } else if (type === REFUSED) {
            console.error(`worker.mjs: refused: ${values[1]} (${values[0]})`);
            this.end(values[0] === 503 ? null : values[0] === 403 ? 77 : values[0] === 404 ? 78 : 76);
        } else if (type === REPLACE && values.length) // it is forgotten, and may come again
            this.end(null);
        else if (type === CANCEL && Number.isInteger(values[0]) && !values[1]) // (else it is of later steps alone)
            this.cancels?.postMessage(values[0]);
    }

    begin([peer, heartbeat, silence, largest, nodes], frames) {
        if (!(heartbeat >= 1 && silence >= 2 * heartbeat))
            throw new Error("a WELCOME that makes no sense");
        const records = Object.fromEntries(decode(resolve(nodes, frames)).map(([node, ...record]) => [node, record]));
        Object.assign(this, { peer, silence, beat: setInterval(() => this.say(pack(BEAT, peer)), heartbeat) });
        const { port1, port2 } = new MessageChannel();
        this.cancels = port1.unref() ?? port1;
        this.runner = new Worker(new URL(import.meta.url), { workerData: { peer, largest, nodes: records, cancels: port2 }, transferList: [port2] });
        this.runner.on("message", answers => {
            if (typeof answers !== "boolean")
                return this.say(answers);
            this.busy = false;
            if (answers)
                this.next();
            else
                this.say(pack(BYE, this.peer)).then(() => this.end(null));
        });
        this.runner.on("error", error => console.error(error));
        console.error("worker.mjs: serves", ...Object.values(records).map(record => record[0]));
        if (this.draining)
            this.drain();
    }

    next() { // the message that the runner is at is finished, what waits is given back by BYE
        if (this.stopping && !this.busy)
            this.say(pack(BYE, this.peer)).then(() => this.end(0));
        else if (!this.busy && this.waiting.length) {
            this.busy = true;
            this.runner.postMessage(this.waiting.shift());
        }
    }

    drain() {
        this.draining = true;
        if (this.peer !== undefined)
            this.say(pack(DRAIN, this.peer)); // it will be told STOP
    }

    close() {
        clearInterval(this.look), clearInterval(this.beat);
        this.socket.close();
        return this.runner?.terminate();
    }
}

async function main() {
    const options = { connect: { type: "string" }, key: { type: "string" }, "server-key": { type: "string" },
                      tag: { type: "string", multiple: true, default: [] } };
    const args = attempt(64, "usage", () => {
        const words = parseArgs({ options }).values;
        assert(words.connect, "where is the coordinator? --connect ENDPOINT");
        assert(!words.key === !words["server-key"], "--key and --server-key go together");
        assert(words.tag.every(tag => tag.includes("=")), "--tag NAME=VALUE");
        return words;
    });
    const zmq = await import("zeromq"), uuid = randomBytes(16);
    let connection, drained = false;
    process.on("SIGTERM", () => {
        drained = true;
        connection.drain();
    });
    for (let incarnation = 1; ; incarnation++) { // of one uuid the coordinator listens to the latest alone
        connection = new Connection(zmq, args, uuid, incarnation);
        const status = await connection.over;
        await connection.close();
        if (status !== null || drained)
            setTimeout(() => process.exit(status ?? 0), 200); // for what was said last to leave
        if (status !== null || drained)
            return;
        await new Promise(resolve => setTimeout(resolve, Math.min(100 * incarnation, 3000)));
    }
}

if (isMainThread)
    await main();
else
    parentPort.on("message", run);
