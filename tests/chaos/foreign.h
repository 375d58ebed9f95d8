/* foreign.h - workers in other languages: the examples, with the processor of the load. */

#ifndef TESTS_CHAOS_FOREIGN_H
#define TESTS_CHAOS_FOREIGN_H

typedef enum foreign_t { FOREIGN_PYTHON, FOREIGN_NODE, FOREIGN_RUBY } foreign_t;

/* Puts the program together, in folder where it is not one already. Why there can be none here;
 * NULL: there can. */
const char *foreign_prepare (foreign_t language, const char *folder);
/* Becomes such a worker, with keys, or without (NULL). Returns when that fails. */
void foreign_become (foreign_t language, const char *folder, const char *endpoint, const char *key,
                     const char *server_key);

#endif
