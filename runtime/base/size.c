/* Sizes: see size.h. */
#include "base/size.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char units[] = "BKMGT"; /* each 1024 times the one before */

#define MAX_BYTES 0x1p50 /* a thousand terabytes */

static int refuse(const char *text, mc_err *err) {
  return mc_fail(err, MC_EINVALID, "'%s' is no size: write a number and a unit, such as \"256M\" or \"1.5G\"", text);
}

/* How often 1024 goes into the unit, -1: unknown. */
static int power_of(const char *name) {
  if (!*name)
    return 0;
  const char *unit = strchr(units, *name & ~0x20);
  const char *rest = name + 1;
  bool known = unit && *unit && (!*rest || (unit != units && (!strcasecmp(rest, "b") || !strcasecmp(rest, "ib"))));
  return known ? (int)(unit - units) : -1;
}

int mc_size_parse(const char *text, int64_t *out_bytes, mc_err *err) {
  size_t digits = strspn(text, "0123456789.");
  char *end = NULL;
  double number = strtod(text, &end);
  if (digits == 0 || end != text + digits)
    return refuse(text, err);
  int power = power_of(end);
  if (power < 0)
    return refuse(text, err);
  for (; power > 0; power--)
    number *= 1024;
  if (!(number <= MAX_BYTES))
    return refuse(text, err);
  *out_bytes = (int64_t)(number + 0.5);
  return 0;
}

void mc_size_show(int64_t bytes, char *text, size_t size) {
  size_t power = 0;
  while (bytes && bytes % 1024 == 0 && units[power + 1]) {
    bytes /= 1024;
    power++;
  }
  snprintf(text, size, power ? "%lld%c" : "%lld", (long long)bytes, units[power]);
}

void mc_size_round(int64_t bytes, char *text, size_t size) {
  snprintf(text, size, "%.0fM", (double)bytes / (1024 * 1024));
}
