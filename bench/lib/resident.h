/* resident.h - how much memory this process has, and could have: what the kernel counts. */

#ifndef DW_RESIDENT_H
#define DW_RESIDENT_H

#include <stdint.h>

/* Bytes that are resident now, after free memory was given back; 0: unknown. */
uint64_t dw_resident_bytes (void);
/* The most that ever were since dw_resident_reset; 0: unknown. */
uint64_t dw_resident_peak_bytes (void);
/* Forgets the peak; where the kernel does not allow it, the peak is of the whole life. */
void dw_resident_reset (void);
/* Bytes that processes could take without swapping; 0: unknown. */
uint64_t dw_resident_available_bytes (void);

#endif
