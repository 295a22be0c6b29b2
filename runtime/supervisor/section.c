/* The slots of a section: see section.h. */
#include "supervisor/section.h"

#include "supervisor/node.h"

#define SHORT_US 20000 /* a worker whose handlers take less, in the mean, is given tasks in advance */

/* What those run that served its place before. */
static size_t retired_load(const mc_worker *worker) {
  size_t load = 0;
  if (mc_worker_place(worker)->retired == 0)
    return 0;
  MC_LIST_EACH(link, &worker->node->pool.workers) {
    const mc_worker *other = mc_worker_of(link);
    if (other->retired && other->index == worker->index)
      load += mc_worker_load(other);
  }
  return load;
}

static size_t worker_free_slots(const mc_worker *worker) {
  if (!worker || worker->state != MC_WORKER_SERVING || worker->stuck)
    return 0;
  size_t slots = (size_t)worker->config->concurrency;
  size_t retired = retired_load(worker);
  if (worker->mean_us < SHORT_US && retired == 0) /* what it has in advance it would start beside those */
    slots += (size_t)worker->config->prefetch;
  size_t taken = mc_worker_load(worker) + retired;
  return taken < slots ? slots - taken : 0;
}

bool mc_worker_has_room(const mc_worker *worker) {
  return worker_free_slots(worker) > 0;
}

size_t mc_section_free_slots(const mc_section *section) {
  size_t free_slots = 0;
  for (size_t i = 0; i < section->count; i++)
    free_slots += worker_free_slots(section->places[i].worker);
  return free_slots > section->asked ? free_slots - section->asked : 0;
}

size_t mc_section_capacity(const mc_section *section) {
  const mc_config_pool *config = &section->turns->pool;
  return section->count * (size_t)(config->concurrency + config->prefetch);
}

mc_worker *mc_section_pick(const mc_section *section) {
  mc_worker *best = NULL;
  for (size_t i = 0; i < section->count; i++) {
    mc_worker *worker = section->places[i].worker;
    if (worker_free_slots(worker) && (!best || mc_worker_load(worker) < mc_worker_load(best)))
      best = worker;
  }
  return best;
}
