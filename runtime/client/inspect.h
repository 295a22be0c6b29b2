/* What a client can see and change of queues, tasks, servers and cron entries, beyond enqueueing: mooncrew.h says what
 * each does. One file per noun: inspect_queues.c, pause_queue.c, inspect_tasks.c, move_tasks.c, remove_queue.c,
 * inspect_servers.c, inspect_cron.c, wait.c. Each of these is a call with a deadline of its own. 0 or a code and why;
 * out stays untouched on failure.
 */
#ifndef MC_CLIENT_INSPECT_H
#define MC_CLIENT_INSPECT_H

#include "client/client.h"
#include "client/mooncrew.h"
#include "protocol/inspect.h"

int mc_inspect_queues(mc_client *client, mooncrew_queue_list *out, mc_err *err);
int mc_inspect_queue(mc_client *client, mc_slice queue, mooncrew_queue_list *out, mc_err *err);
int mc_inspect_history(mc_client *client, mc_slice queue, int days, mooncrew_day_list *out, mc_err *err);
int mc_inspect_groups(mc_client *client, mc_slice queue, mooncrew_group_list *out, mc_err *err);
int mc_pause_queue(mc_client *client, mc_slice queue, mc_err *err);
int mc_unpause_queue(mc_client *client, mc_slice queue, mc_err *err);

typedef struct mc_page_request {
  mc_slice queue, state, group; /* group: empty unless aggregating */
  int64_t size, number;
  mc_slice after; /* empty: none */
} mc_page_request;

int mc_inspect_tasks(mc_client *client, const mc_page_request *request, mooncrew_task_list *out, mc_err *err);
int mc_inspect_task(mc_client *client, mc_slice queue, mc_slice id, mooncrew_task_list *out, mc_err *err);
int mc_update_payload(mc_client *client, mc_slice queue, mc_slice id, mc_slice payload, mc_err *err);
int mc_cancel_task(mc_client *client, mc_slice id, int64_t *listeners, mc_err *err);
int mc_wait_task(mc_client *client, mc_slice queue, mc_slice id, int64_t timeout_ms, mooncrew_task_list *out,
                 mc_err *err);

int mc_move_task(mc_client *client, mc_move move, mc_slice queue, mc_slice id, mc_err *err);

/* Told after each call; anything but 0 ends the work. May be NULL. */
typedef struct mc_move_progress {
  mooncrew_progress fn;
  void *arg;
} mc_move_progress;

/* *done says how many were moved, after a failure too. */
int mc_move_tasks(mc_client *client, mc_move move, mc_slice queue, mc_slice state, mc_slice group,
                  mc_move_progress progress, int64_t *done, mc_err *err);
int mc_remove_queue(mc_client *client, mc_slice queue, bool force, mc_move_progress progress, int64_t *deleted,
                    mc_err *err);

/* with_tasks false: `workers` stay empty, and of the tasks and payloads that servers tell of nothing is read. */
int mc_inspect_servers(mc_client *client, bool with_tasks, mooncrew_server_list *out, mc_err *err);
int mc_inspect_cron(mc_client *client, mooncrew_cron_list *out, mc_err *err);
int mc_inspect_cron_history(mc_client *client, mc_slice entry_id, int page, int size, mooncrew_cron_event_list *out,
                            mc_err *err);

/* ---- what these files share ---- */

/* Within a begun call: 0, MC_ENOT_FOUND when there is no queue of this name, MC_EINVALID when it is none. */
int mc_check_queue(mc_client *client, mc_slice queue, mc_err *err);

/* Within a begun call: mc_inspect_task without the question whether the queue exists. */
int mc_read_task(mc_client *client, mc_slice queue, mc_slice id, mooncrew_task_list *out, mc_err *err);

/* 0, or MC_EINVALID with a text that names what is wrong. */
int mc_check_state(mc_slice name, mc_slice group, mc_task_state *out, mc_err *err);

#endif
