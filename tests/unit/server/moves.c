/* Tasks in every state: see moves.h. */
#include "moves.h"

#include <stdlib.h>

#include "base/mem.h"

void moves_give(const char *id, const char *state, int64_t score_s) {
  mc_task_state which;
  assert_int_equal(mc_state_find(mc_slice_of(state), &which), 0);
  queue_ask("HSET asynq:{q}:t:%s msg m state %s", id, state);
  if (mc_state_is_list(which))
    queue_ask("LPUSH asynq:{q}:%s %s", state, id);
  else
    queue_ask("ZADD asynq:{q}:%s %lld %s", state, (long long)score_s, id);
}

void moves_give_grouped(const char *id, const char *group) {
  queue_ask("HSET asynq:{q}:t:%s msg m state aggregating group %s", id, group);
  queue_ask("ZADD asynq:{q}:g:%s %lld %s", group, (long long)NOW_S, id);
  queue_ask("SADD asynq:{q}:groups %s", group);
}

const char *moves_found(mc_move move, mc_task_state state, const char *group, const char *ids) {
  const mc_move_source source = {mc_slice_of("q"), state, mc_slice_of(group)};
  mc_slice list[16];
  size_t count = 0;
  mc_call call = {0};
  char *copy = mc_strdup(ids), *rest = NULL;
  for (char *id = strtok_r(copy, " ", &rest); id; id = strtok_r(NULL, " ", &rest))
    list[count++] = mc_slice_of(id);
  mc_call_move(&call, move, &source, NOW_NS, list, count);
  free(copy);
  return queue_call(&call);
}

const char *moves_one(mc_move move, const char *ids) {
  return moves_found(move, MC_TASK_STATES, "", ids);
}
