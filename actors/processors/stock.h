/* stock.h - the list of the stock processors: the one place to add to when one is added.
 *
 * Each is a constant table dw_stock_NAME in the file NAME.c; the four changers of letter case share
 * one. What an instance has to remember it would keep in its instance, never in a static. */

#ifndef DW_STOCK_H
#define DW_STOCK_H

#include "dagwood_processor.h"

#define DW_STOCK(X)             \
    X (change_text_case_lower)  \
    X (change_text_case_proper) \
    X (change_text_case_title)  \
    X (change_text_case_upper)  \
    X (concat)                  \
    X (fail)                    \
    X (for_each_line)           \
    X (identity)                \
    X (pick_lines)              \
    X (prefix_suffix_adder)     \
    X (repeat_until)            \
    X (reverse_text)            \
    X (skip_unless)             \
    X (sleep)                   \
    X (spin)                    \
    X (token_counter)           \
    X (word_frequency_analyzer)

#define X(name) extern const dw_processor_t dw_stock_##name;
DW_STOCK (X)
#undef X

#endif
