/* The queues to serve, as text: see queues.h. */
#include "config/queues.h"

#include "base/duration.h"
#include "base/mem.h"
#include "base/queue_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What may be set per queue: options whose values the queue's own ones replace. */
static const struct setting {
  const char *name;
  size_t offset;
} settings[] = {
    {"archive_max_age", offsetof(mc_config_queue, archive_max_age_s)},
    {"archive_max_size", offsetof(mc_config_queue, archive_max_size)},
};

static mc_slice trim(mc_slice text) {
  while (text.size && isspace((unsigned char)text.data[0]))
    text = (mc_slice){text.data + 1, text.size - 1};
  while (text.size && isspace((unsigned char)text.data[text.size - 1]))
    text.size--;
  return text;
}

/* The text before the next `separator`, trimmed; *rest moves behind it, and its data becomes NULL at the end. */
static mc_slice next_part(mc_slice *rest, char separator) {
  const char *start = rest->data, *end = memchr(start, separator, rest->size);
  size_t size = end ? (size_t)(end - start) : rest->size;
  *rest = end ? (mc_slice){end + 1, rest->size - size - 1} : (mc_slice){0};
  return trim((mc_slice){start, size});
}

/* A `*` makes a name a pattern, and can then only end it. */
static bool name_usable(mc_slice name) {
  const char *star = memchr(name.data, '*', name.size);
  return mc_queue_name_usable(name) && (!star || star + 1 == name.data + name.size);
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

static const mc_option *option_find(const char *name) {
  size_t i = 0;
  while (strcmp(mc_options[i].name, name) != 0)
    i++;
  return &mc_options[i];
}

/* A duration or a whole number, by the type of the option that it replaces; -1 for neither. */
static int64_t value_parse(const mc_option *option, const char *text, mc_err *err) {
  int64_t value;
  if (option->type == MC_OPTION_DURATION_S)
    return mc_duration_parse(text, &value, err) ? -1 : (value + 999) / 1000;
  bool digits = *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 18;
  return digits ? strtoll(text, NULL, 10) : -1;
}

static int refuse_value(const mc_option *option, const char *queue, const char *text, mc_err *err) {
  if (option->type != MC_OPTION_DURATION_S)
    return mc_fail(err, MC_EINVALID, "queue '%s': %s must be a whole number from %lld to %lld, not '%.64s'", queue,
                   option->name, (long long)option->min, (long long)option->max, text);
  char least[32], most[32];
  mc_duration_show(option->min * 1000, least, sizeof least);
  mc_duration_show(option->max * 1000, most, sizeof most);
  return mc_fail(err, MC_EINVALID, "queue '%s': %s must be a duration from %s to %s, not '%.64s'", queue, option->name,
                 least, most, text);
}

static int setting_set(const struct setting *setting, const char *text, mc_config_queue *queue, mc_err *err) {
  const mc_option *option = option_find(setting->name);
  int64_t *place = (int64_t *)((char *)queue + setting->offset), value = value_parse(option, text, err);
  if (*place)
    return mc_fail(err, MC_EINVALID, "queue '%s': %s is given twice", queue->name, setting->name);
  if (value < option->min || value > option->max)
    return refuse_value(option, queue->name, text, err);
  *place = value;
  return 0;
}

/* One `name=value` behind the weight. */
static int setting_parse(mc_slice part, mc_config_queue *queue, mc_err *err) {
  const char *equals = part.size ? memchr(part.data, '=', part.size) : NULL;
  mc_slice name = trim((mc_slice){part.data, equals ? (size_t)(equals - part.data) : part.size});
  for (size_t i = 0; equals && i < MC_COUNT(settings); i++) {
    if (!mc_slice_equal(name, mc_slice_of(settings[i].name)))
      continue;
    mc_slice value = trim((mc_slice){equals + 1, part.size - (size_t)(equals + 1 - part.data)});
    char *text = mc_strndup(value.data, value.size);
    int code = setting_set(&settings[i], text, queue, err);
    free(text);
    return code;
  }
  return mc_fail(err, MC_EINVALID,
                 "queue '%s': '%.*s' is no setting of a queue: archive_max_age=DURATION or "
                 "archive_max_size=N",
                 queue->name, MC_SLICE_PRINT(part));
}

/* What stands behind `name=`: the weight, then settings. */
static int queue_fill(mc_config_queue *queue, mc_slice rest, mc_err *err) {
  int code = weight_parse(next_part(&rest, '/'), mc_slice_of(queue->name), &queue->weight, err);
  while (code == 0 && rest.data)
    code = setting_parse(next_part(&rest, '/'), queue, err);
  return code;
}

/* One `name` or `name=weight…`, checked against those before it; *count grows when it begins to own something. */
static int queue_parse(mc_slice part, mc_config_queue *queues, size_t *count, mc_err *err) {
  const char *equals = memchr(part.data, '=', part.size);
  mc_slice name = trim((mc_slice){part.data, equals ? (size_t)(equals - part.data) : part.size});
  if (name.size == 0)
    return mc_fail(err, MC_EINVALID, "a queue name is blank: write name=weight, separated by commas");
  if (!name_usable(name))
    return mc_fail(err, MC_EINVALID, "'%.*s' is no queue name: " MC_QUEUE_NAME_RULE ", with * only at its end",
                   MC_SLICE_PRINT(name));
  if (name_taken(name, queues, *count))
    return mc_fail(err, MC_EINVALID, "queue '%.*s' is named twice", MC_SLICE_PRINT(name));
  mc_config_queue *queue = &queues[(*count)++];
  *queue = (mc_config_queue){.name = mc_strndup(name.data, name.size), .weight = 1};
  return equals ? queue_fill(queue, (mc_slice){equals + 1, part.size - (size_t)(equals + 1 - part.data)}, err) : 0;
}

int mc_queues_parse(const char *text, mc_config_queue **out, size_t *out_count, mc_err *err) {
  mc_config_queue *queues = NULL;
  size_t count = 0;
  for (mc_slice rest = mc_slice_of(text); rest.data;) {
    queues = mc_realloc(queues, (count + 1) * sizeof *queues);
    int code = queue_parse(next_part(&rest, ','), queues, &count, err);
    if (code) {
      mc_queues_free(queues, count);
      return code;
    }
  }
  *out = queues;
  *out_count = count;
  return 0;
}

void mc_queues_show(const mc_config_queue *queues, size_t count, mc_buf *out) {
  for (size_t i = 0; i < count; i++) {
    const mc_config_queue *queue = &queues[i];
    char age[32];
    mc_buf_printf(out, "%s%s=%d", i ? "," : "", queue->name, queue->weight);
    mc_duration_show(queue->archive_max_age_s * 1000, age, sizeof age);
    if (queue->archive_max_age_s)
      mc_buf_printf(out, "/archive_max_age=%s", age);
    if (queue->archive_max_size)
      mc_buf_printf(out, "/archive_max_size=%lld", (long long)queue->archive_max_size);
  }
}

void mc_queues_free(mc_config_queue *queues, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(queues[i].name);
  free(queues);
}
