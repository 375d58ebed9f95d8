/* machine.h - where and with what something was measured. */

#ifndef DW_MACHINE_H
#define DW_MACHINE_H

#include <stdint.h>

typedef struct dw_machine_t {
    char cpu[128];    /* its model; "unknown" */
    uint32_t cores;   /* that this process may use */
    char kernel[192]; /* such as "Linux 6.1.0-18-amd64 x86_64" */
    char libzmq[32];  /* the version that is running */
    const char *dagwood;
    const char *compiler; /* of this program */
} dw_machine_t;

void dw_machine_look (dw_machine_t *self);

#endif
