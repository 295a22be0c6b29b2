/* Schedules of cron entries, as robfig/cron v3's standard parser understands them, since asynq's scheduler is built on
 * it: when is the next tick? No I/O here but the reading of time zones (base/zone.h).
 *
 *   minute hour day-of-month month day-of-week     each a list of *, ?, n, n-m, with /step; names of months and days
 *   @yearly @annually @monthly @weekly @daily @midnight @hourly
 *   @every 1h30m                                   a duration as Go writes it, cut to whole seconds, 1 s at least
 *   CRON_TZ=Europe/Paris …, TZ=Europe/Paris …      the zone whose clocks are meant; UTC without
 *
 * Days: where both day fields are restricted, a day that fits either one is meant; where one of them begins with * or ?
 * (and has no step above 1), both must fit.
 *
 * Ticks are whole seconds. Two things are ours: the ticks of @every are the multiples of the interval since 1970, so
 * that all nodes agree on them (robfig's count from the start of the process), and a spec without a zone means UTC,
 * asynq's default, whatever the host's zone is.
 *
 * When clocks are changed, as in robfig/cron: a time of day that is skipped has no tick on that day ("30 2 * * *" in
 * most of Europe on the last Sunday of March); a time of day that comes twice has a tick each time, so "30 2 * * *"
 * runs twice on the last Sunday of October. Hours that repeat ("0 * * * *") are not affected: every hour that passes
 * has its tick.
 */
#ifndef MC_PROTOCOL_CRON_H
#define MC_PROTOCOL_CRON_H

#include "base/err.h"
#include "base/zone.h"

#include <stdint.h>

typedef struct mc_cron {
  int64_t every_s;                        /* above 0: @every, and nothing below counts */
  uint64_t minute, hour, dom, month, dow; /* a bit per value; bit 63: MC_CRON_STAR */
  mc_zone *zone;
} mc_cron;

#define MC_CRON_STAR (UINT64_C(1) << 63)

/* 0, or MC_EINVALID (a text that names the field and says what is wrong) or MC_EIO (the zone cannot be read). */
int mc_cron_parse(mc_slice spec, mc_cron *out, mc_err *err);
void mc_cron_deinit(mc_cron *cron);

/* The spec behind its zone prefix, for which mc_zone_name(cron->zone) stands. */
mc_slice mc_cron_fields(mc_slice spec);

/* The first tick after an instant; false when there is none within five years ("0 0 30 2 *"). */
bool mc_cron_next(const mc_cron *cron, int64_t after_s, int64_t *out_s);

/* The last tick after one instant and not after another; false when there is none. */
bool mc_cron_last(const mc_cron *cron, int64_t after_s, int64_t until_s, int64_t *out_s);

#endif
