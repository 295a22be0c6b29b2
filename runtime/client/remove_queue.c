/* A queue that is removed: see mooncrew.h.
 *
 * The script removes a queue that is empty, and says why it does not remove one that is not. Groups without tasks are
 * forgotten before, page by page, so that the script need not look at very many. When forced, what waits is
 * deleted, state by state, and the script is asked again: tasks may have come in, or been taken, meanwhile.
 */
#include "client/ask.h"
#include "client/inspect.h"
#include "client/memory.h"
#include "client/walk_groups.h"

#include "base/mem.h"
#include "protocol/keys.h"

#define ROUNDS_MAX 3

struct removal {
  mc_client *client;
  mc_slice queue;
  mc_move_progress progress;
  int64_t total;  /* tasks when it began */
  int64_t before; /* deleted before the sweep that runs */
  int64_t deleted;
  bool stopped; /* progress said so */
};

static int on_verdict(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  (void)i;
  return mc_verdict_read(reply, MC_REMOVE_ACTIVE, MC_REMOVED, arg, err);
}

static int try_remove(const struct removal *removal, int64_t *verdict, mc_err *err) {
  mc_call call = {0};
  int64_t grouped;
  int code = mc_client_begin(removal->client, err);
  if (code)
    return code;
  code = mc_check_queue(removal->client, removal->queue, err);
  if (code == 0)
    code = mc_client_walk_groups(removal->client, removal->queue, true, &grouped, err);
  if (code == 0) {
    mc_call_remove_queue(&call, removal->queue);
    code = mc_client_tell(removal->client, &call, on_verdict, verdict, err);
    mc_calls_deinit(&call, 1);
  }
  mc_client_end(removal->client);
  return code;
}

static int on_progress(void *arg, int64_t done, int64_t total) {
  struct removal *removal = arg;
  (void)total;
  removal->deleted = removal->before + done;
  if (removal->deleted > removal->total)
    removal->total = removal->deleted;
  removal->stopped =
      removal->progress.fn && removal->progress.fn(removal->progress.arg, removal->deleted, removal->total) != 0;
  return removal->stopped;
}

static int delete_state(struct removal *removal, mc_task_state state, mc_slice group, mc_err *err) {
  const mc_move_progress progress = {on_progress, removal};
  int64_t done = 0;
  if (removal->stopped)
    return 0;
  removal->before = removal->deleted;
  int code = mc_move_tasks(removal->client, MC_MOVE_DELETE, removal->queue, mc_slice_of(mc_state_name(state)), group,
                           progress, &done, err);
  removal->deleted = removal->before + done;
  return code;
}

static int delete_groups(struct removal *removal, mc_err *err) {
  mooncrew_group_list groups;
  int code = mc_inspect_groups(removal->client, removal->queue, &groups, err);
  if (code)
    return code;
  for (size_t i = 0; i < groups.count && code == 0; i++)
    if (groups.items[i].name[0])
      code = delete_state(removal, MC_TASK_AGGREGATING, mc_slice_of(groups.items[i].name), err);
  mc_memory_free(groups.memory);
  return code;
}

/* Pending ones first: they are what a server would begin to work on. */
static int delete_all(struct removal *removal, mc_err *err) {
  static const mc_task_state states[] = {MC_TASK_PENDING, MC_TASK_SCHEDULED, MC_TASK_RETRY, MC_TASK_ARCHIVED,
                                         MC_TASK_COMPLETED};
  int code = 0;
  for (size_t i = 0; i < MC_COUNT(states) && code == 0; i++)
    code = delete_state(removal, states[i], (mc_slice){0}, err);
  return code ? code : delete_groups(removal, err);
}

static int count_all(struct removal *removal, mc_err *err) {
  mooncrew_queue_list queues;
  int code = mc_inspect_queue(removal->client, removal->queue, &queues, err);
  if (code)
    return code;
  removal->total = queues.items[0].size;
  mc_memory_free(queues.memory);
  return 0;
}

/* Until the script removes it, refuses for good, or tasks keep coming. */
static int empty_and_remove(struct removal *removal, int64_t *verdict, mc_err *err) {
  int code = count_all(removal, err);
  for (int round = 0; round < ROUNDS_MAX && code == 0 && *verdict == MC_REMOVE_NOT_EMPTY && !removal->stopped;
       round++) {
    code = delete_all(removal, err);
    if (code == 0 && !removal->stopped)
      code = try_remove(removal, verdict, err);
  }
  return code;
}

static int explain(const struct removal *removal, int64_t verdict, bool force, mc_err *err) {
  if (verdict == MC_REMOVE_ACTIVE)
    return mc_fail(err, MC_ESTATE, "tasks of queue \"%.*s\" are being worked on: stop its servers or cancel them first",
                   MC_SLICE_PRINT(removal->queue));
  return mc_fail(err, MC_ENOT_EMPTY, "queue \"%.*s\" has tasks%s", MC_SLICE_PRINT(removal->queue),
                 removal->stopped ? ": stopped before all were deleted"
                 : force          ? ": more came in, or what stands there cannot be deleted as a task"
                                  : "");
}

static int ask_number(mc_client *client, mc_call *call, int64_t *out, mc_err *err) {
  int code = mc_client_ask(client, call, 1, mc_answer_number, out, err); /* twice is as good as once */
  mc_calls_deinit(call, 1);
  return code;
}

/* The name goes last, so that what fails on the way can be done again. A task that came in meanwhile brings it back:
 * producers of asynq add it once in their life, and without it no server would find the task. */
static int drop_name(mc_client *client, mc_slice queue, int64_t *filled, mc_err *err) {
  mc_call remove = {0}, look = {0}, add = {0};
  int64_t changed;
  mc_call_words(&remove, "SREM", MC_KEY_QUEUES, queue);
  mc_queue_filled(&look.args, queue);
  mc_call_words(&add, "SADD", MC_KEY_QUEUES, queue);
  int code = ask_number(client, &remove, &changed, err);
  if (code == 0)
    code = ask_number(client, &look, filled, err);
  if (code == 0 && *filled)
    code = ask_number(client, &add, &changed, err);
  mc_calls_deinit(&remove, 1);
  mc_calls_deinit(&look, 1);
  mc_calls_deinit(&add, 1);
  return code;
}

static int forget_name(struct removal *removal, int64_t *verdict, mc_err *err) {
  int64_t filled = 0;
  int code = mc_client_begin(removal->client, err);
  if (code)
    return code;
  code = drop_name(removal->client, removal->queue, &filled, err);
  mc_client_end(removal->client);
  if (filled)
    *verdict = MC_REMOVE_NOT_EMPTY;
  return code;
}

int mc_remove_queue(mc_client *client, mc_slice queue, bool force, mc_move_progress progress, int64_t *deleted,
                    mc_err *err) {
  struct removal removal = {.client = client, .queue = queue, .progress = progress};
  int64_t verdict = MC_REMOVE_NOT_EMPTY;
  bool came_in = false;
  int code = try_remove(&removal, &verdict, err);
  if (code == 0 && verdict == MC_REMOVE_NOT_EMPTY && force)
    code = empty_and_remove(&removal, &verdict, err);
  if (code == 0 && verdict == MC_REMOVED) {
    code = forget_name(&removal, &verdict, err);
    came_in = verdict == MC_REMOVE_NOT_EMPTY;
  }
  *deleted = removal.deleted;
  if (code || verdict == MC_REMOVED)
    return code;
  return explain(&removal, verdict, force || came_in, err);
}
