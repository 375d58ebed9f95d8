/* embed.c - a graph of two nodes, built in C, run once; the program of the README. */

#include <dagwood.h>
#include <stdio.h>

int main (void) {
    dw_error_t *error = dw_error_new ();
    dw_graph_t *graph = dw_graph_new ();
    dw_system_t *system = NULL;
    dw_client_t *client = NULL;
    dw_result_t *result = NULL;
    dw_graph_add (graph, "upper", "change_text_case_upper");
    dw_graph_depend (graph, dw_graph_add (graph, "reverse", "reverse_text"), "upper");
    int err = dw_system_open (&system, graph, NULL, error) ||
              dw_client_new (&client, system, error) ||
              dw_client_run_text (client, "hello", &result, error);
    if (!err) {
        size_t size;
        const char *text = dw_result_text (result, dw_result_find (result, "reverse"), &size);
        printf ("%.*s\n", (int) size, text ? text : "");
    }
    fputs (dw_error_text (error), stderr);
    dw_result_destroy (&result);
    dw_client_destroy (&client);
    dw_system_close (&system, -1, NULL);
    dw_graph_destroy (&graph);
    dw_error_destroy (&error);
    return err;
}
