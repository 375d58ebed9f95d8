/* cable.h - a line between a client and a coordinator on this machine, which a test cuts, holds and
 * lets go: it forwards bytes of TCP and knows nothing of ZeroMQ. */

#ifndef TESTS_CABLE_H
#define TESTS_CABLE_H

typedef struct cable_t cable_t;

/* A line to the port of endpoint (tcp://127.0.0.1:PORT). */
cable_t *cable_new (const char *endpoint);
void cable_destroy (cable_t **self_p);
/* Where to connect instead. */
const char *cable_endpoint (const cable_t *self);
/* Ends every connection at once; what is under way is lost. Others may be made. */
void cable_cut (cable_t *self);
/* Nothing goes on until it is let go, and connections are made all the same. */
void cable_hold (cable_t *self);
void cable_let_go (cable_t *self);
/* How many connections were cut. */
unsigned cable_cuts (const cable_t *self);

#endif
