/* From a caller's options to what lies in Redis: defaults, checks, ids, unique keys, and where a new task goes.
 * The client and the supervisor (for what handlers enqueue) both build their enqueues here.
 */
#ifndef MC_PROTOCOL_ENQUEUE_H
#define MC_PROTOCOL_ENQUEUE_H

#include "base/err.h"
#include "base/random.h"
#include "base/script.h"
#include "base/value.h"
#include "protocol/message.h"

#define MC_DEFAULT_MAX_RETRY 25
#define MC_DEFAULT_TIMEOUT_S 1800
#define MC_DEFAULT_QUEUE "default"

/* What a caller asks for. Zeroed plus mc_enqueue_options_init gives asynq's defaults. Slices are borrowed. */
typedef struct mc_enqueue_options {
  mc_slice type, payload;
  mc_slice queue;            /* empty: "default" */
  mc_slice id;               /* empty and has_id false: a random UUID */
  bool has_id;               /* the caller chose the id; blank is then an error */
  bool has_queue, has_group; /* likewise: given, so blank is an error, and the queue's name must be a usable one */
  int32_t max_retry;         /* negative: 0 */
  int64_t timeout_ms;        /* -1: not given. Rounded up to whole seconds. */
  int64_t deadline_s;        /* unix; -1: not given */
  int64_t unique_ms;         /* -1: not unique; else at least 1000 */
  int64_t process_at_ms;     /* unix ms; -1: now. Rounded up to whole seconds, so that nothing runs early. */
  int64_t retention_ms;      /* 0: none. Rounded up to whole seconds. */
  mc_slice group;            /* empty: none */
  const mc_header *headers;
  size_t header_count;
} mc_enqueue_options;

void mc_enqueue_options_init(mc_enqueue_options *options);

typedef enum mc_enqueue_kind { MC_ENQUEUE_PENDING, MC_ENQUEUE_SCHEDULED, MC_ENQUEUE_GROUP } mc_enqueue_kind;

/* A task made ready to be sent, possibly more than once: the same id each time. Owns its bytes. */
typedef struct mc_enqueue {
  mc_enqueue_kind kind;
  mc_buf bytes; /* what the slices below point into */
  mc_slice id, queue, type, group, unique_key, message;
  int64_t process_at_s; /* SCHEDULED */
  int64_t unique_ttl_s; /* 0: not unique */
  bool id_is_callers;
} mc_enqueue;

/* Checks and defaults. 0, or MC_EINVALID with a text that names the option and what to give instead. */
int mc_enqueue_init(mc_enqueue *out, const mc_enqueue_options *options, int64_t now_ms, mc_err *err);
void mc_enqueue_deinit(mc_enqueue *enqueue);

/* One task as the scripts that enqueue take it: state, id, message, lock, TTL, place. */
void mc_enqueue_add(mc_args *args, const mc_enqueue *task, int64_t now_ns);

/* One script call for tasks of one queue, kinds mixed, at most MC_ENQUEUE_BATCH of them; the reply has one answer per
 * task, in order. (`SADD asynq:queues` goes before it: another hash slot.) */
#define MC_ENQUEUE_BATCH 500
void mc_call_enqueue(mc_call *call, const mc_enqueue *const *tasks, size_t count, int64_t now_ns);

/* What became of task i: 0 accepted, MC_ECONFLICT, MC_EDUPLICATE, MC_EMALFORMED for a reply that makes no sense,
 * MC_ESERVER for an error reply. resent: this very task was sent before and the reply was lost; then a conflict, or a
 * unique lock that its id holds, means accepted if the id is ours, and is MC_EUNKNOWN if the caller chose it. */
int mc_enqueue_answer(const mc_value *reply, size_t i, const mc_enqueue *task, bool resent);

#endif
