/* Error codes and error texts.
 *
 * A function that can fail returns 0 or a negative MC_E… code. Detail meant for a person goes into an mc_err
 * that the caller supplies (it may be NULL); nothing is kept in globals. Out-parameters stay untouched on failure.
 */
#ifndef MC_BASE_ERR_H
#define MC_BASE_ERR_H

/* X(suffix, value, name shown to programs, text for people) */
#define MC_ERRORS(X)                                                                                                   \
  X(INVALID, -1, "INVALID_ARGUMENT", "invalid argument")                                                               \
  X(PAYLOAD, -2, "INVALID_PAYLOAD", "the payload does not fit its schema")                                             \
  X(DUPLICATE, -3, "DUPLICATE_TASK", "a task with the same unique key is waiting or running")                          \
  X(CONFLICT, -4, "TASK_ID_CONFLICT", "a task with this id exists")                                                    \
  X(UNAVAILABLE, -5, "UNAVAILABLE", "Redis cannot be reached")                                                         \
  X(UNKNOWN, -6, "UNKNOWN", "the reply was lost; the task may or may not have been accepted")                          \
  X(TIMEOUT, -7, "TIMEOUT", "no answer in time")                                                                       \
  X(CLOSED, -8, "CLOSED", "the connection is closed")                                                                  \
  X(SERVER, -9, "SERVER_ERROR", "Redis refused the command")                                                           \
  X(MALFORMED, -10, "MALFORMED", "malformed data")                                                                     \
  X(IO, -11, "IO_ERROR", "input/output error")                                                                         \
  X(NOT_FOUND, -12, "NOT_FOUND", "not found")                                                                          \
  X(NO_MEMORY, -13, "NO_MEMORY", "out of memory")                                                                      \
  X(INTERNAL, -14, "INTERNAL", "internal error")                                                                       \
  X(STATE, -15, "WRONG_STATE", "the state of the task or queue does not allow it")                                     \
  X(NOT_EMPTY, -16, "NOT_EMPTY", "the queue has tasks")                                                                \
  X(GONE, -17, "GONE", "the task is not there, or not any more")                                                       \
  X(ARCHIVED, -18, "ARCHIVED", "the task failed for good and is archived")

enum {
#define X(suffix, value, name, text) MC_E##suffix = (value),
  MC_ERRORS(X)
#undef X
};

/* A text for people: what failed, where, and what to do. Always NUL-terminated, cut when too long. */
typedef struct mc_err {
  char text[512];
} mc_err;

/* The stable name of a code, such as "DUPLICATE_TASK"; "OK" for 0; "INTERNAL" for a code that is not ours. */
const char *mc_err_name(int code);

/* What the code means, in a few words. */
const char *mc_err_text(int code);

/* Writes the text (err may be NULL) and returns code, so that a caller can say `return mc_fail(err, MC_EIO, …)`. */
int mc_fail(mc_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
