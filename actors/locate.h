/* locate.h - finds the endpoint of a graph from that of its coordinator's process, which may have
 * several.
 *
 * Whoever is asked can send the asker to another port of the same address, or another file beside
 * the same one, and nowhere else; the key that is expected there is the same. */

#ifndef DW_LOCATE_H
#define DW_LOCATE_H

#include "actors/link.h"

#define DW_GRAPHS_MAX     64u  /* of a process */
#define DW_GRAPH_NAME_MAX 255u /* bytes of the name of one */

/* Asks, in a connection of its own, where the graph of this name is, which *endpoint_p becomes;
 * what it was, NULL or allocated (endpoint itself, too), is freed. An error changes nothing.
 * names_p and count_p: as dw_graph_names, or NULL. Errors: as dw_client_connect; DW_ECLOSED it was
 * stopped; DW_EREFUSED there is no such graph. */
int dw_locate (char **endpoint_p, void *context, const char *endpoint, const dw_link_keys_t *keys,
               const char *graph, int timeout_ms, const dw_link_stop_t *stop, char ***names_p,
               size_t *count_p, dw_error_t *error);

/* Asks options->where, if there is one, where to look from now on, because a coordinator that was
 * started again may be elsewhere: what it says becomes *asked_at_p and *endpoint_p, both allocated.
 * Nothing said, or no memory, changes nothing. */
void dw_locate_anew (const dw_connect_options_t *options, char **asked_at_p, char **endpoint_p);

#endif
