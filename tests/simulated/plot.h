/* plot.h - a world as its seed draws it, before anything happens: who is there, what is asked for,
 * what goes wrong.
 *
 * Parts of it can be switched off, one by one, which is how a world that does not hold is made
 * smaller. */

#ifndef TESTS_PLOT_H
#define TESTS_PLOT_H

#include "tests/support/evaluator.h"
#include "tests/simulated/network.h"

#define PLOT_NODES_MAX   12u
#define PLOT_AGENTS_MAX  4u
#define PLOT_CLIENTS_MAX 3u
#define PLOT_RUNS_MAX    100u /* of a client; mostly no more than */
#define PLOT_RUNS_FEW    12u
#define PLOT_FAULTS_MAX  10u

/* What can be switched off: bits of plot_t.off. */
enum {
    PLOT_OFF_FAULT = 0,                                 /* one for each fault, */
    PLOT_OFF_AGENT = PLOT_OFF_FAULT + PLOT_FAULTS_MAX,  /* each agent but the first, */
    PLOT_OFF_CLIENT = PLOT_OFF_AGENT + PLOT_AGENTS_MAX, /* each client, */
    PLOT_OFF_RUN = PLOT_OFF_CLIENT +
                   PLOT_CLIENTS_MAX, /* a run of every client, the others by twelves */
    PLOT_OFF_STRANGER = PLOT_OFF_RUN + PLOT_RUNS_FEW,
    PLOT_OFF_PRETENDER,
    PLOT_OFF_LIES,
    PLOT_OFF_SOLO, /* they are agents */
    PLOT_OFF_CUTS, /* by messages */
    PLOT_OFF_PAUSES,
    PLOT_OFF_FAILURES,
    PLOT_OFF_HANGS,
    PLOT_OFF_CRASHES,
    PLOT_OFF_CANCELS,
    PLOT_OFF_DEADLINES,
    PLOT_OFF_OUTPUTS,
    PLOT_OFF_DETACHED,
    PLOT_OFF_SLOW, /* work, and the network */
    PLOT_OFF_GROWTH,
    PLOT_OFF_COUNT
};

typedef enum fault_type_t {
    FAULT_CUT,       /* a connection of its */
    FAULT_HALF_OPEN, /* and only one end sees it soon */
    FAULT_DEAF,      /* nothing gets through to it for some time, */
    FAULT_MUTE,      /* or from it, */
    FAULT_PARTITION, /* or both */
    FAULT_STOP,      /* SIGSTOP, and SIGCONT later */
    FAULT_KILL,
    FAULT_DRAIN, /* an agent */
    FAULT_TYPES
} fault_type_t;

typedef struct fault_t {
    fault_type_t type;
    bool is_client; /* that it happens to; else an agent */
    uint32_t whom, which;
    int64_t at_ns, for_ns;
} fault_t;

typedef struct plot_run_t {
    bool is_off;
    uint8_t input[64]; /* of which the first bytes say whose it is */
    size_t input_size;
    uint32_t outputs[PLOT_NODES_MAX];
    uint32_t outputs_count;
    uint32_t deadline_ms;
    int64_t gap_ns;    /* since the one before */
    int64_t cancel_ns; /* after it was submitted; 0: never */
    int64_t cut_ns;    /* the same for one node of it, and all that depends on that */
    uint32_t cut_node;
    bool more;
    bool is_detached; /* and then taken up by its name */
} plot_run_t;

typedef struct plot_agent_t {
    bool is_there, has_tag, lies;
    bool is_solo; /* a worker process in one connection (solo.h) */
    uint32_t slots;
    uint32_t room; /* process_t.room */
    int64_t comes_ns;
} plot_agent_t;

typedef struct plot_client_t {
    bool is_there, is_elsewhere, lies;
    int64_t comes_ns;
    uint32_t runs_count;
    plot_run_t runs[PLOT_RUNS_MAX];
} plot_client_t;

typedef struct plot_t {
    uint64_t seed, off;
    random_graph_t *graph;
    evaluator_t *evaluator;
    uint32_t deaths[PLOT_NODES_MAX]; /* by declaration: how many agents it takes down */
    bool is_rude[PLOT_NODES_MAX];    /* it does not ask whether it is cancelled */
    bool hangs;
    bool grows; /* nodes become graphs */
    bool listens, has_actors, has_stranger, has_pretender;
    uint32_t runs_max, heartbeat_ms, silence_ms, stalled_ms, lease_ms;
    network_t network;
    plot_agent_t agents[PLOT_AGENTS_MAX];
    plot_client_t clients[PLOT_CLIENTS_MAX];
    fault_t faults[PLOT_FAULTS_MAX];
    uint32_t faults_count;
    bool is_slow;
    bool is_careful; /* many nodes may run but once */
    bool is_calm;    /* all may, agents are drained, and nothing is lost */
} plot_t;

/* off: what is switched off, a bit each. */
plot_t *plot_new (uint64_t seed, uint64_t off);
void plot_destroy (plot_t **self_p);
bool plot_is_off (const plot_t *self, uint32_t what);
/* In which way it is drawn what happens to those who are there (level.h). */
uint64_t plot_way (const plot_t *self);
void plot_print (const plot_t *self, FILE *file);

#endif
