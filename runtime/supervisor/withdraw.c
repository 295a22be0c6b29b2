/* Taking back what a stuck worker has not started: see withdraw.h. */
#include "supervisor/withdraw.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/fold_settle.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"

#include <stdatomic.h>
#include <stdlib.h>

struct attempts {
  uint64_t *numbers; /* sorted */
  size_t count;
};

static int compare(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

/* The attempts in the page's slots; the caller frees. */
static struct attempts list_started(const mc_worker *worker) {
  size_t slots = (size_t)worker->node->config->concurrency;
  struct attempts started = {mc_alloc(slots * sizeof *started.numbers), 0};
  for (size_t i = 0; i < slots; i++) {
    uint64_t attempt = atomic_load(&worker->page->slots[i].attempt);
    if (attempt)
      started.numbers[started.count++] = attempt;
  }
  qsort(started.numbers, started.count, sizeof *started.numbers, compare);
  return started;
}

static bool has_started(const struct attempts *started, uint64_t attempt) {
  return bsearch(&attempt, started->numbers, started->count, sizeof attempt, compare) != NULL;
}

static uint64_t newest_attempt(const mc_worker *worker) {
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
    mc_outcome_requeue(node, held, 0);
}

static size_t take_back_all(mc_worker *worker, const struct attempts *started) {
  size_t before = mc_worker_load(worker);
  MC_LIST_EACH(link, &worker->held) {
    mc_held *held = mc_container_of(link, mc_held, in_worker);
    if (!has_started(started, held->attempt))
      take_back(held);
  }
  MC_LIST_EACH(link, &worker->folds) {
    mc_fold *fold = mc_container_of(link, mc_fold, in_worker);
    if (!has_started(started, fold->number))
      mc_fold_give_back(fold);
  }
  return before - mc_worker_load(worker);
}

void mc_worker_withdraw(mc_worker *worker) {
  struct attempts started = list_started(worker);
  if (mc_worker_load(worker) > started.count) {
    atomic_store(&worker->page->withdrawn, newest_attempt(worker)); /* before the look at the slots that counts */
    free(started.numbers);
    started = list_started(worker);
    size_t taken = take_back_all(worker, &started);
    mc_log_begin(MC_LOG_DEBUG, "took back what a stuck worker had not started");
    mc_log_int("worker", worker->index);
    mc_log_int("tasks", (int64_t)taken);
    mc_log_end();
  }
  free(started.numbers);
}
