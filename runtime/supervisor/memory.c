/* The memory of workers: see memory.h. */
#include "supervisor/memory.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/size.h"
#include "supervisor/node.h"
#include "supervisor/retire.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define QUICK_GROWTH_MS 10000 /* above the limit at this age: it may be too low */
#define KEEP_MIN_MS 1000
#define KEEP_MAX_MS 5000
#define TELL_AT 3 /* quick ones in a row: the log says so */

static int open_statm(const mc_worker *worker) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", (int)worker->process.pid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

/* Bytes; 0 when they cannot be read: it has just ended. "size resident shared …", in pages. */
static int64_t read_resident(mc_worker *worker) {
  char text[128];
  if (worker->statm < 0)
    worker->statm = open_statm(worker);
  ssize_t size = worker->statm >= 0 ? pread(worker->statm, text, sizeof text - 1, 0) : -1;
  if (size <= 0)
    return 0;
  text[size] = '\0';
  const char *resident = strchr(text, ' ');
  return resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

void mc_memory_close(mc_worker *worker) {
  if (worker->statm >= 0)
    close(worker->statm);
  worker->statm = -1;
}

static void kill_for(mc_worker *worker, const char *taken, const char *limit) {
  if (worker->killed_for[0])
    return;
  worker->killed_for_size = true;
  snprintf(worker->killed_for, sizeof worker->killed_for, "it took %s of memory%s, more than twice memory_limit (%s)",
           taken, worker->ready_ms ? "" : " to load the scripts", limit);
  mc_worker_kill(worker);
}

/* ---- who took it ---- */

/* What came since the last measure belongs to who is running. */
static uint64_t grown_by(const mc_worker *worker, const mc_page_slot *slot) {
  const mc_page *page = worker->page;
  uint64_t resident = (uint64_t)worker->resident, peak = atomic_load(&page->peak), grown = atomic_load(&slot->grown);
  bool runs = atomic_load(&page->current) == atomic_load(&slot->attempt);
  return runs && resident > peak ? grown + resident - peak : grown;
}

uint64_t mc_memory_hog(const mc_worker *worker, uint64_t *out_bytes) {
  uint64_t most = (uint64_t)worker->config->memory_limit / 2, hog = 0;
  for (int64_t i = 0; i < worker->config->concurrency; i++) {
    const mc_page_slot *slot = &worker->page->slots[i];
    uint64_t attempt = atomic_load(&slot->attempt), grown = attempt ? grown_by(worker, slot) : 0;
    if (attempt && grown >= most) {
      most = *out_bytes = grown;
      hog = attempt;
    }
  }
  return hog;
}

/* ---- above the limit ---- */

/* How long its place keeps a worker in spite of its memory. */
static uint64_t keep_ms(const mc_pool_place *place) {
  if (place->quick_growths < 2)
    return 0;
  unsigned doublings = place->quick_growths - 2;
  uint64_t keep = doublings < 8 ? (uint64_t)KEEP_MIN_MS << doublings : KEEP_MAX_MS;
  return keep < KEEP_MAX_MS ? keep : KEEP_MAX_MS;
}

static void tell_too_low(const mc_worker *worker, const char *taken, const char *limit) {
  mc_log_begin(MC_LOG_WARN, "memory_limit is too low");
  mc_worker_log(worker);
  mc_log_text("taken", taken);
  mc_log_text("limit", limit);
  mc_log_text("detail", "workers are above it within seconds of their start, one after the other: raise memory_limit, "
                        "or have the scripts load and keep less");
  mc_log_end();
}

static void replace(mc_worker *worker, uint64_t now_ms, const char *taken, const char *limit) {
  mc_pool_place *place = mc_worker_place(worker);
  uint64_t age_ms = now_ms - worker->started_ms;
  if (worker->state != MC_WORKER_SERVING || mc_reload_awaits(worker) || age_ms < keep_ms(place))
    return; /* who waits for its neighbours to load has no place that others could take */
  place->quick_growths = age_ms < QUICK_GROWTH_MS ? place->quick_growths + 1 : 0;
  if (place->quick_growths == TELL_AT)
    tell_too_low(worker, taken, limit);
  char why[128];
  snprintf(why, sizeof why, "it takes %s of memory, more than memory_limit (%s)", taken, limit);
  mc_worker_retire(worker, NULL, why);
}

void mc_memory_look(mc_worker *worker, uint64_t now_ms) {
  int64_t limit = worker->config->memory_limit;
  if (limit == 0 || worker->dismissed_ms)
    return;
  int64_t taken = read_resident(worker);
  if (taken > 0) /* else it is ending: what it had before counts */
    worker->resident = taken;
  if (taken <= limit)
    return;
  char taken_text[32], limit_text[32];
  mc_size_round(taken, taken_text, sizeof taken_text);
  mc_size_show(limit, limit_text, sizeof limit_text);
  if (taken > 2 * limit)
    kill_for(worker, taken_text, limit_text);
  else
    replace(worker, now_ms, taken_text, limit_text);
}
