/* transcript.h - what happens in a simulated world, told line by line. */

#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include <stdio.h>

#include "dagwood.h"
#include "tests/simulated/network.h"

/* Where it goes from now on; NULL: nowhere. */
void transcript_begin (FILE *file);
bool transcript_is_on (void);
FILE *transcript_file (void);
void transcript_tell (const char *format, ...) DW_PRINTF (1, 2);
/* A message arrives. */
void transcript_tell_message (const pipe_t *from, const packet_t *packet);

#endif
