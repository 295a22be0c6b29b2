/* Whether a worker answers: see pulse.h. */
#include "supervisor/pulse.h"

#include "base/log.h"
#include "supervisor/death.h"
#include "supervisor/node.h"
#include "supervisor/withdraw.h"

#include <stdatomic.h>
#include <stdio.h>

#define LOOK_MS 100      /* how often the duty looks */
#define PING_LOOKS 10    /* from one answer to the next question */
#define SILENT_LOOKS 10  /* without an answer: it is stuck */
#define CUT_LOOKS 5      /* a process that ends closes its socket somewhat before that is heard of */
#define WITHDRAW_LOOKS 5 /* stuck for so long: it loses what it has not started */

/* While it takes what is sent to it, it may just not have come to the PING. */
static bool takes_more(mc_worker *worker) {
  size_t unsent = mc_channel_unsent(&worker->channel);
  bool less = unsent < worker->pulse.last_unsent;
  worker->pulse.last_unsent = unsent;
  return less;
}

static void ask(mc_worker *worker) {
  mc_pulse *pulse = &worker->pulse;
  pulse->asked = true;
  pulse->waited = 0;
  mc_frame_token_encode(mc_channel_out(&worker->channel), MC_FRAME_PING, &(mc_frame_token){++pulse->token});
}

static void log_pulse(const mc_worker *worker, mc_log_level level, const char *event, const char *detail) {
  const mc_held *held = mc_held_find(&worker->node->held, worker->pulse.last_current);
  mc_log_begin(level, event);
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  if (held) {
    mc_log_slice("type", held->box.message.type);
    mc_log_slice("task_id", held->box.message.id);
  }
  mc_log_text("detail", detail);
  mc_log_end();
}

static void tell_silent(mc_worker *worker) {
  if (worker->pulse.told)
    return;
  worker->pulse.told = true;
  log_pulse(worker, MC_LOG_WARN, "worker does not answer",
            worker->pulse.last_current
                ? "a handler computes or blocks without waiting; until it waits or ends the worker gets no new tasks"
                : "it runs no task and yet does not come back to its loop; it gets no new tasks until it does");
}

static void tell_answers(mc_worker *worker) {
  if (!worker->pulse.told)
    return;
  worker->pulse.told = false;
  log_pulse(worker, MC_LOG_INFO, "worker answers again", "it gets new tasks");
}

static void kill_silent(mc_worker *worker) {
  snprintf(worker->killed_for, sizeof worker->killed_for,
           "it did not answer for %.1f s and ran no task: a callback did not come to its end, or the process was "
           "stopped from outside",
           (double)worker->pulse.lost_for * LOOK_MS / 1000.0);
  mc_worker_kill(worker);
}

void mc_pulse_cut(mc_worker *worker) {
  worker->pulse.cut_off = true;
  worker->pulse.cut_by = mc_death_suspect(worker);
}

static void kill_cut_off(mc_worker *worker) {
  if (++worker->pulse.cut_for != CUT_LOOKS || worker->killed_for[0])
    return;
  worker->killed_cut_off = true;
  worker->culprit = worker->pulse.cut_by;
  snprintf(worker->killed_for, sizeof worker->killed_for,
           "its connection to the supervisor was closed in it: a handler closed descriptors that are not its own");
  mc_worker_kill(worker);
}

/* Time that a task's code took does not count: what comes after it may need a moment before the PING is read. */
static bool is_past_grace(const mc_worker *worker) {
  return worker->pulse.lost_for > (uint64_t)worker->node->config->kill_grace_ms / LOOK_MS;
}

/* Whether it has begun nothing since the last look. */
static bool is_at_the_same(mc_worker *worker) {
  mc_pulse *pulse = &worker->pulse;
  uint64_t current = atomic_load(&worker->page->current), steps = atomic_load(&worker->page->steps);
  bool same = current == pulse->last_current && steps == pulse->last_steps;
  pulse->last_current = current;
  pulse->last_steps = steps;
  return same;
}

void mc_pulse_look(mc_worker *worker) {
  mc_pulse *pulse = &worker->pulse;
  if (!worker->ready_ms || worker->dismissed_ms || worker->state == MC_WORKER_ENDED)
    return;
  if (pulse->cut_off)
    kill_cut_off(worker);
  bool same = is_at_the_same(worker);
  uint64_t current = pulse->last_current;
  pulse->waited++;
  if (!pulse->asked && pulse->waited >= PING_LOOKS)
    ask(worker);
  if (takes_more(worker))
    pulse->waited = 0;
  bool silent = pulse->asked && pulse->waited >= SILENT_LOOKS;
  worker->stuck = (same && current) || silent;
  pulse->stuck_for = worker->stuck ? pulse->stuck_for + 1 : 0;
  if (silent)
    tell_silent(worker);
  if (pulse->stuck_for >= WITHDRAW_LOOKS)
    mc_worker_withdraw(worker);
  pulse->lost_for = silent && same && !current ? pulse->lost_for + 1 : 0;
  if (is_past_grace(worker))
    kill_silent(worker);
}

int mc_pulse_answered(mc_worker *worker, mc_slice body) {
  mc_frame_token pong;
  if (mc_frame_token_decode(body, &pong))
    return MC_EMALFORMED;
  if (pong.token != worker->pulse.token)
    return 0;
  worker->pulse.asked = false;
  worker->pulse.waited = 0;
  tell_answers(worker);
  return 0;
}
