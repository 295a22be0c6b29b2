/* Planning ticks: see cron_plan.h. */
#include "protocol/cron_plan.h"

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static void set_done(mc_cron_plan *plan, int64_t done_s) {
  plan->next_known = plan->next_known && plan->done_s == done_s;
  plan->done_s = done_s;
}

void mc_cron_plan_init(mc_cron_plan *plan, const mc_cron *cron, mc_cron_missed missed, int64_t done_s) {
  *plan = (mc_cron_plan){.cron = cron, .missed = missed, .done_s = done_s, .until_s = INT64_MAX};
}

/* Looking for a tick takes a while for rare ones, and this is asked every second: so the answer is kept. */
static int64_t next_tick(mc_cron_plan *plan) {
  if (!plan->next_known && !mc_cron_next(plan->cron, plan->done_s, &plan->next_s))
    plan->next_s = INT64_MAX;
  plan->next_known = true;
  return plan->next_s;
}

bool mc_cron_plan_due(mc_cron_plan *plan, int64_t now_s, mc_cron_tick *out) {
  int64_t end_s = least(now_s, plan->until_s), oldest_s = now_s - MC_CRON_LATE_S, missed_s, tick_s;
  if (plan->done_s > now_s + MC_CRON_LATE_S)
    set_done(plan, now_s);
  if (next_tick(plan) > end_s)
    return false;
  bool in_time = mc_cron_next(plan->cron, most(plan->done_s, oldest_s - 1), &tick_s) && tick_s <= end_s;
  bool missed = mc_cron_last(plan->cron, plan->done_s, least(oldest_s - 1, end_s), &missed_s);
  if (!in_time && missed && plan->missed == MC_CRON_LATEST) {
    *out = (mc_cron_tick){missed_s, true};
    return true;
  }
  if (missed) {
    plan->skipped_s = missed_s;
    set_done(plan, missed_s);
  }
  if (in_time)
    *out = (mc_cron_tick){tick_s, false};
  return in_time;
}

void mc_cron_plan_done(mc_cron_plan *plan, int64_t tick_s) {
  set_done(plan, most(plan->done_s, tick_s));
}
