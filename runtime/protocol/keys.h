/* Every key name that mooncrew reads or writes in Redis. Each function appends the key to a buffer or ends it as an
 * argument; no other file spells a key.
 */
#ifndef MC_PROTOCOL_KEYS_H
#define MC_PROTOCOL_KEYS_H

#include "base/args.h"

#include <stdint.h>

#define MC_KEY_QUEUES "asynq:queues"
#define MC_KEY_SERVERS "asynq:servers"
#define MC_KEY_WORKERS "asynq:workers"
#define MC_KEY_SCHEDULERS "asynq:schedulers"
#define MC_CHANNEL_CANCEL "asynq:cancel"

/* The keys of one queue that have a fixed name: asynq:{queue}:<suffix>. */
/* clang-format off */
#define MC_QUEUE_KEYS(X)                  \
  X(PENDING, "pending")                   \
  X(ACTIVE, "active")                     \
  X(LEASE, "lease")                       \
  X(SCHEDULED, "scheduled")               \
  X(RETRY, "retry")                       \
  X(ARCHIVED, "archived")                 \
  X(COMPLETED, "completed")               \
  X(PAUSED, "paused")                     \
  X(PROCESSED, "processed")               \
  X(FAILED, "failed")                     \
  X(GROUPS, "groups")                     \
  X(AGGREGATION_SETS, "aggregation_sets") \
  X(LIMITS, "mc_limits")                  \
  X(RATE, "mc_rate")                      \
  X(FOLD_FAILURES, "mc_fold_failures")
/* clang-format on */

typedef enum mc_queue_key {
#define X(name, suffix) MC_KEY_##name,
  MC_QUEUE_KEYS(X)
#undef X
} mc_queue_key;

void mc_key_queue(mc_buf *out, mc_slice queue, mc_queue_key key); /* asynq:{q}:pending … */
void mc_key_task_prefix(mc_buf *out, mc_slice queue);             /* asynq:{q}:t: */
void mc_key_task(mc_buf *out, mc_slice queue, mc_slice id);       /* asynq:{q}:t:<id> */
void mc_key_group_prefix(mc_buf *out, mc_slice queue);            /* asynq:{q}:g: */
void mc_key_group(mc_buf *out, mc_slice queue, mc_slice group);   /* asynq:{q}:g:<group> */
void mc_key_queue_prefix(mc_buf *out, mc_slice queue);            /* asynq:{q}: */

/* The same as whole arguments. */
void mc_key_queue_arg(mc_args *args, mc_slice queue, mc_queue_key key);
void mc_key_task_prefix_arg(mc_args *args, mc_slice queue);
void mc_key_group_prefix_arg(mc_args *args, mc_slice queue);
void mc_key_queue_prefix_arg(mc_args *args, mc_slice queue);

/* asynq:{q}:g:<group>:<id>; no colon in the id */
void mc_key_aggregation_set(mc_buf *out, mc_slice queue, mc_slice group, mc_slice id);

/* asynq:{q}:unique:<type>:<md5 of payload>; without a payload (data NULL) the name ends after the second colon. 0, or
 * MC_EINTERNAL where OpenSSL has no MD5 (FIPS mode): what was appended is then of no use. */
int mc_key_unique(mc_buf *out, mc_slice queue, mc_slice type, mc_slice payload);
void mc_key_daily(mc_buf *out, mc_slice queue, mc_queue_key key, int64_t at_s); /* …processed:YYYY-MM-DD, UTC */
void mc_key_server(mc_buf *out, mc_slice server);         /* asynq:servers:{host:pid:uuid}; server is "host:pid:uuid" */
void mc_key_server_workers(mc_buf *out, mc_slice server); /* asynq:workers:{host:pid:uuid} */
void mc_key_server_status(mc_buf *out, mc_slice server);  /* asynq:mc_servers:{host:pid:uuid}, ours */
void mc_key_scheduler_history(mc_buf *out, mc_slice entry_id);
void mc_key_scheduler_entries(mc_buf *out, mc_slice server); /* asynq:schedulers:{host:pid:uuid} */

void mc_key_cron(mc_buf *out, mc_slice queue, mc_slice entry);                       /* asynq:{q}:mc_cron:<entry> */
void mc_key_cron_claim(mc_buf *out, mc_slice queue, mc_slice entry, int64_t tick_s); /* …:<tick> */

/* The queue that a key of the form asynq:{queue}:<suffix> belongs to, and its suffix, borrowed; false for other keys.
 */
bool mc_key_split(mc_slice key, mc_slice *queue, mc_slice *suffix);
bool mc_key_suffix_is(mc_slice suffix, mc_queue_key key);

#endif
