/* Handlers that do not stop: see duty_overdue.h. */
#include "supervisor/duty_overdue.h"

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/node.h"

#include <stdatomic.h>

/* The attempt that is past its time by more than the grace; 0: none. */
static uint64_t find_overdue(const mc_worker *worker, uint64_t now_ms, uint64_t grace_ms) {
  mc_page *page = worker->page;
  uint32_t count = (uint32_t)worker->node->config->concurrency;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t attempt = atomic_load(&page->slots[i].attempt);
    uint64_t deadline_ms = atomic_load(&page->slots[i].deadline_ms);
    if (attempt && deadline_ms && now_ms > deadline_ms + grace_ms && attempt == atomic_load(&page->slots[i].attempt))
      return attempt;
  }
  return 0;
}

/* The same attempt being resumed at two looks in a row may be two resumes of it; then it is only spared new tasks. */
static void watch_current(mc_worker *worker) {
  uint64_t current = atomic_load(&worker->page->current);
  worker->stuck = current != 0 && current == worker->last_current;
  worker->last_current = current;
}

void mc_duty_overdue(mc_node *node) {
  uint64_t now_ms = mc_clock_mono_ms();
  for (size_t i = 0; i < node->pool.count; i++) {
    mc_worker *worker = node->pool.places[i].worker;
    if (!worker)
      continue;
    watch_current(worker);
    uint64_t overdue =
        worker->overdue_attempt ? 0 : find_overdue(worker, now_ms, (uint64_t)node->config->kill_grace_ms);
    if (!overdue)
      continue;
    worker->overdue_attempt = overdue;
    mc_worker_kill(worker);
  }
}
