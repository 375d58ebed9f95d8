/* version.c - which version of the library is running. */

#include "dagwood.h"

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF (number)

const char *dw_version (void) {
    return TEXT (DW_VERSION_MAJOR) "." TEXT (DW_VERSION_MINOR) "." TEXT (DW_VERSION_PATCH);
}
