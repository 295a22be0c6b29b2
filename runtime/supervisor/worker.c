/* One worker: see worker.h. */
#include "supervisor/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/worker_process.h"
#include "supervisor/death.h"
#include "supervisor/memory.h"
#include "supervisor/node.h"
#include "supervisor/spawn.h"
#include "supervisor/worker_frames.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LONG_US 1e6 /* what is taken for the mean until it is known */
#define MEAN_WEIGHT (1.0 / 16)

mc_worker *mc_worker_of(mc_list *link) {
  return mc_container_of(link, mc_worker, in_pool);
}

mc_pool_place *mc_worker_place(const mc_worker *worker) {
  return &worker->node->pool.places[worker->index];
}

size_t mc_worker_load(const mc_worker *worker) {
  return worker->held_count + worker->fold_count;
}

void mc_worker_log(const mc_worker *worker) {
  mc_log_int("worker", worker->index);
  if (*worker->config->name)
    mc_log_text("pool", worker->config->name);
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

static void on_process_exit(uv_process_t *process, int64_t status, int signal) {
  mc_worker *worker = mc_container_of(process, mc_worker, process);
  mc_pool_place *place = mc_worker_place(worker);
  kill(-process->pid, SIGKILL); /* what its handlers left behind */
  mc_channel_drain(&worker->channel);
  mc_death_settle(worker, status, signal);
  place->retired -= worker->retired;
  if (place->worker == worker)
    mc_place_vacate(place, worker, status);
  bool awaited = mc_reload_awaits(worker);
  release_worker(worker);
  mc_manifest_agree(place->node);
  if (awaited) /* its memory stays until its handles are closed, in a later turn */
    mc_reload_on_death(worker, status, signal);
  mc_reload_on_exit(place->node);
  if (place->node->pool.closing)
    mc_place_close_when_deserted(place);
}

void mc_worker_kill(mc_worker *worker) {
  if (worker->state != MC_WORKER_ENDED)
    kill(-worker->process.pid, SIGKILL);
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

/* ---- what it has in hand ---- */

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

void mc_worker_drain(mc_worker *worker) {
  if (worker->state == MC_WORKER_DRAINING)
    return;
  worker->state = MC_WORKER_DRAINING;
  mc_frame_drain_encode(mc_channel_out(&worker->channel));
}
