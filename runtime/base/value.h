/* A reply of Redis as a tree of values. redis/ builds it from the wire; protocol/ reads it. */
#ifndef MC_BASE_VALUE_H
#define MC_BASE_VALUE_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

typedef enum mc_value_kind {
  MC_VALUE_NIL,
  MC_VALUE_INTEGER,
  MC_VALUE_STRING, /* bulk strings and status lines */
  MC_VALUE_ERROR,
  MC_VALUE_ARRAY,
} mc_value_kind;

typedef struct mc_value {
  mc_value_kind kind;
  int64_t integer;         /* INTEGER */
  mc_slice text;           /* STRING, ERROR; not NUL-terminated */
  size_t count;            /* ARRAY */
  struct mc_value **items; /* ARRAY: count values, none of them NULL */
} mc_value;

/* Item i of an array, NULL when it is not an array or has no such item. */
const mc_value *mc_value_item(const mc_value *value, size_t i);

/* True for a STRING (or ERROR, where asked for) that says exactly this. */
bool mc_value_is_text(const mc_value *value, const char *text);

/* An INTEGER, or a STRING of decimal digits: 0 and *out; else MC_EMALFORMED. */
int mc_value_integer(const mc_value *value, int64_t *out);

/* The score of a sorted set's member: any number, inf and -inf among them. 0 and *out; else MC_EMALFORMED. */
int mc_value_score(const mc_value *value, double *out);

/* Takes a reply that is to be an array: 0; MC_ESERVER and what Redis said for an ERROR; MC_EMALFORMED for anything
 * else, and for NULL. */
int mc_value_check_array(const mc_value *reply, const char *operation, mc_err *err);

/* An ERROR whose text begins with this word, e.g. "NOSCRIPT". */
bool mc_value_is_error(const mc_value *value, const char *first_word);

#endif
