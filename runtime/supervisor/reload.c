/* Reloading the scripts: see reload.h. */
#include "supervisor/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "supervisor/loading.h"
#include "supervisor/node.h"
#include "supervisor/retire.h"
#include "supervisor/status.h"

#include <stdlib.h>
#include <string.h>

static bool is_starting(const mc_reload *reload) {
  return reload->coming.number != 0;
}

static int generation_init(mc_node *node, mc_generation *out, mc_err *err) {
  mc_snapshot scripts = {.fd = -1};
  int code = mc_snapshot_take(node->config->scripts, &scripts, err);
  if (code == 0)
    *out = (mc_generation){.number = ++node->reload.last_number, .scripts = scripts};
  return code;
}

static void generation_deinit(mc_generation *generation) {
  if (generation->number)
    mc_snapshot_close(&generation->scripts);
  *generation = (mc_generation){0};
}

int mc_reload_init(mc_node *node, mc_err *err) {
  return generation_init(node, &node->reload.serving, err);
}

void mc_reload_deinit(mc_node *node) {
  generation_deinit(&node->reload.serving);
  generation_deinit(&node->reload.coming);
  free(node->reload.successors);
}

bool mc_reload_awaits(const mc_worker *worker) {
  const mc_reload *reload = &worker->node->reload;
  return is_starting(reload) && worker->generation == reload->coming.number;
}

size_t mc_reload_draining(const mc_node *node) {
  size_t count = 0;
  MC_LIST_EACH(link, &node->pool.workers) {
    count += mc_worker_of(link)->generation < node->reload.serving.number && mc_worker_of(link)->retired;
  }
  return count;
}

/* ---- the end of a reload: refused ---- */

static void log_refusal(const mc_node *node, mc_slice why) {
  mc_log_begin(MC_LOG_ERROR, "reload refused");
  mc_log_slice("detail", why);
  mc_log_int("generation", (int64_t)node->reload.serving.number);
  mc_log_text("consequence", mc_pool_serving(&node->pool) ? "the old scripts serve on, in this generation"
                                                          : "nothing is served until the scripts are mended");
  mc_log_end();
}

static void set_error(mc_reload *reload, mc_slice why) {
  mc_buf clean = {0};
  mc_utf8_sanitize(why, sizeof reload->error.text - 1, &clean);
  snprintf(reload->error.text, sizeof reload->error.text, "%.*s", (int)clean.size, clean.data ? clean.data : "");
  mc_buf_deinit(&clean);
  reload->refused_at_ms = mc_clock_wall_ms();
}

static void answer(mc_node *node, mc_slice error) {
  mc_reload *reload = &node->reload;
  reload->answered = reload->covered;
  reload->error.text[0] = '\0';
  if (error.size)
    set_error(reload, error);
}

/* Those that live: by their generation, since one may have ended, and others may have begun to serve. */
static void drop_successors(mc_node *node) {
  MC_LIST_EACH(link, &node->pool.workers) {
    if (!mc_reload_awaits(mc_worker_of(link)))
      continue;
    mc_worker_of(link)->killed_to_stop = true; /* nobody is to blame, and the reason is in the log */
    mc_worker_kill(mc_worker_of(link));
  }
}

static void go_on(mc_node *node);

/* Before or after workers were started. */
static void refuse(mc_node *node, mc_slice why) {
  log_refusal(node, why);
  answer(node, why);
  drop_successors(node);
  generation_deinit(&node->reload.coming);
  mc_status_tell(node);
  mc_pool_check_left(node);
}

void mc_reload_refuse(mc_node *node, mc_slice why) {
  refuse(node, why);
  go_on(node);
}

/* ---- the end of a reload: the new ones serve ---- */

static void take_over(mc_pool_place *place, mc_worker *fresh) {
  mc_worker *old = place->worker;
  uv_timer_stop(&place->respawn);
  place->quick_deaths = place->quick_growths = 0;
  place->served = true;
  if (!old) {
    place->worker = fresh;
    return;
  }
  fresh->mean_us = old->mean_us; /* the same tasks, most likely */
  mc_worker_retire(old, fresh, "the scripts were reloaded");
}

static void log_success(const mc_node *node) {
  mc_log_begin(MC_LOG_INFO, "scripts reloaded");
  mc_log_int("generation", (int64_t)node->reload.serving.number);
  mc_log_int("workers", (int64_t)node->pool.count);
  mc_log_int("took_ms", (int64_t)(mc_clock_mono_ms() - node->reload.begun_ms));
  mc_log_int("draining", (int64_t)mc_reload_draining(node));
  mc_log_end();
}

static void change_over(mc_node *node) {
  mc_reload *reload = &node->reload;
  generation_deinit(&reload->serving);
  reload->serving = reload->coming;
  reload->coming = (mc_generation){0};
  reload->serving.loaded_at_ms = mc_clock_wall_ms();
  node->pool.failed = 0;
  for (size_t i = 0; i < node->pool.count; i++)
    take_over(&node->pool.places[i], reload->successors[i]);
  reload->draining = mc_reload_draining(node) > 0;
  log_success(node);
  answer(node, (mc_slice){0});
  mc_manifest_agree(node);
  mc_status_tell(node);
  go_on(node);
}

static bool agrees(const mc_node *node, const mc_worker *worker) {
  for (size_t i = 0; i < node->pool.count; i++) {
    const mc_worker *other = node->reload.successors[i];
    if (other != worker && other->state == MC_WORKER_SERVING && other->manifest.digest != worker->manifest.digest)
      return false;
  }
  return true;
}

void mc_reload_on_ready(mc_worker *worker) {
  mc_node *node = worker->node;
  if (mc_shutdown_started(node))
    return;
  if (!agrees(node, worker))
    mc_reload_refuse(node, MC_SLICE_LITERAL("the scripts declare other tasks, cron entries or groups each time they "
                                            "are loaded: what they declare must not depend on chance or time"));
  else if (++node->reload.ready == node->pool.count)
    change_over(node);
}

/* ---- the start of a reload ---- */

static void begin(mc_node *node) {
  mc_reload *reload = &node->reload;
  mc_err err;
  reload->covered = reload->asked;
  reload->begun_ms = mc_clock_mono_ms();
  reload->ready = 0;
  if (generation_init(node, &reload->coming, &err)) {
    refuse(node, mc_slice_of(err.text));
    return;
  }
  mc_log_begin(MC_LOG_INFO, "reloading scripts");
  mc_log_int("generation", (int64_t)reload->coming.number);
  mc_log_end();
  if (!reload->successors)
    reload->successors = mc_alloc(node->pool.count * sizeof *reload->successors);
  memset(reload->successors, 0, node->pool.count * sizeof *reload->successors);
  for (size_t i = 0; i < node->pool.count; i++) {
    reload->successors[i] = mc_worker_start_of(&node->pool.places[i], &reload->coming);
    if (reload->successors[i])
      continue;
    refuse(node, MC_SLICE_LITERAL("a worker cannot be started; the line above says why"));
    return;
  }
  mc_status_tell(node);
}

/* Begins what waits, unless something is under way. A refused one is no loop: each begins only what was asked. */
static void go_on(mc_node *node) {
  mc_reload *reload = &node->reload;
  while (reload->asked > reload->covered && !is_starting(reload) && !reload->draining && !mc_shutdown_started(node))
    begin(node);
}

static void log_waiting(const mc_node *node) {
  size_t tasks = 0;
  MC_LIST_EACH(link, &node->pool.workers) {
    tasks += mc_worker_of(link)->retired ? mc_worker_load(mc_worker_of(link)) : 0;
  }
  mc_log_begin(MC_LOG_INFO, "reload waits");
  if (is_starting(&node->reload)) {
    mc_log_text("detail", "another one is under way");
  } else {
    mc_log_text("detail", "workers of the generation before have not finished what they run");
    mc_log_int("workers", (int64_t)mc_reload_draining(node));
    mc_log_int("tasks", (int64_t)tasks);
  }
  mc_log_end();
}

void mc_reload_ask(mc_node *node) {
  mc_reload *reload = &node->reload;
  if (mc_shutdown_started(node))
    return;
  if (reload->asked == reload->covered && (is_starting(reload) || reload->draining))
    log_waiting(node);
  reload->asked++;
  go_on(node);
  mc_status_tell(node);
}

/* ---- what happens to workers meanwhile ---- */

void mc_reload_first_ready(mc_node *node) {
  mc_generation *serving = &node->reload.serving;
  if (serving->loaded_at_ms)
    return;
  serving->loaded_at_ms = mc_clock_wall_ms();
}

void mc_reload_first_failed(mc_node *node, mc_slice why) {
  if (node->reload.serving.loaded_at_ms)
    return; /* they were loaded before: what fails is what a function of crew.on_start needs */
  set_error(&node->reload, why);
  mc_status_tell(node);
}

void mc_reload_on_death(mc_worker *worker, int64_t status, int signal) {
  mc_node *node = worker->node;
  char how[sizeof worker->killed_for + 64], named[sizeof how + 128], otherwise[sizeof how + 64];
  char why[sizeof named + sizeof(mc_loading)];
  mc_loading loading = mc_loading_of(worker);
  if (mc_shutdown_started(node))
    return;
  if (worker->killed_for[0])
    snprintf(how, sizeof how, "was killed (%s)", worker->killed_for);
  else if (signal)
    snprintf(how, sizeof how, "was ended by signal %d (%s)", signal, strsignal(signal));
  else
    snprintf(how, sizeof how, "ended with exit code %lld", (long long)status);
  snprintf(named, sizeof named, "a worker %s while it loaded this%s", how, signal ? "" : MC_LOADING_NO_EXIT);
  snprintf(otherwise, sizeof otherwise, "a worker %s while the scripts were loaded", how);
  mc_loading_say(&loading, named, otherwise, why, sizeof why);
  mc_reload_refuse(node, mc_slice_of(why));
}

void mc_reload_on_exit(mc_node *node) {
  mc_reload *reload = &node->reload;
  if (!reload->draining || mc_reload_draining(node))
    return;
  reload->draining = false;
  mc_log_begin(MC_LOG_INFO, "old workers are gone");
  mc_log_int("generation", (int64_t)reload->serving.number);
  mc_log_end();
  mc_status_tell(node);
  go_on(node);
}
