/* coordinator_record.c - what the coordinator records of all that goes into its scheduler. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/coordinator_self.h"
#include "actors/processors.h"

int dw_coordinator_record_open (dw_coordinator_t *self, const dw_scheduler_options_t *options,
                                dw_error_t *error) {
    const dw_program_t *program = self->options.program;
    uint32_t kinds_count = self->plan->kinds_count;
    if (!self->options.record)
        return DW_OK;
    dw_trait_t *traits = calloc (kinds_count + 1u, sizeof *traits);
    if (!traits)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    for (uint32_t kind = 0; kind < kinds_count; kind++)
        traits[kind] = dw_processor_trait (program->processors[kind]);
    dw_recording_header_t header = {.dagwood = dw_version (),
                                    .name = self->options.name,
                                    .plan_digest = self->options.digest,
                                    .options = *options,
                                    .cpus_count = self->options.cpus_count,
                                    .kinds = self->plan->kinds,
                                    .traits = traits,
                                    .kinds_count = kinds_count,
                                    .graph = zmq_msg_data (self->options.packed),
                                    .graph_size = zmq_msg_size (self->options.packed)};
    int err = dw_record_open (&self->record, self->options.record, self->options.record_bytes_max,
                              &header, error);
    free (traits);
    return err;
}

void dw_coordinator_record_look (dw_coordinator_t *self, int64_t now_ns) {
    if (!self->record || dw_record_look (self->record, now_ns))
        return;
    dw_coordinator_notice (self, "%s",
                           self->record->reason ? self->record->reason : "recording has ended");
    dw_record_close (&self->record);
}

void dw_coordinator_record_place (dw_coordinator_t *self, uint32_t worker,
                                  const dw_remote_agent_t *agent) {
    char text[320];
    if (!self->record)
        return;
    snprintf (text, sizeof text, "%s, process %" PRIu64, agent->host, agent->pid);
    dw_recorder_place (&self->record->recorder, worker, text);
}

void dw_coordinator_record_close (dw_coordinator_t *self) {
    dw_record_close (&self->record);
}
