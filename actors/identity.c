/* identity.c - who a worker process says that it is. */

#include "actors/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/core/error.h"

/* FNV-1a of 128 bits (Fowler, Noll, Vo): the same name is the same process, whatever its
 * machine. */
static void s_hash_name (uint8_t *uuid, const char *name, uint32_t part) {
    unsigned __int128 hash = (unsigned __int128) UINT64_C (0x6c62272e07bb0142) << 64 |
                             UINT64_C (0x62b821756295c58d);
    const unsigned __int128 prime = (unsigned __int128) 1 << 88 | 0x13b;
    for (; *name; name++)
        hash = (hash ^ (uint8_t) *name) * prime;
    for (; part > 0; part >>= 8) /* behind the NUL that no name has */
        hash = (hash * prime ^ (uint8_t) part) * prime;
    for (size_t i = 0; i < DW_WIRE_UUID_SIZE; i++)
        uuid[i] = (uint8_t) (hash >> (120 - 8 * i));
}

static bool s_is_name (const char *name) {
    size_t size = strnlen (name, DW_AGENT_NAME_MAX + 1);
    for (size_t i = 0; i < size; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    return size > 0 && size <= DW_AGENT_NAME_MAX;
}

static void s_set_host (dw_identity_t *self, const char *name) {
    char machine[DW_IDENTITY_HOST_SIZE - DW_AGENT_NAME_MAX - 1] = "";
    gethostname (machine, sizeof machine - 1);
    snprintf (self->host, sizeof self->host, "%s%s%s", name ? name : "", name ? "@" : "", machine);
}

int dw_identity_make (dw_identity_t *self, const char *name, uint32_t incarnation, uint32_t part,
                      dw_error_t *error) {
    if (name && !s_is_name (name))
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE,
                             "a worker's name has 1 to %d printable characters of ASCII, none of "
                             "them a blank",
                             DW_AGENT_NAME_MAX);
    if (!name && incarnation)
        return dw_error_add (error, DW_EINVAL, DW_NOWHERE, "an incarnation needs a name");
    s_set_host (self, name);
    self->incarnation = (uint64_t) incarnation << 32;
    if (name)
        s_hash_name (self->uuid, name, part);
    else if (getrandom (self->uuid, sizeof self->uuid, 0) != (ssize_t) sizeof self->uuid)
        return dw_error_add (error, DW_ELIMIT, DW_NOWHERE, "the system gives no random bytes");
    return DW_OK;
}
