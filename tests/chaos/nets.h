/* nets.h - network namespaces of a test: a hub, and others that each have one line to it.
 *
 *     net 1  10.213.1.2 ----- 10.213.1.1  hub
 *     net 2  10.213.2.2 ----- 10.213.2.1
 *
 * They have no names: each is a descriptor of this process, so they are gone, with all that is in
 * them, when this process and those it has put into them are, however that came to be. Lines are
 * set up and made bad by the commands ip, nft and tc, in their namespaces. Needs root. One
 * thread. */

#ifndef TESTS_CHAOS_NETS_H
#define TESTS_CHAOS_NETS_H

#include <stdbool.h>
#include <stdint.h>

#define NETS_MAX  8u
#define NETS_HUB  0u
#define NETS_HOME UINT32_MAX /* where the test was begun */

/* Ways of a line. */
#define NETS_TO_HUB   1u
#define NETS_FROM_HUB 2u
#define NETS_BOTH     3u

/* Why they cannot be made here; NULL: they can. */
const char *nets_why_not (void);
/* The hub and nets 1 to count. False: why on stderr; then call nets_end all the same. */
bool nets_begin (uint32_t count);
void nets_end (void);
/* The calling thread is in that net, and so is what it opens and whom it starts. */
void nets_enter (uint32_t net);
/* The file of a net, for who is to enter it; valid until the next call. */
const char *nets_file (uint32_t net);
/* The hub's address as that net sees it; valid until the next call. */
const char *nets_hub_address (uint32_t net);

/* Of what goes these ways on the line of a net so many of a hundred packets are lost; 0: none any
 * more. */
void nets_lose (uint32_t net, unsigned ways, unsigned percent);
/* The line carries so many kbit a second, each way. */
void nets_slow (uint32_t net, unsigned kbit);
/* Packets that were lost by nets_lose, and those that had to wait because a line is slow. */
uint64_t nets_lost_count (void);
uint64_t nets_waited_count (void);

#endif
