/* Taking back what a stuck worker has not started: see withdraw.h. */
#include "supervisor/withdraw.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/fold_settle.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"

#include <stdatomic.h>

static uint64_t newest_in_hand(const mc_worker *worker) {
  uint64_t newest = 0;
  MC_LIST_EACH(link, &worker->held) {
    uint64_t attempt = mc_container_of(link, mc_held, in_worker)->attempt;
    newest = attempt > newest ? attempt : newest;
  }
  MC_LIST_EACH(link, &worker->folds) {
    uint64_t number = mc_container_of(link, mc_fold, in_worker)->number;
    newest = number > newest ? number : newest;
  }
  return newest;
}

static void take_back(mc_held *held) {
  mc_node *node = held->worker->node;
  if (held->cancelled_ms && !held->lost && !mc_shutdown_started(node))
    mc_outcome_fail(node, held, MC_SLICE_LITERAL("context canceled"), -1);
  else
    mc_outcome_requeue(node, held);
}

static size_t take_back_after(mc_worker *worker, uint64_t started) {
  size_t before = mc_worker_load(worker);
  MC_LIST_EACH(link, &worker->held) {
    mc_held *held = mc_container_of(link, mc_held, in_worker);
    if (held->attempt > started)
      take_back(held);
  }
  MC_LIST_EACH(link, &worker->folds) {
    mc_fold *fold = mc_container_of(link, mc_fold, in_worker);
    if (fold->number > started)
      mc_fold_give_back(fold);
  }
  return before - mc_worker_load(worker);
}

void mc_worker_withdraw(mc_worker *worker) {
  uint64_t newest = newest_in_hand(worker);
  if (newest <= atomic_load(&worker->page->newest))
    return;
  atomic_store(&worker->page->withdrawn, newest); /* before the look that counts */
  size_t taken = take_back_after(worker, atomic_load(&worker->page->newest));
  mc_log_begin(MC_LOG_DEBUG, "took back what a stuck worker had not started");
  mc_worker_log(worker);
  mc_log_int("tasks", (int64_t)taken);
  mc_log_end();
}
