/* stranger.h - somebody who knocks at the coordinator's and talks nonsense, or what is not for them
 * to say. */

#ifndef TESTS_STRANGER_H
#define TESTS_STRANGER_H

/* The body of its fiber; arg is the endpoint. */
void *stranger_main (void *arg);

#endif
