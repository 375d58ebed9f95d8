// mix.mjs - what load.c has done, by the worker of examples/worker.mjs, which foreign.c puts behind it: the same bytes, whoever runs it.
const MASK = (1n << 64n) - 1n, PRIME = 0x100000001b3n;

class Random { // SplitMix64, as tests/support/random.h
    constructor(seed) {
        this.state = seed;
        this.state = this.next();
    }

    next() {
        this.state = this.state + 0x9e3779b97f4a7c15n & MASK;
        let z = this.state;
        z = (z ^ z >> 30n) * 0xbf58476d1ce4e5b9n & MASK;
        z = (z ^ z >> 27n) * 0x94d049bb133111ebn & MASK;
        return z ^ z >> 31n;
    }

    below(below) {
        return Number((this.next() >> 32n) * BigInt(below) >> 32n);
    }
}

function hashOn(value, data) { // FNV-1a, as random_hash
    value = (value ^ (data ? 1n : 0n)) * PRIME & MASK;
    for (const byte of data ?? [])
        value = (value ^ BigInt(byte)) * PRIME & MASK;
    return (value ^ BigInt(data?.length ?? 0)) * PRIME & MASK;
}

function mix(call) {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(call.node);
    let value = hashOn(hashOn(0xcbf29ce484222325n, number), encode(call.payload));
    for (const [output, metadata] of Object.values(call.dependencies))
        value = hashOn(hashOn(value, encode(output)), Buffer.from(metadata.sum));
    const random = new Random(value), nobody = new Int32Array(new SharedArrayBuffer(4));
    for (let ms = random.below(2) === 0 ? random.below(6) : 0; ms > 0; ms--) {
        Atomics.wait(nobody, 0, 0, 0.9);
        if (call.cancelled())
            throw Object.assign(new Error("cancelled"), { code: 499 });
    }
    const length = random.below(16) === 0 ? 1000 + random.below(8000) : random.below(200);
    call.metadata = { sum: value.toString(16) };
    return Uint8Array.from({ length }, () => random.below(256));
}
