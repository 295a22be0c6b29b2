/* The workers of this node: see pool.h. */
#include "supervisor/pool.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/death.h"
#include "supervisor/memory.h"
#include "supervisor/node.h"
#include "supervisor/retire.h"
#include "supervisor/spawn.h"
#include "supervisor/worker_frames.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HEALTHY_MS 1000 /* ready for so long: its death is no quick one */
#define RESPAWN_MIN_MS 100
#define RESPAWN_MAX_MS 5000
#define RESPAWN_BLAMED_MAX_MS 400 /* where a task is to blame for the death */

#define SHORT_US 20000 /* a worker whose handlers take less, in the mean, is given tasks in advance */
#define LONG_US 1e6    /* what is taken for the mean until it is known */
#define MEAN_WEIGHT (1.0 / 16)

extern char **environ;

static mc_worker *worker_of(mc_list *link) {
  return mc_container_of(link, mc_worker, in_pool);
}

mc_worker *mc_pool_find(const mc_pool *pool, uv_pid_t pid) {
  MC_LIST_EACH(link, &pool->workers) {
    if (worker_of(link)->process.pid == pid)
      return worker_of(link);
  }
  return NULL;
}

mc_pool_place *mc_worker_place(const mc_worker *worker) {
  return &worker->node->pool.places[worker->index];
}

/* Folds take slots like tasks. */
size_t mc_worker_load(const mc_worker *worker) {
  return worker->held_count + worker->fold_count;
}

/* What those run that served its place before. */
static size_t retired_load(const mc_worker *worker) {
  size_t load = 0;
  if (mc_worker_place(worker)->retired == 0)
    return 0;
  MC_LIST_EACH(link, &worker->node->pool.workers) {
    const mc_worker *other = worker_of(link);
    if (other->retired && other->index == worker->index)
      load += mc_worker_load(other);
  }
  return load;
}

static size_t worker_free_slots(const mc_worker *worker) {
  if (!worker || worker->state != MC_WORKER_SERVING || worker->stuck)
    return 0;
  size_t slots = (size_t)worker->config->concurrency;
  size_t retired = retired_load(worker);
  if (worker->mean_us < SHORT_US && retired == 0) /* what it has in advance it would start beside those */
    slots += (size_t)worker->config->prefetch;
  size_t taken = mc_worker_load(worker) + retired;
  return taken < slots ? slots - taken : 0;
}

bool mc_worker_has_room(const mc_worker *worker) {
  return worker_free_slots(worker) > 0;
}

size_t mc_section_free_slots(const mc_section *section) {
  size_t free_slots = 0;
  for (size_t i = 0; i < section->count; i++)
    free_slots += worker_free_slots(section->places[i].worker);
  return free_slots > section->asked ? free_slots - section->asked : 0;
}

size_t mc_section_capacity(const mc_section *section) {
  const mc_config_pool *config = &section->turns->pool;
  return section->count * (size_t)(config->concurrency + config->prefetch);
}

mc_worker *mc_section_pick(const mc_section *section) {
  mc_worker *best = NULL;
  for (size_t i = 0; i < section->count; i++) {
    mc_worker *worker = section->places[i].worker;
    if (worker_free_slots(worker) && (!best || mc_worker_load(worker) < mc_worker_load(best)))
      best = worker;
  }
  return best;
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

void mc_worker_log(const mc_worker *worker) {
  mc_log_int("worker", worker->index);
  if (*worker->config->name)
    mc_log_text("pool", worker->config->name);
}

size_t mc_pool_serving(const mc_pool *pool) {
  size_t serving = 0;
  for (size_t i = 0; i < pool->count; i++)
    serving += pool->places[i].worker && pool->places[i].worker->state == MC_WORKER_SERVING;
  return serving;
}

void mc_pool_flush(mc_pool *pool) {
  MC_LIST_EACH(link, &pool->workers) {
    mc_worker_dismiss_when_done(worker_of(link));
    mc_channel_flush(&worker_of(link)->channel);
  }
}

/* ---- the end of a worker ---- */

static void drop_holder(mc_worker *worker) {
  if (--worker->holders > 0)
    return;
  if (worker->page)
    munmap(worker->page, mc_page_size((uint32_t)worker->config->concurrency));
  mc_buf_deinit(&worker->manifest.body);
  free(worker);
}

static void on_process_closed(uv_handle_t *handle) {
  drop_holder(mc_container_of(handle, mc_worker, process));
}

static void on_channel_ended(void *arg) {
  mc_pulse_cut(arg);
}

static void on_channel_closed(void *arg) {
  drop_holder(arg);
}

static void release_worker(mc_worker *worker) {
  worker->state = MC_WORKER_ENDED;
  mc_list_remove(&worker->in_pool);
  mc_memory_close(worker);
  if (worker->has_process)
    uv_close((uv_handle_t *)&worker->process, on_process_closed);
  mc_channel_close(&worker->channel);
  drop_holder(worker);
}

static uint64_t respawn_delay_ms(unsigned quick_deaths, uint64_t max_ms) {
  if (quick_deaths < 2)
    return 0;
  unsigned doublings = quick_deaths - 2;
  uint64_t delay = doublings < 10 ? (uint64_t)RESPAWN_MIN_MS << doublings : max_ms;
  return delay < max_ms ? delay : max_ms;
}

static void respawn_after_failure(mc_pool_place *place) {
  mc_place_respawn(place, respawn_delay_ms(++place->quick_deaths, RESPAWN_MAX_MS));
}

/* One that takes too much memory whatever it runs is not well, however much it has ended. */
static bool was_healthy(const mc_worker *worker) {
  if (worker->killed_for_size)
    return false;
  return worker->ended > 0 || (worker->ready_ms && mc_clock_mono_ms() - worker->ready_ms >= HEALTHY_MS);
}

static void respawn_after_death(mc_pool_place *place, const mc_worker *worker) {
  place->quick_deaths = was_healthy(worker) ? 0 : place->quick_deaths + 1;
  uint64_t max_ms = mc_death_blamed(worker) ? RESPAWN_BLAMED_MAX_MS : RESPAWN_MAX_MS;
  mc_place_respawn(place, respawn_delay_ms(place->quick_deaths, max_ms));
}

static void on_respawn(uv_timer_t *timer) {
  mc_pool_place *place = mc_container_of(timer, mc_pool_place, respawn);
  if (mc_shutdown_started(place->node) || place->worker)
    return;
  place->worker = mc_worker_start(place);
  if (!place->worker)
    respawn_after_failure(place);
}

void mc_place_respawn(mc_pool_place *place, uint64_t delay_ms) {
  if (!mc_shutdown_started(place->node))
    uv_timer_start(&place->respawn, on_respawn, delay_ms, 0);
}

static bool is_deserted(const mc_pool_place *place) {
  MC_LIST_EACH(link, &place->node->pool.workers) {
    if (mc_worker_place(worker_of(link)) == place)
      return false;
  }
  return true;
}

static void close_when_deserted(mc_pool_place *place) {
  if (is_deserted(place))
    uv_close((uv_handle_t *)&place->respawn, NULL);
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

static void give_up_place(mc_pool_place *place) {
  place->node->pool.failed++;
  mc_pool_check_left(place->node);
}

/* Whoever served a place has left it, by its end: what is to come there? */
static void desert_place(mc_pool_place *place, const mc_worker *worker, int64_t status) {
  place->worker = NULL;
  place->served |= worker->ready_ms != 0;
  bool was_to_load =
      worker->load_failed || (status == MC_WORKER_EXIT_LOAD_FAILED && worker->state == MC_WORKER_STARTING);
  if (was_to_load && !place->served)
    give_up_place(place);
  else
    respawn_after_death(place, worker);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal) {
  mc_worker *worker = mc_container_of(process, mc_worker, process);
  mc_pool_place *place = mc_worker_place(worker);
  kill(-process->pid, SIGKILL); /* what its handlers left behind */
  mc_channel_drain(&worker->channel);
  mc_death_settle(worker, status, signal);
  place->retired -= worker->retired;
  if (place->worker == worker)
    desert_place(place, worker, status);
  bool awaited = mc_reload_awaits(worker);
  release_worker(worker);
  mc_manifest_agree(place->node);
  if (awaited) /* its memory stays until its handles are closed, in a later turn */
    mc_reload_on_death(worker, status, signal);
  mc_reload_on_exit(place->node);
  if (place->node->pool.closing)
    close_when_deserted(place);
}

void mc_worker_ended_one(mc_worker *worker, uint64_t duration_us) {
  worker->ended++;
  worker->mean_us += ((double)duration_us - worker->mean_us) * MEAN_WEIGHT;
}

void mc_worker_recall(mc_worker *worker) {
  bool idle = worker->ended == worker->last_ended;
  worker->last_ended = worker->ended;
  if (!idle || mc_worker_load(worker) <= (size_t)worker->config->concurrency)
    return;
  worker->mean_us = LONG_US;
  mc_frame_drain_encode(mc_channel_out(&worker->channel));
}

void mc_worker_kill(mc_worker *worker) {
  if (worker->state != MC_WORKER_ENDED)
    kill(-worker->process.pid, SIGKILL);
}

/* ---- the start of a worker ---- */

static void on_channel_broken(void *arg, const char *why) {
  mc_worker *worker = arg;
  mc_log_event(MC_LOG_ERROR, "worker sent a malformed frame", "worker %u is killed: %s", worker->index, why);
  mc_worker_kill(worker);
}

static void send_settings(mc_worker *worker) {
  const mc_config *config = worker->node->config;
  const char *lua_path = getenv("MOONCREW_LUA_PATH");
  mc_frame_settings settings = {
      .scripts = mc_slice_of(config->scripts),
      .worker = worker->index,
      .concurrency = (uint32_t)worker->config->concurrency,
      .load_timeout_ms = (uint32_t)config->load_timeout_ms,
      .log_level = mc_slice_of(config->log_level),
      .log_format = mc_slice_of(config->log_format),
      .lua_path = mc_slice_of(lua_path),
  };
  mc_frame_settings_encode(mc_channel_out(&worker->channel), &settings);
  mc_channel_flush(&worker->channel);
}

mc_worker *mc_worker_start(mc_pool_place *place) {
  return mc_worker_start_of(place, &place->node->reload.serving);
}

mc_worker *mc_worker_start_of(mc_pool_place *place, const mc_generation *generation) {
  mc_node *node = place->node;
  mc_err err;
  mc_worker *worker = mc_zalloc(sizeof *worker);
  worker->node = node;
  worker->config = &place->section->turns->pool;
  worker->index = (uint32_t)(place - node->pool.places);
  worker->generation = generation->number;
  worker->started_ms = mc_clock_mono_ms();
  worker->holders = 1;
  worker->mean_us = LONG_US;
  worker->statm = -1;
  mc_list_init(&worker->held);
  mc_list_init(&worker->folds);
  mc_list_push_back(&node->pool.workers, &worker->in_pool);
  worker->channel.on_frame = mc_worker_on_frame;
  worker->channel.on_broken = on_channel_broken;
  worker->channel.on_ended = on_channel_ended;
  worker->channel.on_closed = on_channel_closed;
  worker->channel.arg = worker;
  if (mc_spawn_worker(worker, node->pool.environment, generation->scripts.fd, on_process_exit, &err)) {
    mc_log_event(MC_LOG_ERROR, "cannot start a worker", "%s", err.text);
    release_worker(worker);
    return NULL;
  }
  send_settings(worker);
  return worker;
}

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
  for (size_t i = 0; i < pool->count; i++) {
    uv_timer_init(&node->loop, &pool->places[i].respawn);
    on_respawn(&pool->places[i].respawn);
  }
}

/* ---- all of them ---- */

void mc_worker_drain(mc_worker *worker) {
  if (worker->state == MC_WORKER_DRAINING)
    return;
  worker->state = MC_WORKER_DRAINING;
  mc_frame_drain_encode(mc_channel_out(&worker->channel));
}

void mc_pool_drain(mc_pool *pool) {
  MC_LIST_EACH(link, &pool->workers) {
    mc_worker_drain(worker_of(link));
  }
}

void mc_pool_kill(mc_pool *pool) {
  MC_LIST_EACH(link, &pool->workers) {
    worker_of(link)->killed_to_stop = true;
    mc_worker_kill(worker_of(link));
  }
}

void mc_worker_kill_unending(mc_worker *worker) {
  worker->killed_to_stop = true;
  mc_log_begin(MC_LOG_WARN, "worker does not end");
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  mc_log_text("detail",
              "what it runs (crew.on_stop, or a blocking call) has not ended within kill_grace; it is killed");
  mc_log_end();
  mc_worker_kill(worker);
}

/* Their exits close the place. */
static void on_exit_wait_over(uv_timer_t *timer) {
  const mc_pool_place *place = mc_container_of(timer, mc_pool_place, respawn);
  MC_LIST_EACH(link, &place->node->pool.workers) {
    if (mc_worker_place(worker_of(link)) == place)
      mc_worker_kill_unending(worker_of(link));
  }
}

void mc_pool_close(mc_node *node) {
  mc_pool *pool = &node->pool;
  pool->closing = true;
  MC_LIST_EACH(link, &pool->workers) {
    worker_of(link)->killed_to_stop = true;
    mc_channel_close(&worker_of(link)->channel); /* at the end of its socket a worker exits */
    if (!worker_of(link)->ready_ms)
      mc_worker_kill(worker_of(link)); /* it may be busy with loading, and has nothing to bring to an end */
  }
  for (size_t i = 0; i < pool->count; i++) {
    uv_timer_start(&pool->places[i].respawn, on_exit_wait_over, (uint64_t)node->config->kill_grace_ms, 0);
    close_when_deserted(&pool->places[i]);
  }
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
