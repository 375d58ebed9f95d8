/* output.c */

#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static void s_complain (int reason) {
    if (reason != EPIPE) {
        dw_command_say ("standard output cannot be written: %s", strerror (reason));
    }
}

bool dw_output_write (const void *bytes, size_t size) {
    if (ferror (stdout)) {
        return false;
    }
    if (fwrite (bytes, 1, size, stdout) != size) {
        s_complain (errno);
        return false;
    }
    return true;
}

bool dw_output_text (const char *text) {
    return dw_output_write (text, strlen (text));
}

bool dw_output_print (const char *format, ...) {
    if (ferror (stdout)) {
        return false;
    }
    va_list arguments;
    va_start (arguments, format);
    int size = vprintf (format, arguments);
    va_end (arguments);
    if (size < 0) {
        s_complain (errno);
        return false;
    }
    return true;
}

bool dw_output_failed (void) {
    return ferror (stdout);
}

int dw_output_close (int status) {
    bool failed = ferror (stdout);
    if (!failed && fflush (stdout) != 0) {
        s_complain (errno);
        failed = true;
    }
    return failed ? DW_EXIT_OUTPUT : status;
}
