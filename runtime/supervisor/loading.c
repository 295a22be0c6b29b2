/* The script that a worker loads: see loading.h. */
#include "supervisor/loading.h"

#include "supervisor/node.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const mc_snapshot *scripts_of(const mc_worker *worker) {
  const mc_reload *reload = &worker->node->reload;
  bool is_coming = reload->coming.number && worker->generation == reload->coming.number;
  if (!is_coming && worker->generation != reload->serving.number)
    return NULL;
  return is_coming ? &reload->coming.scripts : &reload->serving.scripts;
}

mc_loading mc_loading_of(const mc_worker *worker) {
  mc_loading loading = {""};
  uint64_t noted = worker->ready_ms ? 0 : atomic_load(&worker->page->loading);
  const mc_snapshot *scripts = scripts_of(worker);
  if (!noted || !scripts || !mc_snapshot_path(scripts, noted >> 32, loading.place, sizeof loading.place - 16))
    return (mc_loading){""};
  size_t size = strlen(loading.place);
  if ((uint32_t)noted)
    snprintf(loading.place + size, sizeof loading.place - size, ":%u", (unsigned)(uint32_t)noted);
  return loading;
}

void mc_loading_say(const mc_loading *loading, const char *what, const char *otherwise, char *text, size_t size) {
  if (*loading->place)
    snprintf(text, size, "%s: %s", loading->place, what);
  else
    snprintf(text, size, "%s", otherwise);
}
