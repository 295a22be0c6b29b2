/* Handlers that do not stop: see duty_overdue.h. */
#include "supervisor/duty_overdue.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/cancel.h"
#include "supervisor/loading.h"
#include "supervisor/memory.h"
#include "supervisor/node.h"
#include "supervisor/retire.h"

#include <stdatomic.h>

#define STILL_MS 1000 /* between two looks: we stood still */

bool mc_is_overdue(const mc_node *node, uint64_t since_ms, uint64_t allowed_ms, uint64_t now_ms) {
  uint64_t from_ms = since_ms > node->duties.resumed_ms ? since_ms : node->duties.resumed_ms;
  return now_ms > from_ms + allowed_ms;
}

/* The attempt that is past its time by more than the grace; 0: none. */
static uint64_t find_overdue(const mc_worker *worker, uint64_t now_ms, uint64_t grace_ms) {
  mc_page *page = worker->page;
  uint32_t count = (uint32_t)worker->config->concurrency;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t attempt = atomic_load(&page->slots[i].attempt);
    uint64_t deadline_ms = atomic_load(&page->slots[i].deadline_ms);
    if (attempt && deadline_ms && mc_is_overdue(worker->node, deadline_ms, grace_ms, now_ms) &&
        attempt == atomic_load(&page->slots[i].attempt))
      return attempt;
  }
  return 0;
}

/* The attempt that was told to stop longer ago than the grace and has not; 0: none. */
static uint64_t find_unwilling(const mc_worker *worker, uint64_t now_ms, uint64_t grace_ms) {
  MC_LIST_EACH(link, &worker->held) {
    const mc_held *held = mc_container_of(link, mc_held, in_worker);
    if (held->cancelled_ms)
      mc_cancel_mark(held);
    if (held->cancelled_ms && mc_is_overdue(worker->node, held->cancelled_ms, grace_ms, now_ms))
      return held->attempt;
  }
  return 0;
}

static void stop_unwilling(mc_worker *worker, uint64_t now_ms) {
  uint64_t grace_ms = (uint64_t)worker->node->config->kill_grace_ms;
  uint64_t attempt = find_overdue(worker, now_ms, grace_ms);
  if (!attempt)
    attempt = find_unwilling(worker, now_ms, grace_ms);
  if (!attempt)
    return;
  worker->overdue_attempt = attempt;
  mc_worker_kill(worker);
}

static void watch_loading(mc_worker *worker, uint64_t now_ms) {
  uint64_t allowed_ms = (uint64_t)worker->node->config->load_timeout_ms;
  if (worker->state != MC_WORKER_STARTING || worker->too_slow || worker->killed_to_stop ||
      !mc_is_overdue(worker->node, worker->started_ms, allowed_ms, now_ms))
    return;
  worker->too_slow = true;
  mc_loading loading = mc_loading_of(worker);
  char why[512];
  mc_loading_say(&loading, "it takes longer to load than load_timeout allows",
                 "a script takes longer to load than load_timeout allows", why, sizeof why);
  if (mc_reload_awaits(worker)) {
    mc_reload_refuse(worker->node, mc_slice_of(why));
    return;
  }
  mc_reload_first_failed(worker->node, mc_slice_of(why));
  mc_log_begin(MC_LOG_ERROR, "worker does not become ready");
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  mc_log_text("detail", why);
  mc_log_text("consequence", "the worker is killed and started again");
  mc_log_end();
  mc_worker_kill(worker);
}

static void look_at(mc_worker *worker, uint64_t now_ms) {
  watch_loading(worker, now_ms);
  mc_pulse_look(worker);
  mc_worker_recall(worker);
  mc_worker_chase(worker, now_ms);
  mc_memory_look(worker, now_ms);
  if (!worker->overdue_attempt)
    stop_unwilling(worker, now_ms);
}

static void notice_standstill(mc_duties *duties, uint64_t now_ms) {
  if (duties->looked_ms && now_ms - duties->looked_ms > STILL_MS)
    duties->resumed_ms = now_ms;
  duties->looked_ms = now_ms;
}

void mc_duty_overdue(mc_node *node) {
  uint64_t now_ms = mc_clock_mono_ms();
  notice_standstill(&node->duties, now_ms);
  MC_LIST_EACH(link, &node->pool.workers) {
    look_at(mc_worker_of(link), now_ms);
  }
}
