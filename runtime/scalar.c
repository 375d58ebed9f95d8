/* scalar.c - see scalar.h. */

#include "runtime/scalar.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- Words ---------------------------------------------------------------------------------- */

static const struct {
    const char *spellings[4];
    dw_scalar_t scalar;
} s_words[] = {
    {{"", "~"}, {DW_VALUE_NULL, {0}}},
    {{"null", "Null", "NULL"}, {DW_VALUE_NULL, {0}}},
    {{"true", "True", "TRUE"}, {DW_VALUE_BOOLEAN, {.boolean = true}}},
    {{"yes", "Yes", "YES"}, {DW_VALUE_BOOLEAN, {.boolean = true}}},
    {{"on", "On", "ON"}, {DW_VALUE_BOOLEAN, {.boolean = true}}},
    {{"false", "False", "FALSE"}, {DW_VALUE_BOOLEAN, {.boolean = false}}},
    {{"no", "No", "NO"}, {DW_VALUE_BOOLEAN, {.boolean = false}}},
    {{"off", "Off", "OFF"}, {DW_VALUE_BOOLEAN, {.boolean = false}}},
    {{".nan", ".NaN", ".NAN"}, {DW_VALUE_NUMBER, {.number = (double) NAN}}},
    {{".inf", ".Inf", ".INF"}, {DW_VALUE_NUMBER, {.number = (double) INFINITY}}},
    {{"+.inf", "+.Inf", "+.INF"}, {DW_VALUE_NUMBER, {.number = (double) INFINITY}}},
    {{"-.inf", "-.Inf", "-.INF"}, {DW_VALUE_NUMBER, {.number = -(double) INFINITY}}},
};

static bool s_word (const char *text, dw_scalar_t *scalar) {
    for (size_t i = 0; i < sizeof (s_words) / sizeof (s_words[0]); i++)
        for (const char *const *spelling = s_words[i].spellings; *spelling; spelling++)
            if (strcmp (text, *spelling) == 0) {
                *scalar = s_words[i].scalar;
                return true;
            }
    return false;
}

/* -- Integers ------------------------------------------------------------------------------- */

static unsigned s_digit (char character) {
    if (character >= '0' && character <= '9')
        return (unsigned) (character - '0');
    if (character >= 'a' && character <= 'f')
        return (unsigned) (character - 'a') + 10;
    if (character >= 'A' && character <= 'F')
        return (unsigned) (character - 'A') + 10;
    return 99;
}

/* Skips what says the base, and gives it. */
static unsigned s_base (const char **text_p) {
    const char *text = *text_p;
    if (text[0] != '0' || text[1] == '\0')
        return 10;
    char letter = text[1];
    bool has_letter = letter == 'x' || letter == 'o' || letter == 'b';
    *text_p += has_letter ? 2 : 1;
    return letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
}

/* text is without a sign. An integer that does not fit becomes a number, here unless decimal. */
static bool s_integer (const char *text, bool negative, dw_scalar_t *scalar) {
    unsigned base = s_base (&text);
    if (s_digit (*text) >= base)
        return false;
    uint64_t limit = negative ? (uint64_t) INT64_MAX + 1 : INT64_MAX;
    uint64_t integer = 0;
    double number = 0;
    bool fits = true;
    for (; *text; text++) {
        if (*text == '_')
            continue;
        unsigned digit = s_digit (*text);
        if (digit >= base)
            return false;
        number = number * base + digit;
        fits = fits && integer <= (limit - digit) / base;
        integer = fits ? integer * base + digit : 0;
    }
    if (!fits && base == 10)
        return false;
    if (fits) {
        scalar->type = DW_VALUE_INTEGER;
        scalar->value.integer = (int64_t) (negative ? 0 - integer : integer);
    } else {
        scalar->type = DW_VALUE_NUMBER;
        scalar->value.number = negative ? -number : number;
    }
    return true;
}

/* -- Numbers -------------------------------------------------------------------------------- */

/* Copies digits without underscores; returns how many. */
static size_t s_copy_digits (const char **text_p, char **copy_p) {
    size_t digits_count = 0;
    for (; s_digit (**text_p) < 10 || (**text_p == '_' && digits_count > 0); (*text_p)++)
        if (**text_p != '_') {
            *(*copy_p)++ = **text_p;
            digits_count++;
        }
    return digits_count;
}

/* Copies text in the form that strtod knows: [digits][.[digits]][e[sign]digits]. False when it is
 * not of that form. Without dot and exponent it is an integer that was too large, or text (08). */
static bool s_copy_number (const char *text, char *copy) {
    bool leading_zero = *text == '0';
    size_t digits_count = s_copy_digits (&text, &copy);
    bool has_dot = *text == '.';
    if (has_dot) {
        *copy++ = *text++;
        digits_count += s_copy_digits (&text, &copy);
    }
    if (digits_count == 0)
        return false;
    bool has_exponent = *text == 'e' || *text == 'E';
    if (has_exponent) {
        *copy++ = *text++;
        if (*text == '+' || *text == '-')
            *copy++ = *text++;
        if (s_copy_digits (&text, &copy) == 0)
            return false;
    }
    *copy = '\0';
    return *text == '\0' && (has_dot || has_exponent || !leading_zero);
}

static bool s_number (const char *text, bool negative, dw_scalar_t *scalar) {
    char copy[DW_SCALAR_BYTES_MAX + 1];
    if (!s_copy_number (text, copy))
        return false;
    locale_t plain = newlocale (LC_ALL_MASK, "C", (locale_t) 0); /* takes no memory in glibc */
    double number = plain ? strtod_l (copy, NULL, plain) : strtod (copy, NULL);
    if (plain)
        freelocale (plain);
    scalar->type = DW_VALUE_NUMBER;
    scalar->value.number = negative ? -number : number;
    return true;
}

/* ------------------------------------------------------------------------------------------- */

dw_scalar_t dw_scalar_read (const char *bytes, size_t size) {
    dw_scalar_t scalar = {.type = DW_VALUE_TEXT};
    char text[DW_SCALAR_BYTES_MAX + 1];
    if (size > DW_SCALAR_BYTES_MAX || (size && memchr (bytes, '\0', size)))
        return scalar;
    if (size)
        memcpy (text, bytes, size);
    text[size] = '\0';
    if (s_word (text, &scalar))
        return scalar;

    bool negative = text[0] == '-';
    const char *digits = text + (negative || text[0] == '+');
    if (!s_integer (digits, negative, &scalar) && !s_number (digits, negative, &scalar))
        scalar.type = DW_VALUE_TEXT;
    return scalar;
}
