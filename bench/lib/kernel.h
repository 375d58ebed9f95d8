/* kernel.h - what takes time in a task, beside the mixing.
 *
 * A kernel's work is counted in rounds whose length is measured on this machine; it changes no
 * result, so that results are the same on every machine. Any number of threads at a time. */

#ifndef DW_KERNEL_H
#define DW_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dw_kernel_t {
    DW_KERNEL_EMPTY,   /* nothing but the mixing */
    DW_KERNEL_COMPUTE, /* task_ns of calibrated work: each round waits for the one before */
    DW_KERNEL_UNEVEN, /* the same, with a time drawn for each task: exponential, its mean task_ns */
    DW_KERNEL_MEMORY, /* task_ns of streaming through memory that no cache holds */
    DW_KERNEL_BLOCK,  /* sleeps for task_ns */
    DW_KERNELS
} dw_kernel_t;

/* By dw_kernel_t; ended by NULL. */
extern const char *const dw_kernel_names[];

/* What the memory kernel reads; nobody writes it. A multiple of the last cache's size. */
typedef struct dw_kernel_memory_t {
    uint64_t *words;
    size_t lines_count; /* of 64 bytes */
} dw_kernel_memory_t;

/* How many bytes dw_kernel_memory_init takes. */
size_t dw_kernel_memory_bytes (void);
/* Errors: DW_ENOMEM. */
int dw_kernel_memory_init (dw_kernel_memory_t *self);
void dw_kernel_memory_free (dw_kernel_memory_t *self);

/* How long a round of the kernel takes now, in nanoseconds: the fastest of several tries, since
 * what disturbs only ever adds. Takes some 10 ms. memory: for the memory kernel, else not looked
 * at. */
double dw_kernel_ns_per_round (dw_kernel_t kernel, const dw_kernel_memory_t *memory);
/* Works for so many rounds. place: where in the memory a task begins, any number. */
void dw_kernel_run (dw_kernel_t kernel, uint64_t rounds, const dw_kernel_memory_t *memory,
                    uint64_t place);

/* The factor by which the uneven kernel makes a task longer or shorter: exponential with mean 1,
 * drawn from seed for each task (von Neumann, "Various techniques used in connection with random
 * digits", 1951: by comparing uniform numbers alone, so the same on every machine). */
double dw_kernel_draw (uint64_t seed, uint64_t task);

#ifdef __cplusplus
}
#endif

#endif
