/* output.c */

#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unistr.h>

#include "cli/command.h"
#include "runtime/core/error.h"

static void s_complain (int reason) {
    if (reason != EPIPE)
        dw_command_say ("standard output cannot be written: %s", strerror (reason));
}

bool dw_output_write (const void *bytes, size_t size) {
    if (ferror (stdout))
        return false;
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
    if (ferror (stdout))
        return false;
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

size_t dw_output_visible (uint32_t *point_p, const char *text, size_t size) {
    ucs4_t point;
    int taken = u8_mbtoucr (&point, (const uint8_t *) text, size);
    bool is_visible = taken >= 0 && point >= 0x20 && (point < 0x7f || point >= 0xa0);
    *point_p = is_visible ? point : '?';
    return taken < 0 ? 1 : (size_t) taken;
}

bool dw_output_write_visible (const char *text, size_t size) {
    bool is_written = true;
    for (size_t at = 0; at < size && is_written;) {
        uint32_t point;
        uint8_t bytes[6] = {0};
        at += dw_output_visible (&point, text + at, size - at);
        is_written = dw_output_write (bytes, (size_t) u8_uctomb (bytes, point, sizeof bytes));
    }
    return is_written;
}

bool dw_output_write_escaped (const char *text) {
    char escaped[2 * DW_ESCAPED_MAX + 1];
    const char *from = text;
    for (size_t control; *text; text += control ? control : 1) {
        control = dw_error_control (text);
        if (control) {
            dw_output_write (from, (size_t) (text - from));
            dw_output_write (escaped, dw_error_escape (escaped, text, control));
            from = text + control;
        }
    }
    return dw_output_text (from);
}

/* A pipe or a terminal that is writable takes so much at once; a file takes all. */
static size_t s_piece_max (void) {
    struct stat about;
    bool is_file = fstat (STDOUT_FILENO, &about) == 0 && S_ISREG (about.st_mode);
    return is_file ? SIZE_MAX / 2 : PIPE_BUF;
}

ssize_t dw_output_write_some (const void *bytes, size_t size) {
    size_t written = 0, piece_max = s_piece_max ();
    struct pollfd item = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (written < size && poll (&item, 1, 0) > 0) {
        size_t left = size - written;
        ssize_t count = write (STDOUT_FILENO, (const char *) bytes + written,
                               left < piece_max ? left : piece_max);
        if (count >= 0) {
            written += (size_t) count;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            s_complain (errno);
            return -1;
        }
    }
    return (ssize_t) written;
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
