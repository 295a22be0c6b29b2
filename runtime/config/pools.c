/* Named pools of workers, as text: see pools.h. */
#include "config/pools.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/nearest.h"
#include "config/queues.h"

#include <stdlib.h>
#include <string.h>

#define SPACE " \t\r\n"

/* What a pool may have of its own: options whose values it replaces. */
static const struct setting {
  const char *name;
  size_t offset;
} settings[] = {
    {"workers", offsetof(mc_config_pool, workers)},   {"concurrency", offsetof(mc_config_pool, concurrency)},
    {"prefetch", offsetof(mc_config_pool, prefetch)}, {"memory_limit", offsetof(mc_config_pool, memory_limit)},
    {"strict", offsetof(mc_config_pool, strict)},     {"queues", offsetof(mc_config_pool, queues)},
};

static const mc_option *option_of(const struct setting *setting) {
  size_t i = 0;
  while (strcmp(mc_options[i].name, setting->name) != 0)
    i++;
  return &mc_options[i];
}

static bool name_usable(mc_slice name) {
  if (name.size == 0 || name.size > MC_POOL_NAME_MAX)
    return false;
  for (size_t i = 0; i < name.size; i++)
    if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name.data[i], 38))
      return false;
  return true;
}

static int pool_begin(mc_slice name, mc_config_pool *pools, size_t *count, mc_err *err) {
  if (!name_usable(name))
    return mc_fail(err, MC_EINVALID, "pools: '%.*s' is no name of a pool: 1 to %d of a-z 0-9 _ -", MC_SLICE_PRINT(name),
                   MC_POOL_NAME_MAX);
  for (size_t i = 0; i < *count; i++)
    if (mc_slice_equal(name, mc_slice_of(pools[i].name)))
      return mc_fail(err, MC_EINVALID, "pools.%s: is there twice", pools[i].name);
  pools[(*count)++] = (mc_config_pool){.name = mc_strndup(name.data, name.size)};
  return 0;
}

/* ---- one setting ---- */

static int refuse_unknown(const mc_config_pool *pool, const char *name, mc_err *err) {
  const char *names[MC_COUNT(settings)];
  for (size_t i = 0; i < MC_COUNT(settings); i++)
    names[i] = settings[i].name;
  const char *nearest = mc_name_nearest(name, names, MC_COUNT(settings));
  if (nearest)
    return mc_fail(err, MC_EINVALID, "pools.%s.%.64s: a pool has no such setting: did you mean '%s'?", pool->name, name,
                   nearest);
  return mc_fail(
      err, MC_EINVALID,
      "pools.%s.%.64s: a pool has no such setting: it may have workers, concurrency, prefetch, memory_limit, "
      "strict, queues",
      pool->name, name);
}

static int setting_set(const struct setting *setting, const char *text, mc_config_pool *pool, mc_err *err) {
  const mc_option *option = option_of(setting);
  unsigned bit = 1u << (setting - settings);
  mc_err reason = {""};
  int code;
  if (pool->given & bit)
    return mc_fail(err, MC_EINVALID, "pools.%s.%s: is given twice", pool->name, setting->name);
  if (option->type == MC_OPTION_QUEUES)
    code = mc_queues_parse(text, &pool->queues, &pool->queue_count, &reason);
  else
    code = mc_option_read(option, (char *)pool + setting->offset, text, &reason);
  if (code)
    return mc_fail(err, code, "pools.%s.%s: %.400s", pool->name, setting->name, reason.text);
  pool->given |= bit;
  return 0;
}

/* `name=value` in memory that may be written to. */
static int setting_parse(char *word, mc_config_pool *pool, mc_err *err) {
  char *equals = strchr(word, '=');
  *equals = '\0';
  for (size_t i = 0; i < MC_COUNT(settings); i++)
    if (strcmp(settings[i].name, word) == 0)
      return setting_set(&settings[i], equals + 1, pool, err);
  return refuse_unknown(pool, word, err);
}

/* ---- all of them ---- */

static int word_parse(char *word, mc_config_pool *pools, size_t *count, mc_err *err) {
  size_t size = strlen(word);
  if (strchr(word, '=') && *count)
    return setting_parse(word, &pools[*count - 1], err);
  if (!strchr(word, '=') && word[size - 1] == ':')
    return pool_begin((mc_slice){word, size - 1}, pools, count, err);
  return mc_fail(err, MC_EINVALID, "pools: '%.64s' is not understood: write 'name: setting=value setting=value'", word);
}

int mc_pools_parse(const char *text, mc_config_pool **out, size_t *out_count, mc_err *err) {
  mc_config_pool *pools = NULL;
  size_t count = 0;
  int code = 0;
  char *copy = mc_strdup(text), *rest = NULL;
  for (char *word = strtok_r(copy, SPACE, &rest); word && !code; word = strtok_r(NULL, SPACE, &rest)) {
    pools = mc_realloc(pools, (count + 1) * sizeof *pools);
    code = word_parse(word, pools, &count, err);
  }
  free(copy);
  if (code) {
    mc_pools_free(pools, count);
    return code;
  }
  *out = pools;
  *out_count = count;
  return 0;
}

static void setting_show(const mc_config_pool *pool, const struct setting *setting, mc_buf *out) {
  const void *place = (const char *)pool + setting->offset;
  char size[32];
  mc_buf_printf(out, " %s=", setting->name);
  switch (option_of(setting)->type) {
  case MC_OPTION_QUEUES:
    mc_queues_show(pool->queues, pool->queue_count, out);
    break;
  case MC_OPTION_BOOLEAN:
    mc_buf_add_text(out, *(const bool *)place ? "true" : "false");
    break;
  case MC_OPTION_SIZE:
    mc_size_show(*(const int64_t *)place, size, sizeof size);
    mc_buf_add_text(out, size);
    break;
  default:
    mc_buf_printf(out, "%lld", (long long)*(const int64_t *)place);
  }
}

void mc_pools_show(const mc_config_pool *pools, size_t count, mc_buf *out) {
  for (size_t i = 0; i < count; i++) {
    mc_buf_printf(out, "%s%s:", i ? " " : "", pools[i].name);
    for (size_t k = 0; k < MC_COUNT(settings); k++)
      if (pools[i].given & 1u << k)
        setting_show(&pools[i], &settings[k], out);
  }
}

void mc_pools_free(mc_config_pool *pools, size_t count) {
  for (size_t i = 0; i < count; i++) {
    free(pools[i].name);
    mc_queues_free(pools[i].queues, pools[i].queue_count);
  }
  free(pools);
}

/* ---- with everything filled in ---- */

static void fill(mc_config_pool *pool, const mc_config *config) {
  for (size_t i = 0; i < MC_COUNT(settings); i++) {
    const mc_option *option = option_of(&settings[i]);
    char *to = (char *)pool + settings[i].offset;
    const char *from = (const char *)config + option->offset;
    if (pool->given & 1u << i || option->type == MC_OPTION_QUEUES)
      continue;
    memcpy(to, from, option->type == MC_OPTION_BOOLEAN ? sizeof(bool) : sizeof(int64_t));
  }
  if (pool->queue_count)
    return;
  pool->queues = config->queues;
  pool->queue_count = config->queue_count;
}

void mc_config_pools(const mc_config *config, mc_config_pool **out_pools, size_t *out_count) {
  static char unnamed[] = "";
  size_t count = config->pool_count ? config->pool_count : 1;
  mc_config_pool *pools = mc_zalloc(count * sizeof *pools);
  for (size_t i = 0; i < count; i++) {
    pools[i] = config->pool_count ? config->pools[i] : (mc_config_pool){.name = unnamed};
    fill(&pools[i], config);
  }
  *out_pools = pools;
  *out_count = count;
}
