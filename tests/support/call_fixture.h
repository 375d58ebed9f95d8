/* call_fixture.h - runs one stock processor on one call after another, without an actor.
 *
 * What is given stays for the next call; what a call sets is read until then. */

#ifndef TESTS_CALL_FIXTURE_H
#define TESTS_CALL_FIXTURE_H

#include "dagwood_processor.h"

typedef struct call_fixture_t call_fixture_t;

/* The processor must exist; its payload is the empty text, it depends on nothing. */
call_fixture_t *call_fixture_new (const char *processor);
void call_fixture_destroy (call_fixture_t **self_p);

void call_fixture_set_text (call_fixture_t *self, const char *option, const char *value);
void call_fixture_set_integer (call_fixture_t *self, const char *option, int64_t value);
void call_fixture_set_boolean (call_fixture_t *self, const char *option, bool value);

/* The payload: a str, or any msgpack value. */
void call_fixture_give_text (call_fixture_t *self, const char *text, size_t size);
void call_fixture_give_value (call_fixture_t *self, const void *value, size_t size);
/* One more dependency, with its output: a str, any msgpack value, or none. */
void call_fixture_depend_text (call_fixture_t *self, const char *id, const char *text, size_t size);
void call_fixture_depend_value (call_fixture_t *self, const char *id, const void *value,
                                size_t size);
void call_fixture_depend_nothing (call_fixture_t *self, const char *id);
void call_fixture_attempt (call_fixture_t *self, unsigned attempt);
/* Nobody waits for the calls any more. */
void call_fixture_cancel (call_fixture_t *self);

/* Makes an instance and stops it: what start returned, its reason in why. */
int call_fixture_start (call_fixture_t *self, char *why, size_t why_size);
/* One call: 0, or the code of its failure, or DW_CALL_SKIPPED (actors/call.h). */
int call_fixture_run (call_fixture_t *self);

/* What the last call set: an output as one msgpack value, and as text when it is a str (NULL:
 * none), metadata, a message ("" after success). */
const void *call_fixture_value (call_fixture_t *self, size_t *size_p);
const char *call_fixture_text (call_fixture_t *self, size_t *size_p);
/* All metadata as "key=value\n" one after another, in the order of the keys. */
const char *call_fixture_metadata (call_fixture_t *self);
const char *call_fixture_message (call_fixture_t *self);

#endif
