/* endpoints.h - texts of endpoints, good, bad and tricky, and who could reach what listens
 * there. */

#ifndef TESTS_ENDPOINTS_H
#define TESTS_ENDPOINTS_H

#include "actors/endpoint.h"

typedef struct endpoint_case_t {
    const char *endpoint;
    dw_reach_t reach;
} endpoint_case_t;

extern const endpoint_case_t endpoint_cases[];
extern const size_t endpoint_cases_count;

#endif
