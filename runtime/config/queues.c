/* The queues to serve, as text: see queues.h. */
#include "config/queues.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static mc_slice trim(mc_slice text) {
  while (text.size && isspace((unsigned char)text.data[0]))
    text = (mc_slice){text.data + 1, text.size - 1};
  while (text.size && isspace((unsigned char)text.data[text.size - 1]))
    text.size--;
  return text;
}

/* The text before the next `separator`, trimmed; *rest moves behind it and becomes NULL at the end. */
static mc_slice next_part(const char **rest, char separator) {
  const char *start = *rest, *end = strchr(start, separator);
  *rest = end ? end + 1 : NULL;
  return trim((mc_slice){start, end ? (size_t)(end - start) : strlen(start)});
}

/* Braces would end the part of a key that decides its place in a cluster. */
static bool name_usable(mc_slice name) {
  for (size_t i = 0; i < name.size; i++) {
    unsigned char c = (unsigned char)name.data[i];
    if (c <= ' ' || c == 0x7f || strchr("=,{}", c))
      return false;
  }
  return mc_utf8_clean(name);
}

static bool name_taken(mc_slice name, const mc_config_queue *queues, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (mc_slice_equal(name, mc_slice_of(queues[i].name)))
      return true;
  return false;
}

static int weight_parse(mc_slice text, mc_slice name, int *out, mc_err *err) {
  int64_t weight = 0;
  size_t i = 0;
  for (; i < text.size && isdigit((unsigned char)text.data[i]) && weight <= MC_QUEUE_WEIGHT_MAX; i++)
    weight = weight * 10 + (text.data[i] - '0');
  if (i < text.size || weight < 1 || weight > MC_QUEUE_WEIGHT_MAX)
    return mc_fail(err, MC_EINVALID, "the weight of queue '%.*s' must be a whole number from 1 to %d, not '%.*s'",
                   MC_SLICE_PRINT(name), MC_QUEUE_WEIGHT_MAX, MC_SLICE_PRINT(text));
  *out = (int)weight;
  return 0;
}

/* One `name` or `name=weight`, checked against those before it. */
static int queue_parse(mc_slice part, mc_config_queue *queues, size_t count, mc_err *err) {
  const char *equals = memchr(part.data, '=', part.size);
  mc_slice name = trim((mc_slice){part.data, equals ? (size_t)(equals - part.data) : part.size});
  if (name.size == 0)
    return mc_fail(err, MC_EINVALID, "a queue name is blank: write name=weight, separated by commas");
  if (!name_usable(name))
    return mc_fail(err, MC_EINVALID, "'%.*s' is no queue name: no white space, control characters or any of = , { }",
                   MC_SLICE_PRINT(name));
  if (name_taken(name, queues, count))
    return mc_fail(err, MC_EINVALID, "queue '%.*s' is named twice", MC_SLICE_PRINT(name));
  int weight = 1;
  if (equals) {
    mc_slice digits = trim((mc_slice){equals + 1, part.size - (size_t)(equals + 1 - part.data)});
    int code = weight_parse(digits, name, &weight, err);
    if (code)
      return code;
  }
  queues[count] = (mc_config_queue){mc_strndup(name.data, name.size), weight};
  return 0;
}

int mc_queues_parse(const char *text, mc_config_queue **out, size_t *out_count, mc_err *err) {
  mc_config_queue *queues = NULL;
  size_t count = 0;
  for (const char *rest = text; rest;) {
    queues = mc_realloc(queues, (count + 1) * sizeof *queues);
    int code = queue_parse(next_part(&rest, ','), queues, count, err);
    if (code) {
      mc_queues_free(queues, count);
      return code;
    }
    count++;
  }
  *out = queues;
  *out_count = count;
  return 0;
}

void mc_queues_free(mc_config_queue *queues, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(queues[i].name);
  free(queues);
}
