/* mooncrew.h: enqueue background tasks from C.
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
  MOONCREW_EDUPLICATE = -3,   /* a task with the same unique key is waiting or running */
  MOONCREW_ECONFLICT = -4,    /* a task with this id exists */
  MOONCREW_EUNAVAILABLE = -5, /* Redis cannot be reached: nothing was accepted */
  MOONCREW_EUNKNOWN = -6,     /* sent, but no answer came: look whether the task exists */
  MOONCREW_ESERVER = -9,      /* Redis refused (read-only, out of memory, no permission …) */
  MOONCREW_EMALFORMED = -10,  /* Redis answered something that makes no sense */
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
  const char *queue;     /* NULL: "default" */
  const char *task_id;   /* NULL: a random UUID */
  int max_retry;         /* 25 */
  int64_t timeout_ms;    /* -1: 30 min unless deadline is given. Whole seconds, rounded up. 0: none */
  int64_t deadline_s;    /* unix seconds; -1: none */
  int64_t unique_ms;     /* how long the same type and payload are refused; -1: not unique; else ≥ 1000 */
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
 *   redis://[[user]:password@]host[:port][/db]     redis+unix://[[user]:password@]/path/to.sock[?db=0] */
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

/* Closes the connection and frees the client; NULL is fine. */
MOONCREW_API void mooncrew_close(mooncrew_client *client);

/* "OK", "DUPLICATE_TASK", … */
MOONCREW_API const char *mooncrew_code_name(int code);
MOONCREW_API const char *mooncrew_version(void);

#ifdef __cplusplus
}
#endif

#endif
