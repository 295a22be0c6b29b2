/* Which groups the scripts fold: see group_rules.h. */
#include "supervisor/group_rules.h"

#include "base/mem.h"

#include <stdlib.h>

void mc_group_rules_set(mc_group_rules *rules, const mc_frame_group_rule *items, size_t count) {
  mc_group_rules fresh = {.items = mc_alloc((count + 1) * sizeof *items), .count = count};
  for (size_t i = 0; i < count; i++) {
    mc_buf_add_slice(&fresh.texts, items[i].queue);
    mc_buf_add_slice(&fresh.texts, items[i].pattern);
  }
  const char *at = fresh.texts.data; /* only now: the buffer moved while it grew */
  for (size_t i = 0; i < count; i++) {
    fresh.items[i] = items[i];
    fresh.items[i].queue.data = at;
    fresh.items[i].pattern.data = at + items[i].queue.size;
    at += items[i].queue.size + items[i].pattern.size;
  }
  mc_group_rules_deinit(rules);
  *rules = fresh;
}

void mc_group_rules_deinit(mc_group_rules *rules) {
  mc_buf_deinit(&rules->texts);
  free(rules->items);
  *rules = (mc_group_rules){0};
}

static bool serves(const mc_frame_group_rule *rule, mc_slice queue) {
  return rule->queue.size == 0 || mc_slice_equal(rule->queue, queue);
}

bool mc_group_rules_any(const mc_group_rules *rules, mc_slice queue) {
  for (size_t i = 0; i < rules->count; i++)
    if (serves(&rules->items[i], queue))
      return true;
  return false;
}

/* How well a rule fits, 0: not at all. Twice the length of what is matched, and one more for what decides a tie. */
static size_t fitness(const mc_frame_group_rule *rule, mc_slice queue, mc_slice group) {
  mc_slice pattern = rule->pattern;
  size_t names_queue = rule->queue.size > 0;
  if (!serves(rule, queue))
    return 0;
  if (mc_slice_equal(pattern, group))
    return SIZE_MAX - 1 + names_queue;
  if (pattern.size == 0 || pattern.data[pattern.size - 1] != '*')
    return 0;
  mc_slice prefix = {pattern.data, pattern.size - 1};
  if (group.size < prefix.size || !mc_slice_equal(prefix, (mc_slice){group.data, prefix.size}))
    return 0;
  return 2 * pattern.size + names_queue;
}

const mc_frame_group_rule *mc_group_rules_find(const mc_group_rules *rules, mc_slice queue, mc_slice group) {
  const mc_frame_group_rule *best = NULL;
  size_t best_fitness = 0;
  for (size_t i = 0; i < rules->count; i++) {
    size_t found = fitness(&rules->items[i], queue, group);
    if (found > best_fitness) {
      best = &rules->items[i];
      best_fitness = found;
    }
  }
  return best;
}
