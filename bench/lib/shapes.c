/* shapes.c - graphs of a given shape, and the processor that their nodes run. */

#include "bench/lib/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/clock.h"

#define LAYER 100u

const char *const dw_shape_names[] = {"chain", "fan", "tree", "wave", "random", NULL};

/* ---- Shapes ----------------------------------------------------------------------------------- */

static uint32_t s_side (uint32_t nodes) {
    uint32_t side = 1;
    while ((uint64_t) (side + 1) * (side + 1) <= nodes)
        side++;
    return side;
}

uint32_t dw_shape_nodes_count (dw_shape_t shape, uint32_t nodes_asked) {
    return shape == DW_SHAPE_WAVE && nodes_asked ? s_side (nodes_asked) * s_side (nodes_asked)
                                                 : nodes_asked;
}

/* A square's nodes are numbered diagonal by diagonal, which is level by level. */
static uint32_t s_wave (uint32_t nodes_count, uint32_t node, uint32_t *dependencies) {
    uint32_t side = s_side (nodes_count), diagonal, first, count = 0;
    /* The diagonals up to the longest have 1, 2, ... nodes, those behind it ..., 2, 1. */
    uint32_t half = side * (side + 1) / 2;
    if (node < half) {
        for (diagonal = 0, first = 0; first + diagonal + 1 <= node; first += ++diagonal)
            ;
        uint32_t place = node - first, before = first - diagonal;
        if (place > 0)
            dependencies[count++] = before + place - 1;
        if (place < diagonal)
            dependencies[count++] = before + place;
        return count;
    }
    uint32_t length = side - 1;
    for (first = half; first + length <= node; first += length--)
        ;
    uint32_t before = first - (length + 1);
    dependencies[count++] = before + (node - first);
    dependencies[count++] = before + (node - first) + 1;
    return count;
}

/* A hash of two numbers (the finaliser of splitmix64; Steele, Lea, Flood 2014). */
static uint64_t s_hash (uint64_t a, uint64_t b) {
    uint64_t x = a * UINT64_C (0x9e3779b97f4a7c15) + b;
    x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t s_random (uint32_t node, uint32_t *dependencies) {
    uint32_t layer = node / LAYER, count = 0;
    if (layer == 0)
        return 0;
    uint32_t wanted = 1 + (uint32_t) (s_hash (node, 0) % 4);
    for (uint64_t try = 1; count < wanted; try++) {
        uint32_t dependency = (layer - 1) * LAYER + (uint32_t) (s_hash (node, try) % LAYER);
        bool is_there = false;
        for (uint32_t i = 0; i < count; i++)
            is_there |= dependencies[i] == dependency;
        if (!is_there)
            dependencies[count++] = dependency;
    }
    return count;
}

uint32_t dw_shape_dependencies (dw_shape_t shape, uint32_t nodes_count, uint32_t node,
                                uint32_t *dependencies) {
    if (node == 0)
        return 0;
    switch (shape) {
        case DW_SHAPE_CHAIN: dependencies[0] = node - 1; return 1;
        case DW_SHAPE_FAN:
            if (node + 1 < nodes_count || nodes_count == 2) {
                dependencies[0] = 0;
                return 1;
            }
            for (uint32_t i = 1; i < node; i++)
                dependencies[i - 1] = i;
            return node - 1;
        case DW_SHAPE_TREE: dependencies[0] = (node - 1) / 2; return 1;
        case DW_SHAPE_WAVE: return s_wave (nodes_count, node, dependencies);
        case DW_SHAPE_RANDOM: return s_random (node, dependencies);
        case DW_SHAPES: break;
    }
    return 0;
}

dw_graph_t *dw_shape_graph (dw_shape_t shape, uint32_t nodes_count) {
    char id[16];
    dw_graph_t *graph = dw_graph_new ();
    uint32_t *dependencies = malloc (((size_t) nodes_count + 4) * sizeof *dependencies);
    bool ok = graph && dependencies;
    for (uint32_t node = 0; ok && node < nodes_count; node++) {
        snprintf (id, sizeof id, "n%u", (unsigned) node);
        ok = dw_graph_add (graph, id, "mix") >= 0;
        uint32_t count = dw_shape_dependencies (shape, nodes_count, node, dependencies);
        for (uint32_t i = 0; ok && i < count; i++) {
            snprintf (id, sizeof id, "n%u", (unsigned) dependencies[i]);
            ok = dw_graph_depend (graph, (int) node, id) == DW_OK;
        }
    }
    free (dependencies);
    if (!ok)
        dw_graph_destroy (&graph);
    return graph;
}

/* ---- Mixing ----------------------------------------------------------------------------------- */

static uint64_t s_mix (uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C (0xff51afd7ed558ccd);
    return hash ^ (hash >> 32);
}

uint64_t dw_mix_in (uint64_t hash, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
        memcpy (&word, at, sizeof word);
        hash = s_mix (hash, word);
    }
    word = 0;
    if (size)
        memcpy (&word, at, size);
    return size ? s_mix (hash, word) : hash;
}

void dw_mix_out (uint64_t hash, void *bytes, size_t size) {
    uint8_t *at = bytes;
    for (; size >= sizeof hash; size -= sizeof hash, at += sizeof hash) {
        hash = s_mix (hash, 1);
        memcpy (at, &hash, sizeof hash);
    }
    hash = s_mix (hash, 1);
    if (size)
        memcpy (at, &hash, size);
}

uint64_t dw_mix_work (uint64_t hash, uint64_t rounds) {
    while (rounds-- > 0)
        hash = hash * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
    return hash;
}

/* The fastest of several tries: what slows a machine down only ever adds. */
uint64_t dw_mix_rounds (uint64_t ns) {
    const uint64_t rounds = 1000000;
    int64_t best_ns = INT64_MAX;
    volatile uint64_t sink = 1;
    for (int try = 0; ns && try < 7; try++) {
        int64_t begin_ns = dw_clock_ns ();
        sink = dw_mix_work (sink, rounds);
        int64_t took_ns = dw_clock_ns () - begin_ns;
        if (took_ns < best_ns)
            best_ns = took_ns;
    }
    return ns ? (uint64_t) ((double) rounds * (double) ns / (double) best_ns) : 0;
}

static int s_process (dw_call_t *call, void *arg) {
    const dw_mix_t *mix = arg;
    size_t size, count = dw_call_dependencies_count (call);
    uint64_t hash = dw_mix_start ((uint64_t) dw_call_node_number (call));
    for (size_t i = 0; i < count; i++) {
        const char *bytes = dw_call_dependency_text (call, i, &size);
        hash = dw_mix_in (hash, bytes, size);
    }
    hash = dw_mix_work (hash, mix->rounds);
    void *output = dw_call_reserve_bytes (call, mix->payload_bytes);
    if (!output)
        return dw_call_fail (call, 500, "out of memory");
    dw_mix_out (hash, output, mix->payload_bytes);
    return 0;
}

int dw_mix_add (dw_processors_t *processors, const dw_mix_t *mix, bool brief) {
    dw_processor_t processor = {.name = "mix",
                                .help = "mixes the payloads of its dependencies",
                                .brief = brief,
                                .process = s_process,
                                .arg = (void *) (uintptr_t) mix};
    return dw_processors_add (processors, &processor);
}
