/* mooncrew.h: enqueue background tasks from C, look at them, and move them.
 *
 *   mooncrew_client *client;
 *   mooncrew_error error;
 *   if (mooncrew_open("redis://127.0.0.1:6379/0", &client, &error)) …           // error.message says why
 *
 *   mooncrew_task task = MOONCREW_TASK("task:send_verify_email", "{\"username\":\"ada\"}");
 *   task.options.queue = "critical";
 *   task.options.process_in_ms = 5000;
 *   mooncrew_result result;
 *   if (mooncrew_enqueue(client, &task, &result, &error)) …
 *   mooncrew_close(client);
 *
 * Calls block until Redis has answered or the time-out has passed (5 s unless set). A client connects at its first
 * use, and again by itself after it lost the connection; what has no answer yet is then sent again under the same id.
 * Between calls the client does nothing.
 *
 * Threads: a client belongs to one thread at a time; different clients may be used by different threads at once. The
 * library starts no thread, except libuv's pool when a host name is looked up, and touches no signal handler.
 * Fork: a client works only in the process that opened it. Its child opens its own, and may close the one it got.
 * Memory: what the library returns is released by the function that is named there. When memory runs out the process
 * is ended.
 */
#ifndef MOONCREW_H
#define MOONCREW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MOONCREW_API __attribute__((visibility("default")))
#else
#define MOONCREW_API
#endif

/* Results of calls. Negative is an error; mooncrew_code_name() gives the name used in Lua and on the command line. */
enum {
  MOONCREW_OK = 0,
  MOONCREW_EINVALID = -1,     /* an option, a type or a URL is wrong: nothing was sent */
  MOONCREW_EDUPLICATE = -3,   /* a task of the same type and payload is not done yet, nor its unique_ms over */
  MOONCREW_ECONFLICT = -4,    /* a task with this id exists */
  MOONCREW_EUNAVAILABLE = -5, /* Redis cannot be reached: nothing was accepted */
  MOONCREW_EUNKNOWN = -6,     /* sent, but no answer came: look whether the task exists */
  MOONCREW_ESERVER = -9,      /* Redis refused (read-only, out of memory, no permission …) */
  MOONCREW_ETIMEOUT = -7,     /* mooncrew_wait: the task has not ended yet */
  MOONCREW_EMALFORMED = -10,  /* Redis answered something that makes no sense */
  MOONCREW_ENOT_FOUND = -12,  /* there is no such task or queue */
  MOONCREW_ESTATE = -15,      /* the state of the task or queue does not allow it */
  MOONCREW_ENOT_EMPTY = -16,  /* the queue has tasks */
  MOONCREW_EGONE = -17,       /* mooncrew_wait: the task is not there, or not any more */
  MOONCREW_EARCHIVED = -18,   /* mooncrew_wait: the task failed for good */
};

typedef struct mooncrew_client mooncrew_client;

typedef struct mooncrew_error {
  int code;          /* MOONCREW_E… */
  char message[512]; /* what, where, what to do; never holds a password */
} mooncrew_error;

typedef struct mooncrew_header {
  const char *name, *value;
} mooncrew_header;

/* Always begin with MOONCREW_OPTIONS_INIT (or MOONCREW_TASK): a field left as it is means asynq's default. Texts are
 * UTF-8. At most one of process_at_s and process_in_ms. */
typedef struct mooncrew_options {
  const char *queue;     /* NULL: "default"; without white space, control characters, = , { } */
  const char *task_id;   /* NULL: a random UUID */
  int max_retry;         /* 25 */
  int64_t timeout_ms;    /* -1: 30 min unless deadline is given. Whole seconds, rounded up. 0: none */
  int64_t deadline_s;    /* unix seconds; -1: none */
  int64_t unique_ms;     /* ≥ 1000: keeps the same type and payload out until it is done, or for so long; -1: not */
  int64_t process_at_s;  /* unix seconds; -1: now */
  int64_t process_in_ms; /* from now; -1: now. Rounded up to a whole second: never early. */
  int64_t retention_ms;  /* how long the finished task and its result are kept; 0: not at all */
  const char *group;     /* NULL: none */
  const mooncrew_header *headers;
  size_t header_count;
} mooncrew_options;

#define MOONCREW_OPTIONS_INIT                                                                                          \
  { NULL, NULL, 25, -1, -1, -1, -1, -1, 0, NULL, NULL, 0 }

typedef struct mooncrew_task {
  const char *type;
  const void *payload; /* any bytes; a script with a schema wants JSON */
  size_t payload_size;
  mooncrew_options options;
} mooncrew_task;

/* A task with default options, whose payload is a string literal. */
#define MOONCREW_TASK(type, text)                                                                                      \
  { (type), (text), sizeof(text) - 1, MOONCREW_OPTIONS_INIT }

/* What became of one task. */
typedef struct mooncrew_result {
  int code; /* MOONCREW_OK or MOONCREW_E… */
  char *id; /* the task's id, also when it was refused; NULL if the options were wrong */
  char *queue;
  const char *state;    /* "pending", "scheduled" or "aggregating" when accepted, else NULL */
  int64_t process_at_s; /* unix seconds; 0 unless scheduled */
  char message[256];    /* why, when code is not MOONCREW_OK */
} mooncrew_result;

/* Checks the URL and makes a client; does not connect yet. 0; MOONCREW_EINVALID for a wrong URL; MOONCREW_EUNAVAILABLE
 * when the system has no file descriptors left. *out stays untouched on failure; error may be NULL.
 *
 *   redis://[[user]:password@]host[:port][/db]     redis+unix://[[user]:password@]/path/to.sock[?db=0]
 *   rediss://… for TLS, with ?ca=, cert=, key= (paths of PEM files) parted by & */
MOONCREW_API int mooncrew_open(const char *url, mooncrew_client **out, mooncrew_error *error);

/* How long a call may take as a whole; 0 or less: 5 s. */
MOONCREW_API void mooncrew_set_timeout(mooncrew_client *client, int64_t timeout_ms);

/* Enqueues one task: 0 or the task's code, which error (may be NULL) explains. result may be NULL; else release it. */
MOONCREW_API int mooncrew_enqueue(mooncrew_client *client, const mooncrew_task *task, mooncrew_result *result,
                                  mooncrew_error *error);

/* Enqueues many, in few round trips, with one honest result per task in results[0 … count-1] (release each). One that
 * is refused does not keep the others back. Tasks of one queue are enqueued in the order given. Returns 0 when every
 * one was accepted, else the first code that is not 0, which error (may be NULL) explains. */
MOONCREW_API int mooncrew_enqueue_many(mooncrew_client *client, const mooncrew_task *tasks, size_t count,
                                       mooncrew_result *results, mooncrew_error *error);

MOONCREW_API void mooncrew_result_release(mooncrew_result *result);

/* ---- looking at queues and tasks ----
 *
 * On asynq's keys, with the refusals of asynq's own inspector. Each of these returns 0 or a code that error (may be
 * NULL) explains; then *out stays untouched. All that an answer points to lives in its memory: release that once, by
 * mooncrew_release(answer.memory). Texts end with a NUL; times are unix seconds, 0: none. A queue or task that does not
 * exist is MOONCREW_ENOT_FOUND. */

typedef struct mooncrew_memory mooncrew_memory;
MOONCREW_API void mooncrew_release(mooncrew_memory *memory); /* NULL is fine */

typedef struct mooncrew_queue_info {
  const char *name;
  int paused;                                                                  /* 1 or 0 */
  int64_t size;                                                                /* tasks in all states */
  int64_t pending, active, scheduled, retry, archived, completed, aggregating; /* tasks by state */
  int64_t groups;                                                              /* groups that have tasks */
  int64_t latency_ms;                    /* how long the oldest pending task has waited */
  int64_t memory_bytes;                  /* an estimate from samples */
  int64_t processed_today, failed_today; /* since midnight, UTC; processed counts failures too */
  int64_t processed, failed;             /* since the queue was made */
} mooncrew_queue_info;

typedef struct mooncrew_queue_list {
  const mooncrew_queue_info *items; /* by name */
  size_t count;
  mooncrew_memory *memory;
} mooncrew_queue_list;

MOONCREW_API int mooncrew_queues(mooncrew_client *client, mooncrew_queue_list *out, mooncrew_error *error);

/* One queue: a list of one. */
MOONCREW_API int mooncrew_queue(mooncrew_client *client, const char *queue, mooncrew_queue_list *out,
                                mooncrew_error *error);

/* What holds for all mooncrew servers of a queue together; 0: no limit. */
typedef struct mooncrew_queue_limits {
  int64_t concurrency;       /* tasks at work at a time, 1 … 1,000,000; those of asynq's servers count too */
  int64_t rate, interval_ms; /* tasks that may begin per interval, evenly spread */
} mooncrew_queue_limits;

#define MOONCREW_KEEP (-1) /* for mooncrew_set_limits: this one stays as it is */

/* The limits of a queue, which need not exist yet. */
MOONCREW_API int mooncrew_get_limits(mooncrew_client *client, const char *queue, mooncrew_queue_limits *out,
                                     mooncrew_error *error);

/* Changes them while servers run, who keep to them from their next task on: a number sets a limit, 0 clears it,
 * MOONCREW_KEEP leaves it. out (may be NULL): what holds then. To set the same again does no harm. */
MOONCREW_API int mooncrew_set_limits(mooncrew_client *client, const char *queue, const mooncrew_queue_limits *limits,
                                     mooncrew_queue_limits *out, mooncrew_error *error);

typedef struct mooncrew_day {
  const char *date;          /* "2026-01-31", UTC */
  int64_t processed, failed; /* processed counts failures too */
} mooncrew_day;

typedef struct mooncrew_day_list {
  const mooncrew_day *items; /* today first */
  size_t count;
  mooncrew_memory *memory;
} mooncrew_day_list;

/* What a queue did on each of the last days, of which Redis keeps 90. */
MOONCREW_API int mooncrew_history(mooncrew_client *client, const char *queue, int days, mooncrew_day_list *out,
                                  mooncrew_error *error);

typedef struct mooncrew_task_info {
  const char *id, *queue;
  const char *state;   /* "pending", "active", "scheduled", "retry", "archived", "completed", "aggregating" */
  const char *problem; /* why what stands in Redis cannot be read; then the message's fields are missing. NULL: none */
  const char *type;    /* from here on the message's fields; NULL: missing */
  const void *payload;
  size_t payload_size;
  int max_retry, retried;
  const char *last_error; /* NULL: none */
  int64_t last_failed_at_s;
  int64_t timeout_s, deadline_s; /* 0: none */
  const char *unique_key;        /* the Redis key of its lock; NULL: not unique */
  int64_t retention_s;
  int64_t completed_at_s;
  const char *group; /* NULL: none */
  const mooncrew_header *headers;
  size_t header_count;
  const void *result; /* NULL: none */
  size_t result_size;
  int64_t next_process_at_s; /* scheduled, retry: when it is due; pending: now */
  int64_t pending_since_ns;  /* pending; unix nanoseconds */
  int64_t archived_at_s;     /* archived */
  int64_t expires_at_s;      /* completed: when it will be deleted */
  int64_t lease_expires_s;   /* active; 0: it has no lease */
  int orphaned;              /* active: 1 when its lease has run out, so its server is gone or cut off */
  const char *last_crash;    /* how it ended the last worker that it crashed, for people; NULL: it crashed none */
  int64_t last_crash_at_s;
  const mooncrew_header *extra; /* what mooncrew notes beside asynq's fields: mc_owner, mc_progress … */
  size_t extra_count;
} mooncrew_task_info;

typedef struct mooncrew_task_list {
  const mooncrew_task_info *items;
  size_t count;
  int64_t total;    /* tasks in this state when the page was read */
  const char *next; /* for `after` of the next page; NULL: this was the last */
  mooncrew_memory *memory;
} mooncrew_task_list;

/* Which page. Always begin with MOONCREW_PAGE_INIT. */
typedef struct mooncrew_page {
  const char *queue, *state;
  const char *group; /* needed for "aggregating" */
  int size;          /* tasks per page, 1 … 1000 */
  int number;        /* from 1; counts unless after is given */
  const char *after; /* the `next` of the page before; NULL: none */
} mooncrew_page;

#define MOONCREW_PAGE_INIT                                                                                             \
  { NULL, NULL, NULL, 30, 1, NULL }

/* A page of the tasks in one state. Scheduled, retry, archived, completed and aggregating tasks stand in order of time,
 * then id, and `after` finds its place even when tasks have gone meanwhile; pending and active ones stand by place, the
 * oldest first, and move up as they are worked on. Only the page is read, however many tasks there are. */
MOONCREW_API int mooncrew_tasks(mooncrew_client *client, const mooncrew_page *page, mooncrew_task_list *out,
                                mooncrew_error *error);

/* Everything known of one task: a list of one. */
MOONCREW_API int mooncrew_find_task(mooncrew_client *client, const char *queue, const char *id, mooncrew_task_list *out,
                                    mooncrew_error *error);

/* Waits for a task's end, hearing of it by a notice from Redis, or, where Redis gives none, by a look each second.
 * 0 and the task when it is completed; MOONCREW_EARCHIVED, and error.message is its last error; MOONCREW_EGONE when it
 * is not there, or not any more: done and not retained, deleted, or never enqueued; MOONCREW_ETIMEOUT. */
MOONCREW_API int mooncrew_wait(mooncrew_client *client, const char *queue, const char *id, int64_t timeout_ms,
                               mooncrew_task_list *out, mooncrew_error *error);

typedef struct mooncrew_group_info {
  const char *name;
  int64_t size;
} mooncrew_group_info;

typedef struct mooncrew_group_list {
  const mooncrew_group_info *items; /* by name */
  size_t count;
  mooncrew_memory *memory;
} mooncrew_group_list;

/* The groups of a queue that have tasks. */
MOONCREW_API int mooncrew_groups(mooncrew_client *client, const char *queue, mooncrew_group_list *out,
                                 mooncrew_error *error);

typedef struct mooncrew_worker_info {
  const char *task_id, *type, *queue;
  const void *payload;
  size_t payload_size;
  int64_t started_ns, deadline_ns; /* unix nanoseconds; 0: none */
} mooncrew_worker_info;

typedef struct mooncrew_queue_priority {
  const char *name;
  int priority;
} mooncrew_queue_priority;

/* A pool of workers of a mooncrew server. */
typedef struct mooncrew_pool_info {
  const char *name;      /* "": the only one */
  int workers, serving;  /* processes: as configured, and those that are ready */
  int concurrency, busy; /* tasks at a time per worker; tasks in hand */
} mooncrew_pool_info;

typedef struct mooncrew_server_info {
  const char *id; /* "host:pid:uuid" */
  const char *host;
  const char *status; /* "active", "stopped" … */
  int pid, concurrency, active_workers;
  int strict; /* 1: strict priority */
  int64_t started_ns;
  const mooncrew_queue_priority *queues;
  size_t queue_count;
  const mooncrew_worker_info *workers; /* the tasks it works on */
  size_t worker_count;

  /* Of servers of mooncrew only; of others generation is 0 and the rest is empty. */
  int64_t generation; /* of its scripts: grows with each reload */
  int64_t loaded_ns;  /* when that loaded; 0: not yet */
  int draining;       /* workers of the generation before, which finish what they run */
  int64_t reloads_asked,
      reloads_answered;     /* how many reloads were asked for; of how many it is known what came of it */
  const char *reload_error; /* NULL, or why the last reload was refused */
  int64_t refused_ns;
  const mooncrew_pool_info *pools;
  size_t pool_count;
  const char *patterns; /* NULL, or "tenant:*,shop:*": whose queues it serves as soon as there are some */
} mooncrew_server_info;

typedef struct mooncrew_server_list {
  const mooncrew_server_info *items; /* by id */
  size_t count;
  mooncrew_memory *memory;
} mooncrew_server_list;

/* The servers that are alive, of mooncrew and of asynq. */
MOONCREW_API int mooncrew_servers(mooncrew_client *client, mooncrew_server_list *out, mooncrew_error *error);

typedef struct mooncrew_cron_info {
  const char *id, *spec, *type;
  const void *payload;
  size_t payload_size;
  const char *const *options; /* as Go prints them: MaxRetry(3), Queue("low") … */
  size_t option_count;
  int64_t next_ns, prev_ns; /* unix nanoseconds; 0: none */
  int schedulers;           /* how many live schedulers hold this entry */
} mooncrew_cron_info;

typedef struct mooncrew_cron_list {
  const mooncrew_cron_info *items; /* by id */
  size_t count;
  mooncrew_memory *memory;
} mooncrew_cron_list;

/* The cron entries of all live schedulers; one that several of them hold stands there once. */
MOONCREW_API int mooncrew_cron(mooncrew_client *client, mooncrew_cron_list *out, mooncrew_error *error);

typedef struct mooncrew_cron_event {
  const char *task_id;
  int64_t at_ns;
} mooncrew_cron_event;

typedef struct mooncrew_cron_event_list {
  const mooncrew_cron_event *items; /* the latest first */
  size_t count;
  mooncrew_memory *memory;
} mooncrew_cron_event_list;

/* What a cron entry enqueued. Pages count from 1. */
MOONCREW_API int mooncrew_cron_history(mooncrew_client *client, const char *entry_id, int page, int size,
                                       mooncrew_cron_event_list *out, mooncrew_error *error);

/* ---- changing queues and tasks ----
 *
 * What was sent and not answered is MOONCREW_EUNKNOWN: look again. What a state forbids is MOONCREW_ESTATE. */

/* Makes a task pending now; active and pending ones are refused. */
MOONCREW_API int mooncrew_run_task(mooncrew_client *client, const char *queue, const char *id, mooncrew_error *error);

/* Archives a task; active and archived ones are refused. */
MOONCREW_API int mooncrew_archive_task(mooncrew_client *client, const char *queue, const char *id,
                                       mooncrew_error *error);

/* Deletes a task, and its uniqueness lock if it holds it; active ones are refused. */
MOONCREW_API int mooncrew_delete_task(mooncrew_client *client, const char *queue, const char *id,
                                      mooncrew_error *error);

/* Told how far it is after each call of at most 1,000 ids. Anything but 0 ends the work. It must not use the client. */
typedef int (*mooncrew_progress)(void *arg, int64_t done, int64_t total);

/* All tasks of a state. Always begin with MOONCREW_BULK_INIT. */
typedef struct mooncrew_bulk {
  const char *queue, *state;
  const char *group; /* needed for "aggregating" */
  mooncrew_progress progress;
  void *arg;
} mooncrew_bulk;

#define MOONCREW_BULK_INIT                                                                                             \
  { NULL, NULL, NULL, NULL, NULL }

/* The same for all tasks of a state, at most as many as there were at the beginning. Safe while others work on the
 * queue: only tasks that are still in that state are touched. *done (may be NULL) says how many were, after a failure
 * too. Each call of at most 1,000 ids has the client's time-out for itself. */
MOONCREW_API int mooncrew_run_tasks(mooncrew_client *client, const mooncrew_bulk *bulk, int64_t *done,
                                    mooncrew_error *error);
MOONCREW_API int mooncrew_archive_tasks(mooncrew_client *client, const mooncrew_bulk *bulk, int64_t *done,
                                        mooncrew_error *error);
MOONCREW_API int mooncrew_delete_tasks(mooncrew_client *client, const mooncrew_bulk *bulk, int64_t *done,
                                       mooncrew_error *error);

/* Replaces a task's payload; active and completed ones are refused. A unique task's lock moves along:
 * MOONCREW_EDUPLICATE when another task holds the lock of the new payload. */
MOONCREW_API int mooncrew_update_payload(mooncrew_client *client, const char *queue, const char *id,
                                         const void *payload, size_t payload_size, mooncrew_error *error);

/* Asks whoever runs the task to cancel it; it then fails, and is retried. *listeners (may be NULL): how many servers
 * heard it. */
MOONCREW_API int mooncrew_cancel(mooncrew_client *client, const char *id, int64_t *listeners, mooncrew_error *error);

/* Keeps servers from taking tasks of a queue, and lets them again. MOONCREW_ESTATE when it is paused, or is not. */
MOONCREW_API int mooncrew_pause(mooncrew_client *client, const char *queue, mooncrew_error *error);
MOONCREW_API int mooncrew_unpause(mooncrew_client *client, const char *queue, mooncrew_error *error);

/* Removes a queue. MOONCREW_ENOT_EMPTY when it has tasks, unless forced: then they are deleted first, in calls of at
 * most 1,000 ids, with progress (may be NULL). MOONCREW_ESTATE, always, when tasks of it are being worked on. *deleted
 * (may be NULL): how many tasks were deleted, after a failure too. */
MOONCREW_API int mooncrew_remove_queue(mooncrew_client *client, const char *queue, int force,
                                       mooncrew_progress progress, void *arg, int64_t *deleted, mooncrew_error *error);

/* Closes the connection and frees the client; NULL is fine. */
MOONCREW_API void mooncrew_close(mooncrew_client *client);

/* "OK", "DUPLICATE_TASK", … */
MOONCREW_API const char *mooncrew_code_name(int code);
MOONCREW_API const char *mooncrew_version(void);

#ifdef __cplusplus
}
#endif

#endif
