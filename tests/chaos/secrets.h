/* secrets.h - the keys of a chaos test: the coordinator's, "worker" and "client", "leaving-worker"
 * and "leaving-client", which are listed until they are taken off, and "stranger", which never
 * is. */

#ifndef TESTS_CHAOS_SECRETS_H
#define TESTS_CHAOS_SECRETS_H

#include <stdbool.h>

/* Makes them in a folder; false, and why on stderr, when that cannot be. When they are there
 * already all is well. */
bool secrets_make (const char *folder);
/* Writes the list anew, with those who are to leave or without. */
bool secrets_list (const char *folder, bool has_leaving);
/* A DEALER that connects with a key of the folder, or none (NULL), and has sent some bytes, which
 * are a HELLO that every coordinator answers by a refusal. NULL: that cannot be. */
void *secrets_knock (void *context, const char *endpoint, const char *folder, const char *key);

#endif
