/* A worker as a process, for tests: see crew.h. */
#include "crew.h"

#include "base/clock.h"
#include "base/mem.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the scripts and the process ---- */

void crew_write_script(crew *self, const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/scripts/%s", self->folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

int crew_set_up(void **state) {
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

int crew_tear_down(void **state) {
  crew *self = *state;
  char command[128];
  if (self->pid) {
    kill(self->pid, SIGKILL);
    waitpid(self->pid, NULL, 0);
  }
  if (self->socket >= 0)
    close(self->socket);
  if (self->page)
    munmap(self->page, mc_page_size(CREW_CONCURRENCY));
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

void crew_send(crew *self) {
  for (size_t at = 0; at < self->out.size;) {
    ssize_t n = send(self->socket, self->out.data + at, self->out.size - at, MSG_NOSIGNAL);
    assert_true(n > 0);
    at += (size_t)n;
  }
  mc_buf_clear(&self->out);
}

void crew_spawn(crew *self, uint32_t concurrency) {
  int sockets[2], page = memfd_create("page", MFD_CLOEXEC);
  char scripts[128];
  size_t size = mc_page_size(CREW_CONCURRENCY);
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
                                .load_timeout_ms = 30000,
                                .log_level = MC_SLICE_LITERAL("info"),
                                .log_format = MC_SLICE_LITERAL("json")};
  mc_frame_settings_encode(&self->out, &settings);
  crew_send(self);
}

/* ---- frames ---- */

static mc_frame next_frame(crew *self) {
  mc_frame frame;
  mc_err err;
  char bytes[4096];
  uint64_t until = mc_clock_mono_ms() + CREW_LIMIT_MS;
  for (int rc; (rc = mc_frame_reader_next(&self->reader, &frame, &err)) != 1;) {
    struct pollfd wait = {.fd = self->socket, .events = POLLIN};
    assert_int_equal(rc, 0);
    assert_true(mc_clock_mono_ms() < until);
    assert_int_equal(poll(&wait, 1, CREW_LIMIT_MS), 1);
    ssize_t n = recv(self->socket, bytes, sizeof bytes, 0);
    assert_true(n > 0);
    mc_frame_reader_feed(&self->reader, bytes, (size_t)n);
  }
  return frame;
}

mc_frame crew_expect(crew *self, mc_frame_type type) {
  mc_frame frame = next_frame(self);
  assert_int_equal(frame.type, type);
  return frame;
}

void crew_start(crew *self, uint32_t concurrency, const char *script) {
  crew_write_script(self, "tasks.lua", script);
  crew_spawn(self, concurrency);
  crew_expect(self, MC_FRAME_READY);
}

uint64_t crew_add_task(crew *self, const char *type, const char *payload, int64_t timeout_ms) {
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

uint64_t crew_send_task(crew *self, const char *type, const char *payload) {
  uint64_t attempt = crew_add_task(self, type, payload, 0);
  crew_send(self);
  return attempt;
}

mc_frame_result crew_expect_result(crew *self, uint64_t attempt, mc_outcome outcome) {
  mc_frame_result result;
  assert_int_equal(mc_frame_result_decode(crew_expect(self, MC_FRAME_RESULT).body, &result), 0);
  assert_int_equal(result.attempt, attempt);
  if (result.outcome != outcome)
    print_error("%.*s\n", MC_SLICE_PRINT(result.text));
  assert_int_equal(result.outcome, outcome);
  return result;
}

void assert_text(mc_slice actual, const char *wanted) {
  if (!mc_slice_equal(actual, mc_slice_of(wanted)))
    fail_msg("\"%.*s\" is not \"%s\"", MC_SLICE_PRINT(actual), wanted);
}

void assert_holds(mc_slice actual, const char *wanted) {
  if (!memmem(actual.data, actual.size, wanted, strlen(wanted)))
    fail_msg("\"%.*s\" does not hold \"%s\"", MC_SLICE_PRINT(actual), wanted);
}

int crew_expect_exit(crew *self) {
  char byte;
  int status;
  struct pollfd wait = {.fd = self->socket, .events = POLLIN};
  assert_int_equal(poll(&wait, 1, CREW_LIMIT_MS), 1); /* its end of the socket closes when it goes */
  assert_true(recv(self->socket, &byte, 1, 0) <= 0);
  assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
  self->pid = 0;
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

char *crew_log(crew *self) {
  char path[128];
  static char text[65536];
  snprintf(path, sizeof path, "%s/log", self->folder);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}
