/* The tasks of a worker: see tasks.h. */
#include "worker/tasks.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/worker_process.h"
#include "worker/behalf.h"
#include "worker/page.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TURN_US 10000
#define KEEP_BYTES 65536 /* larger bodies give their memory back */

static void on_turn(uv_idle_t *handle);

static const char deadline_exceeded[] = "context deadline exceeded";
static const char canceled[] = "context canceled";

/* Structs are used again, with their buffer and their timer; a worker keeps as many as it ever held at once. */
struct mc_attempt {
  mc_list link; /* in waiting or spare, or in ready, or in none (parked or running) */
  mc_tasks *owner;
  uint64_t number;
  bool is_fold;
  mc_buf body; /* the TASK or FOLD frame's, until it starts */
  uint32_t slot;
  uint64_t started_us;
  uint64_t deadline_ms; /* monotonic; 0: none */
  uv_timer_t deadline;
  bool armed; /* the deadline's timer runs */
};

void mc_tasks_init(mc_tasks *tasks, uint32_t concurrency) {
  tasks->concurrency = tasks->free_count = concurrency;
  tasks->growth = (mc_growth){.page = tasks->page, .slot_count = concurrency};
  mc_behalf_use(&tasks->growth);
  tasks->slots = mc_zalloc(concurrency * sizeof *tasks->slots);
  tasks->free_slots = mc_alloc(concurrency * sizeof *tasks->free_slots);
  for (uint32_t i = 0; i < concurrency; i++)
    tasks->free_slots[i] = concurrency - 1 - i;
  mc_list_init(&tasks->waiting);
  mc_list_init(&tasks->ready);
  mc_list_init(&tasks->spare);
  uv_idle_init(tasks->loop, &tasks->turn);
  tasks->turn.data = tasks;
}

void mc_tasks_wake(mc_tasks *tasks) {
  uv_idle_start(&tasks->turn, on_turn);
}

static mc_attempt *attempt_of(mc_list *link) {
  return mc_container_of(link, mc_attempt, link);
}

static mc_attempt *attempt_take(mc_tasks *tasks) {
  mc_list *link = mc_list_pop_front(&tasks->spare);
  if (link)
    return attempt_of(link);
  mc_attempt *attempt = mc_zalloc(sizeof *attempt);
  mc_list_init(&attempt->link);
  attempt->owner = tasks;
  uv_timer_init(tasks->loop, &attempt->deadline);
  return attempt;
}

static void drop_body(mc_attempt *attempt) {
  if (attempt->body.capacity > KEEP_BYTES)
    mc_buf_deinit(&attempt->body);
}

/* The struct can be used again. */
static void attempt_release(mc_attempt *attempt) {
  drop_body(attempt);
  mc_list_remove(&attempt->link);
  mc_list_push_front(&attempt->owner->spare, &attempt->link);
}

static bool can_start(const mc_tasks *tasks) {
  return tasks->free_count && !mc_list_empty(&tasks->waiting);
}

/* ---- results ---- */

static void send_result(mc_tasks *tasks, const mc_frame_result *result) {
  mc_frame_result_encode(mc_upstream_out(tasks->upstream), result);
}

/* The end of a task that was never started. */
static void attempt_reject(mc_attempt *attempt, mc_outcome outcome, const char *why) {
  mc_tasks *tasks = attempt->owner;
  mc_frame_result result = {.attempt = attempt->number, .outcome = outcome, .text = mc_slice_of(why), .delay_ms = -1};
  send_result(tasks, &result);
  attempt_release(attempt);
}

bool mc_tasks_has(const mc_tasks *tasks, uint32_t slot) {
  return slot < tasks->concurrency && tasks->slots[slot];
}

/* Its result is on its way: the slot is free. */
static void attempt_end(mc_attempt *attempt) {
  mc_tasks *tasks = attempt->owner;
  if (attempt->armed)
    uv_timer_stop(&attempt->deadline);
  mc_page_empty(tasks->page, attempt->slot);
  tasks->slots[attempt->slot] = NULL;
  tasks->free_slots[tasks->free_count++] = attempt->slot;
  attempt_release(attempt);
  if (can_start(tasks))
    mc_tasks_wake(tasks);
}

void mc_tasks_finish(mc_tasks *tasks, uint32_t slot, mc_frame_result *result) {
  mc_attempt *attempt = tasks->slots[slot];
  result->attempt = attempt->number;
  result->duration_us = mc_clock_mono_us() - attempt->started_us;
  send_result(tasks, result);
  attempt_end(attempt);
}

void mc_tasks_folded(mc_tasks *tasks, uint32_t slot, mc_frame_folded *folded) {
  mc_attempt *attempt = tasks->slots[slot];
  folded->attempt = attempt->number;
  folded->duration_us = mc_clock_mono_us() - attempt->started_us;
  mc_frame_folded_encode(mc_upstream_out(tasks->upstream), folded);
  attempt_end(attempt);
}

/* ---- into Lua ---- */

/* Begins a call on behalf of an attempt, which is to blame for what happens until it has run. Gives the state, with the
 * slot as first argument. */
static lua_State *begin_for(mc_attempt *attempt, mc_vm_entry entry) {
  mc_vm *vm = attempt->owner->vm;
  mc_page_set_current(attempt->owner->page, attempt->number);
  mc_growth_begin(&attempt->owner->growth);
  mc_vm_begin(vm, entry);
  lua_pushinteger(vm->L, (lua_Integer)attempt->slot);
  return vm->L;
}

/* By FFI or luv a handler can close any descriptor, and the next file that it opens has that number. That one is gone
 * which the worker cannot live without is seen while it is known who ran; otherwise the loop would fail, or nothing be
 * heard any more, with nobody to blame. */
static void leave_when_cut_off(const mc_tasks *tasks) {
  if (mc_upstream_is_whole(tasks->upstream))
    return;
  if (mc_upstream_is_open(tasks->upstream))
    mc_upstream_finish(tasks->upstream); /* what others have done */
  mc_log_close();
  _exit(MC_WORKER_EXIT_CUT_OFF);
}

/* Runs it. An error here is none of the handler's, which cannot raise past lua/mooncrew/execute.lua: memory has run
 * out, or the library is broken. The task fails, the worker goes on. */
static void run_for(mc_attempt *attempt) {
  mc_tasks *tasks = attempt->owner;
  uint64_t number = attempt->number;
  uint32_t slot = attempt->slot;
  mc_err err;
  int rc = mc_vm_run(tasks->vm, 0, &err);
  mc_growth_end(&tasks->growth, tasks->vm->L);
  leave_when_cut_off(tasks);
  mc_page_set_current(tasks->page, 0);
  if (mc_vm_unhook(tasks->vm))
    mc_log_event(MC_LOG_WARN, "debug hook taken away", "a handler left one set, which would strike every other task");
  if (rc == 0) {
    mc_vm_end(tasks->vm);
    return;
  }
  if (!tasks->slots[slot] || tasks->slots[slot]->number != number)
    return;
  mc_frame_result result = {.outcome = MC_OUTCOME_FAILED, .text = mc_slice_of(err.text), .delay_ms = -1};
  mc_tasks_finish(tasks, slot, &result);
  mc_vm_begin(tasks->vm, MC_VM_FORGET);
  lua_pushinteger(tasks->vm->L, (lua_Integer)slot);
  if (mc_vm_run(tasks->vm, 0, NULL) == 0)
    mc_vm_end(tasks->vm);
}

static void attempt_step(mc_attempt *attempt) {
  begin_for(attempt, MC_VM_STEP);
  run_for(attempt);
}

/* Outside of any turn. */
static void attempt_stop(mc_attempt *attempt, const char *why) {
  mc_growth_measure(&attempt->owner->growth);
  lua_pushstring(begin_for(attempt, MC_VM_STOP), why);
  run_for(attempt);
}

static void push_slice(lua_State *L, mc_slice slice) {
  lua_pushlstring(L, slice.data ? slice.data : "", slice.size);
}

static void push_headers(lua_State *L, const mc_header *headers, size_t count) {
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++) {
    push_slice(L, headers[i].name);
    push_slice(L, headers[i].value);
    lua_rawset(L, -3);
  }
}

static void set_text(lua_State *L, const char *name, mc_slice text) {
  push_slice(L, text);
  lua_setfield(L, -2, name);
}

static void push_grouped(lua_State *L, const mc_frame_fold *fold) {
  lua_createtable(L, (int)fold->count, 0);
  for (size_t i = 0; i < fold->count; i++) {
    const mc_frame_fold_task *task = &fold->tasks[i];
    lua_createtable(L, 0, 4);
    set_text(L, "id", task->id);
    set_text(L, "type", task->type);
    set_text(L, "raw_payload", task->payload);
    push_headers(L, task->headers, task->header_count);
    lua_setfield(L, -2, "headers");
    lua_rawseti(L, -2, (int)i + 1);
  }
}

static void attempt_enter(mc_attempt *attempt, const mc_frame_task *task, int64_t deadline_ms) {
  lua_State *L = begin_for(attempt, MC_VM_START);
  push_slice(L, task->id);
  push_slice(L, task->type);
  push_slice(L, task->queue);
  push_slice(L, task->payload);
  lua_pushinteger(L, task->retried);
  lua_pushinteger(L, task->max_retry);
  if (deadline_ms)
    lua_pushnumber(L, (double)deadline_ms / 1000);
  else
    lua_pushnil(L);
  if (task->header_count)
    push_headers(L, task->headers, task->header_count);
  else
    lua_pushnil(L);
  run_for(attempt);
}

static void attempt_enter_fold(mc_attempt *attempt, const mc_frame_fold *fold) {
  lua_State *L = begin_for(attempt, MC_VM_FOLD);
  push_slice(L, fold->rule_queue);
  push_slice(L, fold->pattern);
  push_slice(L, fold->queue);
  push_slice(L, fold->group);
  push_grouped(L, fold);
  run_for(attempt);
}

/* ---- starting ---- */

/* The earlier of time-out (from now) and deadline, unix ms; 0: neither. */
static int64_t deadline_of(int64_t timeout_ms, int64_t deadline_ms, int64_t now_ms) {
  int64_t by_timeout = 0;
  if (timeout_ms > 0 && __builtin_add_overflow(now_ms, timeout_ms, &by_timeout))
    by_timeout = 0;
  if (by_timeout == 0 || (deadline_ms > 0 && deadline_ms < by_timeout))
    return deadline_ms > 0 ? deadline_ms : by_timeout;
  return by_timeout;
}

/* Gives it a slot, from now until deadline_ms (unix; 0: for good). False: the supervisor has taken it back meanwhile,
 * and it has been answered. */
static bool attempt_occupy(mc_attempt *attempt, int64_t now_ms, int64_t deadline_ms) {
  mc_tasks *tasks = attempt->owner;
  attempt->armed = false;
  attempt->started_us = mc_clock_mono_us();
  attempt->deadline_ms = deadline_ms ? attempt->started_us / 1000 + (uint64_t)(deadline_ms - now_ms) : 0;
  attempt->slot = tasks->free_slots[tasks->free_count - 1];
  if (!mc_page_fill(tasks->page, attempt->slot, attempt->number, attempt->started_us / 1000, attempt->deadline_ms)) {
    attempt_reject(attempt, MC_OUTCOME_NOT_STARTED, "");
    return false;
  }
  mc_list_remove(&attempt->link);
  tasks->free_count--;
  tasks->slots[attempt->slot] = attempt;
  return true;
}

static void start_task(mc_attempt *attempt, const mc_frame_task *task) {
  int64_t now_ms = mc_clock_wall_ms();
  int64_t deadline_ms = deadline_of(task->timeout_ms, task->deadline_ms, now_ms);
  if (deadline_ms && deadline_ms <= now_ms) {
    attempt_reject(attempt, MC_OUTCOME_TIMED_OUT, deadline_exceeded);
    return;
  }
  if (attempt_occupy(attempt, now_ms, deadline_ms))
    attempt_enter(attempt, task, deadline_ms);
}

static void start_fold(mc_attempt *attempt, const mc_frame_fold *fold) {
  int64_t now_ms = mc_clock_wall_ms();
  if (attempt_occupy(attempt, now_ms, deadline_of(fold->timeout_ms, 0, now_ms)))
    attempt_enter_fold(attempt, fold);
}

/* The body was decoded when it came, so that it cannot be malformed now. */
static void attempt_start(mc_attempt *attempt) {
  mc_frame_task task;
  mc_frame_fold fold;
  if (attempt->is_fold ? mc_frame_fold_decode(mc_buf_slice(&attempt->body), &fold)
                       : mc_frame_task_decode(mc_buf_slice(&attempt->body), &task))
    abort();
  if (attempt->is_fold) {
    start_fold(attempt, &fold);
    mc_frame_fold_free(&fold);
  } else {
    start_task(attempt, &task);
    free((void *)task.headers);
  }
  drop_body(attempt); /* Lua has its own copy */
}

/* ---- the turn ---- */

/* True when the turn goes on: results have left that had to, and its time is not up. */
static bool turn_continues(mc_tasks *tasks, uint64_t began_us) {
  uint64_t now_us = mc_clock_mono_us();
  if (mc_upstream_due(tasks->upstream, now_us))
    mc_upstream_flush(tasks->upstream);
  return !mc_upstream_full(tasks->upstream) && now_us - began_us < TURN_US;
}

/* What becomes ready meanwhile belongs to the next turn, so that tasks which wake one another starve nobody. */
static void resume_ready(mc_tasks *tasks, uint64_t began_us) {
  mc_list now;
  mc_list_init(&now);
  for (mc_list *link; (link = mc_list_pop_front(&tasks->ready));)
    mc_list_push_back(&now, link);
  bool goes_on = true;
  for (mc_list *link; goes_on && (link = mc_list_pop_front(&now)); goes_on = turn_continues(tasks, began_us))
    attempt_step(attempt_of(link));
  while (!mc_list_empty(&now)) {
    mc_list *last = now.prev;
    mc_list_remove(last);
    mc_list_push_front(&tasks->ready, last);
  }
}

/* One at least, however long the others took: those that compute whenever they are resumed would keep it waiting for
 * ever. */
static void start_waiting(mc_tasks *tasks, uint64_t began_us) {
  bool goes_on = !mc_upstream_full(tasks->upstream);
  while (goes_on && can_start(tasks)) {
    attempt_start(attempt_of(tasks->waiting.next));
    goes_on = turn_continues(tasks, began_us);
  }
}

static void on_turn(uv_idle_t *handle) {
  mc_tasks *tasks = handle->data;
  uint64_t began_us = mc_clock_mono_us();
  mc_growth_measure(&tasks->growth);
  if (turn_continues(tasks, began_us))
    resume_ready(tasks, began_us);
  start_waiting(tasks, began_us);
  bool idle = mc_list_empty(&tasks->ready) && !can_start(tasks);
  if (idle || mc_upstream_full(tasks->upstream)) /* when full, on_writable wakes us */
    uv_idle_stop(&tasks->turn);
}

/* ---- what the supervisor says ---- */

static void add_waiting(mc_tasks *tasks, uint64_t number, bool is_fold, mc_slice body) {
  mc_attempt *attempt = attempt_take(tasks);
  attempt->number = number;
  attempt->is_fold = is_fold;
  mc_buf_clear(&attempt->body);
  mc_buf_add_slice(&attempt->body, body);
  mc_list_push_back(&tasks->waiting, &attempt->link);
  mc_tasks_wake(tasks);
}

int mc_tasks_add(mc_tasks *tasks, mc_slice body) {
  mc_frame_task task;
  if (mc_frame_task_decode(body, &task))
    return MC_EMALFORMED;
  free((void *)task.headers);
  add_waiting(tasks, task.attempt, false, body);
  return 0;
}

int mc_tasks_add_fold(mc_tasks *tasks, mc_slice body) {
  mc_frame_fold fold;
  if (mc_frame_fold_decode(body, &fold))
    return MC_EMALFORMED;
  mc_frame_fold_free(&fold);
  add_waiting(tasks, fold.attempt, true, body);
  return 0;
}

void mc_tasks_cancel(mc_tasks *tasks, uint64_t number) {
  for (uint32_t i = 0; i < tasks->concurrency; i++) {
    if (tasks->slots[i] && tasks->slots[i]->number == number) {
      attempt_stop(tasks->slots[i], "CANCELLED");
      return;
    }
  }
  MC_LIST_EACH(link, &tasks->waiting) {
    if (attempt_of(link)->number == number)
      attempt_reject(attempt_of(link), MC_OUTCOME_CANCELLED, canceled);
  }
}

void mc_tasks_drain(mc_tasks *tasks) {
  while (!mc_list_empty(&tasks->waiting))
    attempt_reject(attempt_of(tasks->waiting.next), MC_OUTCOME_NOT_STARTED, "");
}

void mc_tasks_enqueued(mc_tasks *tasks, const mc_frame_enqueued *enqueued) {
  lua_State *L = tasks->vm->L;
  mc_vm_begin(tasks->vm, MC_VM_ENQUEUED);
  lua_pushnumber(L, (lua_Number)enqueued->request);
  if (enqueued->code == 0)
    push_slice(L, enqueued->id);
  else
    lua_pushnil(L);
  if (enqueued->process_at_s)
    lua_pushnumber(L, (lua_Number)enqueued->process_at_s);
  else
    lua_pushnil(L);
  push_slice(L, enqueued->message);
  lua_pushstring(L, mc_err_name(enqueued->code));
  if (mc_vm_run(tasks->vm, 0, NULL) == 0)
    mc_vm_end(tasks->vm);
}

/* ---- what Lua says ---- */

static void on_deadline(uv_timer_t *handle) {
  mc_attempt *attempt = mc_container_of(handle, mc_attempt, deadline);
  attempt_stop(attempt, "TIMED_OUT");
}

void mc_tasks_park(mc_tasks *tasks, uint32_t slot) {
  mc_attempt *attempt = tasks->slots[slot];
  if (attempt->armed || attempt->deadline_ms == 0)
    return;
  attempt->armed = true;
  uint64_t now_ms = mc_clock_mono_ms();
  uv_update_time(tasks->loop); /* the handler may have computed for long since the turn began */
  uv_timer_start(&attempt->deadline, on_deadline, attempt->deadline_ms > now_ms ? attempt->deadline_ms - now_ms : 0, 0);
}

void mc_tasks_blame(mc_tasks *tasks, uint32_t slot) {
  mc_growth_measure(&tasks->growth);
  mc_page_set_current(tasks->page, slot == MC_NO_SLOT ? 0 : tasks->slots[slot]->number);
}

void mc_tasks_blame_end(mc_tasks *tasks, uint64_t outer) {
  if (mc_page_current(tasks->page) == outer)
    return;
  mc_growth_measure(&tasks->growth);
  mc_page_set_current(tasks->page, outer);
}

void mc_tasks_ready(mc_tasks *tasks, uint32_t slot) {
  mc_attempt *attempt = tasks->slots[slot];
  if (mc_list_empty(&attempt->link)) /* in no list: not ready yet */
    mc_list_push_back(&tasks->ready, &attempt->link);
  mc_tasks_wake(tasks);
}

const char *mc_tasks_stopped(const mc_tasks *tasks, uint32_t slot) {
  const mc_attempt *attempt = tasks->slots[slot];
  if (mc_page_cancelled(tasks->page, slot))
    return "CANCELLED";
  return attempt->deadline_ms && mc_clock_mono_ms() >= attempt->deadline_ms ? "TIMED_OUT" : NULL;
}

uint64_t mc_tasks_enqueue(mc_tasks *tasks, uint32_t slot, const mc_enqueue_options *options) {
  uint64_t attempt = slot == MC_NO_SLOT ? 0 : tasks->slots[slot]->number;
  mc_frame_enqueue enqueue = {++tasks->next_request, attempt, *options};
  mc_frame_enqueue_encode(mc_upstream_out(tasks->upstream), &enqueue);
  return enqueue.request;
}

void mc_tasks_failed(mc_tasks *tasks, uint32_t slot, mc_slice text) {
  mc_page_set_failure(tasks->page, tasks->growth.slot_count, slot, text);
}

void mc_tasks_progress(mc_tasks *tasks, uint32_t slot, mc_frame_progress *progress) {
  if (mc_upstream_full(tasks->upstream))
    return;
  progress->attempt = tasks->slots[slot]->number;
  mc_frame_progress_encode(mc_upstream_out(tasks->upstream), progress);
  mc_upstream_flush(tasks->upstream);
}
