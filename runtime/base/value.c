/* A reply of Redis as a tree of values: see value.h. */
#include "base/value.h"

#include <stdio.h>
#include <stdlib.h>

const mc_value *mc_value_item(const mc_value *value, size_t i) {
  return value && value->kind == MC_VALUE_ARRAY && i < value->count ? value->items[i] : NULL;
}

bool mc_value_is_text(const mc_value *value, const char *text) {
  return value && value->kind == MC_VALUE_STRING && mc_slice_equal(value->text, mc_slice_of(text));
}

int mc_value_integer(const mc_value *value, int64_t *out) {
  if (!value)
    return MC_EMALFORMED;
  if (value->kind == MC_VALUE_INTEGER) {
    *out = value->integer;
    return 0;
  }
  if (value->kind != MC_VALUE_STRING)
    return MC_EMALFORMED;
  size_t i = 0;
  bool negative = value->text.size > 0 && value->text.data[0] == '-';
  int64_t number = 0;
  if (negative)
    i++;
  if (i == value->text.size)
    return MC_EMALFORMED;
  for (; i < value->text.size; i++) {
    char c = value->text.data[i];
    if (c < '0' || c > '9' || __builtin_mul_overflow(number, 10, &number) ||
        __builtin_sub_overflow(number, c - '0', &number)) /* counted downwards: INT64_MIN has no positive twin */
      return MC_EMALFORMED;
  }
  if (!negative && number == INT64_MIN)
    return MC_EMALFORMED;
  *out = negative ? number : -number;
  return 0;
}

int mc_value_score(const mc_value *value, double *out) {
  char text[64], *end;
  if (!value || value->kind != MC_VALUE_STRING || value->text.size == 0 || value->text.size >= sizeof text)
    return MC_EMALFORMED;
  snprintf(text, sizeof text, "%.*s", MC_SLICE_PRINT(value->text));
  double score = strtod(text, &end);
  if (end != text + value->text.size)
    return MC_EMALFORMED;
  *out = score;
  return 0;
}

bool mc_value_is_error(const mc_value *value, const char *first_word) {
  size_t size = strlen(first_word);
  return value && value->kind == MC_VALUE_ERROR && value->text.size >= size &&
         memcmp(value->text.data, first_word, size) == 0 && (value->text.size == size || value->text.data[size] == ' ');
}

int mc_value_check_array(const mc_value *reply, const char *operation, mc_err *err) {
  if (reply && reply->kind == MC_VALUE_ERROR)
    return mc_fail(err, MC_ESERVER, "%s: Redis answered: %.*s", operation, MC_SLICE_PRINT(reply->text));
  if (!reply || reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "%s: the reply is no array", operation);
  return 0;
}
