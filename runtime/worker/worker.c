/* The worker process: see worker.h. Its first frame, SETTINGS, says what to load; READY or LOAD_FAILED answers it, once
 * the scripts' functions for the start have run. When the supervisor closes its end, those for the stop run. */
#include "worker/worker.h"

#include "base/log.h"
#include "base/mem.h"
#include "protocol/worker_process.h"
#include "worker/bindings.h"
#include "worker/manifest.h"
#include "worker/page.h"
#include "worker/postgres_cancel.h"
#include "worker/sources.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct worker {
  uv_loop_t loop;
  uv_prepare_t log_flush;
  mc_upstream upstream;
  mc_page *page;
  mc_vm vm;
  mc_tasks tasks;
  mc_timers timers;
  mc_bindings bindings;
  int sources;     /* descriptor, -1: none */
  bool configured; /* SETTINGS came */
  bool ready;      /* READY was sent */
} worker;

/* ---- the end ---- */

/* Without unwinding anything: handlers that wait are not told, as if the process had been killed. */
static _Noreturn void leave(int code) {
  mc_log_close();
  _exit(code);
}

static _Noreturn void fail(const char *why) {
  mc_log_event(MC_LOG_ERROR, "worker cannot go on", "%s", why);
  leave(EXIT_FAILURE);
}

static _Noreturn void fail_load(worker *self, const char *why) {
  mc_frame_load_failed failed = {mc_slice_of(why)};
  mc_frame_load_failed_encode(mc_upstream_out(&self->upstream), &failed);
  mc_upstream_finish(&self->upstream);
  leave(MC_WORKER_EXIT_LOAD_FAILED);
}

/* ---- loading ---- */

static mc_slice item(lua_State *L, int table, size_t i) {
  mc_slice text;
  lua_rawgeti(L, table, (int)i);
  text.data = lua_tolstring(L, -1, &text.size);
  lua_pop(L, 1); /* the table keeps it alive */
  return text;
}

static int64_t rule_number(lua_State *L, const char *name, double scale) {
  lua_getfield(L, -1, name);
  int64_t number = (int64_t)(lua_tonumber(L, -1) * scale);
  lua_pop(L, 1);
  return number;
}

static mc_slice rule_text(lua_State *L, const char *name) {
  mc_slice text;
  lua_getfield(L, -1, name);
  text.data = lua_tolstring(L, -1, &text.size);
  lua_pop(L, 1); /* the rule keeps it alive */
  return text;
}

/* The manifest's rules for groups; the caller frees. */
static mc_frame_group_rule *read_rules(lua_State *L, int manifest, size_t *out_count) {
  lua_getfield(L, manifest, "groups");
  size_t count = lua_objlen(L, -1);
  mc_frame_group_rule *rules = mc_alloc((count + 1) * sizeof *rules);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    rules[i] = (mc_frame_group_rule){
        .queue = rule_text(L, "queue"),
        .pattern = rule_text(L, "pattern"),
        .grace_s = rule_number(L, "grace", 1),
        .max_delay_s = rule_number(L, "max_delay", 1),
        .max_size = (uint32_t)rule_number(L, "max_size", 1),
        .timeout_ms = rule_number(L, "timeout", 1000),
    };
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  *out_count = count;
  return rules;
}

/* READY from the manifest on the stack: type and queue in turns, and its fields cron and groups. */
static void send_ready(worker *self, lua_State *L, int manifest) {
  size_t count = lua_objlen(L, manifest) / 2;
  mc_frame_manifest_entry *entries = mc_alloc((count + 1) * sizeof *entries);
  for (size_t i = 0; i < count; i++) {
    entries[i].type = item(L, manifest, 2 * i + 1);
    entries[i].queue = item(L, manifest, 2 * i + 2);
  }
  mc_frame_ready ready = {.entries = entries, .count = count};
  mc_cron_entry *cron;
  mc_err err;
  if (mc_manifest_cron(L, manifest, &cron, &ready.cron_count, &err))
    fail_load(self, err.text);
  ready.cron = cron;
  ready.rules = read_rules(L, manifest, &ready.rule_count);
  mc_frame_ready_encode(mc_upstream_out(&self->upstream), &ready);
  mc_frame_ready_free(&ready);
}

static void on_load_end(void *arg, lua_State *L) {
  worker *self = arg;
  enum { MANIFEST = 1, MESSAGE };
  if (!lua_istable(L, MANIFEST))
    fail_load(self, lua_tostring(L, MESSAGE));
  send_ready(self, L, MANIFEST);
  self->ready = true;
}

static void load_scripts(worker *self, const mc_frame_settings *settings) {
  mc_err err;
  mc_vm_begin(&self->vm, MC_VM_LOAD);
  lua_pushlstring(self->vm.L, settings->scripts.data, settings->scripts.size);
  if (mc_sources_push(self->vm.L, self->sources, &err))
    fail_load(self, err.text);
  lua_pushnumber(self->vm.L, settings->load_timeout_ms / 1e3);
  if (mc_vm_run(&self->vm, 0, &err))
    fail_load(self, err.text);
  mc_vm_end(&self->vm);
}

/* A copy of standard error, for a handler that closes it must not find our lines in the file that it opens next. */
static int log_descriptor(void) {
  int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, MC_WORKER_PAGE_FD + 1);
  return fd >= 0 ? fd : STDERR_FILENO;
}

static void configure_log(const mc_frame_settings *settings) {
  char *level = mc_strndup(settings->log_level.data, settings->log_level.size);
  char *format = mc_strndup(settings->log_format.data, settings->log_format.size);
  int level_number = mc_log_level_parse(level), format_number = mc_log_format_parse(format);
  if (level_number >= 0 && format_number >= 0)
    mc_log_configure(log_descriptor(), (mc_log_format)format_number, (mc_log_level)level_number);
  free(level);
  free(format);
}

static void on_settings(worker *self, mc_slice body) {
  mc_frame_settings settings;
  mc_err err;
  if (mc_frame_settings_decode(body, &settings) || settings.concurrency == 0)
    fail("malformed settings");
  self->configured = true;
  configure_log(&settings);
  if (mc_page_map(MC_WORKER_PAGE_FD, settings.concurrency, &self->page, &err))
    fail(err.text);
  self->tasks.page = self->page;
  self->vm.worker = settings.worker;
  mc_tasks_init(&self->tasks, settings.concurrency);
  char *lua_path = mc_strndup(settings.lua_path.data, settings.lua_path.size);
  if (mc_vm_open(&self->vm, lua_path, &self->bindings, &err))
    fail_load(self, err.text);
  load_scripts(self, &settings);
  free(lua_path);
}

/* ---- frames ---- */

static void on_task(worker *self, mc_slice body) {
  if (mc_tasks_add(&self->tasks, body))
    fail("a malformed TASK frame");
}

static void on_fold(worker *self, mc_slice body) {
  if (mc_tasks_add_fold(&self->tasks, body))
    fail("a malformed FOLD frame");
}

static void on_cancel(worker *self, mc_slice body) {
  mc_frame_attempt cancel;
  if (mc_frame_cancel_decode(body, &cancel))
    fail("a malformed CANCEL frame");
  mc_tasks_cancel(&self->tasks, cancel.attempt);
}

static void on_drain(worker *self, mc_slice body) {
  (void)body;
  mc_tasks_drain(&self->tasks);
}

static void on_enqueued(worker *self, mc_slice body) {
  mc_frame_enqueued enqueued;
  if (mc_frame_enqueued_decode(body, &enqueued))
    fail("a malformed ENQUEUED frame");
  mc_tasks_enqueued(&self->tasks, &enqueued);
}

static void on_ping(worker *self, mc_slice body) {
  mc_frame_token ping;
  if (mc_frame_token_decode(body, &ping))
    fail("a malformed PING frame");
  mc_frame_token_encode(mc_upstream_out(&self->upstream), MC_FRAME_PONG, &ping);
}

static void (*const frame_handlers[])(worker *self, mc_slice body) = {
    [MC_FRAME_SETTINGS] = on_settings, [MC_FRAME_TASK] = on_task,         [MC_FRAME_CANCEL] = on_cancel,
    [MC_FRAME_DRAIN] = on_drain,       [MC_FRAME_ENQUEUED] = on_enqueued, [MC_FRAME_PING] = on_ping,
    [MC_FRAME_FOLD] = on_fold,
};

static void on_frame(void *arg, const mc_frame *frame) {
  worker *self = arg;
  bool first = frame->type == MC_FRAME_SETTINGS;
  if (frame->type >= MC_COUNT(frame_handlers) || first == self->configured)
    fail("a frame that does not belong here: SETTINGS comes first, and once");
  frame_handlers[frame->type](self, frame->body);
}

static void on_writable(void *arg) {
  worker *self = arg;
  mc_tasks_wake(&self->tasks);
}

static void on_quiet(void *arg) {
  (void)arg;
  leave(MC_WORKER_EXIT_DONE);
}

static void on_close_end(void *arg) {
  mc_postgres_cancel_wait(on_quiet, arg);
}

static void on_closed(void *arg, const char *why) {
  worker *self = arg;
  if (why)
    fail(why);
  if (!self->ready)
    leave(MC_WORKER_EXIT_DONE);
  mc_vm_begin(&self->vm, MC_VM_CLOSE);
  if (mc_vm_run(&self->vm, 0, NULL)) {
    on_close_end(self);
    return;
  }
  mc_vm_end(&self->vm); /* on_close_end comes when what waits has ended */
}

/* ---- the process ---- */

/* A supervisor that died before this ran has closed the socket, which reading tells. */
static void die_with_parent(void) {
  pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    leave(MC_WORKER_EXIT_DONE);
}

/* Caught and not ignored: what is ignored stays so in the programs that handlers start. */
static void on_sigpipe(int signal) {
  (void)signal;
}

static void on_turn_end(uv_prepare_t *handle) {
  (void)handle;
  mc_log_flush();
}

/* A thousand handlers that wait have a thousand sockets, and the soft limit is usually 1024. */
static void raise_file_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int mc_worker_run(void) {
  worker *self = mc_zalloc(sizeof *self);
  mc_err err;
  self->sources = mc_sources_fd();
  die_with_parent();
  raise_file_limit();
  signal(SIGPIPE, on_sigpipe);      /* TERM and INT keep their meaning: they end us */
  setvbuf(stdout, NULL, _IOLBF, 0); /* what handlers print is not lost when the process is killed */
  if (uv_loop_init(&self->loop))
    fail("no event loop");
  uv_prepare_init(&self->loop, &self->log_flush);
  uv_prepare_start(&self->log_flush, on_turn_end);
  self->upstream.on_frame = on_frame;
  self->upstream.on_writable = on_writable;
  self->upstream.on_closed = on_closed;
  self->upstream.arg = self;
  self->tasks.loop = self->timers.loop = &self->loop;
  self->tasks.vm = self->timers.vm = &self->vm;
  self->tasks.upstream = &self->upstream;
  self->bindings = (mc_bindings){&self->tasks, &self->timers, on_load_end, on_close_end, self};
  if (mc_upstream_open(&self->upstream, &self->loop, MC_WORKER_SOCKET_FD, &err))
    fail(err.text);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  leave(MC_WORKER_EXIT_DONE); /* the socket is closed, and a function for the stop waits for nothing that could come */
}
