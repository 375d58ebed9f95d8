/* shapes.c - the edges of graphs of a given shape. */

#include "bench/lib/shapes.h"

#include <assert.h>
#include <stddef.h>

#include "bench/lib/mix.h"

#define WIDTH        16u
#define LAYER        100u /* the width of random */
#define LAYER_DEGREE 4u   /* of random */
#define RADIUS       2u   /* radix 5, as in most of the paper's figures */
#define PERIOD       3u   /* of spread */

const char *const dw_shape_names[] = {"chain",   "fan",     "tree",       "wave", "random",
                                      "fft",     "stencil", "all_to_all", "none", "spread",
                                      "nearest", "file",    NULL};

/* ---- Sizes -------------------------------------------------------------------------------- */

/* The integer square root, bit by bit. */
static uint32_t s_root (uint64_t square) {
    uint32_t root = 0;
    for (uint32_t bit = 1u << 31; bit; bit >>= 1)
        if ((uint64_t) (root | bit) * (root | bit) <= square)
            root |= bit;
    return root;
}

bool dw_shape_has_steps (dw_shape_t shape) {
    switch (shape) {
        case DW_SHAPE_CHAIN:
        case DW_SHAPE_FAN:
        case DW_SHAPE_TREE:
        case DW_SHAPE_WAVE:
        case DW_SHAPE_FILE:
        case DW_SHAPES: return false;
        case DW_SHAPE_RANDOM:
        case DW_SHAPE_FFT:
        case DW_SHAPE_STENCIL:
        case DW_SHAPE_ALL_TO_ALL:
        case DW_SHAPE_NONE:
        case DW_SHAPE_SPREAD:
        case DW_SHAPE_NEAREST: return true;
    }
    return false;
}

void dw_shape_settle (dw_shape_t shape, dw_shape_size_t *size) {
    assert (size->nodes_count > 0);
    assert (size->width <= size->nodes_count);
    if (size->radius == 0)
        size->radius = RADIUS;
    if (shape == DW_SHAPE_WAVE) {
        uint32_t side = s_root (size->nodes_count);
        size->nodes_count = side * side;
    }
    if (!dw_shape_has_steps (shape))
        return;
    if (size->width == 0)
        size->width = shape == DW_SHAPE_RANDOM ? LAYER : WIDTH;
    if (size->width > size->nodes_count)
        size->width = size->nodes_count;
    if (shape != DW_SHAPE_RANDOM)
        size->nodes_count -= size->nodes_count % size->width;
}

uint32_t dw_shape_degree_max (dw_shape_t shape, const dw_shape_size_t *size) {
    uint64_t around = 2 * (uint64_t) size->radius + 1;
    switch (shape) {
        case DW_SHAPE_CHAIN:
        case DW_SHAPE_TREE: return 1;
        case DW_SHAPE_FAN: return size->nodes_count;
        case DW_SHAPE_WAVE: return 2;
        case DW_SHAPE_RANDOM: return LAYER_DEGREE;
        case DW_SHAPE_FFT:
        case DW_SHAPE_STENCIL: return 3;
        case DW_SHAPE_ALL_TO_ALL: return size->width;
        case DW_SHAPE_SPREAD:
        case DW_SHAPE_NEAREST: return around < size->width ? (uint32_t) around : size->width;
        case DW_SHAPE_NONE:
        case DW_SHAPE_FILE:
        case DW_SHAPES: break;
    }
    return 0;
}

uint64_t dw_shape_edges_max (dw_shape_t shape, const dw_shape_size_t *size) {
    uint64_t degree = shape == DW_SHAPE_FAN ? 2 : dw_shape_degree_max (shape, size);
    return degree * size->nodes_count;
}

/* ---- Shapes without steps ----------------------------------------------------------------- */

static uint32_t s_fan (uint32_t nodes_count, uint32_t node, uint32_t *dependencies) {
    if (node + 1 < nodes_count || nodes_count == 2) {
        dependencies[0] = 0;
        return 1;
    }
    for (uint32_t i = 1; i < node; i++)
        dependencies[i - 1] = i;
    return node - 1;
}

/* The diagonals of a square up to the longest have 1, 2, ... nodes: before diagonal d there are
 * d (d + 1) / 2. Which of them has this node? */
static uint32_t s_diagonal (uint32_t node) {
    return (s_root (8 * (uint64_t) node + 1) - 1) / 2;
}

/* A square's nodes are numbered diagonal by diagonal, which is level by level. Seen from the last
 * node the shorter half is the same as the first. */
static uint32_t s_wave (uint32_t nodes_count, uint32_t node, uint32_t *dependencies) {
    uint32_t side = s_root (nodes_count), count = 0;
    if (node < side * (side + 1) / 2) {
        uint32_t diagonal = s_diagonal (node);
        uint32_t first = diagonal * (diagonal + 1) / 2, before = first - diagonal;
        if (node > first)
            dependencies[count++] = before + (node - first) - 1;
        if (node - first < diagonal)
            dependencies[count++] = before + (node - first);
        return count;
    }
    uint32_t length = s_diagonal (nodes_count - 1 - node) + 1; /* of its diagonal */
    uint32_t first = nodes_count - length * (length + 1) / 2, before = first - (length + 1);
    dependencies[count++] = before + (node - first);
    dependencies[count++] = before + (node - first) + 1;
    return count;
}

/* ---- Shapes that go on in steps ----------------------------------------------------------- */

/* Adds one unless it is there. */
static uint32_t s_add (uint32_t *dependencies, uint32_t count, uint32_t dependency) {
    for (uint32_t i = 0; i < count; i++)
        if (dependencies[i] == dependency)
            return count;
    dependencies[count] = dependency;
    return count + 1;
}

static uint32_t s_random (const dw_shape_size_t *size, uint32_t node, uint32_t first,
                          uint32_t *dependencies) {
    uint64_t from = size->seed ? node ^ dw_mix_two (size->seed, 1) : node;
    uint32_t wanted = 1 + (uint32_t) (dw_mix_two (from, 0) % LAYER_DEGREE), count = 0;
    if (wanted > size->width)
        wanted = size->width;
    for (uint64_t try = 1; count < wanted; try++)
        count = s_add (dependencies, count,
                       first + (uint32_t) (dw_mix_two (from, try) % size->width));
    return count;
}

static uint32_t s_fft (uint32_t width, uint32_t step, uint32_t i, uint32_t first,
                       uint32_t *dependencies) {
    uint32_t sets = 1, count = 0;
    while (sets < 32 && UINT64_C (1) << sets < width)
        sets++;
    uint32_t apart = 1u << (step - 1) % sets;
    if (i >= apart)
        dependencies[count++] = first + i - apart;
    dependencies[count++] = first + i;
    if (i + (uint64_t) apart < width)
        dependencies[count++] = first + i + apart;
    return count;
}

/* All tasks from i - radius to i + radius that there are. */
static uint32_t s_nearest (uint32_t width, uint32_t radius, uint32_t i, uint32_t first,
                           uint32_t *dependencies) {
    uint32_t from = i > radius ? i - radius : 0, count = 0;
    uint32_t to = width - 1 - i > radius ? i + radius : width - 1;
    while (from <= to)
        dependencies[count++] = first + from++;
    return count;
}

static uint32_t s_spread (const dw_shape_size_t *size, uint32_t step, uint32_t i, uint32_t first,
                          uint32_t *dependencies) {
    uint64_t radix = 2 * (uint64_t) size->radius + 1;
    uint32_t count = s_add (dependencies, 0, first + i);
    for (uint64_t k = 1; k < radix && count < size->width; k++) {
        uint64_t place = i + k * size->width / radix + step % PERIOD;
        count = s_add (dependencies, count, first + (uint32_t) (place % size->width));
    }
    return count;
}

static uint32_t s_all (uint32_t width, uint32_t first, uint32_t *dependencies) {
    for (uint32_t i = 0; i < width; i++)
        dependencies[i] = first + i;
    return width;
}

static uint32_t s_step (dw_shape_t shape, const dw_shape_size_t *size, uint32_t node,
                        uint32_t *dependencies) {
    uint32_t width = size->width, step = node / width, i = node % width;
    if (step == 0)
        return 0;
    uint32_t first = (step - 1) * width;
    switch (shape) {
        case DW_SHAPE_RANDOM: return s_random (size, node, first, dependencies);
        case DW_SHAPE_FFT: return s_fft (width, step, i, first, dependencies);
        case DW_SHAPE_STENCIL: return s_nearest (width, 1, i, first, dependencies);
        case DW_SHAPE_ALL_TO_ALL: return s_all (width, first, dependencies);
        case DW_SHAPE_SPREAD: return s_spread (size, step, i, first, dependencies);
        case DW_SHAPE_NEAREST: return s_nearest (width, size->radius, i, first, dependencies);
        case DW_SHAPE_CHAIN:
        case DW_SHAPE_FAN:
        case DW_SHAPE_TREE:
        case DW_SHAPE_WAVE:
        case DW_SHAPE_NONE:
        case DW_SHAPE_FILE:
        case DW_SHAPES: break;
    }
    return 0;
}

uint32_t dw_shape_dependencies (dw_shape_t shape, const dw_shape_size_t *size, uint32_t node,
                                uint32_t *dependencies) {
    assert (node < size->nodes_count);
    if (dw_shape_has_steps (shape))
        return s_step (shape, size, node, dependencies);
    if (node == 0)
        return 0;
    if (shape == DW_SHAPE_FAN)
        return s_fan (size->nodes_count, node, dependencies);
    if (shape == DW_SHAPE_WAVE)
        return s_wave (size->nodes_count, node, dependencies);
    dependencies[0] = shape == DW_SHAPE_TREE ? (node - 1) / 2 : node - 1;
    return 1;
}
