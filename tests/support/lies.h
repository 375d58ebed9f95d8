/* lies.h - results of a graph of four nodes that make no sense, as messages of the protocol. */

#ifndef TESTS_LIES_H
#define TESTS_LIES_H

#include <czmq.h>

#define LIES_NODES 4u

typedef struct lies_answer_t lies_answer_t;

typedef struct lie_t {
    const char *what;
    void (*tell) (lies_answer_t *answer);
} lie_t;

extern const lie_t lies[];
extern const size_t lies_count;

/* A RESULTS message with one result of a run, in which a lie is told; tell NULL: none is. */
zmsg_t *lies_answer (uint64_t run, void (*tell) (lies_answer_t *answer));

#endif
