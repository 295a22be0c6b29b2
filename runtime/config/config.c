/* The values of the options: defaults, and setting them from text. See config.h. */
#include "config/config.h"

#include "base/duration.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/utf8.h"
#include "base/nearest.h"
#include "config/pools.h"
#include "config/queues.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*option_setter)(const mc_option *option, void *place, const char *text, mc_err *err);

static int set_text(const mc_option *option, void *place, const char *text, mc_err *err) {
  (void)option;
  if (!*text)
    return mc_fail(err, MC_EINVALID, "must not be empty");
  if (!mc_utf8_valid(mc_slice_of(text)))
    return mc_fail(err, MC_EINVALID, "must be valid UTF-8");
  char **value = place, *old = *value;
  *value = mc_strdup(text);
  free(old);
  return 0;
}

static int set_integer(const mc_option *option, void *place, const char *text, mc_err *err) {
  char *end;
  errno = 0;
  long long number = strtoll(text, &end, 10);
  bool whole = *text && !*end && !errno && strspn(text, "0123456789-") == strlen(text);
  if (!whole || number < option->min || number > option->max)
    return mc_fail(err, MC_EINVALID, "must be a whole number from %lld to %lld, not '%s'", (long long)option->min,
                   (long long)option->max, text);
  *(int64_t *)place = number;
  return 0;
}

static int set_boolean(const mc_option *option, void *place, const char *text, mc_err *err) {
  static const struct {
    const char *text;
    bool value;
  } words[] = {{"true", true},   {"1", true},  {"yes", true}, {"on", true},
               {"false", false}, {"0", false}, {"no", false}, {"off", false}};
  (void)option;
  for (size_t i = 0; i < MC_COUNT(words); i++)
    if (strcmp(text, words[i].text) == 0) {
      *(bool *)place = words[i].value;
      return 0;
    }
  return mc_fail(err, MC_EINVALID, "must be true or false, not '%s'", text);
}

static int set_duration(const mc_option *option, void *place, const char *text, mc_err *err) {
  int64_t unit_ms = option->type == MC_OPTION_DURATION_S ? 1000 : 1;
  int64_t ms;
  int code = mc_duration_parse(text, &ms, err);
  if (code)
    return code;
  int64_t value = (ms + unit_ms - 1) / unit_ms; /* a part of a unit counts as a whole one: never cut to nothing */
  if (value < option->min || value > option->max) {
    char least[32], most[32];
    mc_duration_show(option->min * unit_ms, least, sizeof least);
    mc_duration_show(option->max * unit_ms, most, sizeof most);
    return mc_fail(err, MC_EINVALID, "must be a duration from %s to %s, not '%s'", least, most, text);
  }
  *(int64_t *)place = value;
  return 0;
}

static int set_size(const mc_option *option, void *place, const char *text, mc_err *err) {
  int64_t bytes;
  int code = mc_size_parse(text, &bytes, err);
  if (code)
    return code;
  if (bytes && (bytes < option->min || bytes > option->max)) {
    char least[32], most[32];
    mc_size_show(option->min, least, sizeof least);
    mc_size_show(option->max, most, sizeof most);
    return mc_fail(err, MC_EINVALID, "must be a size from %s to %s, or 0, not '%s'", least, most, text);
  }
  *(int64_t *)place = bytes;
  return 0;
}

static int set_queues(const mc_option *option, void *place, const char *text, mc_err *err) {
  mc_config *config = mc_container_of(place, mc_config, queues);
  mc_config_queue *queues;
  size_t count;
  (void)option;
  int code = mc_queues_parse(text, &queues, &count, err);
  if (code)
    return code;
  mc_queues_free(config->queues, config->queue_count);
  config->queues = queues;
  config->queue_count = count;
  return 0;
}

static int set_pools(const mc_option *option, void *place, const char *text, mc_err *err) {
  mc_config *config = mc_container_of(place, mc_config, pools);
  mc_config_pool *pools;
  size_t count;
  (void)option;
  int code = mc_pools_parse(text, &pools, &count, err);
  if (code)
    return code;
  mc_pools_free(config->pools, config->pool_count);
  config->pools = pools;
  config->pool_count = count;
  return 0;
}

/* Is text one of the words of choices, which are separated by single spaces? */
static bool is_choice(const char *choices, const char *text) {
  size_t size = strlen(text);
  for (const char *word = choices; *word; word += strcspn(word, " ")) {
    word += *word == ' ';
    if (strcspn(word, " ") == size && memcmp(word, text, size) == 0)
      return true;
  }
  return false;
}

static int set_choice(const mc_option *option, void *place, const char *text, mc_err *err) {
  if (!is_choice(option->choices, text))
    return mc_fail(err, MC_EINVALID, "must be one of: %s; not '%s'", option->choices, text);
  return set_text(option, place, text, err);
}

static const option_setter setters[] = {
    [MC_OPTION_TEXT] = set_text,           [MC_OPTION_INTEGER] = set_integer,
    [MC_OPTION_BOOLEAN] = set_boolean,     [MC_OPTION_DURATION_MS] = set_duration,
    [MC_OPTION_DURATION_S] = set_duration, [MC_OPTION_QUEUES] = set_queues,
    [MC_OPTION_CHOICE] = set_choice,       [MC_OPTION_POOLS] = set_pools,
    [MC_OPTION_SIZE] = set_size,
};

int mc_option_read(const mc_option *option, void *place, const char *text, mc_err *err) {
  return setters[option->type](option, place, text, err);
}

static int option_set(mc_config *config, const mc_option *option, const char *value, mc_err *err) {
  mc_err reason = {""};
  int code = setters[option->type](option, (char *)config + option->offset, value, &reason);
  if (code && option->type == MC_OPTION_POOLS) /* which begins with its path: pools.cpu.workers */
    return mc_fail(err, code, "%s", reason.text);
  return code ? mc_fail(err, code, "%s: %.400s", option->name, reason.text) : 0;
}

static int refuse_unknown(const char *name, mc_err *err) {
  const char **names = mc_alloc(mc_option_count * sizeof *names);
  for (size_t i = 0; i < mc_option_count; i++)
    names[i] = mc_options[i].name;
  const char *nearest = mc_name_nearest(name, names, mc_option_count);
  free(names);
  if (nearest)
    return mc_fail(err, MC_ENOT_FOUND, "unknown option '%.64s': did you mean '%s'?", name, nearest);
  return mc_fail(err, MC_ENOT_FOUND, "unknown option '%.64s': `mooncrew config` lists the known ones", name);
}

int mc_config_set(mc_config *config, const char *name, const char *value, mc_err *err) {
  for (size_t i = 0; i < mc_option_count; i++)
    if (strcmp(mc_options[i].name, name) == 0)
      return option_set(config, &mc_options[i], value, err);
  return refuse_unknown(name, err);
}

void mc_config_show(const mc_config *config, const mc_option *option, mc_buf *out) {
  const void *place = (const char *)config + option->offset;
  char duration[32], size[32];
  switch (option->type) {
  case MC_OPTION_TEXT:
  case MC_OPTION_CHOICE:
    mc_buf_add_text(out, *(char *const *)place);
    break;
  case MC_OPTION_INTEGER:
    mc_buf_printf(out, "%lld", (long long)*(const int64_t *)place);
    break;
  case MC_OPTION_BOOLEAN:
    mc_buf_add_text(out, *(const bool *)place ? "true" : "false");
    break;
  case MC_OPTION_DURATION_MS:
  case MC_OPTION_DURATION_S:
    mc_duration_show(*(const int64_t *)place * (option->type == MC_OPTION_DURATION_S ? 1000 : 1), duration,
                     sizeof duration);
    mc_buf_add_text(out, duration);
    break;
  case MC_OPTION_SIZE:
    mc_size_show(*(const int64_t *)place, size, sizeof size);
    mc_buf_add_text(out, size);
    break;
  case MC_OPTION_QUEUES:
    mc_queues_show(config->queues, config->queue_count, out);
    break;
  case MC_OPTION_POOLS:
    mc_pools_show(config->pools, config->pool_count, out);
    break;
  }
}

void mc_config_init(mc_config *config) {
  memset(config, 0, sizeof *config);
  for (size_t i = 0; i < mc_option_count; i++) {
    mc_err err;
    if (option_set(config, &mc_options[i], mc_options[i].value, &err)) {
      fprintf(stderr, "mooncrew: the default of an option is refused: %s\n", err.text);
      abort();
    }
  }
}

void mc_config_deinit(mc_config *config) {
  if (config->redis)
    explicit_bzero(config->redis, strlen(config->redis));
  char *texts[] = {config->redis, config->scripts, config->log_level, config->log_format};
  for (size_t i = 0; i < MC_COUNT(texts); i++)
    free(texts[i]);
  mc_queues_free(config->queues, config->queue_count);
  mc_pools_free(config->pools, config->pool_count);
  memset(config, 0, sizeof *config);
}
