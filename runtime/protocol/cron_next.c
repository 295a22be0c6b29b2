/* The ticks of a schedule: see cron.h.
 *
 * The search is robfig/cron's, step by step, because what happens around a change of clocks follows from its steps:
 * from the second after the given instant, the first field that does not fit is moved on until it does, by the
 * calendar for months and days and by real time for hours and minutes; whenever a field comes round to its first value,
 * all fields are looked at anew. So an hour that clocks skip is never met, and one that they show twice is met twice.
 */
#include <stddef.h>

#include "base/calendar.h"
#include "base/mem.h"
#include "protocol/cron.h"

#define HOUR_S 3600
#define MINUTE_S 60
#define YEARS_MAX 5

/* An instant and what clocks of the schedule's zone show then. */
typedef struct moment {
  const mc_zone *zone;
  int64_t at_s;
  mc_date date;
  int hour, minute, second, weekday;
} moment;

static void set(moment *now, int64_t at_s) {
  int64_t local_s = at_s + mc_zone_at(now->zone, at_s).offset_s;
  int64_t day = mc_floor_div(local_s, MC_DAY_S), of_day = mc_floor_mod(local_s, MC_DAY_S);
  now->at_s = at_s;
  now->date = mc_date_of(day);
  now->weekday = mc_weekday_of(day);
  now->hour = (int)(of_day / HOUR_S);
  now->minute = (int)(of_day / MINUTE_S % 60);
  now->second = (int)(of_day % MINUTE_S);
}

/* Moves by the calendar, at the same time of day. */
static void add_date(moment *now, int months, int days) {
  int64_t day = mc_days_of(now->date.year, now->date.month + months, now->date.day + days);
  int64_t local_s = day * MC_DAY_S + now->hour * HOUR_S + now->minute * MINUTE_S + now->second;
  int64_t before_s = now->at_s;
  set(now, mc_zone_instant(now->zone, local_s));
  if (now->at_s <= before_s) /* the zone skipped that whole day, as Samoa did; robfig's search never ends there */
    set(now, before_s + MC_DAY_S);
}

static void start_day(moment *now, int day) {
  set(now, mc_zone_instant(now->zone, mc_days_of(now->date.year, now->date.month, day) * MC_DAY_S));
}

static bool has(uint64_t bits, int value) {
  return bits >> value & 1;
}

static bool day_matches(const mc_cron *cron, const moment *now) {
  bool by_month = has(cron->dom, now->date.day), by_week = has(cron->dow, now->weekday);
  return (cron->dom | cron->dow) & MC_CRON_STAR ? by_month && by_week : by_month || by_week;
}

/* Each of these moves its field on until it fits; false when it came round, and all must be looked at anew. *moved: a
 * field was moved before, so that those below stand at their beginnings already. */

static bool fit_month(const mc_cron *cron, moment *now, bool *moved) {
  while (!has(cron->month, now->date.month)) {
    if (!*moved)
      start_day(now, 1);
    *moved = true;
    add_date(now, 1, 0);
    if (now->date.month == 1)
      return false;
  }
  return true;
}

static bool fit_day(const mc_cron *cron, moment *now, bool *moved) {
  while (!day_matches(cron, now)) {
    if (!*moved)
      start_day(now, now->date.day);
    *moved = true;
    add_date(now, 0, 1);
    /* Where midnight does not exist, the day began an hour early or late. */
    if (now->hour > 12)
      set(now, now->at_s + (24 - now->hour) * HOUR_S);
    else if (now->hour > 0)
      set(now, now->at_s - now->hour * HOUR_S);
    if (now->date.day == 1)
      return false;
  }
  return true;
}

static bool fit_hour(const mc_cron *cron, moment *now, bool *moved) {
  while (!has(cron->hour, now->hour)) {
    if (!*moved) {
      int64_t day = mc_days_of(now->date.year, now->date.month, now->date.day);
      set(now, mc_zone_instant(now->zone, day * MC_DAY_S + now->hour * HOUR_S));
    }
    *moved = true;
    set(now, now->at_s + HOUR_S);
    if (now->hour == 0)
      return false;
  }
  return true;
}

static bool fit_minute(const mc_cron *cron, moment *now, bool *moved) {
  while (!has(cron->minute, now->minute)) {
    if (!*moved)
      set(now, now->at_s - mc_floor_mod(now->at_s, MINUTE_S));
    *moved = true;
    set(now, now->at_s + MINUTE_S);
    if (now->minute == 0)
      return false;
  }
  return true;
}

/* A schedule of five fields means second 0. */
static bool fit_second(const mc_cron *cron, moment *now, bool *moved) {
  (void)cron;
  if (now->second == 0)
    return true;
  *moved = true;
  set(now, now->at_s + MINUTE_S - now->second);
  return false;
}

static bool (*const fits[])(const mc_cron *cron, moment *now, bool *moved) = {fit_month, fit_day, fit_hour, fit_minute,
                                                                              fit_second};

/* A field of nothing but commas is accepted, and never fits. */
static bool is_empty(uint64_t bits) {
  return (bits & ~MC_CRON_STAR) == 0;
}

static bool next_by_fields(const mc_cron *cron, int64_t after_s, int64_t *out_s) {
  moment now = {.zone = cron->zone};
  if (is_empty(cron->minute) || is_empty(cron->hour) || is_empty(cron->month))
    return false;
  bool moved = false;
  set(&now, after_s + 1);
  int64_t last_year = now.date.year + YEARS_MAX;
  for (size_t i = 0; i < MC_COUNT(fits);) {
    i = fits[i](cron, &now, &moved) ? i + 1 : 0;
    if (now.date.year > last_year)
      return false;
  }
  *out_s = now.at_s;
  return true;
}

bool mc_cron_next(const mc_cron *cron, int64_t after_s, int64_t *out_s) {
  if (cron->every_s == 0)
    return next_by_fields(cron, after_s, out_s);
  *out_s = (mc_floor_div(after_s, cron->every_s) + 1) * cron->every_s;
  return true;
}

/* Looks back over longer and longer stretches, so that a long one is only walked when it holds few ticks. */
static bool last_by_fields(const mc_cron *cron, int64_t after_s, int64_t until_s, int64_t *out_s) {
  static const int64_t stretches[] = {HOUR_S, MC_DAY_S, 31 * MC_DAY_S, 366 * MC_DAY_S, INT64_MAX};
  for (size_t i = 0; i < MC_COUNT(stretches); i++) {
    bool whole = until_s - after_s <= stretches[i];
    int64_t from_s = whole ? after_s : until_s - stretches[i], tick_s;
    bool found = false;
    while (mc_cron_next(cron, from_s, &tick_s) && tick_s <= until_s) {
      found = true;
      *out_s = from_s = tick_s;
    }
    if (found || whole)
      return found;
  }
  return false;
}

bool mc_cron_last(const mc_cron *cron, int64_t after_s, int64_t until_s, int64_t *out_s) {
  if (after_s >= until_s)
    return false;
  if (cron->every_s == 0)
    return last_by_fields(cron, after_s, until_s, out_s);
  int64_t tick_s = mc_floor_div(until_s, cron->every_s) * cron->every_s;
  if (tick_s <= after_s)
    return false;
  *out_s = tick_s;
  return true;
}
