/* What becomes of the tasks of a worker that has ended: see death.h. */
#include "supervisor/death.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/size.h"
#include "protocol/worker_process.h"
#include "supervisor/loading.h"
#include "supervisor/memory.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct death {
  char text[128];    /* "signal 11 (Segmentation fault)", "exit code 0" */
  const char *hint;  /* what that mostly means; NULL: nothing to add */
  uint64_t hog_took; /* bytes: what the one to blame took of the worker's memory; 0: none did */
  mc_slice failure;  /* what the handler of the one to blame had failed by, in the page; empty: it had not */
  bool by_us;        /* ended at shutdown, or when it had retired: nobody is to blame */
};

static const struct {
  int number;
  const char *hint;
} signal_hints[] = {
    {SIGSEGV, "native code, called through FFI or by a C module, touched memory that is not its own, or functions of "
              "Lua and C called one another too deep"},
    {SIGBUS, "native code touched memory that is not its own, or a mapped file was cut short"},
    {SIGABRT, "abort() was called: by native code, or by a C library that found a defect such as memory freed twice"},
    {SIGFPE, "native code divided by zero"},
    {SIGILL, "native code ran an instruction that this processor does not know"},
    {SIGKILL, "it was killed from outside: by hand, or by the kernel for want of memory"},
    {SIGTERM, "it was asked to end from outside, or by the handler itself"},
    {SIGXCPU, "it used up the processor time that the system allows it"},
};

static const char exit_hint[] = "the handler ended its process: handlers must not call os.exit() or exit()";

static const char cut_off_hint[] = "the handler closed descriptors of its worker: only what it has opened is its own";

static const char *hint_of(int signal) {
  for (size_t i = 0; i < MC_COUNT(signal_hints); i++)
    if (signal_hints[i].number == signal)
      return signal_hints[i].hint;
  return NULL;
}

static struct death describe(const mc_worker *worker, int64_t status, int signal) {
  struct death death = {.by_us = worker->killed_to_stop || worker->dismissed_ms};
  if (signal)
    snprintf(death.text, sizeof death.text, "signal %d (%s)", signal, strsignal(signal));
  else
    snprintf(death.text, sizeof death.text, "exit code %lld", (long long)status);
  death.hint = signal ? hint_of(signal) : status == MC_WORKER_EXIT_CUT_OFF ? cut_off_hint : exit_hint;
  if (worker->killed_for[0])
    death.hint = worker->killed_for;
  return death;
}

/* The only attempt that has started; 0: there are more, or none. */
static uint64_t only_started(const mc_worker *worker) {
  uint64_t single = 0;
  for (int64_t i = 0; i < worker->config->concurrency; i++) {
    uint64_t attempt = atomic_load(&worker->page->slots[i].attempt);
    if (attempt && single)
      return 0;
    single = attempt ? attempt : single;
  }
  return single;
}

uint64_t mc_death_suspect(const mc_worker *worker) {
  uint64_t current = atomic_load(&worker->page->current);
  return current ? current : only_started(worker);
}

/* What a process does to itself: nobody else sends these. */
static bool is_own_doing(int signal) {
  static const int own[] = {0, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
  for (size_t i = 0; i < MC_COUNT(own); i++)
    if (own[i] == signal)
      return true;
  return false;
}

/* By us, or by somebody else (the kernel) while it had more than it should. */
static bool ended_for_size(const mc_worker *worker, const struct death *death, int signal) {
  int64_t limit = worker->config->memory_limit;
  bool by_others = signal == SIGKILL && !death->by_us && !worker->killed_for[0] && !worker->overdue_attempt;
  return worker->killed_for_size || (by_others && limit && worker->resident > limit);
}

/* Before the page goes. */
static void find_suspects(mc_worker *worker, struct death *death, int signal) {
  bool for_size = ended_for_size(worker, death, signal);
  if (for_size)
    worker->culprit = mc_memory_hog(worker, &death->hog_took);
  if (for_size || is_own_doing(signal))
    worker->suspect = only_started(worker);
}

uint64_t mc_death_blamed(const mc_worker *worker) {
  if (worker->culprit || worker->killed_cut_off)
    return worker->culprit;
  uint64_t attempt = atomic_load(&worker->page->current);
  if (attempt == 0)
    attempt = worker->overdue_attempt;
  return attempt ? attempt : worker->suspect;
}

/* Empty where its handler had not failed when the worker ended. */
static mc_slice failure_of(const mc_worker *worker, uint64_t attempt) {
  uint32_t count = (uint32_t)worker->config->concurrency;
  for (uint32_t i = 0; i < count; i++) {
    const mc_page_failure *failure = mc_page_failure_of(worker->page, count, i);
    if (atomic_load(&worker->page->slots[i].attempt) != attempt || atomic_load(&failure->attempt) != attempt)
      continue;
    uint64_t size = atomic_load(&failure->size);
    return (mc_slice){failure->text, size < MC_PAGE_FAILURE_MAX ? size : MC_PAGE_FAILURE_MAX};
  }
  return (mc_slice){0};
}

static mc_held *find_blamed(mc_worker *worker, const struct death *death) {
  uint64_t attempt = death->by_us ? 0 : mc_death_blamed(worker);
  mc_held *held = attempt ? mc_held_find(&worker->node->held, attempt) : NULL;
  return held && held->worker == worker ? held : NULL;
}

static void log_end_of(const mc_worker *worker, const struct death *death) {
  if (worker->overdue_attempt)
    mc_log_text("detail", "a handler did not stop when its time was out or it was cancelled");
  else if (worker->killed_for[0])
    mc_log_text("detail", worker->killed_for);
  else
    mc_log_text("detail", death->text);
}

static void log_loading(const mc_worker *worker, const struct death *death) {
  mc_loading loading = mc_loading_of(worker);
  if (!*loading.place)
    return;
  mc_log_text("loading", loading.place);
  if (death->hint == exit_hint)
    mc_log_text("meaning", "a script ended its process while it was loaded: it must not call os.exit() or exit()");
}

static void log_death(const mc_worker *worker, const struct death *death, const mc_held *blamed) {
  bool killed = worker->overdue_attempt || worker->killed_for[0];
  if (death->by_us || worker->load_failed) /* the second is in the log already */
    return;
  mc_log_begin(MC_LOG_ERROR, killed ? "worker killed" : "worker died");
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  log_end_of(worker, death);
  log_loading(worker, death);
  if (!killed && death->hint && (blamed || death->hint != exit_hint))
    mc_log_text("meaning", death->hint);
  mc_log_int("tasks_in_flight", (int64_t)worker->held_count);
  if (blamed) {
    mc_log_slice("type", blamed->box.message.type);
    mc_log_slice("task_id", blamed->box.message.id);
    if (death->failure.size)
      mc_log_slice("handler_error", death->failure);
  }
  mc_log_end();
}

/* A further clause of a reason. */
static void begin_clause(mc_buf *reason) {
  if (reason->size)
    mc_buf_add_text(reason, "; ");
}

/* What of the memory came with the blamed task; nothing when that is not why it is blamed. */
static void tell_share(const struct death *death, mc_buf *reason) {
  char took[32];
  if (!death->hog_took)
    return;
  mc_size_round((int64_t)death->hog_took, took, sizeof took);
  begin_clause(reason);
  mc_buf_printf(reason, "%s of it came with this task", took);
}

/* The handler's own error, which functions of the scripts were told before the worker ended. */
static void tell_failure(const struct death *death, mc_buf *reason) {
  if (!death->failure.size)
    return;
  begin_clause(reason);
  mc_buf_add_text(reason, "the handler had failed: ");
  mc_buf_add_slice(reason, death->failure);
}

static void settle_crash(mc_worker *worker, mc_held *held, const struct death *death) {
  bool killed = worker->killed_for[0];
  char what[192];
  mc_buf meaning = {0};
  snprintf(what, sizeof what, "the worker %s%s while it ran this task", killed ? "was killed" : "died of ",
           killed ? "" : death->text);
  mc_buf_add_text(&meaning, death->hint ? death->hint : "");
  tell_share(death, &meaning);
  tell_failure(death, &meaning);
  mc_outcome_crash(worker->node, held, what, mc_buf_slice(&meaning));
  mc_buf_deinit(&meaning);
}

/* Whether the time of a task that has a slot is up. */
static bool is_past_deadline(const mc_worker *worker, const mc_held *held) {
  uint64_t now_ms = mc_clock_mono_ms();
  for (int64_t i = 0; i < worker->config->concurrency; i++) {
    uint64_t deadline_ms = atomic_load(&worker->page->slots[i].deadline_ms);
    if (atomic_load(&worker->page->slots[i].attempt) == held->attempt)
      return deadline_ms && now_ms >= deadline_ms;
  }
  return false;
}

/* asynq's words first, since tools look for them. */
static void fail_overdue(mc_worker *worker, mc_held *held, const struct death *death) {
  static const char ignored[] = "the handler went on, and its worker was killed after kill_grace";
  static const char heard[] =
      "a function of crew.on_error or for retries went on, and its worker was killed after kill_grace";
  static const char blocked[] =
      "the handler let no other run, and its worker was killed since the time of one of those was up";
  bool own = held->attempt == worker->overdue_attempt || held->cancelled_ms || is_past_deadline(worker, held);
  mc_buf reason = {0};
  mc_buf_printf(&reason, "%s: %s", held->cancelled_ms ? "context canceled" : "context deadline exceeded",
                !own                  ? blocked
                : death->failure.size ? heard
                                      : ignored);
  tell_failure(death, &reason);
  mc_outcome_fail(worker->node, held, mc_buf_slice(&reason), -1);
  mc_buf_deinit(&reason);
}

static void settle_blamed(mc_worker *worker, mc_held *held, const struct death *death) {
  if (worker->overdue_attempt)
    fail_overdue(worker, held, death);
  else
    settle_crash(worker, held, death);
}

void mc_death_settle(mc_worker *worker, int64_t status, int signal) {
  struct death death = describe(worker, status, signal);
  find_suspects(worker, &death, signal);
  mc_held *blamed = find_blamed(worker, &death);
  if (blamed)
    death.failure = failure_of(worker, blamed->attempt);
  log_death(worker, &death, blamed);
  MC_LIST_EACH(link, &worker->held) {
    mc_held *held = mc_container_of(link, mc_held, in_worker);
    if (held != blamed)
      mc_outcome_requeue(worker->node, held);
  }
  if (blamed)
    settle_blamed(worker, blamed, &death);
  mc_folds_bury(worker, death.text, death.by_us);
}
