/* delivery.c - a finished run's slots made into the record that its client gets. */

#include "actors/delivery.h"

#include <stdlib.h>

#include "runtime/core/prefetch.h"

#define GIVEN_BYTES 2048u /* a part of a result that is larger than this is given, not copied */
#define AHEAD       8u    /* so many nodes before it is moved a payload is fetched */

typedef struct s_work_t {
    dw_delivery_t *delivery;
    dw_packet_t *packet;
    dw_writer_t blob, extras;
} s_work_t;

static uint8_t s_status (dw_node_state_t state) {
    switch (state) {
        case DW_STATE_DONE: return DW_NODE_DONE;
        case DW_STATE_FAILED: return DW_NODE_FAILED;
        case DW_STATE_SKIPPED:
        case DW_STATE_LEFT_OUT: return DW_NODE_SKIPPED;
        case DW_STATE_NOT_REQUESTED: return DW_NODE_NOT_REQUESTED;
        case DW_STATE_CANCELLED:
        case DW_STATE_WAITING:
        case DW_STATE_READY:
        case DW_STATE_SENT:
        case DW_STATE_BACKOFF:
        case DW_STATE_ADDED: break;
    }
    return DW_NODE_CANCELLED;
}

static void s_write_causes (s_work_t *work, const uint32_t *causes, uint32_t count) {
    dw_write_array (&work->extras, count);
    for (uint32_t i = 0; i < count; i++)
        dw_write_uint (&work->extras, causes[i]);
}

static void s_on_causes (void *arg, uint32_t node, const uint32_t *causes, uint32_t causes_count) {
    s_work_t *work = arg;
    dw_write_uint (&work->extras, node);
    dw_write_nil (&work->extras);
    dw_write_uint (&work->extras, 0);
    dw_write_nil (&work->extras);
    dw_write_uint (&work->extras, 0);
    dw_write_uint (&work->extras, 0);
    s_write_causes (work, causes, causes_count);
}

/* Says in a slot where in the message its payload is. */
static void s_place (dw_slot_t *slot, dw_slot_form_t form, uint32_t place) {
    slot->form = (uint8_t) form;
    memset (slot->bytes, 0, sizeof slot->bytes);
    memcpy (slot->bytes, &place, sizeof place);
}

/* A payload that is not inside of its slot goes into the blob when it is small, else as a frame. */
static void s_move_payload (s_work_t *work, dw_slot_t *slot, dw_extra_t *extra) {
    size_t size = slot->size, offset = work->blob.count;
    if (!extra->has_payload) {
        slot->form = DW_SLOT_NONE;
        slot->size = 0;
        return;
    }
    bool is_small = size <= DW_WIRE_INLINE_MAX || dw_packet_frames_left (work->packet) < 8;
    if (is_small && offset + size <= UINT32_MAX) {
        dw_write_raw (&work->blob, zmq_msg_data (&extra->payload), size);
        s_place (slot, DW_SLOT_BLOB, (uint32_t) offset);
        return;
    }
    /* The head gets no reference: the slot is one. */
    size_t count = work->packet->head.count;
    dw_packet_give (work->packet, &extra->payload);
    work->packet->head.count = count;
    s_place (slot, DW_SLOT_FRAME, work->packet->count);
}

/* One that its slot owns alone is small. */
static bool s_move_outside (s_work_t *work, dw_slot_t *slot) {
    uint8_t *bytes = dw_slot_outside (slot);
    size_t offset = work->blob.count;
    if (offset + slot->size > UINT32_MAX)
        return false;
    dw_write_raw (&work->blob, bytes, slot->size);
    free (bytes);
    s_place (slot, DW_SLOT_BLOB, (uint32_t) offset);
    return true;
}

static void s_move_extra (s_work_t *work, uint32_t node, dw_slot_t *slot) {
    dw_extra_t *extra = dw_slot_extra (slot);
    bool is_failed = slot->status == DW_NODE_FAILED;
    if (extra->metadata || (is_failed && extra->code) || extra->added_nodes) {
        dw_writer_t *extras = &work->extras;
        dw_write_uint (extras, node);
        if (extra->metadata && slot->status == DW_NODE_DONE)
            dw_write_bin (extras, extra->metadata, extra->metadata_size);
        else
            dw_write_nil (extras);
        dw_write_uint (extras, is_failed ? extra->code : 0);
        if (is_failed && extra->message)
            dw_write_str (extras, extra->message, extra->message_size);
        else
            dw_write_nil (extras);
        dw_write_uint (extras, extra->added_nodes);
        dw_write_uint (extras, extra->added_depth);
        dw_write_nil (extras);
    }
    if (slot->status != DW_NODE_DONE)
        dw_slot_drop_payload (slot); /* of an attempt before the last */
    s_move_payload (work, slot, extra);
    dw_slot_t owner = {.form = DW_SLOT_EXTRA};
    memcpy (owner.bytes, &extra, sizeof extra);
    dw_slot_clear (&owner);
}

/* Room in the blob for what slots own alone, which is mostly all that goes there. */
static void s_reserve_blob (s_work_t *work) {
    const dw_delivery_t *self = work->delivery;
    size_t size = 0;
    for (uint32_t node = 0; node < self->plan->nodes_count; node++)
        if (self->slots[node].form == DW_SLOT_BYTES_OUTSIDE)
            size += self->slots[node].size;
    if (size && size <= UINT32_MAX)
        dw_writer_reserve (&work->blob, size);
}

/* Payloads came at any times, and lie anywhere. */
static void s_prefetch (const dw_delivery_t *self, uint32_t node) {
    const dw_slot_t *slot = node < self->plan->nodes_count ? &self->slots[node] : NULL;
    if (slot && slot->form == DW_SLOT_BYTES_OUTSIDE)
        dw_prefetch (dw_slot_outside (slot), slot->size);
}

/* Gives every slot its status, and makes it travel. */
static void s_settle_slots (s_work_t *work) {
    dw_delivery_t *self = work->delivery;
    bool all_done = dw_scheduler_all_done (self->scheduler, self->run);
    s_reserve_blob (work);
    for (uint32_t node = 0; node < self->plan->nodes_count; node++) {
        dw_slot_t *slot = &self->slots[node];
        s_prefetch (self, node + AHEAD);
        if (!all_done) {
            slot->status = s_status (dw_scheduler_node_state (self->scheduler, self->run, node));
            slot->attempts = (uint16_t) dw_scheduler_node_attempts (self->scheduler, self->run,
                                                                    node);
            if (!dw_scheduler_node_requested (self->scheduler, self->run, node))
                dw_slot_drop_payload (slot);
        }
        if (slot->form == DW_SLOT_BYTES_OUTSIDE && slot->status != DW_NODE_DONE)
            dw_slot_drop_payload (slot); /* of an attempt before the last */
        else if (slot->form == DW_SLOT_BYTES_OUTSIDE && !s_move_outside (work, slot))
            work->packet->head.no_memory |= !dw_slot_need_extra (slot);
        if (slot->form == DW_SLOT_EXTRA)
            s_move_extra (work, node, slot);
        if (slot->form ==
            DW_SLOT_NONE) /* what it pointed to, or had before, is nobody's business */
            memset (slot->bytes, 0, sizeof slot->bytes);
    }
}

static void s_free_slots (void *data, void *hint) {
    (void) hint;
    free (data);
}

/* Appends a part of the result, which is given away when it is large. */
static void s_give (dw_packet_t *packet, void *bytes, size_t size) {
    zmq_msg_t message;
    if (size <= GIVEN_BYTES || zmq_msg_init_data (&message, bytes, size, s_free_slots, NULL)) {
        dw_write_bin (&packet->head, bytes, size);
        free (bytes);
        return;
    }
    dw_packet_give (packet, &message);
    zmq_msg_close (&message);
}

static void s_give_or_nil (dw_packet_t *packet, dw_writer_t *writer) {
    packet->head.no_memory |= writer->no_memory;
    if (writer->count == 0) {
        dw_write_nil (&packet->head);
        dw_writer_free (writer);
    } else
        s_give (packet, writer->bytes, writer->count);
}

int dw_delivery_write (dw_delivery_t *self, dw_packet_t *packet) {
    s_work_t work = {.delivery = self, .packet = packet};
    bool all_done = dw_scheduler_all_done (self->scheduler, self->run);
    if (self->has_extras || !all_done)
        s_settle_slots (&work);
    if (!all_done && dw_scheduler_causes (self->scheduler, self->run, s_on_causes, &work))
        packet->head.no_memory = true;
    dw_writer_t *head = &packet->head;
    dw_write_uint (head, self->client_run);
    dw_write_uint (head, self->status);
    dw_write_uint (head, self->duration_us);
    s_give (packet, self->slots, self->plan->nodes_count * sizeof *self->slots);
    self->slots = NULL;
    s_give_or_nil (packet, &work.blob);
    s_give_or_nil (packet, &work.extras);
    if (self->outputs) {
        dw_write_array (head, self->outputs_count);
        for (uint32_t i = 0; i < self->outputs_count; i++)
            dw_write_uint (head, self->outputs[i]);
    } else
        dw_write_nil (head);
    return packet->head.no_memory ? DW_ENOMEM : DW_OK;
}

void dw_delivery_write_graph (const dw_plan_t *plan, dw_writer_t *writer) {
    dw_write_array (writer, plan->nodes_count);
    for (uint32_t node = 0; node < plan->nodes_count; node++)
        dw_write_str (writer, plan->ids[node], strlen (plan->ids[node]));
    dw_write_array (writer, plan->sinks_count);
    for (uint32_t i = 0; i < plan->sinks_count; i++)
        dw_write_uint (writer, plan->sinks[i]);
}
