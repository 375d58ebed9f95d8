/* fuzz_wire.c - any bytes as the records of the protocol: what is damaged is found, what is not
 * reads as in msgpack-c. */

#include "tests/support/wire_records.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    if (size > 0)
        wire_read ((wire_kind_t) (data[0] % WIRE_KINDS), data + 1, size - 1);
    return 0;
}
