/* Duties: the periodic work of the supervisor, one file each. They run only while Redis is reachable, but for those
 * that need no Redis (table in duty.c).
 */
#ifndef MC_SUPERVISOR_DUTY_H
#define MC_SUPERVISOR_DUTY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct mc_node;

typedef struct mc_duty {
  const char *name;
  uint64_t every_ms;  /* 0: task_check_interval */
  bool whole_seconds; /* at every whole second of the wall clock (and a few ms) instead of every_ms after the last */
  bool without_redis; /* also while Redis is away */
  bool on_connect;    /* and at once when the connection has become ready */
  void (*run)(struct mc_node *node);
} mc_duty;

#define MC_DUTY_COUNT 12

typedef struct mc_duty_timer {
  struct mc_node *node;
  const mc_duty *duty;
  uv_timer_t timer;
} mc_duty_timer;

typedef struct mc_duties {
  mc_duty_timer timers[MC_DUTY_COUNT];
  unsigned refused;    /* bit per mc_refusal, for what belongs to no queue */
  uint64_t checked_ms; /* when the slow check of wake.h ran last */
  uint64_t looked_ms;  /* when the workers were looked at last (duty_overdue.h) */
  uint64_t resumed_ms; /* when we last went on after we had stood still; 0: never did */
} mc_duties;

void mc_duties_open(struct mc_node *node);
void mc_duties_run_now(struct mc_node *node); /* those marked on_connect */
void mc_duties_close(struct mc_node *node);

#endif
