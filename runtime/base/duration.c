/* Durations: see duration.h. */
#include "base/duration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct unit {
  const char *name;
  int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

#define UNIT_COUNT (sizeof units / sizeof *units)
#define MAX_MS 3.15e14 /* ten thousand years */

static int unit_find(const char *name, size_t size) {
  for (size_t i = 0; i < UNIT_COUNT; i++)
    if (strlen(units[i].name) == size && memcmp(units[i].name, name, size) == 0)
      return (int)i;
  return -1;
}

static int refuse(const char *text, mc_err *err) {
  const char *begin = text + strspn(text, " \t");
  if (begin[0] == '-' && begin[1] && strchr("0123456789.", begin[1]))
    return mc_fail(err, MC_EINVALID, "a duration must not be negative, as '%s' is", text);
  return mc_fail(err, MC_EINVALID, "'%s' is no duration: write seconds or units such as \"90s\", \"1h30m\", \"250ms\"",
                 text);
}

int mc_duration_parse(const char *text, int64_t *out_ms, mc_err *err) {
  double total = 0;
  unsigned seen = 0;
  const char *at = text;
  if (!*text)
    return refuse(text, err);
  while (*at) {
    size_t digits = strspn(at, "0123456789.");
    char *end = NULL;
    if (digits == 0)
      return refuse(text, err);
    double number = strtod(at, &end);
    if (end != at + digits)
      return refuse(text, err);
    size_t letters = strcspn(end, "0123456789.");
    int unit = letters == 0 && at == text ? 1 : unit_find(end, letters); /* a bare number means seconds */
    if (unit < 0 || (seen & (1u << unit)))
      return refuse(text, err);
    seen |= 1u << unit;
    total += number * (double)units[unit].ms;
    at = end + letters;
  }
  if (!(total <= MAX_MS))
    return refuse(text, err);
  *out_ms = total > 0 && total < 1 ? 1 : (int64_t)(total + 0.5); /* what is short must not become 0, which is none */
  return 0;
}

void mc_duration_show(int64_t ms, char *text, size_t size) {
  size_t i = UNIT_COUNT - 1;
  while (ms == 0 ? units[i].ms != 1000 : ms % units[i].ms != 0)
    i--;
  snprintf(text, size, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}
