/* The workers of this node. They are divided into sections (section.h), one for each pool of the configuration, which
 * have places (place.h), each served by one worker (worker.h). All workers that live are in the pool's list, so that
 * whatever concerns every process reaches them.
 *
 * When no worker is left, since no scripts load, the supervisor stops, or, when it watches the scripts, waits until
 * they are mended.
 */
#ifndef MC_SUPERVISOR_POOL_H
#define MC_SUPERVISOR_POOL_H

#include "supervisor/section.h"

struct mc_node;

typedef struct mc_pool {
  mc_section *sections;
  size_t section_count;
  size_t turn; /* modulo section_count: whose turn it is to ask for tasks */
  mc_pool_place *places;
  size_t count;
  mc_list workers; /* mc_worker.in_pool: all that live, in the order of their starts */
  size_t failed;   /* places whose scripts did not load */
  char **environment;
  bool closing;
} mc_pool;

void mc_pool_open(struct mc_node *node);

mc_worker *mc_pool_find(const mc_pool *pool, uv_pid_t pid); /* NULL: it lives no more */

/* Of the sections that serve a queue the one with the most free slots; NULL: none has any. */
mc_section *mc_pool_section(const mc_pool *pool, mc_slice queue);

size_t mc_pool_serving(const mc_pool *pool);     /* workers ready for tasks */
size_t mc_pool_asked(const mc_pool *pool);       /* slots that calls in flight have spoken for */
size_t mc_pool_concurrency(const mc_pool *pool); /* handlers that run at a time, at most */
void mc_pool_flush(mc_pool *pool);               /* frames gathered in this turn */

/* Stops the supervisor where nobody serves and nobody will: no scripts load, and none is about to be loaded. */
void mc_pool_check_left(struct mc_node *node);

void mc_pool_drain(mc_pool *pool); /* every worker hands back what it has not started, and takes no more */
void mc_pool_kill(mc_pool *pool);  /* every worker, at shutdown */

/* No more respawns; closes the sockets, at which workers exit, and kills those that do not. The loop ends when all are
 * gone. */
void mc_pool_close(struct mc_node *node);
bool mc_pool_closed(const mc_pool *pool); /* no worker's process is left */
void mc_pool_deinit(mc_pool *pool);       /* after the loop has ended */

#endif
