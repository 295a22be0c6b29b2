/* What becomes of the tasks of a worker that has ended: see death.h. */
#include "supervisor/death.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct death {
  char text[128]; /* "signal 11 (Segmentation fault)", "exit code 0" */
  bool by_us;     /* ended at shutdown, or when it had retired: nobody is to blame */
};

static struct death describe(const mc_worker *worker, int64_t status, int signal) {
  struct death death = {.by_us = worker->killed_to_stop || worker->dismissed_ms};
  if (signal)
    snprintf(death.text, sizeof death.text, "signal %d (%s)", signal, strsignal(signal));
  else
    snprintf(death.text, sizeof death.text, "exit code %lld", (long long)status);
  return death;
}

static mc_held *find_blamed(mc_worker *worker, const struct death *death) {
  if (death->by_us)
    return NULL;
  uint64_t attempt = atomic_load(&worker->page->current);
  if (attempt == 0)
    attempt = worker->overdue_attempt;
  mc_held *held = attempt ? mc_held_find(&worker->node->held, attempt) : NULL;
  return held && held->worker == worker ? held : NULL;
}

static void log_death(const mc_worker *worker, const struct death *death, const mc_held *blamed) {
  if (death->by_us || worker->load_failed) /* the second is in the log already */
    return;
  mc_log_begin(MC_LOG_ERROR, worker->overdue_attempt ? "worker killed" : "worker died");
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  mc_log_text("detail", worker->overdue_attempt ? "a handler did not stop when its time was out or it was cancelled"
                                                : death->text);
  mc_log_int("tasks_in_flight", (int64_t)worker->held_count);
  if (blamed) {
    mc_log_slice("type", blamed->box.message.type);
    mc_log_slice("task_id", blamed->box.message.id);
  }
  mc_log_end();
}

static void settle_crash(mc_node *node, mc_held *held, const struct death *death) {
  uint32_t crashes = held->crashes + 1;
  if ((int64_t)crashes < node->config->max_crashes) {
    mc_outcome_requeue(node, held, crashes);
    return;
  }
  char reason[256];
  snprintf(reason, sizeof reason, "the worker died of %s while it ran this task, %u time%s (max_crashes is %lld)",
           death->text, crashes, crashes == 1 ? "" : "s", (long long)node->config->max_crashes);
  mc_outcome_archive(node, held, mc_slice_of(reason));
}

static void settle_blamed(mc_worker *worker, mc_held *held, const struct death *death) {
  bool cancelled = held->cancelled_ms != 0;
  if (worker->overdue_attempt)
    mc_outcome_fail(worker->node, held, mc_slice_of(cancelled ? "context canceled" : "context deadline exceeded"), -1);
  else
    settle_crash(worker->node, held, death);
}

void mc_death_settle(mc_worker *worker, int64_t status, int signal) {
  struct death death = describe(worker, status, signal);
  mc_held *blamed = find_blamed(worker, &death);
  log_death(worker, &death, blamed);
  MC_LIST_EACH(link, &worker->held) {
    mc_held *held = mc_container_of(link, mc_held, in_worker);
    if (held != blamed)
      mc_outcome_requeue(worker->node, held, 0);
  }
  if (blamed)
    settle_blamed(worker, blamed, &death);
  mc_folds_bury(worker, death.text, death.by_us);
}
