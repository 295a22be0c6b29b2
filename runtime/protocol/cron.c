/* Reading schedules: see cron.h. The oddities are robfig's and kept on purpose, so that a spec means the same to both:
 * empty items of a list are passed over, "*-5" is "*", "5/2" is "5-max/2", numbers may have a plus sign.
 */
#include "protocol/cron.h"

#include <ctype.h>
#include <stddef.h>
#include <strings.h>

#include "base/mem.h"

#define NS UINT64_C(1000000000)
#define SHOWN_MAX 60 /* bytes of a spec or a field that an error repeats */

#define SHOW(slice) ((slice).size < SHOWN_MAX ? (int)(slice).size : SHOWN_MAX), ((slice).data ? (slice).data : "")

typedef struct cron_field {
  const char *name;
  int min, max;
  const char *const *names; /* of the values from min on; NULL: numbers only */
  size_t place;             /* in mc_cron */
} cron_field;

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const cron_field fields[] = {
    {"minute", 0, 59, NULL, offsetof(mc_cron, minute)},    {"hour", 0, 23, NULL, offsetof(mc_cron, hour)},
    {"day of month", 1, 31, NULL, offsetof(mc_cron, dom)}, {"month", 1, 12, months, offsetof(mc_cron, month)},
    {"day of week", 0, 6, days, offsetof(mc_cron, dow)},
};

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool starts_with(mc_slice text, const char *start) {
  size_t size = strlen(start);
  return text.size >= size && memcmp(text.data, start, size) == 0;
}

static mc_slice drop(mc_slice text, size_t size) {
  return (mc_slice){text.data + size, text.size - size};
}

static mc_slice trim(mc_slice text) {
  while (text.size > 0 && is_space(text.data[0]))
    text = drop(text, 1);
  while (text.size > 0 && is_space(text.data[text.size - 1]))
    text.size--;
  return text;
}

/* What stands before the first separator; *rest is what stands behind it, without data when there is no separator. */
static mc_slice cut(mc_slice text, char separator, mc_slice *rest) {
  const char *at = text.size ? memchr(text.data, separator, text.size) : NULL;
  *rest = (mc_slice){0};
  if (!at)
    return text;
  size_t size = (size_t)(at - text.data);
  *rest = drop(text, size + 1);
  return (mc_slice){text.data, size};
}

/* ---- one field ---- */

static int fail_field(mc_err *err, const cron_field *field, mc_slice text, const char *wrong) {
  return mc_fail(err, MC_EINVALID, "%s '%.*s': %s; it takes %d-%d%s%s", field->name, SHOW(text), wrong, field->min,
                 field->max, field->names ? " and names such as " : "", field->names ? field->names[0] : "");
}

/* A number as Go's Atoi reads it; -1 when it is none, or too large even for that. */
static int64_t read_number(mc_slice text) {
  int64_t number = 0;
  if (text.size > 0 && text.data[0] == '+')
    text = drop(text, 1);
  if (text.size == 0)
    return -1;
  for (size_t i = 0; i < text.size; i++)
    if (!isdigit((unsigned char)text.data[i]) || __builtin_mul_overflow(number, 10, &number) ||
        __builtin_add_overflow(number, text.data[i] - '0', &number))
      return -1;
  return number;
}

static int64_t read_value(const cron_field *field, mc_slice text) {
  for (int value = field->min; field->names && value <= field->max; value++) {
    const char *name = field->names[value - field->min];
    if (text.size == strlen(name) && strncasecmp(text.data, name, text.size) == 0)
      return value;
  }
  return read_number(text);
}

/* One item of a list: "*", "n", "n-m", each with or without "/step"; adds its bits. */
static int read_range(const cron_field *field, mc_slice text, uint64_t *bits, mc_err *err) {
  mc_slice step_text, high_text, more;
  mc_slice range = cut(text, '/', &step_text), low_text = cut(range, '-', &high_text);
  bool star = mc_slice_equal(low_text, MC_SLICE_LITERAL("*")) || mc_slice_equal(low_text, MC_SLICE_LITERAL("?"));
  int64_t low = star ? field->min : read_value(field, low_text), high = star ? field->max : low, step = 1;
  if (!star && high_text.data) {
    cut(high_text, '-', &more);
    if (more.data)
      return fail_field(err, field, text, "a range has two ends");
    high = read_value(field, high_text);
  }
  if (low < 0 || high < 0)
    return fail_field(err, field, text, "not a number, a range or a name");
  if (step_text.data) {
    cut(step_text, '/', &more);
    step = more.data ? 0 : read_number(step_text);
    if (step < 1)
      return fail_field(err, field, text, "behind the slash stands one step, 1 or more");
    if (!high_text.data)
      high = field->max;
  }
  if (low < field->min || high > field->max)
    return fail_field(err, field, text, "out of range");
  if (low > high)
    return fail_field(err, field, text, "the range ends before it begins");
  for (int64_t value = low; value <= high; value += step)
    *bits |= UINT64_C(1) << value;
  if (star && step == 1)
    *bits |= MC_CRON_STAR;
  return 0;
}

static int read_field(const cron_field *field, mc_slice text, uint64_t *out, mc_err *err) {
  *out = 0;
  for (mc_slice rest = text; rest.data;) {
    mc_slice item = cut(rest, ',', &rest);
    int rc = item.size ? read_range(field, item, out, err) : 0;
    if (rc)
      return rc;
  }
  return 0;
}

/* ---- five fields ---- */

static int read_fields(mc_slice text, mc_cron *cron, mc_err *err) {
  mc_slice found[MC_COUNT(fields)];
  size_t count = 0;
  for (mc_slice rest = trim(text); rest.size > 0; rest = trim(rest)) {
    size_t size = 0;
    while (size < rest.size && !is_space(rest.data[size]))
      size++;
    if (count < MC_COUNT(fields))
      found[count] = (mc_slice){rest.data, size};
    count++;
    rest = drop(rest, size);
  }
  if (count != MC_COUNT(fields))
    return mc_fail(err, MC_EINVALID,
                   "'%.*s' has %zu fields: write minute, hour, day of month, month and day of week, or @daily and such",
                   SHOW(text), count);
  for (size_t i = 0; i < count; i++) {
    int rc = read_field(&fields[i], found[i], (uint64_t *)(void *)((char *)cron + fields[i].place), err);
    if (rc)
      return rc;
  }
  return 0;
}

/* ---- @every ---- */

static const struct unit {
  const char *name;
  uint64_t ns;
} units[] = {
    {"ns", 1},       {"us", 1000}, {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", NS},    {"m", 60 * NS},      {"h", 3600 * NS},
};

static const struct unit *take_unit(mc_slice *text) {
  size_t size = 0;
  while (size < text->size && text->data[size] != '.' && !isdigit((unsigned char)text->data[size]))
    size++;
  for (size_t i = 0; i < MC_COUNT(units); i++)
    if (size == strlen(units[i].name) && memcmp(text->data, units[i].name, size) == 0) {
      *text = drop(*text, size);
      return &units[i];
    }
  return NULL;
}

/* Digits, up to max_digits of which count; how many there were. */
static size_t take_digits(mc_slice *text, size_t max_digits, uint64_t *out) {
  size_t digits = 0;
  for (*out = 0; digits < text->size && isdigit((unsigned char)text->data[digits]); digits++)
    if (digits < max_digits)
      *out = *out * 10 + (uint64_t)(text->data[digits] - '0');
  *text = drop(*text, digits);
  return digits;
}

/* One "1.5h", in nanoseconds; false when it is none, or too long. */
static bool take_part(mc_slice *text, uint64_t *out_ns) {
  enum { DIGITS_MAX = 18 }; /* what 64 bits hold for sure; a longer number is out of range in any unit worth writing */
  uint64_t whole, fraction = 0, scale = 1;
  size_t digits = take_digits(text, DIGITS_MAX, &whole), decimals = 0;
  if (digits > DIGITS_MAX)
    return false;
  if (text->size > 0 && text->data[0] == '.') {
    *text = drop(*text, 1);
    decimals = take_digits(text, DIGITS_MAX, &fraction);
  }
  for (size_t i = 0; i < decimals && i < DIGITS_MAX; i++)
    scale *= 10;
  const struct unit *unit = digits + decimals > 0 ? take_unit(text) : NULL;
  if (!unit || __builtin_mul_overflow(whole, unit->ns, &whole))
    return false;
  *out_ns = whole + (uint64_t)((long double)fraction * (long double)unit->ns / (long double)scale);
  return *out_ns <= INT64_MAX;
}

/* Go's time.ParseDuration, in nanoseconds; false when the text is no duration. */
static bool read_duration(mc_slice text, int64_t *out_ns) {
  bool negative = text.size > 0 && text.data[0] == '-';
  uint64_t total = 0, part;
  if (negative || (text.size > 0 && text.data[0] == '+'))
    text = drop(text, 1);
  bool zero = mc_slice_equal(text, MC_SLICE_LITERAL("0")); /* the one that needs no unit */
  if (text.size == 0)
    return false;
  while (!zero && text.size > 0) {
    if (!take_part(&text, &part))
      return false;
    total += part;
    if (total > INT64_MAX)
      return false;
  }
  *out_ns = negative ? -(int64_t)total : (int64_t)total;
  return true;
}

static int read_every(mc_slice text, mc_cron *cron, mc_err *err) {
  int64_t ns;
  if (!read_duration(text, &ns))
    return mc_fail(err, MC_EINVALID, "@every '%.*s': write a duration such as 30s, 5m or 1h30m", SHOW(text));
  cron->every_s = ns < (int64_t)NS ? 1 : ns / (int64_t)NS;
  return 0;
}

/* ---- the whole ---- */

static const struct {
  const char *name, *fields;
} descriptors[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},
};

static int read_descriptor(mc_slice text, mc_cron *cron, mc_err *err) {
  static const char every[] = "@every ";
  if (starts_with(text, every))
    return read_every(drop(text, sizeof every - 1), cron, err);
  for (size_t i = 0; i < MC_COUNT(descriptors); i++)
    if (mc_slice_equal(text, mc_slice_of(descriptors[i].name)))
      return read_fields(mc_slice_of(descriptors[i].fields), cron, err);
  return mc_fail(err, MC_EINVALID,
                 "'%.*s' is unknown: there are @yearly @monthly @weekly @daily @hourly and '@every 1h30m'", SHOW(text));
}

/* Splits "CRON_TZ=name rest". *zone has no data when there is no prefix; *fields has none when nothing follows it. */
static void split_zone(mc_slice spec, mc_slice *zone, mc_slice *rest) {
  *zone = (mc_slice){0};
  *rest = spec;
  if (!starts_with(spec, "TZ=") && !starts_with(spec, "CRON_TZ="))
    return;
  cut(spec, '=', zone);
  *zone = cut(*zone, ' ', rest);
  if (rest->data)
    *rest = trim(*rest);
}

mc_slice mc_cron_fields(mc_slice spec) {
  mc_slice zone, rest;
  split_zone(spec, &zone, &rest);
  return rest;
}

int mc_cron_parse(mc_slice spec, mc_cron *out, mc_err *err) {
  mc_cron cron = {0};
  mc_slice zone, rest;
  if (spec.size == 0)
    return mc_fail(err, MC_EINVALID, "the schedule is empty: write minute, hour, day of month, month and day of week");
  split_zone(spec, &zone, &rest);
  if (!rest.data)
    return mc_fail(err, MC_EINVALID, "'%.*s' names a time zone and no schedule behind it", SHOW(spec));
  int rc = starts_with(rest, "@") ? read_descriptor(rest, &cron, err) : read_fields(rest, &cron, err);
  if (rc == 0)
    rc = mc_zone_open(zone, &cron.zone, err);
  if (rc == 0)
    *out = cron;
  return rc;
}

void mc_cron_deinit(mc_cron *cron) {
  mc_zone_free(cron->zone);
  *cron = (mc_cron){0};
}
