/* The public face of what a client can see and change: see mooncrew.c. The work is done behind inspect.h. */
#include "client/inspect.h"
#include "client/limits.h"
#include "client/memory.h"

#include <assert.h>
#include <stdio.h>

static_assert((int)MOONCREW_ETIMEOUT == (int)MC_ETIMEOUT, "the public codes are the internal ones");
static_assert((int)MOONCREW_ENOT_FOUND == (int)MC_ENOT_FOUND, "the public codes are the internal ones");
static_assert((int)MOONCREW_ESTATE == (int)MC_ESTATE, "the public codes are the internal ones");
static_assert((int)MOONCREW_ENOT_EMPTY == (int)MC_ENOT_EMPTY, "the public codes are the internal ones");
static_assert((int)MOONCREW_EGONE == (int)MC_EGONE, "the public codes are the internal ones");
static_assert((int)MOONCREW_EARCHIVED == (int)MC_EARCHIVED, "the public codes are the internal ones");

static int report(mooncrew_error *error, int code, const mc_err *err) {
  if (error) {
    error->code = code;
    snprintf(error->message, sizeof error->message, "%s", code ? err->text : "");
  }
  return code;
}

void mooncrew_release(mooncrew_memory *memory) {
  mc_memory_free(memory);
}

/* ---- looking ---- */

int mooncrew_queues(mooncrew_client *client, mooncrew_queue_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_queues(client, out, &err), &err);
}

int mooncrew_queue(mooncrew_client *client, const char *queue, mooncrew_queue_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_queue(client, mc_slice_of(queue), out, &err), &err);
}

static int limits(mooncrew_client *client, const char *queue, const mc_limits_change *change,
                  mooncrew_queue_limits *out, mooncrew_error *error) {
  mc_err err;
  mc_limits found;
  int code = mc_client_limit(client, mc_slice_of(queue), change, &found, &err);
  if (code == 0 && out)
    *out = (mooncrew_queue_limits){found.concurrency, found.rate, found.interval_ms};
  return report(error, code, &err);
}

int mooncrew_get_limits(mooncrew_client *client, const char *queue, mooncrew_queue_limits *out, mooncrew_error *error) {
  return limits(client, queue, NULL, out, error);
}

int mooncrew_set_limits(mooncrew_client *client, const char *queue, const mooncrew_queue_limits *wanted,
                        mooncrew_queue_limits *out, mooncrew_error *error) {
  mc_limits_change change = {
      .concurrency = wanted->concurrency != MOONCREW_KEEP,
      .rate = wanted->rate != MOONCREW_KEEP,
  };
  if (change.concurrency)
    change.to.concurrency = wanted->concurrency;
  if (change.rate) {
    change.to.rate = wanted->rate;
    change.to.interval_ms = wanted->interval_ms;
  }
  return limits(client, queue, &change, out, error);
}

int mooncrew_history(mooncrew_client *client, const char *queue, int days, mooncrew_day_list *out,
                     mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_history(client, mc_slice_of(queue), days, out, &err), &err);
}

int mooncrew_tasks(mooncrew_client *client, const mooncrew_page *page, mooncrew_task_list *out, mooncrew_error *error) {
  const mc_page_request request = {
      .queue = mc_slice_of(page->queue),
      .state = mc_slice_of(page->state),
      .group = mc_slice_of(page->group),
      .size = page->size,
      .number = page->number,
      .after = mc_slice_of(page->after),
  };
  mc_err err;
  return report(error, mc_inspect_tasks(client, &request, out, &err), &err);
}

int mooncrew_find_task(mooncrew_client *client, const char *queue, const char *id, mooncrew_task_list *out,
                       mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_task(client, mc_slice_of(queue), mc_slice_of(id), out, &err), &err);
}

int mooncrew_wait(mooncrew_client *client, const char *queue, const char *id, int64_t timeout_ms,
                  mooncrew_task_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_wait_task(client, mc_slice_of(queue), mc_slice_of(id), timeout_ms, out, &err), &err);
}

int mooncrew_groups(mooncrew_client *client, const char *queue, mooncrew_group_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_groups(client, mc_slice_of(queue), out, &err), &err);
}

int mooncrew_servers(mooncrew_client *client, mooncrew_server_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_servers(client, true, out, &err), &err);
}

int mooncrew_cron(mooncrew_client *client, mooncrew_cron_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_cron(client, out, &err), &err);
}

int mooncrew_cron_history(mooncrew_client *client, const char *entry_id, int page, int size,
                          mooncrew_cron_event_list *out, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_inspect_cron_history(client, mc_slice_of(entry_id), page, size, out, &err), &err);
}

/* ---- changing ---- */

static int move_one(mooncrew_client *client, mc_move move, const char *queue, const char *id, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_move_task(client, move, mc_slice_of(queue), mc_slice_of(id), &err), &err);
}

int mooncrew_run_task(mooncrew_client *client, const char *queue, const char *id, mooncrew_error *error) {
  return move_one(client, MC_MOVE_RUN, queue, id, error);
}

int mooncrew_archive_task(mooncrew_client *client, const char *queue, const char *id, mooncrew_error *error) {
  return move_one(client, MC_MOVE_ARCHIVE, queue, id, error);
}

int mooncrew_delete_task(mooncrew_client *client, const char *queue, const char *id, mooncrew_error *error) {
  return move_one(client, MC_MOVE_DELETE, queue, id, error);
}

static int move_all(mooncrew_client *client, mc_move move, const mooncrew_bulk *bulk, int64_t *done,
                    mooncrew_error *error) {
  const mc_move_progress progress = {bulk->progress, bulk->arg};
  int64_t count = 0;
  mc_err err;
  int code = mc_move_tasks(client, move, mc_slice_of(bulk->queue), mc_slice_of(bulk->state), mc_slice_of(bulk->group),
                           progress, &count, &err);
  if (done)
    *done = count;
  return report(error, code, &err);
}

int mooncrew_run_tasks(mooncrew_client *client, const mooncrew_bulk *bulk, int64_t *done, mooncrew_error *error) {
  return move_all(client, MC_MOVE_RUN, bulk, done, error);
}

int mooncrew_archive_tasks(mooncrew_client *client, const mooncrew_bulk *bulk, int64_t *done, mooncrew_error *error) {
  return move_all(client, MC_MOVE_ARCHIVE, bulk, done, error);
}

int mooncrew_delete_tasks(mooncrew_client *client, const mooncrew_bulk *bulk, int64_t *done, mooncrew_error *error) {
  return move_all(client, MC_MOVE_DELETE, bulk, done, error);
}

int mooncrew_update_payload(mooncrew_client *client, const char *queue, const char *id, const void *payload,
                            size_t payload_size, mooncrew_error *error) {
  mc_err err;
  return report(error,
                mc_update_payload(client, mc_slice_of(queue), mc_slice_of(id), (mc_slice){payload, payload_size}, &err),
                &err);
}

int mooncrew_cancel(mooncrew_client *client, const char *id, int64_t *listeners, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_cancel_task(client, mc_slice_of(id), listeners, &err), &err);
}

int mooncrew_pause(mooncrew_client *client, const char *queue, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_pause_queue(client, mc_slice_of(queue), &err), &err);
}

int mooncrew_unpause(mooncrew_client *client, const char *queue, mooncrew_error *error) {
  mc_err err;
  return report(error, mc_unpause_queue(client, mc_slice_of(queue), &err), &err);
}

int mooncrew_remove_queue(mooncrew_client *client, const char *queue, int force, mooncrew_progress progress, void *arg,
                          int64_t *deleted, mooncrew_error *error) {
  int64_t count = 0;
  mc_err err;
  int code = mc_remove_queue(client, mc_slice_of(queue), force != 0, (mc_move_progress){progress, arg}, &count, &err);
  if (deleted)
    *deleted = count;
  return report(error, code, &err);
}
