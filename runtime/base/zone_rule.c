/* Rules of time zones: see zone_rule.h. */
#include "base/zone_rule.h"

#include "base/calendar.h"

#include <ctype.h>

#define HOUR_S 3600
#define HOURS_MAX 167 /* a change may be given in hours of a week around its day */

/* ---- reading ---- */

typedef struct reader {
  const char *at, *end;
  bool failed;
} reader;

static bool next_is(reader *in, char c) {
  if (in->failed || in->at == in->end || *in->at != c)
    return false;
  in->at++;
  return true;
}

static void expect(reader *in, char c) {
  in->failed = !next_is(in, c) || in->failed;
}

static int take_number(reader *in, int min, int max) {
  int number = 0, digits = 0;
  for (; in->at < in->end && isdigit((unsigned char)*in->at) && number <= max; in->at++, digits++)
    number = number * 10 + (*in->at - '0');
  in->failed = in->failed || digits == 0 || number < min || number > max;
  return number;
}

/* hh[:mm[:ss]] with a sign, in seconds */
static int32_t take_time(reader *in) {
  bool negative = next_is(in, '-');
  if (!negative)
    next_is(in, '+');
  int32_t seconds = take_number(in, 0, HOURS_MAX) * HOUR_S;
  if (next_is(in, ':')) {
    seconds += take_number(in, 0, 59) * 60;
    if (next_is(in, ':'))
      seconds += take_number(in, 0, 59);
  }
  return negative ? -seconds : seconds;
}

/* A name of three letters or more, or anything between angle brackets. */
static void skip_name(reader *in) {
  bool bracketed = next_is(in, '<');
  const char *start = in->at;
  while (in->at < in->end && (bracketed ? *in->at != '>' : isalpha((unsigned char)*in->at)))
    in->at++;
  in->failed = in->failed || (!bracketed && in->at - start < 3);
  if (bracketed)
    expect(in, '>');
}

static mc_zone_change take_change(reader *in) {
  mc_zone_change change = {.kind = MC_ZONE_DAY_OF_YEAR, .time_s = 2 * HOUR_S};
  if (next_is(in, 'J')) {
    change.kind = MC_ZONE_DAY_JULIAN;
    change.day = take_number(in, 1, 365);
  } else if (next_is(in, 'M')) {
    change.kind = MC_ZONE_DAY_OF_WEEK;
    change.month = take_number(in, 1, 12);
    expect(in, '.');
    change.week = take_number(in, 1, 5);
    expect(in, '.');
    change.day = take_number(in, 0, 6);
  } else {
    change.day = take_number(in, 0, 365);
  }
  if (next_is(in, '/'))
    change.time_s = take_time(in);
  return change;
}

static void take_summer(reader *in, mc_zone_rule *rule) {
  rule->has_summer = true;
  skip_name(in);
  /* POSIX counts to the west, we to the east. */
  rule->summer_offset_s = in->at < in->end && *in->at != ',' ? -take_time(in) : rule->offset_s + HOUR_S;
  expect(in, ',');
  rule->to_summer = take_change(in);
  expect(in, ',');
  rule->to_standard = take_change(in);
}

bool mc_zone_rule_parse(mc_slice text, mc_zone_rule *out) {
  reader in = {text.data, text.data + text.size, text.size == 0};
  mc_zone_rule rule = {0};
  if (in.failed)
    return false;
  skip_name(&in);
  rule.offset_s = -take_time(&in);
  if (!in.failed && in.at < in.end)
    take_summer(&in, &rule);
  if (in.failed || in.at != in.end)
    return false;
  *out = rule;
  return true;
}

/* ---- applying ---- */

typedef struct change_at {
  int64_t at_s;
  int32_t offset_s; /* from then on */
} change_at;

static int64_t weekday_of_month(const mc_zone_change *change, int64_t year) {
  int64_t first = mc_days_of(year, change->month, 1);
  int64_t day = first + mc_floor_mod(change->day - mc_weekday_of(first), 7) + 7 * (change->week - 1);
  return day < mc_days_of(year, change->month + 1, 1) ? day : day - 7;
}

static int64_t day_of_change(const mc_zone_change *change, int64_t year) {
  int64_t new_year = mc_days_of(year, 1, 1);
  switch (change->kind) {
  case MC_ZONE_DAY_JULIAN: {
    bool after_leap_day = change->day >= 60 && mc_days_of(year + 1, 1, 1) - new_year == 366;
    return new_year + change->day - 1 + after_leap_day;
  }
  case MC_ZONE_DAY_OF_YEAR:
    return new_year + change->day;
  case MC_ZONE_DAY_OF_WEEK:
    return weekday_of_month(change, year);
  }
  return new_year;
}

static change_at apply(const mc_zone_change *change, int64_t year, int32_t before_s, int32_t after_s) {
  return (change_at){day_of_change(change, year) * MC_DAY_S + change->time_s - before_s, after_s};
}

static void insert_sorted(change_at *changes, int count, change_at fresh) {
  int i = count;
  for (; i > 0 && changes[i - 1].at_s > fresh.at_s; i--)
    changes[i] = changes[i - 1];
  changes[i] = fresh;
}

mc_zone_span mc_zone_rule_at(const mc_zone_rule *rule, int64_t at_s) {
  enum { YEARS = 3 };
  change_at changes[2 * YEARS];
  int count = 0, i = 0;
  if (!rule->has_summer)
    return (mc_zone_span){INT64_MIN, INT64_MAX, rule->offset_s};
  /* The neighbouring years too: in them lie the changes before the first and after the last of this one. */
  int64_t year = mc_date_of(mc_floor_div(at_s, MC_DAY_S)).year;
  for (int64_t y = year - 1; y <= year + 1; y++) {
    insert_sorted(changes, count++, apply(&rule->to_summer, y, rule->offset_s, rule->summer_offset_s));
    insert_sorted(changes, count++, apply(&rule->to_standard, y, rule->summer_offset_s, rule->offset_s));
  }
  while (i + 1 < count && changes[i + 1].at_s <= at_s)
    i++;
  return (mc_zone_span){changes[i].at_s, i + 1 < count ? changes[i + 1].at_s : INT64_MAX, changes[i].offset_s};
}
