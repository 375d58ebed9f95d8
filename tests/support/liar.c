/* liar.c - a coordinator that says what a test tells it to. */

#include "tests/support/liar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/wire.h"

typedef struct liar_t {
    zsock_t *router;
    zmsg_t *welcome;   /* its answer to HELLO; NULL: it is silent */
    zlistx_t *answers; /* its answer to SUBMIT, one after another */
    zframe_t *flooded; /* whom it goes on sending the first answer to; NULL: nobody */
} liar_t;

static void s_destroy_message (void **item) {
    zmsg_destroy ((zmsg_t **) item);
}

static void s_say (liar_t *self, zframe_t *to, zmsg_t *message) {
    zmsg_t *copy = message ? zmsg_dup (message) : NULL;
    if (!copy)
        return;
    zframe_t *id = zframe_dup (to);
    zmsg_prepend (copy, &id);
    zmsg_send (&copy, self->router);
}

static void s_on_client (liar_t *self) {
    zmsg_t *message = zmsg_recv (self->router);
    zframe_t *id = zmsg_pop (message), *head = zmsg_pop (message);
    uint8_t type = head && zframe_size (head) ? zframe_data (head)[0] : DW_WIRE_TYPES;
    if (type == DW_WIRE_HELLO)
        s_say (self, id, self->welcome);
    for (zmsg_t *answer = zlistx_first (self->answers); answer && type == DW_WIRE_SUBMIT;
         answer = zlistx_next (self->answers))
        s_say (self, id, answer);
    if (type == DW_WIRE_SUBMIT && self->flooded && zframe_size (self->flooded) == 0)
        zframe_reset (self->flooded, zframe_data (id), zframe_size (id));
    zframe_destroy (&id);
    zframe_destroy (&head);
    zmsg_destroy (&message);
}

/* What the test says: a word, and the message that it is about. False: it is over. */
static bool s_on_test (liar_t *self, zsock_t *pipe) {
    zmsg_t *message = zmsg_recv (pipe);
    char *word = message ? zmsg_popstr (message) : NULL;
    bool goes_on = word && strcmp (word, "$TERM") != 0;
    if (goes_on && strcmp (word, "WELCOME") == 0) {
        zmsg_destroy (&self->welcome);
        self->welcome = zmsg_dup (message);
    } else if (goes_on && strcmp (word, "SILENCE") == 0) {
        zmsg_destroy (&self->welcome);
    } else if (goes_on && strcmp (word, "ANSWER") == 0) {
        zlistx_add_end (self->answers, zmsg_dup (message));
    } else if (goes_on && strcmp (word, "FLOOD") == 0) {
        self->flooded = zframe_new_empty ();
    } else if (goes_on) { /* FORGET */
        zlistx_purge (self->answers);
        zframe_destroy (&self->flooded);
    }
    if (goes_on)
        zsock_signal (pipe, 0);
    zstr_free (&word);
    zmsg_destroy (&message);
    return goes_on;
}

static void s_liar_actor (zsock_t *pipe, void *args) {
    liar_t self = {.router = zsock_new (ZMQ_ROUTER), .answers = zlistx_new ()};
    zlistx_set_destructor (self.answers, s_destroy_message);
    zsock_bind (self.router, "%s", (const char *) args);
    zpoller_t *poller = zpoller_new (pipe, self.router, NULL);
    zsock_signal (pipe, 0);
    for (bool goes_on = true; goes_on;) {
        bool floods = self.flooded && zframe_size (self.flooded) > 0;
        const void *ready = zpoller_wait (poller, floods ? 0 : -1);
        if (ready == pipe)
            goes_on = s_on_test (&self, pipe);
        else if (ready == self.router)
            s_on_client (&self);
        for (int i = 0; floods && self.flooded && i < 100; i++)
            s_say (&self, self.flooded, zlistx_first (self.answers));
    }
    zpoller_destroy (&poller);
    zlistx_destroy (&self.answers);
    zmsg_destroy (&self.welcome);
    zframe_destroy (&self.flooded);
    zsock_destroy (&self.router);
}

zactor_t *liar_new (const char *endpoint) {
    zactor_t *self = zactor_new (s_liar_actor, (void *) (uintptr_t) endpoint);
    assert_non_null (self);
    return self;
}

void liar_tell (zactor_t *self, const char *word, zmsg_t *message) {
    zmsg_t *copy = message ? zmsg_dup (message) : zmsg_new ();
    zmsg_pushstr (copy, word);
    assert_int_equal (zmsg_send (&copy, self), 0);
    assert_int_equal (zsock_wait (self), 0);
}
