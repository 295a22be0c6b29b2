/* Retiring a worker: see retire.h. */
#include "supervisor/retire.h"

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/duty_overdue.h"
#include "supervisor/node.h"

static void log_retirement(const mc_worker *worker, const char *event, const char *detail) {
  mc_log_begin(MC_LOG_INFO, event);
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  mc_log_int("tasks_in_flight", (int64_t)mc_worker_load(worker));
  mc_log_text("detail", detail);
  mc_log_end();
}

void mc_worker_retire(mc_worker *worker, mc_worker *successor, const char *why) {
  mc_pool_place *place = mc_worker_place(worker);
  if (worker->retired || worker->state == MC_WORKER_ENDED || mc_shutdown_started(worker->node))
    return;
  worker->retired = true;
  place->retired++;
  log_retirement(worker, "worker retires", why);
  mc_worker_drain(worker);
  if (place->worker != worker)
    return;
  place->worker = successor;
  if (!successor)
    mc_place_respawn(place, 0);
}

void mc_worker_dismiss_when_done(mc_worker *worker) {
  if (!worker->retired || worker->dismissed_ms || mc_worker_load(worker))
    return;
  worker->dismissed_ms = mc_clock_mono_ms();
  log_retirement(worker, "worker retired", "it has nothing left to do and ends");
  mc_channel_close(&worker->channel); /* at the end of its socket a worker exits */
}

void mc_worker_chase(mc_worker *worker, uint64_t now_ms) {
  uint64_t grace_ms = (uint64_t)worker->node->config->kill_grace_ms;
  if (worker->dismissed_ms && !worker->killed_to_stop &&
      mc_is_overdue(worker->node, worker->dismissed_ms, grace_ms, now_ms))
    mc_worker_kill_unending(worker);
}
