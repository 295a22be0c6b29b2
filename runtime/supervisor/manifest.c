/* Which manifest is in force: see manifest.h. */
#include "supervisor/manifest.h"

#include "base/log.h"
#include "supervisor/duty_cron.h"
#include "supervisor/duty_cron_tell.h"
#include "supervisor/node.h"

/* ---- digests ---- */

/* FNV-1a. Sizes go before texts, so that no two items give the same bytes. */
#define HASH_START 0xcbf29ce484222325u

static void hash_bytes(uint64_t *hash, const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < size; i++)
    *hash = (*hash ^ at[i]) * 0x100000001b3u;
}

static void hash_number(uint64_t *hash, int64_t number) {
  hash_bytes(hash, &number, sizeof number);
}

static void hash_text(uint64_t *hash, mc_slice text) {
  hash_number(hash, (int64_t)text.size);
  hash_bytes(hash, text.data, text.size);
}

/* Items are added up, and a sum of hashes as they are would hide that two items changed places in part. */
static uint64_t hash_end(uint64_t mixed) {
  mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccdu;
  mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53u;
  return mixed ^ mixed >> 33;
}

enum { TYPE = 1, CRON, RULE };

static uint64_t type_digest(const mc_frame_manifest_entry *entry) {
  uint64_t hash = HASH_START ^ TYPE;
  hash_text(&hash, entry->type);
  hash_text(&hash, entry->queue);
  return hash_end(hash);
}

static uint64_t cron_digest(const mc_cron_entry *entry) {
  char name[MC_CRON_NAME_SIZE] = "";
  mc_cron cron;
  mc_err err;
  if (mc_cron_parse(entry->spec, &cron, &err) == 0) { /* else it is not used */
    mc_cron_entry_name(entry, &cron, name);
    mc_cron_deinit(&cron);
  }
  uint64_t hash = HASH_START ^ CRON;
  hash_text(&hash, entry->id);
  hash_text(&hash, mc_slice_of(name));
  hash_number(&hash, entry->missed);
  return hash_end(hash);
}

static uint64_t rule_digest(const mc_frame_group_rule *rule) {
  uint64_t hash = HASH_START ^ RULE;
  hash_text(&hash, rule->queue);
  hash_text(&hash, rule->pattern);
  hash_number(&hash, rule->grace_s);
  hash_number(&hash, rule->max_delay_s);
  hash_number(&hash, rule->max_size);
  hash_number(&hash, rule->timeout_ms);
  return hash_end(hash);
}

/* A sum, since scripts may declare in another order each time they are loaded: tables in Lua have none. */
static uint64_t digest_of(const mc_frame_ready *ready) {
  uint64_t sum = 0;
  for (size_t i = 0; i < ready->count; i++)
    sum += type_digest(&ready->entries[i]);
  for (size_t i = 0; i < ready->cron_count; i++)
    sum += cron_digest(&ready->cron[i]);
  for (size_t i = 0; i < ready->rule_count; i++)
    sum += rule_digest(&ready->rules[i]);
  return sum;
}

void mc_manifest_take(mc_worker *worker, mc_slice body, const mc_frame_ready *ready) {
  mc_buf_clear(&worker->manifest.body);
  mc_buf_add_slice(&worker->manifest.body, body);
  worker->manifest.digest = digest_of(ready);
}

/* ---- what is in force ---- */

static void install(mc_node *node, const mc_manifest *manifest) {
  mc_frame_ready ready;
  if (mc_frame_ready_decode(mc_buf_slice(&manifest->body), &ready)) /* it was read before */
    return;
  mc_group_rules_set(&node->folds.rules, ready.rules, ready.rule_count);
  mc_crons_install(node, ready.cron, ready.cron_count);
  mc_frame_ready_free(&ready);
  node->manifest.any = true;
  node->manifest.digest = manifest->digest;
  if (node->link.up) {
    mc_duty_cron(node);
    mc_duty_cron_tell(node);
  }
}

static void tell_difference(mc_node *node) {
  if (node->manifest.differ)
    return;
  node->manifest.differ = true;
  mc_log_event(MC_LOG_WARN, "scripts differ between workers",
               "what they declare depends on chance or time; cron entries and groups stay as they were until all "
               "workers declare the same: mend the scripts and reload");
}

/* The manifest of all serving workers; NULL: there is none, or they differ. */
static const mc_manifest *common_manifest(const mc_pool *pool, bool *out_differ) {
  const mc_manifest *common = NULL;
  *out_differ = false;
  for (size_t i = 0; i < pool->count; i++) {
    const mc_worker *worker = pool->places[i].worker;
    if (!worker || worker->state != MC_WORKER_SERVING)
      continue;
    if (common && common->digest != worker->manifest.digest) {
      *out_differ = true;
      return NULL;
    }
    common = &worker->manifest;
  }
  return common;
}

static void tell_agreement(mc_node *node) {
  if (node->manifest.differ)
    mc_log_event(MC_LOG_INFO, "scripts agree again", "cron entries and groups are those of all workers");
  node->manifest.differ = false;
}

/* That a worker with other scripts died does not end the difference: it is being started again. */
static bool is_complete(const mc_pool *pool) {
  return mc_pool_serving(pool) + pool->failed == pool->count;
}

void mc_manifest_agree(mc_node *node) {
  bool differ;
  const mc_manifest *common = common_manifest(&node->pool, &differ);
  if (differ)
    tell_difference(node);
  if (!common)
    return;
  bool changed = !node->manifest.any || node->manifest.digest != common->digest;
  if (changed)
    install(node, common);
  if (changed || is_complete(&node->pool))
    tell_agreement(node);
}
