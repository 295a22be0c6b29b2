/* A worker as a process: forked from here, spoken to over its socket, looked at through the shared page. */
#include "worker/worker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 20000 /* for one answer; far above what any takes, also under sanitizers */
#define CONCURRENCY 100

typedef struct crew {
  char folder[64]; /* scripts/ and log stand in it */
  pid_t pid;       /* 0: it was waited for */
  bool has_parent; /* start it as the child of a process of its own, which is then `pid` */
  int socket;
  mc_page *page;
  mc_frame_reader reader;
  mc_buf out;
  uint64_t last_attempt;
} crew;

/* ---- the scripts and the process ---- */

static void write_script(crew *self, const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/scripts/%s", self->folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static int setup(void **state) {
  crew *self = mc_zalloc(sizeof *self);
  char path[256];
  strcpy(self->folder, "/tmp/mooncrew-worker-XXXXXX");
  self->socket = -1;
  if (!mkdtemp(self->folder))
    return -1;
  snprintf(path, sizeof path, "%s/scripts", self->folder);
  *state = self;
  return mkdir(path, 0700);
}

static int teardown(void **state) {
  crew *self = *state;
  char command[128];
  if (self->pid) {
    kill(self->pid, SIGKILL);
    waitpid(self->pid, NULL, 0);
  }
  if (self->socket >= 0)
    close(self->socket);
  if (self->page)
    munmap(self->page, mc_page_size(CONCURRENCY));
  mc_frame_reader_deinit(&self->reader);
  mc_buf_deinit(&self->out);
  snprintf(command, sizeof command, "rm -rf '%s'", self->folder);
  int rc = system(command);
  free(self);
  return rc;
}

static _Noreturn void run_child(crew *self, int socket, int page) {
  char path[128];
  snprintf(path, sizeof path, "%s/log", self->folder);
  socket = fcntl(socket, F_DUPFD, 20); /* out of the way of the numbers they are to have */
  page = fcntl(page, F_DUPFD, 20);
  dup2(socket, MC_WORKER_SOCKET_FD);
  dup2(page, MC_WORKER_PAGE_FD);
  dup2(open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
  close_range(MC_WORKER_PAGE_FD + 1, ~0U, 0);
  _exit(mc_worker_run());
}

/* A parent for the worker, which does nothing but wait to be killed. */
static _Noreturn void run_parent(crew *self, int socket, int page) {
  pid_t worker = fork();
  if (worker == 0)
    run_child(self, socket, page);
  close_range(3, ~0U, 0);
  for (;;)
    pause();
}

static void send_frames(crew *self) {
  for (size_t at = 0; at < self->out.size;) {
    ssize_t n = send(self->socket, self->out.data + at, self->out.size - at, MSG_NOSIGNAL);
    assert_true(n > 0);
    at += (size_t)n;
  }
  mc_buf_clear(&self->out);
}

static void start_process(crew *self, uint32_t concurrency) {
  int sockets[2], page = memfd_create("page", MFD_CLOEXEC);
  char scripts[128];
  size_t size = mc_page_size(CONCURRENCY);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  assert_int_equal(ftruncate(page, (off_t)size), 0);
  self->page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
  assert_true(self->page != MAP_FAILED);
  self->socket = sockets[0];
  self->pid = fork();
  assert_true(self->pid >= 0);
  if (self->pid == 0 && self->has_parent)
    run_parent(self, sockets[1], page);
  if (self->pid == 0)
    run_child(self, sockets[1], page);
  close(sockets[1]);
  close(page);
  snprintf(scripts, sizeof scripts, "%s/scripts", self->folder);
  mc_frame_settings settings = {.scripts = mc_slice_of(scripts),
                                .worker = 1,
                                .concurrency = concurrency,
                                .log_level = MC_SLICE_LITERAL("info"),
                                .log_format = MC_SLICE_LITERAL("json")};
  mc_frame_settings_encode(&self->out, &settings);
  send_frames(self);
}

/* ---- frames ---- */

/* The next frame, lent until the next call; fails the test when none comes or the worker has gone. */
static mc_frame next_frame(crew *self) {
  mc_frame frame;
  mc_err err;
  char bytes[4096];
  uint64_t until = mc_clock_mono_ms() + LIMIT_MS;
  for (int rc; (rc = mc_frame_reader_next(&self->reader, &frame, &err)) != 1;) {
    struct pollfd wait = {.fd = self->socket, .events = POLLIN};
    assert_int_equal(rc, 0);
    assert_true(mc_clock_mono_ms() < until);
    assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
    ssize_t n = recv(self->socket, bytes, sizeof bytes, 0);
    assert_true(n > 0);
    mc_frame_reader_feed(&self->reader, bytes, (size_t)n);
  }
  return frame;
}

static mc_frame expect(crew *self, mc_frame_type type) {
  mc_frame frame = next_frame(self);
  assert_int_equal(frame.type, type);
  return frame;
}

static void start(crew *self, uint32_t concurrency, const char *script) {
  write_script(self, "tasks.lua", script);
  start_process(self, concurrency);
  expect(self, MC_FRAME_READY);
}

static uint64_t add_task(crew *self, const char *type, const char *payload, int64_t timeout_ms) {
  mc_frame_task task = {.attempt = ++self->last_attempt,
                        .id = MC_SLICE_LITERAL("some-id"),
                        .type = mc_slice_of(type),
                        .queue = MC_SLICE_LITERAL("default"),
                        .payload = mc_slice_of(payload),
                        .retried = 2,
                        .max_retry = 5,
                        .timeout_ms = timeout_ms};
  mc_frame_task_encode(&self->out, &task);
  return task.attempt;
}

static uint64_t send_task(crew *self, const char *type, const char *payload) {
  uint64_t attempt = add_task(self, type, payload, 0);
  send_frames(self);
  return attempt;
}

static mc_frame_result expect_result(crew *self, uint64_t attempt, mc_outcome outcome) {
  mc_frame_result result;
  assert_int_equal(mc_frame_result_decode(expect(self, MC_FRAME_RESULT).body, &result), 0);
  assert_int_equal(result.attempt, attempt);
  if (result.outcome != outcome)
    print_error("%.*s\n", MC_SLICE_PRINT(result.text));
  assert_int_equal(result.outcome, outcome);
  return result;
}

static void assert_text(mc_slice actual, const char *wanted) {
  if (!mc_slice_equal(actual, mc_slice_of(wanted)))
    fail_msg("\"%.*s\" is not \"%s\"", MC_SLICE_PRINT(actual), wanted);
}

static void assert_holds(mc_slice actual, const char *wanted) {
  if (!memmem(actual.data, actual.size, wanted, strlen(wanted)))
    fail_msg("\"%.*s\" does not hold \"%s\"", MC_SLICE_PRINT(actual), wanted);
}

/* The exit code; fails the test when it does not end by itself. */
static int expect_exit(crew *self) {
  char byte;
  int status;
  struct pollfd wait = {.fd = self->socket, .events = POLLIN};
  assert_int_equal(poll(&wait, 1, LIMIT_MS), 1); /* its end of the socket closes when it goes */
  assert_true(recv(self->socket, &byte, 1, 0) <= 0);
  assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
  self->pid = 0;
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static char *read_log(crew *self) {
  char path[128];
  static char text[65536];
  snprintf(path, sizeof path, "%s/log", self->folder);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

/* ---- loading ---- */

static void test_ready_lists_types_and_queues(void **state) {
  crew *self = *state;
  write_script(self, "b.lua",
               "local crew = require 'mooncrew'\ncrew.task('b:*', { queue = 'low', perform = print })\n");
  write_script(self, "a.lua", "require 'b'\nreturn require('mooncrew').task('a', { perform = print })\n");
  write_script(self, "helper.lua", "return { answer = 42 }\n");
  start_process(self, 1);
  mc_frame_ready ready;
  assert_int_equal(mc_frame_ready_decode(expect(self, MC_FRAME_READY).body, &ready), 0);
  assert_int_equal(ready.count, 2);
  assert_text(ready.entries[0].type, "b:*");
  assert_text(ready.entries[0].queue, "low");
  assert_text(ready.entries[1].type, "a");
  assert_text(ready.entries[1].queue, "");
  mc_frame_ready_free(&ready);
}

static void test_ready_lists_cron_entries(void **state) {
  crew *self = *state;
  write_script(self, "a.lua",
               "local crew = require 'mooncrew'\n"
               "crew.cron('@every 1s', 'tick', { n = 1 }, { queue = 'low', missed = 'latest', process_in = '5s',\n"
               "  timeout = '30s', headers = { trace = 'abc' } })\n"
               "for i = 1, 3000 do crew.cron('@daily', 't' .. i, nil, { headers = { n = tostring(i) } }) end\n");
  start_process(self, 1);
  mc_frame_ready ready;
  assert_int_equal(mc_frame_ready_decode(expect(self, MC_FRAME_READY).body, &ready), 0);
  assert_int_equal(ready.cron_count, 3001);
  const mc_cron_entry *entry = &ready.cron[0];
  assert_text(entry->spec, "@every 1s");
  assert_text(entry->id, "");
  assert_holds(entry->source, "a.lua:2");
  assert_int_equal(entry->missed, MC_CRON_LATEST);
  assert_int_equal(entry->process_in_ms, 5000);
  assert_text(entry->options.type, "tick");
  assert_text(entry->options.payload, "{\"n\":1}");
  assert_text(entry->options.queue, "low");
  assert_int_equal(entry->options.timeout_ms, 30000);
  assert_int_equal(entry->options.max_retry, MC_DEFAULT_MAX_RETRY);
  assert_int_equal(entry->options.header_count, 1);
  assert_text(entry->options.headers[0].name, "trace");
  assert_text(ready.cron[3000].options.headers[0].value, "3000");
  mc_frame_ready_free(&ready);
}

static void expect_load_failure(crew *self, const char *wanted) {
  mc_frame_load_failed failed;
  start_process(self, 1);
  assert_int_equal(mc_frame_load_failed_decode(expect(self, MC_FRAME_LOAD_FAILED).body, &failed), 0);
  assert_holds(failed.message, wanted);
  assert_int_equal(expect_exit(self), MC_WORKER_EXIT_LOAD_FAILED);
}

static void test_a_syntax_error_names_file_and_line(void **state) {
  write_script(*state, "broken.lua", "local x = 1\nlocal y = = 2\n");
  expect_load_failure(*state, "scripts/broken.lua:2:");
}

static void test_an_error_while_loading_names_file_and_line(void **state) {
  write_script(*state, "broken.lua", "local x = nil\n\nreturn x.y\n");
  expect_load_failure(*state, "scripts/broken.lua:3:");
}

static void test_waiting_while_loading_is_an_error(void **state) {
  write_script(*state, "broken.lua", "\nrequire('mooncrew').sleep(1)\n");
  expect_load_failure(*state, "scripts/broken.lua:2: waiting works only while a task runs");
}

static void test_two_registrations_name_both_files(void **state) {
  write_script(*state, "one.lua", "require('mooncrew').task('same', { perform = print })\n");
  write_script(*state, "two.lua", "require('mooncrew').task('same', { perform = print })\n");
  expect_load_failure(*state, "scripts/one.lua:1 and at ");
}

static void test_a_cron_entry_that_cannot_be_enqueued_names_file_and_line(void **state) {
  write_script(*state, "broken.lua", "\nrequire('mooncrew').cron('@daily', 'a\\255b')\n");
  expect_load_failure(*state, "scripts/broken.lua:2: cron: type is not UTF-8 text");
}

static void test_a_missing_folder_is_a_load_failure(void **state) {
  crew *self = *state;
  char path[128];
  snprintf(path, sizeof path, "%s/scripts", self->folder);
  assert_int_equal(rmdir(path), 0);
  expect_load_failure(self, "no scripts folder");
}

/* ---- outcomes ---- */

static const char outcomes_script[] =
    "local crew = require 'mooncrew'\n"
    "crew.task('echo', { perform = function(payload, task) return { payload, task.retried, task.max_retry } end })\n"
    "crew.task('text', { payload = 'raw', perform = function(payload) return payload .. '!' end })\n"
    "crew.task('nothing', { perform = function() end })\n"
    "crew.task('fail', { retry = '90s', perform = function()\n"
    "  error 'boom'\n"
    "end })\n"
    "crew.task('strict', { payload = crew.schema.object { n = crew.schema.integer() }, perform = function() end })\n"
    "crew.task('skip', { perform = function(_, task) task:skip_retry('no use') end })\n"
    "crew.task('revoke', { perform = function(_, task) task:revoke() end })\n"
    "crew.task('snooze', { perform = function(_, task) task:snooze('10m') end })\n"
    "crew.task('later', { perform = function(_, task) task:retry_in(1.5, 'busy') end })\n"
    "crew.task('yield', { perform = function() coroutine.yield() end })\n"
    "crew.task('says', { perform = function(_, task) task.log:warn('look\\nhere', { a = { 1 }, b = 'x y' }) end })\n";

static void test_results_are_none_a_string_or_json(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  mc_frame_result result = expect_result(self, send_task(self, "nothing", ""), MC_OUTCOME_DONE);
  assert_false(result.has_result);
  result = expect_result(self, send_task(self, "text", "raw \xff"), MC_OUTCOME_DONE);
  assert_true(result.has_result);
  assert_text(result.text, "raw \xff!");
  result = expect_result(self, send_task(self, "echo", "{\"b\":1,\"a\":[]}"), MC_OUTCOME_DONE);
  assert_text(result.text, "[{\"a\":[],\"b\":1},2,5]");
  assert_int_equal(result.delay_ms, -1);
}

static void test_a_failure_carries_message_place_trace_and_delay(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  mc_frame_result result = expect_result(self, send_task(self, "fail", ""), MC_OUTCOME_FAILED);
  assert_holds(result.text, "scripts/tasks.lua:6: boom");
  assert_holds(result.trace, "scripts/tasks.lua:6: in function");
  assert_int_equal(result.delay_ms, 90000);
  result = expect_result(self, send_task(self, "unknown", ""), MC_OUTCOME_FAILED);
  assert_text(result.text, "handler not found for task \"unknown\"");
}

static void test_a_payload_that_does_not_fit_is_invalid(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  mc_frame_result result = expect_result(self, send_task(self, "strict", "{\"n\":\"1\"}"), MC_OUTCOME_INVALID);
  assert_text(result.text, "payload.n: expected integer, got string");
  result = expect_result(self, send_task(self, "echo", "{\"n\":"), MC_OUTCOME_INVALID);
  assert_holds(result.text, "payload: not valid JSON");
}

static void test_a_handler_can_say_how_it_ends(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  mc_frame_result result = expect_result(self, send_task(self, "skip", ""), MC_OUTCOME_SKIP_RETRY);
  assert_text(result.text, "no use");
  expect_result(self, send_task(self, "revoke", ""), MC_OUTCOME_REVOKED);
  result = expect_result(self, send_task(self, "snooze", ""), MC_OUTCOME_SNOOZED);
  assert_int_equal(result.delay_ms, 600000);
  result = expect_result(self, send_task(self, "later", ""), MC_OUTCOME_RETRY_IN);
  assert_text(result.text, "busy");
  assert_int_equal(result.delay_ms, 1500);
}

static void test_a_stray_yield_fails_the_task_and_frees_the_slot(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  mc_frame_result result = expect_result(self, send_task(self, "yield", ""), MC_OUTCOME_FAILED);
  assert_holds(result.text, "coroutine.yield");
  expect_result(self, send_task(self, "nothing", ""), MC_OUTCOME_DONE);
}

static void test_log_lines_carry_the_task_and_stay_lines(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  expect_result(self, send_task(self, "says", ""), MC_OUTCOME_DONE);
  assert_holds(mc_slice_of(read_log(self)),
               "\"level\":\"warn\",\"event\":\"look here\",\"worker\":1,\"task_id\":\"some-id\",\"type\":\"says\","
               "\"a\":[1],\"b\":\"x y\"}\n");
}

static void test_large_results_wait_for_a_supervisor_that_is_slow_to_read(void **state) {
  enum { TASKS = 60, SIZE = 200000 };
  crew *self = *state;
  char payload[16];
  start(self, 4,
        "require('mooncrew').task('large', { perform = function(n) return string.char(n):rep(200000) end })\n");
  for (int i = 1; i <= TASKS; i++) {
    snprintf(payload, sizeof payload, "%d", i);
    add_task(self, "large", payload, 0);
  }
  send_frames(self);
  for (uint64_t i = 1; i <= TASKS; i++) {
    mc_slice text = expect_result(self, i, MC_OUTCOME_DONE).text;
    assert_int_equal(text.size, SIZE);
    assert_true(text.data[0] == (char)i && text.data[SIZE - 1] == (char)i);
  }
}

/* ---- waiting ---- */

static const char waiting_script[] = "local crew = require 'mooncrew'\n"
                                     "crew.task('sleep', { perform = function(payload) crew.sleep(payload) end })\n"
                                     "crew.task('stubborn', { perform = function()\n"
                                     "  local _, first = pcall(crew.sleep, '1h')\n"
                                     "  local _, second = pcall(crew.sleep, 0)\n"
                                     "  return { first, second }\n"
                                     "end })\n"
                                     "crew.task('wraps', { perform = function()\n"
                                     "  local ok, message = pcall(crew.sleep, '1h')\n"
                                     "  error('gave up: ' .. message, 0)\n"
                                     "end })\n"
                                     "crew.task('spin', { perform = function() while true do end end })\n";

static void test_many_tasks_sleep_at_a_time(void **state) {
  crew *self = *state;
  start(self, CONCURRENCY, waiting_script);
  for (int i = 0; i < CONCURRENCY; i++)
    add_task(self, "sleep", "0.2", 0);
  uint64_t began_ms = mc_clock_mono_ms();
  send_frames(self);
  for (uint64_t i = 1; i <= CONCURRENCY; i++)
    assert_true(expect_result(self, i, MC_OUTCOME_DONE).duration_us >= 200000);
  assert_true(mc_clock_mono_ms() - began_ms < CONCURRENCY * 200 / 4);
}

static void test_a_time_out_raises_where_the_handler_waits(void **state) {
  crew *self = *state;
  start(self, 1, waiting_script);
  uint64_t attempt = add_task(self, "sleep", "3600", 50);
  send_frames(self);
  mc_frame_result result = expect_result(self, attempt, MC_OUTCOME_TIMED_OUT);
  assert_text(result.text, "context deadline exceeded");
  assert_holds(result.trace, "scripts/tasks.lua:2: in function");
  assert_true(result.duration_us >= 49000);
}

static void test_a_time_out_is_sticky_and_finishing_anyway_is_done(void **state) {
  crew *self = *state;
  start(self, 1, waiting_script);
  uint64_t attempt = add_task(self, "stubborn", "", 20);
  send_frames(self);
  assert_text(expect_result(self, attempt, MC_OUTCOME_DONE).text,
              "[\"context deadline exceeded\",\"context deadline exceeded\"]");
  attempt = add_task(self, "wraps", "", 20);
  send_frames(self);
  assert_text(expect_result(self, attempt, MC_OUTCOME_TIMED_OUT).text, "gave up: context deadline exceeded");
}

static void test_a_deadline_that_has_passed_starts_nothing(void **state) {
  crew *self = *state;
  start(self, 1, waiting_script);
  mc_frame_task task = {.attempt = 7, .type = MC_SLICE_LITERAL("spin"), .deadline_ms = 1000};
  mc_frame_task_encode(&self->out, &task);
  send_frames(self);
  assert_text(expect_result(self, 7, MC_OUTCOME_TIMED_OUT).text, "context deadline exceeded");
}

static void cancel(crew *self, uint64_t attempt) {
  mc_frame_attempt frame = {attempt};
  mc_frame_cancel_encode(&self->out, &frame);
  send_frames(self);
}

static void test_cancel_reaches_running_and_waiting_tasks(void **state) {
  crew *self = *state;
  start(self, 1, waiting_script);
  uint64_t running = send_task(self, "sleep", "3600"), waiting = send_task(self, "sleep", "3600");
  cancel(self, waiting);
  assert_text(expect_result(self, waiting, MC_OUTCOME_CANCELLED).text, "context canceled");
  cancel(self, running);
  assert_text(expect_result(self, running, MC_OUTCOME_CANCELLED).text, "context canceled");
  cancel(self, running); /* too late: nothing happens */
  expect_result(self, send_task(self, "sleep", "0"), MC_OUTCOME_DONE);
}

static void test_drain_hands_back_in_order_and_lets_the_rest_finish(void **state) {
  crew *self = *state;
  start(self, 1, waiting_script);
  uint64_t running = add_task(self, "stubborn", "", 100);
  uint64_t second = add_task(self, "sleep", "0", 0), third = add_task(self, "sleep", "0", 0);
  send_frames(self);
  while (atomic_load(&self->page->slots[0].attempt) != running)
    usleep(1000); /* the page has no event to wait on; the test's own time limit ends this */
  mc_frame_drain_encode(&self->out);
  send_frames(self);
  expect_result(self, second, MC_OUTCOME_NOT_STARTED);
  expect_result(self, third, MC_OUTCOME_NOT_STARTED);
  uint64_t later = send_task(self, "sleep", "0"); /* it was not there yet: it is run in its turn */
  expect_result(self, running, MC_OUTCOME_DONE);
  expect_result(self, later, MC_OUTCOME_DONE);
}

static void test_the_page_names_who_runs_and_until_when(void **state) {
  crew *self = *state;
  start(self, 2, waiting_script);
  uint64_t sleeper = add_task(self, "sleep", "3600", 0), spinner = add_task(self, "spin", "", 5000);
  uint64_t before_ms = mc_clock_mono_ms();
  send_frames(self);
  while (atomic_load(&self->page->current) != spinner)
    usleep(1000);
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), sleeper);
  assert_int_equal(atomic_load(&self->page->slots[0].deadline_ms), 0);
  assert_int_equal(atomic_load(&self->page->slots[1].attempt), spinner);
  uint64_t started_ms = atomic_load(&self->page->slots[1].started_ms);
  assert_in_range(started_ms, before_ms, mc_clock_mono_ms());
  assert_in_range(atomic_load(&self->page->slots[1].deadline_ms), started_ms + 4999, started_ms + 5001);
}

static void test_slots_are_emptied_and_nobody_is_current_afterwards(void **state) {
  crew *self = *state;
  start(self, 2, waiting_script);
  expect_result(self, send_task(self, "sleep", "0"), MC_OUTCOME_DONE);
  expect_result(self, send_task(self, "sleep", "0"), MC_OUTCOME_DONE);
  assert_int_equal(atomic_load(&self->page->current), 0);
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), 0);
  assert_int_equal(atomic_load(&self->page->slots[1].attempt), 0);
}

/* ---- enqueueing ---- */

static void answer(crew *self, const mc_frame_enqueued *enqueued) {
  mc_frame_enqueued_encode(&self->out, enqueued);
  send_frames(self);
}

static mc_frame_enqueue expect_enqueue(crew *self, uint64_t attempt) {
  mc_frame_enqueue enqueue;
  assert_int_equal(mc_frame_enqueue_decode(expect(self, MC_FRAME_ENQUEUE).body, &enqueue), 0);
  assert_int_equal(enqueue.attempt, attempt);
  return enqueue;
}

static void test_a_handler_enqueues_through_the_supervisor(void **state) {
  crew *self = *state;
  start(self, 1,
        "local crew = require 'mooncrew'\n"
        "crew.task('parent', { perform = function(_, task)\n"
        "  local info = assert(task:enqueue('child', { n = 1 }, { queue = 'low', max_retry = 3, timeout = '10s',\n"
        "    unique = 60, retention = '1h', task_id = 'chosen', headers = { a = 'b' } }))\n"
        "  local none, message, code = crew.enqueue('child')\n"
        "  return { info, none == nil, message, code }\n"
        "end })\n");
  uint64_t attempt = send_task(self, "parent", "");
  mc_frame_enqueue enqueue = expect_enqueue(self, attempt);
  assert_text(enqueue.options.type, "child");
  assert_text(enqueue.options.payload, "{\"n\":1}");
  assert_text(enqueue.options.queue, "low");
  assert_text(enqueue.options.id, "chosen");
  assert_true(enqueue.options.has_id && enqueue.options.has_queue && !enqueue.options.has_group);
  assert_int_equal(enqueue.options.max_retry, 3);
  assert_int_equal(enqueue.options.timeout_ms, 10000);
  assert_int_equal(enqueue.options.deadline_s, -1);
  assert_int_equal(enqueue.options.unique_ms, 60000);
  assert_int_equal(enqueue.options.process_at_ms, -1);
  assert_int_equal(enqueue.options.retention_ms, 3600000);
  assert_int_equal(enqueue.options.header_count, 1);
  assert_text(enqueue.options.headers[0].name, "a");
  assert_text(enqueue.options.headers[0].value, "b");
  free((void *)enqueue.options.headers);
  answer(self, &(mc_frame_enqueued){.request = enqueue.request, .id = MC_SLICE_LITERAL("chosen")});
  enqueue = expect_enqueue(self, attempt);
  assert_int_equal(enqueue.options.max_retry, MC_DEFAULT_MAX_RETRY);
  answer(self,
         &(mc_frame_enqueued){.request = enqueue.request, .code = MC_EDUPLICATE, .message = MC_SLICE_LITERAL("taken")});
  assert_text(expect_result(self, attempt, MC_OUTCOME_DONE).text,
              "[{\"id\":\"chosen\",\"queue\":\"low\",\"state\":\"pending\",\"type\":\"child\"},true,\"taken\","
              "\"DUPLICATE_TASK\"]");
}

static void test_a_handler_gets_no_client_of_its_own(void **state) {
  crew *self = *state;
  start(self, 1,
        "local crew = require 'mooncrew'\n"
        "crew.task('client', { perform = function() return crew.client('redis://127.0.0.1:1/0') end })\n");
  mc_frame_result result = expect_result(self, send_task(self, "client", ""), MC_OUTCOME_FAILED);
  assert_holds(result.text, "a handler enqueues with crew.enqueue");
}

/* ---- the process ---- */

static void test_ping_is_answered(void **state) {
  crew *self = *state;
  mc_frame_token token = {0x1122334455667788};
  start(self, 1, outcomes_script);
  mc_frame_token_encode(&self->out, MC_FRAME_PING, &token);
  send_frames(self);
  token.token = 0;
  assert_int_equal(mc_frame_token_decode(expect(self, MC_FRAME_PONG).body, &token), 0);
  assert_int_equal(token.token, 0x1122334455667788);
}

static void test_it_exits_when_the_supervisor_closes_the_socket(void **state) {
  crew *self = *state;
  start(self, 1, waiting_script);
  send_task(self, "sleep", "3600");
  assert_int_equal(shutdown(self->socket, SHUT_WR), 0);
  assert_int_equal(expect_exit(self), MC_WORKER_EXIT_DONE);
}

static void test_it_dies_with_its_parent(void **state) {
  crew *self = *state;
  char byte;
  struct pollfd wait;
  self->has_parent = true;
  start(self, 1, waiting_script);
  send_task(self, "spin", "");
  while (atomic_load(&self->page->current) == 0)
    usleep(1000);
  kill(self->pid, SIGKILL);
  wait = (struct pollfd){.fd = self->socket, .events = POLLIN};
  assert_int_equal(poll(&wait, 1, LIMIT_MS), 1);
  assert_true(recv(self->socket, &byte, 1, 0) <= 0); /* its end is closed: it is gone, in the middle of its loop */
}

static void test_an_error_in_a_callback_is_logged_and_the_worker_goes_on(void **state) {
  crew *self = *state;
  start(self, 1,
        "local crew = require 'mooncrew'\n"
        "crew.task('leave', { perform = function()\n"
        "  require('mooncrew.host').timer_start(0, function() error 'in a callback' end)\n"
        "  crew.sleep(0.01)\n"
        "end })\n");
  expect_result(self, send_task(self, "leave", ""), MC_OUTCOME_DONE);
  expect_result(self, send_task(self, "leave", ""), MC_OUTCOME_DONE);
  assert_holds(mc_slice_of(read_log(self)), "\"event\":\"error outside of any task\",\"worker\":1");
  assert_holds(mc_slice_of(read_log(self)), "scripts/tasks.lua:3: in a callback");
}

static void test_a_malformed_stream_ends_it_with_a_reason(void **state) {
  crew *self = *state;
  start(self, 1, outcomes_script);
  mc_buf_add(&self->out, "\0\0\0\0\x7f\2\0\0", 8);
  send_frames(self);
  assert_int_equal(expect_exit(self), EXIT_FAILURE);
  assert_holds(mc_slice_of(read_log(self)), "a frame of version 127");
}

static void test_children_of_handlers_inherit_neither_socket_nor_page(void **state) {
  crew *self = *state;
  start(self, 1,
        "require('mooncrew').task('fds', { perform = function()\n"
        "  local pipe = io.popen('for f in /proc/self/fd/*; do readlink $f; done')\n"
        "  local text = pipe:read('*a')\n"
        "  pipe:close()\n"
        "  return { text:find('socket:') ~= nil, text:find('memfd') ~= nil }\n"
        "end })\n");
  assert_text(expect_result(self, send_task(self, "fds", ""), MC_OUTCOME_DONE).text, "[false,false]");
}

static void test_what_was_taken_back_by_the_page_is_not_started(void **state) {
  crew *self = *state;
  start(self, 2, "require('mooncrew').task('t', { perform = function() end })\n");
  atomic_store(&self->page->withdrawn, 2);
  expect_result(self, send_task(self, "t", ""), MC_OUTCOME_NOT_STARTED);
  expect_result(self, send_task(self, "t", ""), MC_OUTCOME_NOT_STARTED);
  expect_result(self, send_task(self, "t", ""), MC_OUTCOME_DONE);
  expect_result(self, send_task(self, "t", ""), MC_OUTCOME_DONE);
  expect_result(self, send_task(self, "t", ""), MC_OUTCOME_DONE); /* no slot was lost */
}

/* Loops that LuaJIT compiles, and that never come back to the worker's loop. */
static const char polling_script[] =
    "local crew = require 'mooncrew'\n"
    "crew.task('poll', { perform = function(_, task)\n"
    "  local n = 0\n"
    "  while not task:cancelled() do n = n + 1 end\n"
    "  return 'heard'\n"
    "end })\n"
    "crew.task('raise', { perform = function(_, task)\n"
    "  repeat local sum = 0 for i = 1, 1000 do sum = sum + i end until task:cancelled()\n"
    "  error 'gave up'\n"
    "end })\n"
    "crew.task('wait', { perform = function(_, task)\n"
    "  repeat until task:cancelled()\n"
    "  crew.sleep(60)\n"
    "end })\n";

static uint64_t send_timed(crew *self, const char *type, int64_t timeout_ms) {
  uint64_t attempt = add_task(self, type, "", timeout_ms);
  send_frames(self);
  return attempt;
}

static void test_a_loop_that_never_waits_hears_that_its_time_is_up(void **state) {
  crew *self = *state;
  start(self, 1, polling_script);
  assert_text(expect_result(self, send_timed(self, "poll", 50), MC_OUTCOME_DONE).text, "heard");
  assert_holds(expect_result(self, send_timed(self, "raise", 50), MC_OUTCOME_TIMED_OUT).text, "gave up");
  assert_holds(expect_result(self, send_timed(self, "wait", 50), MC_OUTCOME_TIMED_OUT).text, "deadline exceeded");
}

/* As the supervisor does, once the handler runs. */
static void cancel_in_page(crew *self, uint64_t attempt) {
  uint64_t until = mc_clock_mono_ms() + LIMIT_MS;
  while (atomic_load(&self->page->slots[0].attempt) != attempt)
    assert_true(mc_clock_mono_ms() < until);
  atomic_store(&self->page->slots[0].cancelled, attempt);
}

static void test_a_loop_that_never_waits_hears_that_it_is_cancelled(void **state) {
  crew *self = *state;
  start(self, 1, polling_script);
  uint64_t attempt = send_task(self, "poll", "");
  cancel_in_page(self, attempt);
  assert_text(expect_result(self, attempt, MC_OUTCOME_DONE).text, "heard");
  attempt = send_task(self, "raise", "");
  cancel_in_page(self, attempt);
  expect_result(self, attempt, MC_OUTCOME_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

/* ---- folds ---- */

static const char fold_script[] =
    "local crew = require 'mooncrew'\n"
    "crew.task('item', { payload = crew.schema.object { n = crew.schema.integer {} }, perform = print })\n"
    "crew.task('sleep', { perform = function() crew.sleep(60) end })\n"
    "crew.aggregate { group = 'g:*', queue = 'low', max_delay = '1h', max_size = 3, timeout = '90s', type = 'sum',\n"
    "  fold = function(payloads, group, tasks)\n"
    "    if group == 'g:sleep' then crew.sleep(60) elseif group == 'g:spin' then while true do end end\n"
    "    local sum = 0\n"
    "    for _, payload in ipairs(payloads) do sum = sum + payload.n end\n"
    "    if sum == 13 then error('unlucky') end\n"
    "    return { sum = sum, id = tasks[2].id, header = tasks[2].headers.h }, { max_retry = 3, headers = { a = 'b' } "
    "}\n"
    "  end }\n";

/* A fold of two tasks whose payloads are these. */
static uint64_t send_fold(crew *self, const char *group, const char *first, const char *second, int64_t timeout_ms) {
  static const mc_header header = {MC_SLICE_LITERAL("h"), MC_SLICE_LITERAL("v")};
  const mc_frame_fold_task tasks[] = {
      {.id = MC_SLICE_LITERAL("a"), .type = MC_SLICE_LITERAL("item"), .payload = mc_slice_of(first)},
      {MC_SLICE_LITERAL("b"), MC_SLICE_LITERAL("item"), mc_slice_of(second), &header, 1}};
  mc_frame_fold fold = {.attempt = ++self->last_attempt,
                        .rule_queue = MC_SLICE_LITERAL("low"),
                        .pattern = MC_SLICE_LITERAL("g:*"),
                        .queue = MC_SLICE_LITERAL("low"),
                        .group = mc_slice_of(group),
                        .timeout_ms = timeout_ms,
                        .tasks = tasks,
                        .count = 2};
  mc_frame_fold_encode(&self->out, &fold);
  send_frames(self);
  return fold.attempt;
}

static void test_ready_lists_the_rules_for_groups(void **state) {
  crew *self = *state;
  mc_frame_ready ready;
  write_script(self, "tasks.lua", fold_script);
  start_process(self, 1);
  assert_int_equal(mc_frame_ready_decode(expect(self, MC_FRAME_READY).body, &ready), 0);
  assert_int_equal(ready.rule_count, 1);
  assert_text(ready.rules[0].queue, "low");
  assert_text(ready.rules[0].pattern, "g:*");
  assert_int_equal(ready.rules[0].grace_s, 60);
  assert_int_equal(ready.rules[0].max_delay_s, 3600);
  assert_int_equal(ready.rules[0].max_size, 3);
  assert_int_equal(ready.rules[0].timeout_ms, 90000);
  mc_frame_ready_free(&ready);
}

static void test_a_fold_gives_a_new_task(void **state) {
  crew *self = *state;
  mc_frame_folded folded;
  start(self, 1, fold_script);
  uint64_t fold = send_fold(self, "g:1", "{\"n\":1}", "{\"n\":2}", 0);
  assert_int_equal(mc_frame_folded_decode(expect(self, MC_FRAME_FOLDED).body, &folded), 0);
  assert_int_equal(folded.attempt, fold);
  assert_int_equal(folded.unfit_count, 0);
  assert_text(folded.options.type, "sum");
  assert_text(folded.options.payload, "{\"header\":\"v\",\"id\":\"b\",\"sum\":3}");
  assert_text(folded.options.queue, "low");
  assert_int_equal(folded.options.max_retry, 3);
  assert_int_equal(folded.options.timeout_ms, -1);
  assert_int_equal(folded.options.header_count, 1);
  assert_text(folded.options.headers[0].value, "b");
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), 0);
  mc_frame_folded_free(&folded);
}

static void test_a_fold_tells_which_payloads_do_not_fit(void **state) {
  crew *self = *state;
  mc_frame_folded folded;
  start(self, 1, fold_script);
  send_fold(self, "g:1", "{\"n\":1}", "{\"n\":\"x\"}", 0);
  assert_int_equal(mc_frame_folded_decode(expect(self, MC_FRAME_FOLDED).body, &folded), 0);
  assert_int_equal(folded.unfit_count, 1);
  assert_int_equal(folded.unfit[0], 1);
  mc_frame_folded_free(&folded);
}

static void test_a_fold_fails_like_a_task(void **state) {
  crew *self = *state;
  start(self, 1, fold_script);
  mc_frame_result result = expect_result(self, send_fold(self, "g:1", "{\"n\":6}", "{\"n\":7}", 0), MC_OUTCOME_FAILED);
  assert_holds(result.text, "unlucky");
  assert_holds(result.trace, "stack traceback");
  uint64_t late = send_fold(self, "g:sleep", "{\"n\":1}", "{\"n\":1}", 50);
  assert_text(expect_result(self, late, MC_OUTCOME_TIMED_OUT).text, "context deadline exceeded");
}

static void test_a_fold_takes_a_slot_and_can_be_handed_back_or_cancelled(void **state) {
  crew *self = *state;
  start(self, 1, fold_script);
  uint64_t running = send_fold(self, "g:sleep", "{\"n\":1}", "{\"n\":1}", 0);
  while (atomic_load(&self->page->slots[0].attempt) != running)
    usleep(1000);
  uint64_t waiting = send_fold(self, "g:1", "{\"n\":1}", "{\"n\":1}", 0);
  mc_frame_drain_encode(&self->out);
  send_frames(self);
  expect_result(self, waiting, MC_OUTCOME_NOT_STARTED);
  assert_int_equal(atomic_load(&self->page->slots[0].attempt), running);
  mc_frame_cancel_encode(&self->out, &(mc_frame_attempt){running});
  send_frames(self);
  expect_result(self, running, MC_OUTCOME_CANCELLED);
}

static void test_the_page_names_the_fold_that_runs(void **state) {
  crew *self = *state;
  start(self, 1, fold_script);
  uint64_t spinner = send_fold(self, "g:spin", "{\"n\":1}", "{\"n\":1}", 1000);
  while (atomic_load(&self->page->current) != spinner)
    usleep(1000);
  assert_true(atomic_load(&self->page->slots[0].deadline_ms) > mc_clock_mono_ms());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(ready_lists_types_and_queues),
      TEST(ready_lists_cron_entries),
      TEST(a_syntax_error_names_file_and_line),
      TEST(an_error_while_loading_names_file_and_line),
      TEST(waiting_while_loading_is_an_error),
      TEST(two_registrations_name_both_files),
      TEST(a_cron_entry_that_cannot_be_enqueued_names_file_and_line),
      TEST(a_missing_folder_is_a_load_failure),
      TEST(results_are_none_a_string_or_json),
      TEST(a_failure_carries_message_place_trace_and_delay),
      TEST(a_payload_that_does_not_fit_is_invalid),
      TEST(a_handler_can_say_how_it_ends),
      TEST(a_stray_yield_fails_the_task_and_frees_the_slot),
      TEST(log_lines_carry_the_task_and_stay_lines),
      TEST(large_results_wait_for_a_supervisor_that_is_slow_to_read),
      TEST(many_tasks_sleep_at_a_time),
      TEST(a_time_out_raises_where_the_handler_waits),
      TEST(a_time_out_is_sticky_and_finishing_anyway_is_done),
      TEST(a_deadline_that_has_passed_starts_nothing),
      TEST(cancel_reaches_running_and_waiting_tasks),
      TEST(drain_hands_back_in_order_and_lets_the_rest_finish),
      TEST(what_was_taken_back_by_the_page_is_not_started),
      TEST(a_loop_that_never_waits_hears_that_its_time_is_up),
      TEST(a_loop_that_never_waits_hears_that_it_is_cancelled),
      TEST(the_page_names_who_runs_and_until_when),
      TEST(slots_are_emptied_and_nobody_is_current_afterwards),
      TEST(a_handler_enqueues_through_the_supervisor),
      TEST(a_handler_gets_no_client_of_its_own),
      TEST(ready_lists_the_rules_for_groups),
      TEST(a_fold_gives_a_new_task),
      TEST(a_fold_tells_which_payloads_do_not_fit),
      TEST(a_fold_fails_like_a_task),
      TEST(a_fold_takes_a_slot_and_can_be_handed_back_or_cancelled),
      TEST(the_page_names_the_fold_that_runs),
      TEST(ping_is_answered),
      TEST(it_exits_when_the_supervisor_closes_the_socket),
      TEST(it_dies_with_its_parent),
      TEST(an_error_in_a_callback_is_logged_and_the_worker_goes_on),
      TEST(a_malformed_stream_ends_it_with_a_reason),
      TEST(children_of_handlers_inherit_neither_socket_nor_page),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
