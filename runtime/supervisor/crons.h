/* The cron entries of this node, as its workers' manifest has them.
 *
 * The list is that of the manifest in force (manifest.h), and another one may follow. An entry that stands in the old
 * list and in the new one goes on as if nothing had happened. One that is new begins with the moment it comes, one that
 * is gone ends with it: what was due up to then the old one still enqueues, what is due later the new one. So no change
 * of scripts loses a tick or enqueues it twice.
 */
#ifndef MC_SUPERVISOR_CRONS_H
#define MC_SUPERVISOR_CRONS_H

#include "base/list.h"
#include "protocol/cron_tick.h"

struct mc_node;

typedef struct mc_cron_item {
  struct mc_node *node;
  mc_list link;
  mc_cron_entry entry; /* points into memory */
  void *memory;
  mc_cron cron;
  mc_cron_plan plan;
  char name[MC_CRON_NAME_SIZE]; /* made of its content: the same name, the same entry */
  mc_slice id;                  /* its own, or the name */
  bool opened;                  /* its record in Redis was read: its ticks may be enqueued */
  bool asking;                  /* a call is in flight; at most one */
  bool leaving;                 /* replaced: it goes once its last tick is dealt with */
  bool asked_late;              /* the tick in flight was missed */
  int64_t enqueued_s;           /* its newest tick that anybody enqueued; 0: none known */
  mc_enqueue task;  /* of tick task_s, kept until it is answered, so that it is sent again with the same id */
  int64_t task_s;   /* 0: there is no task */
  unsigned refused; /* bit per mc_refusal: said in the log */
} mc_cron_item;

typedef struct mc_crons {
  mc_list items;
  size_t count;     /* without those that leave */
  bool installed;   /* a manifest has come */
  bool told;        /* our key stands in asynq:schedulers */
  unsigned refused; /* bit per mc_refusal: said in the log */
} mc_crons;

void mc_crons_init(mc_crons *crons);
void mc_crons_install(struct mc_node *node, const mc_cron_entry *entries, size_t count);
void mc_crons_drop(mc_cron_item *item); /* not while it is asking */
void mc_crons_deinit(mc_crons *crons);  /* after the loop has ended */

#endif
