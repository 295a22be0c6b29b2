/* Numbers of a JSON text: see json_number.h. */
#include "lualib/json_number.h"

#define EXACT_LIMIT "9007199254740991" /* 2^53 - 1 */
#define EXACT_DIGITS (sizeof EXACT_LIMIT - 1)
#define RANGE_DIGITS 300 /* fewer digits, and no large exponent, stay below 1e308 */
#define RANGE_EXPONENT_DIGITS 3

/* The end of a run of at least one digit; NULL when there is none. */
static const char *read_digits(const char *at) {
  size_t count = strspn(at, "0123456789");
  return count ? at + count : NULL;
}

static mc_json_number_kind integer_kind(mc_slice digits) {
  bool exact = digits.size < EXACT_DIGITS ||
               (digits.size == EXACT_DIGITS && memcmp(digits.data, EXACT_LIMIT, EXACT_DIGITS) <= 0);
  return exact ? MC_JSON_NUMBER_EXACT : MC_JSON_NUMBER_WIDE;
}

mc_json_number_kind mc_json_number_read(const char *text, const char **end) {
  const char *digits = text + (*text == '-');
  const char *at = read_digits(digits);
  bool extreme = false;
  if (!at || (at - digits > 1 && *digits == '0'))
    return MC_JSON_NUMBER_INVALID;
  if (*at != '.' && *at != 'e' && *at != 'E') {
    *end = at;
    return integer_kind((mc_slice){digits, (size_t)(at - digits)});
  }
  if (*at == '.' && !(at = read_digits(at + 1)))
    return MC_JSON_NUMBER_INVALID;
  if (*at == 'e' || *at == 'E') {
    const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');
    if (!(at = read_digits(exponent)))
      return MC_JSON_NUMBER_INVALID;
    extreme = at - exponent >= RANGE_EXPONENT_DIGITS;
  }
  *end = at;
  return extreme || at - text > RANGE_DIGITS ? MC_JSON_NUMBER_EXTREME : MC_JSON_NUMBER_EXACT;
}
