/* A worker as a process: forked from the test, spoken to over its socket, looked at through the shared page. */
#ifndef TESTS_WORKER_CREW_H
#define TESTS_WORKER_CREW_H

#include "protocol/frames.h"
#include "protocol/shared_page.h"
#include "protocol/worker_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/types.h>

#define CREW_LIMIT_MS 20000 /* for one answer; far above what any takes, also under sanitizers */
#define CREW_CONCURRENCY 100

typedef struct crew {
  char folder[64]; /* scripts/ and log stand in it */
  pid_t pid;       /* 0: it was waited for */
  bool has_parent; /* start it as the child of a process of its own, which is then `pid` */
  int socket;
  mc_page *page;
  mc_frame_reader reader;
  mc_buf out; /* frames that crew_send sends */
  uint64_t last_attempt;
} crew;

int crew_set_up(void **state);
int crew_tear_down(void **state); /* kills what still runs */

void crew_write_script(crew *self, const char *name, const char *text);
void crew_spawn(crew *self, uint32_t concurrency);                     /* the process; its scripts may not load */
void crew_start(crew *self, uint32_t concurrency, const char *script); /* with one script, until it is ready */

void crew_send(crew *self);
uint64_t crew_add_task(crew *self, const char *type, const char *payload, int64_t timeout_ms); /* not sent yet */
uint64_t crew_send_task(crew *self, const char *type, const char *payload);

/* The next frame, lent until the next call; fails the test when it is another one, or the worker has gone. */
mc_frame crew_expect(crew *self, mc_frame_type type);
mc_frame_result crew_expect_result(crew *self, uint64_t attempt, mc_outcome outcome);
int crew_expect_exit(crew *self); /* the exit code; fails the test when it does not end by itself */
char *crew_log(crew *self);       /* all of it, until the next call */

void assert_text(mc_slice actual, const char *wanted);
void assert_holds(mc_slice actual, const char *wanted);

#define crew_test(name) cmocka_unit_test_setup_teardown(name, crew_set_up, crew_tear_down)

#endif
