/* Numbers of a JSON text: their grammar, and whether a double can hold them. */
#ifndef MC_LUALIB_JSON_NUMBER_H
#define MC_LUALIB_JSON_NUMBER_H

#include "base/slice.h"

typedef enum mc_json_number_kind {
  MC_JSON_NUMBER_INVALID,
  MC_JSON_NUMBER_EXACT,   /* an integer within ±(2^53 - 1), or a fraction: as close as a double gets */
  MC_JSON_NUMBER_WIDE,    /* an integer beyond that, which a double would round */
  MC_JSON_NUMBER_EXTREME, /* may lie beyond the range of a double */
} mc_json_number_kind;

/* Reads the number at the start of a NUL-terminated text and sets *end after it (untouched when it is INVALID). */
mc_json_number_kind mc_json_number_read(const char *text, const char **end);

#endif
