/* The alarm: see alarm.h. The signal handler does what luajit's own does at Ctrl-C: it sets a hook, and no more is
 * touched of Lua than that. */
#include "lualib/alarm.h"

#include "lualib/children.h"

#include <errno.h>
#include <lauxlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define TICK_US 250000
#define QUIET_TICKS 8 /* without an instruction of Lua: it is stuck in C */
#define MAX_TICKS 20  /* in all: raising errors has not helped */

static struct {
  lua_State *L; /* NULL: none is set */
  pthread_t thread;
  int over, coroutine; /* references in the registry; the second keeps L alive */
  char report[2048];
  uint64_t since; /* mc_children_now() */
  volatile sig_atomic_t ran, quiet, ticks;
  lua_Hook hook; /* somebody else's, and its mask and count */
  int mask, count;
} watch = {.over = LUA_NOREF, .coroutine = LUA_NOREF};

static void on_instruction(lua_State *L, lua_Debug *activation) {
  (void)activation;
  watch.ran = 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, watch.over);
  lua_call(L, 0, 0);
}

static _Noreturn void give_up(void) {
  ssize_t written = write(STDERR_FILENO, watch.report, strlen(watch.report));
  (void)written;
  _exit(EXIT_FAILURE);
}

static void on_tick(void) {
  watch.quiet = watch.ran ? 0 : watch.quiet + 1;
  watch.ran = 0;
  mc_children_kill(watch.since);
  if (watch.quiet > QUIET_TICKS || ++watch.ticks > MAX_TICKS)
    give_up();
  lua_sethook(watch.L, on_instruction, LUA_MASKCOUNT, 1);
}

/* Another thread (libuv's pool) may be the one that is interrupted, and only ours waits in vain. */
static void on_signal(int number) {
  int saved = errno;
  if (watch.L && pthread_equal(pthread_self(), watch.thread))
    on_tick();
  else if (watch.L)
    pthread_kill(watch.thread, number);
  errno = saved;
}

static double run_timer(double seconds) {
  struct itimerval timer = {.it_value = {(time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)}};
  struct itimerval before;
  if (seconds > 0)
    timer.it_interval.tv_usec = TICK_US;
  setitimer(ITIMER_REAL, &timer, &before);
  return (double)before.it_value.tv_sec + (double)before.it_value.tv_usec / 1e6;
}

/* Without SA_RESTART: calls that wait are to return. */
static void catch_signal(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGALRM, &action, NULL);
}

/* A signal that was on its way to us finds nothing to do. */
static void clear(lua_State *L) {
  run_timer(0);
  watch.L = NULL;
  if (lua_gethook(L) == on_instruction)
    lua_sethook(L, watch.hook, watch.mask, watch.count);
  luaL_unref(L, LUA_REGISTRYINDEX, watch.over);
  luaL_unref(L, LUA_REGISTRYINDEX, watch.coroutine);
  watch.over = watch.coroutine = LUA_NOREF;
}

static void set_report(lua_State *L, int index) {
  size_t size;
  const char *report = luaL_checklstring(L, index, &size);
  size = size < sizeof watch.report ? size : sizeof watch.report - 1;
  memcpy(watch.report, report, size);
  watch.report[size] = '\0';
}

int mc_lua_alarm_set(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  if (watch.L)
    clear(L);
  set_report(L, 3);
  watch.hook = lua_gethook(L);
  watch.mask = lua_gethookmask(L);
  watch.count = lua_gethookcount(L);
  lua_pushvalue(L, 2);
  watch.over = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushthread(L);
  watch.coroutine = luaL_ref(L, LUA_REGISTRYINDEX);
  watch.ran = watch.quiet = watch.ticks = 0;
  watch.since = mc_children_now();
  watch.thread = pthread_self();
  watch.L = L;
  catch_signal();
  run_timer(seconds > 0.001 ? seconds : 0.001);
  return 0;
}

int mc_lua_alarm_report(lua_State *L) {
  set_report(L, 1);
  return 0;
}

int mc_lua_alarm_now(lua_State *L) {
  if (watch.L) {
    run_timer(TICK_US / 1e6);
    lua_sethook(L, on_instruction, LUA_MASKCOUNT, 1);
  }
  return 0;
}

int mc_lua_alarm_clear(lua_State *L) {
  if (!watch.L)
    return 0;
  bool over = lua_gethook(L) == on_instruction;
  double left = run_timer(0);
  lua_pushnumber(L, over ? 0 : left);
  lua_rawgeti(L, LUA_REGISTRYINDEX, watch.over);
  lua_pushstring(L, watch.report);
  clear(L);
  return 3;
}
