/* fuzz_payload.c - any bytes as a msgpack value: what our check lets through, msgpack-c reads. */

#include <msgpack.h>
#include <stdlib.h>

#include "runtime/payload.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void s_expect (bool is_so) {
    if (!is_so)
        abort ();
}

static void s_check_text (const uint8_t *data, size_t size) {
    size_t text_size;
    const char *text = dw_payload_text (data, size, &text_size);
    uint8_t head[DW_PAYLOAD_HEAD_MAX];
    if (!text) {
        s_expect (text_size == 0);
        return;
    }
    size_t head_size = dw_payload_is_text (data, size) ? dw_payload_text_head (head, text_size)
                                                       : dw_payload_bytes_head (head, text_size);
    const uint8_t *end = (const uint8_t *) text + text_size;
    s_expect (end <= data + size);
    s_expect (head_size + text_size <= dw_payload_measure (data, size)); /* no form is shorter */
}

static void s_check_map (const uint8_t *data, size_t size) {
    dw_payload_map_t map;
    dw_payload_pair_t pair;
    uint32_t said = dw_payload_map_start (&map, data, size), pairs_count = 0;
    while (dw_payload_map_next (&map, &pair)) {
        size_t value_size;
        pairs_count++;
        s_expect ((const uint8_t *) pair.value + pair.value_size <= data + size);
        if (pairs_count < 16)
            s_expect (dw_payload_map_find (data, size, pair.key, pair.key_size, &value_size) !=
                      NULL);
    }
    s_expect (pairs_count <= said);
    if (dw_payload_map_check (data, size) == DW_OK)
        s_expect (pairs_count == said && dw_payload_check (data, size) == DW_OK);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    size_t measured = dw_payload_measure (data, size);
    s_expect (measured <= size);
    s_expect ((dw_payload_check (data, size) == DW_OK) == (size > 0 && measured == size));
    s_check_text (data, size);
    s_check_map (data, size);
    if (measured == 0)
        return 0;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init (&unpacked);
    size_t offset = 0;
    int result = msgpack_unpack_next (&unpacked, (const char *) data, size, &offset);
    s_expect (result == MSGPACK_UNPACK_SUCCESS && offset == measured);
    msgpack_unpacked_destroy (&unpacked);
    return 0;
}
