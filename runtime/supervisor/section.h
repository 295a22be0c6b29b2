/* The workers of one pool of the configuration, which have queues, concurrency and slots of their own. */
#ifndef MC_SUPERVISOR_SECTION_H
#define MC_SUPERVISOR_SECTION_H

#include "supervisor/place.h"
#include "supervisor/turns.h"

typedef struct mc_section {
  mc_turns *turns;       /* of its queues; with its configuration */
  mc_pool_place *places; /* a part of those of the node */
  size_t count;
  size_t asked; /* slots that calls in flight have spoken for */
} mc_section;

size_t mc_section_free_slots(const mc_section *section); /* tasks that may be asked for: no call has spoken for them */
size_t mc_section_capacity(const mc_section *section);   /* tasks that its workers together can hold */
mc_worker *mc_section_pick(const mc_section *section);   /* the least busy one with a free slot; NULL: none */

bool mc_worker_has_room(const mc_worker *worker); /* NULL has none */

#endif
