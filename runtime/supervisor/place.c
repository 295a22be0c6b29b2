/* A place and who is to serve it: see place.h. */
#include "supervisor/place.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/worker_process.h"
#include "supervisor/death.h"
#include "supervisor/node.h"

#define HEALTHY_MS 1000 /* ready for so long: its death is no quick one */
#define RESPAWN_MIN_MS 100
#define RESPAWN_MAX_MS 5000
#define RESPAWN_BLAMED_MAX_MS 400 /* where a task is to blame for the death */

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

static void give_up_place(mc_pool_place *place) {
  place->node->pool.failed++;
  mc_pool_check_left(place->node);
}

void mc_place_vacate(mc_pool_place *place, const mc_worker *worker, int64_t status) {
  place->worker = NULL;
  place->served |= worker->ready_ms != 0;
  bool was_to_load =
      worker->load_failed || (status == MC_WORKER_EXIT_LOAD_FAILED && worker->state == MC_WORKER_STARTING);
  if (was_to_load && !place->served)
    give_up_place(place);
  else
    respawn_after_death(place, worker);
}

static bool is_deserted(const mc_pool_place *place) {
  MC_LIST_EACH(link, &place->node->pool.workers) {
    if (mc_worker_place(mc_worker_of(link)) == place)
      return false;
  }
  return true;
}

void mc_place_close_when_deserted(mc_pool_place *place) {
  if (is_deserted(place))
    uv_close((uv_handle_t *)&place->respawn, NULL);
}

/* Their exits close the place. */
static void on_exit_wait_over(uv_timer_t *timer) {
  const mc_pool_place *place = mc_container_of(timer, mc_pool_place, respawn);
  MC_LIST_EACH(link, &place->node->pool.workers) {
    if (mc_worker_place(mc_worker_of(link)) == place)
      mc_worker_kill_unending(mc_worker_of(link));
  }
}

void mc_place_open(mc_pool_place *place) {
  uv_timer_init(&place->node->loop, &place->respawn);
  on_respawn(&place->respawn);
}

void mc_place_close(mc_pool_place *place) {
  uv_timer_start(&place->respawn, on_exit_wait_over, (uint64_t)place->node->config->kill_grace_ms, 0);
  mc_place_close_when_deserted(place);
}
