/* liar.h - a coordinator that says what a test tells it to: an actor of CZMQ, which is good for
 * tests and, as docs/DECISIONS.md says, not for the library. */

#ifndef TESTS_LIAR_H
#define TESTS_LIAR_H

#include <czmq.h>

/* Listens on endpoint, an ipc endpoint that it takes from whoever had it: so does ZeroMQ. endpoint
 * is borrowed for its life. It knows these words:
 *
 *     WELCOME  the message is the answer to every HELLO
 *     SILENCE  nothing is
 *     ANSWER   the message is an answer to every SUBMIT, behind those there are
 *     FLOOD    the first answer is sent again and again, from the next SUBMIT on
 *     FORGET   there are no answers, and no flood */
zactor_t *liar_new (const char *endpoint);
/* Tells it, and waits until it knows. message is kept; NULL: none. */
void liar_tell (zactor_t *self, const char *word, zmsg_t *message);

#endif
