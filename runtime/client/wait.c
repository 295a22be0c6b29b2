/* Waits for a task's end: see mooncrew.h.
 *
 * Every look at the task's state arms a notice of its next change, and then nothing is asked until the notice comes. A
 * slow look catches what a notice might have missed. Without notices there is a look each second.
 */
#include "client/ask.h"
#include "client/inspect.h"
#include "client/memory.h"
#include "client/notices.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/message.h"

#define POLL_MS 1000
#define SLOW_LOOK_MS 5000
#define LOOK_GAP_MS 100 /* a handler that tells its progress all the time makes no more looks than this … */
#define FREE_LOOKS 10   /* … after so many at once: a task's start and end are looked at as soon as they are known */
#define LAST_LOOK_MS 1000 /* what the last look may take beyond the time given */

struct waiting {
  mc_client *client;
  mc_slice queue, id;
  mc_notices notices;
  uint64_t until_ms;   /* monotonic */
  uint64_t paid_ms;    /* monotonic: when the looks that were made are a gap apart from each other */
  bool exists, seen;   /* now; at any look */
  mc_task_state state; /* MC_TASK_STATES: none that we know */
};

static int wait_loop(struct waiting *waiting, mooncrew_task_list *out, mc_err *err);
static int look(struct waiting *waiting, mc_err *err);
static int finish(struct waiting *waiting, mooncrew_task_list *out, mc_err *err);
static bool wait_more(struct waiting *waiting);

int mc_wait_task(mc_client *client, mc_slice queue, mc_slice id, int64_t timeout_ms, mooncrew_task_list *out,
                 mc_err *err) {
  struct waiting waiting = {.client = client, .queue = queue, .id = id};
  if (timeout_ms < 0 || timeout_ms > INT32_MAX * INT64_C(1000))
    return mc_fail(err, MC_EINVALID, "timeout: give 0 or more, at most 68 years");
  if (mc_text_is_blank(queue) || mc_text_is_blank(id))
    return mc_fail(err, MC_EINVALID, "a queue and the id of a task are wanted");
  int code = mc_client_begin_for(client, timeout_ms + LAST_LOOK_MS, err);
  if (code)
    return code;
  waiting.until_ms = mc_clock_mono_ms() + (uint64_t)timeout_ms;
  mc_notices_open(&waiting.notices, client);
  code = wait_loop(&waiting, out, err);
  mc_notices_close(&waiting.notices);
  mc_client_end(client);
  return code;
}

static int wait_loop(struct waiting *waiting, mooncrew_task_list *out, mc_err *err) {
  for (;;) {
    int code = look(waiting, err);
    if (code)
      return code;
    if (!waiting->exists || waiting->state == MC_TASK_COMPLETED || waiting->state == MC_TASK_ARCHIVED)
      return finish(waiting, out, err);
    if (!wait_more(waiting))
      return mc_fail(err, MC_ETIMEOUT, "task \"%.*s\" has not ended yet: it is %s", MC_SLICE_PRINT(waiting->id),
                     waiting->state == MC_TASK_STATES ? "in no state that we know" : mc_state_name(waiting->state));
  }
}

/* ---- looking ---- */

static int on_state(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct waiting *waiting = arg;
  const mc_value *state = mc_value_item(reply, 0), *message = mc_value_item(reply, 1);
  (void)i;
  if (!state || !message)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by two fields");
  waiting->exists = state->kind == MC_VALUE_STRING || message->kind == MC_VALUE_STRING;
  waiting->seen = waiting->seen || waiting->exists;
  waiting->state = MC_TASK_STATES;
  if (state->kind == MC_VALUE_STRING)
    mc_state_find(state->text, &waiting->state);
  return 0;
}

static int look(struct waiting *waiting, mc_err *err) {
  mc_call call = {0};
  int code = mc_client_ready(waiting->client, err);
  if (code)
    return code;
  waiting->notices.wake = false;
  mc_notices_arm(&waiting->notices);
  mc_args_add_text(&call.args, "HMGET");
  mc_key_task(&call.args.bytes, waiting->queue, waiting->id);
  mc_args_end(&call.args);
  mc_args_add_text(&call.args, "state");
  mc_args_add_text(&call.args, "msg");
  code = mc_client_ask(waiting->client, &call, 1, on_state, waiting, err);
  mc_calls_deinit(&call, 1);
  uint64_t now = mc_clock_mono_ms();
  waiting->paid_ms = (waiting->paid_ms > now ? waiting->paid_ms : now) + LOOK_GAP_MS;
  return code;
}

static uint64_t at_most(uint64_t ms, uint64_t limit) {
  return ms < limit ? ms : limit;
}

/* False when the time is over. */
static bool wait_more(struct waiting *waiting) {
  uint64_t now = mc_clock_mono_ms(), left = waiting->until_ms > now ? waiting->until_ms - now : 0;
  if (left == 0)
    return false;
  bool in_time = mc_client_sleep(waiting->client, at_most(waiting->notices.armed ? SLOW_LOOK_MS : POLL_MS, left),
                                 &waiting->notices.wake);
  uint64_t again_ms = mc_clock_mono_ms() + FREE_LOOKS * LOOK_GAP_MS;
  if (in_time && waiting->paid_ms > again_ms && left > LOOK_GAP_MS)
    in_time = mc_client_sleep(waiting->client, waiting->paid_ms - again_ms, NULL);
  return in_time;
}

/* ---- the end ---- */

static int say_gone(const struct waiting *waiting, mc_err *err) {
  if (waiting->seen)
    return mc_fail(err, MC_EGONE, "task \"%.*s\" is not there any more: done and not retained, or deleted",
                   MC_SLICE_PRINT(waiting->id));
  return mc_fail(err, MC_EGONE,
                 "there is no task \"%.*s\" in queue \"%.*s\": done and not retained, deleted, or never enqueued",
                 MC_SLICE_PRINT(waiting->id), MC_SLICE_PRINT(waiting->queue));
}

static int say_archived(const mooncrew_task_info *task, mc_err *err) {
  const char *why = task->last_error;
  for (size_t i = 0; i < task->extra_count && !why; i++)
    if (strcmp(task->extra[i].name, "mc_error") == 0)
      why = task->extra[i].value;
  return mc_fail(err, MC_EARCHIVED, "%s", why ? why : "it was archived without having failed");
}

static int finish(struct waiting *waiting, mooncrew_task_list *out, mc_err *err) {
  mooncrew_task_list task;
  if (!waiting->exists)
    return say_gone(waiting, err);
  int code = mc_read_task(waiting->client, waiting->queue, waiting->id, &task, err);
  if (code)
    return code == MC_ENOT_FOUND ? say_gone(waiting, err) : code;
  if (waiting->state == MC_TASK_COMPLETED) {
    *out = task;
    return 0;
  }
  code = say_archived(task.items, err);
  mc_memory_free(task.memory);
  return code;
}
