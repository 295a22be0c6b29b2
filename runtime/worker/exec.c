/* Programs that handlers run: see exec.h.
 *
 *   start ──▶ running ──the guard has ended──▶ what is left in the pipes is read, closing ──▶ callback, freed
 *                └── stop, abandon, too much output: the guard is told to end ──▶ as above
 *
 * The end is the guard's, not that of the pipes: a descriptor that somebody keeps open holds nothing up. */
#include "worker/exec.h"

#include "base/list.h"
#include "base/mem.h"
#include "worker/behalf.h"
#include "worker/bindings.h"
#include "worker/environment.h"
#include "worker/guard.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN, OUT, ERR, REPORT, PIPES };
_Static_assert(REPORT == MC_GUARD_REPORT_FD, "the guard's descriptors");

typedef struct program {
  mc_list link; /* in live */
  uint64_t number;
  uint64_t attempt; /* whose it is (behalf.h) */
  mc_vm *vm;
  int callback; /* LUA_NOREF: abandoned */
  uv_process_t process;
  uv_pipe_t pipes[PIPES];
  mc_buf read[PIPES]; /* of IN: what is written */
  uv_write_t write;
  size_t output_limit;
  bool over_limit;
  bool guard_ended; /* its process id may be another's by now */
  int open;         /* handles whose close callback has not come */
} program;

static mc_list live = {&live, &live}; /* a process has one worker */
static uint64_t last_number;

static mc_bindings *bindings_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static program *program_find(double number) {
  MC_LIST_EACH(link, &live) {
    program *found = mc_container_of(link, program, link);
    if ((double)found->number == number)
      return found;
  }
  return NULL;
}

/* ---- the end ---- */

static void release(program *self) {
  if (--self->open)
    return;
  for (int i = 0; i < PIPES; i++)
    mc_buf_deinit(&self->read[i]);
  free(self);
}

static void on_closed(uv_handle_t *handle) {
  release(handle->data);
}

static void close_handle(program *self, uv_handle_t *handle) {
  if (handle->data == self && !uv_is_closing(handle))
    uv_close(handle, on_closed);
}

static void close_pipes(program *self) {
  for (int i = 0; i < PIPES; i++)
    close_handle(self, (uv_handle_t *)&self->pipes[i]);
}

/* It ends soon: the guard does not catch this for anything else. */
static void tell_guard(program *self) {
  if (!self->guard_ended)
    uv_process_kill(&self->process, SIGTERM);
}

/* Keeps what was read, unless that is too much. */
static void keep_output(program *self, int i, const char *bytes, size_t size) {
  if (self->over_limit)
    return;
  if (i != REPORT && self->read[i].size + size > self->output_limit) {
    self->over_limit = true;
    tell_guard(self);
  } else {
    mc_buf_add(&self->read[i], bytes, size);
  }
}

/* What had been written before the end, and no further: others may hold the pipe open. */
static void read_rest(program *self, int i) {
  char bytes[65536];
  int fd;
  ssize_t size;
  if (uv_is_closing((uv_handle_t *)&self->pipes[i]) || uv_fileno((uv_handle_t *)&self->pipes[i], &fd))
    return;
  while (!self->over_limit && (size = read(fd, bytes, sizeof bytes)) > 0)
    keep_output(self, i, bytes, (size_t)size);
}

/* The callback takes the outcome meanwhile. */
static void on_guard_exit(uv_process_t *process, int64_t status, int signal) {
  (void)status;
  (void)signal;
  program *self = process->data;
  uint64_t outer = mc_behalf_begin(self->attempt);
  self->guard_ended = true;
  for (int i = OUT; self->callback != LUA_NOREF && i < PIPES; i++)
    read_rest(self, i);
  close_pipes(self);
  close_handle(self, (uv_handle_t *)process);
  if (self->callback != LUA_NOREF) {
    mc_vm_call_back(self->vm, self->callback);
    luaL_unref(self->vm->L, LUA_REGISTRYINDEX, self->callback);
  }
  mc_list_remove(&self->link);
  mc_behalf_end(outer);
}

/* ---- input and output ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
  static char bytes[65536]; /* one read at a time, and copied at once */
  (void)handle;
  (void)suggested;
  *out = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
  program *self = stream->data;
  uint64_t outer = mc_behalf_begin(self->attempt);
  if (size > 0)
    keep_output(self, (int)((uv_pipe_t *)stream - self->pipes), buf->base, (size_t)size);
  else if (size < 0)
    close_handle(self, (uv_handle_t *)stream);
  mc_behalf_end(outer);
}

/* A program that does not read its input to the end is none of our business. */
static void on_written(uv_write_t *write, int status) {
  (void)status;
  close_handle(write->data, (uv_handle_t *)write->handle);
}

/* Its data is set last: what has none needs no closing. */
static int open_pipe(program *self, int i, int fd) {
  int rc = uv_pipe_init(self->process.loop, &self->pipes[i], 0);
  if (rc == 0) {
    self->pipes[i].data = self;
    self->open++;
    rc = uv_pipe_open(&self->pipes[i], fd);
  }
  return rc;
}

static int start_io(program *self) {
  int rc = 0;
  for (int i = OUT; rc == 0 && i < PIPES; i++)
    rc = uv_read_start((uv_stream_t *)&self->pipes[i], on_alloc, on_read);
  if (rc || self->pipes[IN].data != self)
    return rc;
  self->write.data = self;
  uv_buf_t input = uv_buf_init(self->read[IN].data, (unsigned)self->read[IN].size);
  return uv_write(&self->write, (uv_stream_t *)&self->pipes[IN], &input, 1, on_written);
}

/* ---- the start ---- */

/* Real pipes, not the sockets that libuv makes by itself: a program may open /dev/stdout. theirs[i] -1: no pipe. */
static int make_pipes(program *self, int theirs[PIPES]) {
  int rc = 0;
  for (int i = 0; i < PIPES; i++)
    theirs[i] = -1;
  for (int i = self->read[IN].size ? IN : OUT; rc == 0 && i < PIPES; i++) {
    uv_file ends[2]; /* to read, to write */
    int ours = i == IN;
    rc = uv_pipe(ends, ours == 0 ? UV_NONBLOCK_PIPE : 0, ours == 1 ? UV_NONBLOCK_PIPE : 0);
    if (rc)
      break;
    theirs[i] = ends[!ours];
    rc = open_pipe(self, i, ends[ours]);
    if (rc)
      close(ends[ours]);
  }
  return rc;
}

static int spawn_guard(program *self, char **arguments, char **environment, const int theirs[PIPES]) {
  uv_stdio_container_t stdio[PIPES] = {{.flags = UV_IGNORE}};
  for (int i = 0; i < PIPES; i++)
    if (theirs[i] >= 0)
      stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = theirs[i]};
  uv_process_options_t options = {
      .exit_cb = on_guard_exit,
      .file = "/proc/self/exe",
      .args = arguments,
      .env = environment,
      .flags = UV_PROCESS_DETACHED, /* a session of its own: no terminal, no group of ours */
      .stdio_count = PIPES,
      .stdio = stdio,
  };
  uv_loop_t *loop = self->process.loop;
  int rc = uv_spawn(loop, &self->process, &options);
  self->process.data = self; /* also one that could not be started is to be closed */
  self->open++;
  return rc;
}

/* The program's text fields are copied or used at once. */
static int program_start(program *self, char **arguments, char **environment) {
  int theirs[PIPES];
  int rc = make_pipes(self, theirs);
  if (rc == 0)
    rc = spawn_guard(self, arguments, environment, theirs);
  for (int i = 0; i < PIPES; i++)
    if (theirs[i] >= 0)
      close(theirs[i]);
  if (rc == 0 && start_io(self))
    tell_guard(self);
  return rc;
}

/* Gives it up before it ran. */
static void program_discard(program *self) {
  self->open++; /* so that no callback frees it before we are through */
  close_pipes(self);
  close_handle(self, (uv_handle_t *)&self->process);
  release(self);
}

/* mooncrew guard PARENT FOLDER argv…; the texts are Lua's, except PARENT, which stands in the caller's buffer. The
 * array lives in a userdata left on the stack. */
static char **read_arguments(lua_State *L, char *parent) {
  size_t count = lua_objlen(L, 1), kept = 0;
  char **arguments = lua_newuserdata(L, (count + 5) * sizeof *arguments);
  arguments[kept++] = "mooncrew";
  arguments[kept++] = "guard";
  arguments[kept++] = parent;
  lua_getfield(L, 2, "cwd");
  arguments[kept++] = (char *)luaL_optstring(L, -1, "");
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, (int)i);
    arguments[kept++] = (char *)luaL_checkstring(L, -1);
    lua_pop(L, 1); /* the table keeps it alive */
  }
  arguments[kept] = NULL;
  return arguments;
}

static program *program_new(lua_State *L) {
  mc_bindings *bindings = bindings_of(L);
  size_t size = 0;
  lua_getfield(L, 2, "output_limit");
  lua_getfield(L, 2, "stdin");
  lua_Number limit = luaL_checknumber(L, -2);
  const char *input = luaL_optlstring(L, -1, "", &size);
  program *self = mc_zalloc(sizeof *self);
  self->vm = bindings->tasks->vm;
  self->process.loop = bindings->tasks->loop;
  self->output_limit = (size_t)limit;
  self->attempt = mc_behalf_now();
  mc_buf_add(&self->read[IN], input, size);
  lua_pop(L, 2);
  return self;
}

static int start(lua_State *L) {
  char parent[16];
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  snprintf(parent, sizeof parent, "%d", (int)getpid());
  char **arguments = read_arguments(L, parent);
  lua_getfield(L, 2, "env");
  char **environment = mc_environment_push(L, lua_gettop(L));
  program *self = program_new(L);
  int rc = program_start(self, arguments, environment);
  if (rc) {
    program_discard(self);
    lua_pushnil(L);
    lua_pushstring(L, uv_strerror(rc));
    return 2;
  }
  lua_pushvalue(L, 3);
  self->callback = luaL_ref(L, LUA_REGISTRYINDEX);
  self->number = ++last_number;
  mc_list_push_back(&live, &self->link);
  lua_pushnumber(L, (lua_Number)self->number);
  return 1;
}

/* ---- the outcome ---- */

static const char *const end_names[] = {
    [MC_GUARD_EXITED] = "EXITED",
    [MC_GUARD_SIGNALED] = "SIGNALED",
    [MC_GUARD_NO_FOLDER] = "NO_FOLDER",
    [MC_GUARD_NO_PROGRAM] = "NO_PROGRAM",
};

static void push_buf(lua_State *L, const mc_buf *buf) {
  lua_pushlstring(L, buf->size ? buf->data : "", buf->size);
}

static int push_report(lua_State *L, const program *self, const mc_guard_report *report) {
  lua_pushstring(L, end_names[report->end]);
  if (report->end == MC_GUARD_EXITED || report->end == MC_GUARD_SIGNALED) {
    lua_pushinteger(L, report->value);
    push_buf(L, &self->read[OUT]);
    push_buf(L, &self->read[ERR]);
    return 4;
  }
  lua_pushstring(L, uv_strerror(-report->value));
  lua_pushstring(L, uv_err_name(-report->value));
  return 3;
}

static program *check_program(lua_State *L) {
  program *self = program_find(luaL_checknumber(L, 1));
  luaL_argcheck(L, self, 1, "no program has this number");
  return self;
}

static int take(lua_State *L) {
  program *self = check_program(L);
  mc_guard_report report;
  if (self->over_limit) {
    lua_pushliteral(L, "OUTPUT_LIMIT");
    return 1;
  }
  memcpy(&report, self->read[REPORT].size == sizeof report ? self->read[REPORT].data : (const char[sizeof report]){0},
         sizeof report);
  if (report.end >= MC_GUARD_EXITED && report.end <= MC_GUARD_NO_PROGRAM)
    return push_report(L, self, &report);
  lua_pushliteral(L, "KILLED");
  return 1;
}

static int stop(lua_State *L) {
  program *self = program_find(luaL_checknumber(L, 1));
  if (self)
    tell_guard(self);
  return 0;
}

static int abandon(lua_State *L) {
  program *self = program_find(luaL_checknumber(L, 1));
  if (!self || self->callback == LUA_NOREF)
    return 0;
  tell_guard(self);
  close_pipes(self);
  luaL_unref(L, LUA_REGISTRYINDEX, self->callback);
  self->callback = LUA_NOREF;
  return 0;
}

static const luaL_Reg functions[] = {{"start", start}, {"take", take}, {"stop", stop}, {"abandon", abandon}};

int luaopen_mooncrew_native_exec(lua_State *L) {
  mc_bindings_register(L, functions, MC_COUNT(functions));
  return 1;
}
