/* The workers of this node: see pool.h. */
#include "supervisor/pool.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/retire.h"
#include "supervisor/spawn.h"

#include <stdlib.h>

extern char **environ;

mc_worker *mc_pool_find(const mc_pool *pool, uv_pid_t pid) {
  MC_LIST_EACH(link, &pool->workers) {
    if (mc_worker_of(link)->process.pid == pid)
      return mc_worker_of(link);
  }
  return NULL;
}

mc_section *mc_pool_section(const mc_pool *pool, mc_slice queue) {
  mc_section *best = NULL;
  size_t most = 0;
  for (size_t i = 0; i < pool->section_count; i++) {
    size_t free_slots = mc_section_free_slots(&pool->sections[i]);
    if (free_slots <= most || !mc_turns_serve(pool->sections[i].turns, queue))
      continue;
    most = free_slots;
    best = &pool->sections[i];
  }
  return best;
}

size_t mc_pool_asked(const mc_pool *pool) {
  size_t asked = 0;
  for (size_t i = 0; i < pool->section_count; i++)
    asked += pool->sections[i].asked;
  return asked;
}

size_t mc_pool_concurrency(const mc_pool *pool) {
  size_t concurrency = 0;
  for (size_t i = 0; i < pool->section_count; i++)
    concurrency += pool->sections[i].count * (size_t)pool->sections[i].turns->pool.concurrency;
  return concurrency;
}

size_t mc_pool_serving(const mc_pool *pool) {
  size_t serving = 0;
  for (size_t i = 0; i < pool->count; i++)
    serving += pool->places[i].worker && pool->places[i].worker->state == MC_WORKER_SERVING;
  return serving;
}

void mc_pool_flush(mc_pool *pool) {
  MC_LIST_EACH(link, &pool->workers) {
    mc_worker_dismiss_when_done(mc_worker_of(link));
    mc_channel_flush(&mc_worker_of(link)->channel);
  }
}

void mc_pool_check_left(mc_node *node) {
  if (node->pool.failed < node->pool.count || node->reload.coming.number || mc_shutdown_started(node))
    return;
  if (node->config->watch) {
    mc_log_event(MC_LOG_WARN, "waiting for the scripts", "none is served until those in '%s' load: mend them",
                 node->config->scripts);
    return;
  }
  mc_log_event(MC_LOG_ERROR, "no worker left", "the scripts in '%s' do not load; mend them and start again",
               node->config->scripts);
  mc_shutdown_fail(node);
}

/* ---- begin and end ---- */

static void divide(mc_node *node) {
  mc_pool *pool = &node->pool;
  pool->section_count = node->queues.turns_count;
  pool->sections = mc_zalloc(pool->section_count * sizeof *pool->sections);
  for (size_t i = 0; i < pool->section_count; i++) {
    pool->sections[i].turns = &node->queues.turns[i];
    pool->sections[i].count = (size_t)node->queues.turns[i].pool.workers;
    pool->count += pool->sections[i].count;
  }
  pool->places = mc_zalloc(pool->count * sizeof *pool->places);
  mc_pool_place *place = pool->places;
  for (size_t i = 0; i < pool->section_count; i++) {
    mc_section *section = &pool->sections[i];
    section->places = place;
    for (size_t k = 0; k < section->count; k++)
      *place++ = (mc_pool_place){.node = node, .section = section};
  }
}

void mc_pool_open(mc_node *node) {
  mc_pool *pool = &node->pool;
  divide(node);
  pool->environment = mc_spawn_environment(environ);
  mc_list_init(&pool->workers);
  for (size_t i = 0; i < pool->count; i++)
    mc_place_open(&pool->places[i]);
}

void mc_pool_drain(mc_pool *pool) {
  MC_LIST_EACH(link, &pool->workers) {
    mc_worker_drain(mc_worker_of(link));
  }
}

void mc_pool_kill(mc_pool *pool) {
  MC_LIST_EACH(link, &pool->workers) {
    mc_worker_of(link)->killed_to_stop = true;
    mc_worker_kill(mc_worker_of(link));
  }
}

void mc_pool_close(mc_node *node) {
  mc_pool *pool = &node->pool;
  pool->closing = true;
  MC_LIST_EACH(link, &pool->workers) {
    mc_worker_of(link)->killed_to_stop = true;
    mc_channel_close(&mc_worker_of(link)->channel); /* at the end of its socket a worker exits */
    if (!mc_worker_of(link)->ready_ms)
      mc_worker_kill(mc_worker_of(link)); /* it may be busy with loading, and has nothing to bring to an end */
  }
  for (size_t i = 0; i < pool->count; i++)
    mc_place_close(&pool->places[i]);
}

bool mc_pool_closed(const mc_pool *pool) {
  return mc_list_empty(&pool->workers);
}

void mc_pool_deinit(mc_pool *pool) {
  mc_spawn_environment_free(pool->environment);
  free(pool->sections);
  free(pool->places);
  *pool = (mc_pool){0};
}
