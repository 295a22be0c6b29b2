/* Tasks that are run, archived or deleted by hand: one, or all of a state.
 *
 * All of a state are moved in batches: read ids from the place where tasks of this state stand, then move them in one
 * script call, which looks at each of them again, for others work on the queue meanwhile. What was moved is no longer
 * found there. What stands there and is no task of this state is passed over by reading behind it. As the places behind
 * have shifted meanwhile, the reading then begins again in front, until a few passes in a row have found nothing.
 */
#include "client/ask.h"
#include "client/inspect.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"

#include <stdlib.h>

#define IDLE_PASSES_MAX 3

/* The words of each operation, for its refusals. */
static const struct operation {
  const char *forbids_active, *already;
} operations[] = {
    [MC_MOVE_RUN] = {"it runs already", "it is pending already"},
    [MC_MOVE_ARCHIVE] = {"cancel it first", "it is archived already"},
    [MC_MOVE_DELETE] = {"cancel it first", ""},
};

/* ---- one task ---- */

static int explain(mc_move move, mc_moved moved, mc_slice queue, mc_slice id, mc_err *err) {
  switch (moved) {
  case MC_MOVED:
    return 0;
  case MC_MOVE_MISSING:
    return mc_fail(err, MC_ENOT_FOUND, "there is no task \"%.*s\" in queue \"%.*s\"", MC_SLICE_PRINT(id),
                   MC_SLICE_PRINT(queue));
  case MC_MOVE_ACTIVE:
    return mc_fail(err, MC_ESTATE, "task \"%.*s\" is active: %s", MC_SLICE_PRINT(id), operations[move].forbids_active);
  case MC_MOVE_ALREADY:
    return mc_fail(err, MC_ESTATE, "task \"%.*s\": %s", MC_SLICE_PRINT(id), operations[move].already);
  default:
    return mc_fail(err, MC_ESTATE,
                   "task \"%.*s\" does not stand where its state says: its group is just being folded, "
                   "or it was moved in this moment",
                   MC_SLICE_PRINT(id));
  }
}

static int on_moved(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  (void)i;
  return mc_moved_at(reply, 0, arg) ? mc_fail(err, MC_EMALFORMED, "the answer of Redis has not the shape expected") : 0;
}

int mc_move_task(mc_client *client, mc_move move, mc_slice queue, mc_slice id, mc_err *err) {
  const mc_move_source source = {.queue = queue, .found_in = MC_TASK_STATES};
  mc_moved moved = MC_MOVE_MISSING;
  mc_call call = {0};
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  code = mc_check_queue(client, queue, err);
  if (code == 0) {
    mc_call_move(&call, move, &source, mc_clock_wall_ns(), &id, 1);
    code = mc_client_tell(client, &call, on_moved, &moved, err);
    mc_calls_deinit(&call, 1);
  }
  mc_client_end(client);
  return code ? code : explain(move, moved, queue, id, err);
}

/* ---- all of a state ---- */

struct sweep {
  mc_client *client;
  mc_move move;
  mc_move_source source;
  mc_move_progress progress;
  mc_args ids;        /* of the batch */
  int64_t skip;       /* ids in front that are to be passed over */
  int64_t total;      /* when it began */
  int64_t done;       /* moved so far */
  int64_t pass_start; /* `done` when this pass began */
  int idle_passes;    /* in a row, that moved nothing */
};

static bool is_list(const struct sweep *sweep) {
  return mc_state_is_list(sweep->source.found_in);
}

static void add_place(const struct sweep *sweep, mc_args *args) {
  mc_key_state(&args->bytes, sweep->source.queue, sweep->source.found_in, sweep->source.group);
  mc_args_end(args);
}

static int count_tasks(struct sweep *sweep, mc_err *err) {
  mc_call call = {0};
  mc_args_add_text(&call.args, is_list(sweep) ? "LLEN" : "ZCARD");
  add_place(sweep, &call.args);
  int code = mc_client_ask(sweep->client, &call, 1, mc_answer_number, &sweep->total, err);
  mc_calls_deinit(&call, 1);
  return code;
}

static int on_ids(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct sweep *sweep = arg;
  (void)i;
  mc_args_clear(&sweep->ids);
  if (reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by a list of ids");
  for (size_t k = 0; k < reply->count; k++) /* of a list the oldest first: they stand at its end */
    mc_args_add(&sweep->ids, reply->items[is_list(sweep) ? reply->count - 1 - k : k]->text);
  return 0;
}

static int read_ids(struct sweep *sweep, mc_err *err) {
  mc_call call = {0};
  int64_t first = sweep->skip, last = sweep->skip + MC_MOVE_BATCH - 1;
  if (last - first >= sweep->total - sweep->done)
    last = first + sweep->total - sweep->done - 1;
  mc_args_add_text(&call.args, is_list(sweep) ? "LRANGE" : "ZRANGE");
  add_place(sweep, &call.args);
  mc_args_add_int(&call.args, is_list(sweep) ? -last - 1 : first);
  mc_args_add_int(&call.args, is_list(sweep) ? -first - 1 : last);
  int code = mc_client_ask(sweep->client, &call, 1, on_ids, sweep, err);
  mc_calls_deinit(&call, 1);
  return code;
}

static int on_batch(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct sweep *sweep = arg;
  (void)i;
  for (size_t k = 0; k < sweep->ids.count; k++) {
    mc_moved moved;
    if (mc_moved_at(reply, k, &moved))
      return mc_fail(err, MC_EMALFORMED, "answer %zu of Redis is none", k);
    sweep->done += moved == MC_MOVED;
    sweep->skip += moved == MC_MOVE_CHANGED;
  }
  return 0;
}

static int move_ids(struct sweep *sweep, mc_err *err) {
  mc_slice *ids = mc_alloc(sweep->ids.count * sizeof *ids);
  mc_call call = {0};
  for (size_t i = 0; i < sweep->ids.count; i++)
    ids[i] = mc_args_at(&sweep->ids, i);
  mc_call_move(&call, sweep->move, &sweep->source, mc_clock_wall_ns(), ids, sweep->ids.count);
  int code = mc_client_tell(sweep->client, &call, on_batch, sweep, err);
  mc_calls_deinit(&call, 1);
  free(ids);
  return code;
}

/* Nothing was found at this place. True when another pass, from the front, may find more. */
static bool begin_pass(struct sweep *sweep) {
  bool passed_over = sweep->skip > 0;
  sweep->idle_passes = sweep->done > sweep->pass_start ? 0 : sweep->idle_passes + 1;
  sweep->skip = 0;
  sweep->pass_start = sweep->done;
  return passed_over && sweep->idle_passes < IDLE_PASSES_MAX;
}

/* One batch, with a deadline of its own. *more is false when all is done. */
static int sweep_batch(struct sweep *sweep, bool *more, mc_err *err) {
  int code = mc_client_begin(sweep->client, err);
  if (code)
    return code;
  code = read_ids(sweep, err);
  bool found = code == 0 && sweep->ids.count > 0;
  if (found)
    code = move_ids(sweep, err);
  mc_client_end(sweep->client);
  *more = found || begin_pass(sweep);
  return code;
}

static bool goes_on(const struct sweep *sweep) {
  mc_move_progress progress = sweep->progress;
  return !progress.fn || progress.fn(progress.arg, sweep->done, sweep->total) == 0;
}

/* The total is known. */
static int sweep_run(struct sweep *sweep, mc_err *err) {
  int code = 0;
  bool more = true;
  while (code == 0 && more && sweep->done < sweep->total) {
    code = sweep_batch(sweep, &more, err);
    if (code == 0 && !goes_on(sweep))
      more = false;
  }
  mc_args_deinit(&sweep->ids);
  return code;
}

/* What no operation allows, and what each does not. */
static int check_sweep(mc_move move, mc_task_state state, mc_err *err) {
  static const mc_task_state already[] = {
      [MC_MOVE_RUN] = MC_TASK_PENDING, [MC_MOVE_ARCHIVE] = MC_TASK_ARCHIVED, [MC_MOVE_DELETE] = MC_TASK_STATES};
  if (state == MC_TASK_ACTIVE)
    return mc_fail(err, MC_ESTATE, "active tasks are being worked on: cancel them instead");
  if (state == already[move])
    return mc_fail(err, MC_ESTATE, "these tasks are %s already", mc_state_name(state));
  return 0;
}

static int sweep_begin(struct sweep *sweep, mc_err *err) {
  int code = mc_client_begin(sweep->client, err);
  if (code)
    return code;
  code = mc_check_queue(sweep->client, sweep->source.queue, err);
  if (code == 0)
    code = count_tasks(sweep, err);
  mc_client_end(sweep->client);
  return code;
}

int mc_move_tasks(mc_client *client, mc_move move, mc_slice queue, mc_slice state, mc_slice group,
                  mc_move_progress progress, int64_t *done, mc_err *err) {
  struct sweep sweep = {.client = client, .move = move, .progress = progress};
  sweep.source = (mc_move_source){.queue = queue, .group = group};
  *done = 0;
  int code = mc_check_state(state, group, &sweep.source.found_in, err);
  if (code == 0)
    code = check_sweep(move, sweep.source.found_in, err);
  if (code == 0)
    code = sweep_begin(&sweep, err);
  if (code == 0)
    code = sweep_run(&sweep, err);
  *done = sweep.done;
  return code;
}
