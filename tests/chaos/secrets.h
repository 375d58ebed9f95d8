/* secrets.h - the keys of a chaos test: the coordinator's, "worker", "client", and "stranger", which is not on the list. */

#ifndef TESTS_CHAOS_SECRETS_H
#define TESTS_CHAOS_SECRETS_H

#include <stdbool.h>

/* Makes them in a folder; false, and why on stderr, when that cannot be. When they are there already all is well. */
bool secrets_make (const char *folder);

#endif
