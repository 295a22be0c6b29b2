/* What a mooncrew server tells of itself: see server_status.h. */
#include "protocol/server_status.h"

#include "base/mem.h"
#include "protocol/keys.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL "pool:"

static const struct {
  const char *name;
  size_t offset;
} numbers[] = {
    {"generation", offsetof(mc_server_status, generation)}, {"loaded_at", offsetof(mc_server_status, loaded_at_ms)},
    {"draining", offsetof(mc_server_status, draining)},     {"asked", offsetof(mc_server_status, asked)},
    {"answered", offsetof(mc_server_status, answered)},     {"refused_at", offsetof(mc_server_status, refused_at_ms)},
};

static int64_t *number_at(mc_server_status *status, size_t i) {
  return (int64_t *)((char *)status + numbers[i].offset);
}

void mc_server_status_encode(const mc_server_status *status, mc_slice server, mc_args *hset) {
  mc_server_status copy = *status;
  mc_args_add_text(hset, "HSET");
  mc_key_server_status(&hset->bytes, server);
  mc_args_end(hset);
  for (size_t i = 0; i < MC_COUNT(numbers); i++) {
    mc_args_add_text(hset, numbers[i].name);
    mc_args_add_int(hset, *number_at(&copy, i));
  }
  mc_args_add_text(hset, "error");
  mc_args_add(hset, status->error);
  mc_args_add_text(hset, "patterns");
  mc_args_add(hset, status->patterns);
  for (size_t i = 0; i < status->pool_count; i++) {
    const mc_pool_status *pool = &status->pools[i];
    mc_args_printf(hset, POOL "%.*s", MC_SLICE_PRINT(pool->name));
    mc_args_printf(hset, "%lld %lld %lld %lld", (long long)pool->workers, (long long)pool->serving,
                   (long long)pool->concurrency, (long long)pool->busy);
  }
}

static int64_t number_read(mc_slice text) {
  char digits[24];
  snprintf(digits, sizeof digits, "%.*s", MC_SLICE_PRINT(text));
  return strtoll(digits, NULL, 10);
}

static void pool_read(mc_slice name, mc_slice text, mc_server_status *out) {
  char numbers_text[96];
  long long workers = 0, serving = 0, concurrency = 0, busy = 0;
  snprintf(numbers_text, sizeof numbers_text, "%.*s", MC_SLICE_PRINT(text));
  if (sscanf(numbers_text, "%lld %lld %lld %lld", &workers, &serving, &concurrency, &busy) != 4)
    return;
  out->pools[out->pool_count++] = (mc_pool_status){name, workers, serving, concurrency, busy};
}

static void field_read(mc_slice name, mc_slice value, mc_server_status *out) {
  const size_t prefix = sizeof POOL - 1;
  for (size_t i = 0; i < MC_COUNT(numbers); i++)
    if (mc_slice_equal(name, mc_slice_of(numbers[i].name)))
      *number_at(out, i) = number_read(value);
  if (mc_slice_equal(name, MC_SLICE_LITERAL("error")))
    out->error = value;
  if (mc_slice_equal(name, MC_SLICE_LITERAL("patterns")))
    out->patterns = value;
  if (name.size >= prefix && memcmp(name.data, POOL, prefix) == 0)
    pool_read((mc_slice){name.data + prefix, name.size - prefix}, value, out);
}

bool mc_server_status_read(const mc_value *reply, mc_server_status *out) {
  mc_server_status status = {0};
  if (reply->kind != MC_VALUE_ARRAY)
    return false;
  status.pools = mc_alloc((reply->count / 2 + 1) * sizeof *status.pools);
  for (size_t i = 0; i + 1 < reply->count; i += 2)
    field_read(reply->items[i]->text, reply->items[i + 1]->text, &status);
  if (status.generation == 0) {
    free(status.pools);
    return false;
  }
  *out = status;
  return true;
}
