/* The rule by which a time zone goes on for ever: the text that ends a TZif file, as POSIX writes it in TZ, such as
 * "CET-1CEST,M3.5.0,M10.5.0/3".
 */
#ifndef MC_BASE_ZONE_RULE_H
#define MC_BASE_ZONE_RULE_H

#include "base/slice.h"

#include <stdint.h>

/* A run of time with one offset from UTC: from start_s up to, not including, end_s. */
typedef struct mc_zone_span {
  int64_t start_s, end_s;
  int32_t offset_s; /* east of Greenwich is positive */
} mc_zone_span;

typedef enum mc_zone_day_kind {
  MC_ZONE_DAY_JULIAN,  /* Jn: the n-th day of the year, 29 February never counted */
  MC_ZONE_DAY_OF_YEAR, /* n: counted from 0, 29 February counted */
  MC_ZONE_DAY_OF_WEEK, /* Mm.w.d: the w-th weekday d of month m, the last one when w is 5 */
} mc_zone_day_kind;

typedef struct mc_zone_change {
  mc_zone_day_kind kind;
  int day, week, month;
  int32_t time_s; /* of the local day as it was before the change; may lie outside of that day */
} mc_zone_change;

typedef struct mc_zone_rule {
  int32_t offset_s;        /* standard time */
  int32_t summer_offset_s; /* the two below: only when has_summer */
  bool has_summer;
  mc_zone_change to_summer, to_standard;
} mc_zone_rule;

/* False when the text is no such rule; *out is then untouched. */
bool mc_zone_rule_parse(mc_slice text, mc_zone_rule *out);

mc_zone_span mc_zone_rule_at(const mc_zone_rule *rule, int64_t at_s);

#endif
