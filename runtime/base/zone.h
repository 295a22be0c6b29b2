/* Time zones, from the system's files (package tzdata): the offset from UTC at any instant, past and future.
 *
 * A file's table of changes is followed as far as it goes, and the rule at its end from there on.
 */
#ifndef MC_BASE_ZONE_H
#define MC_BASE_ZONE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/zone_rule.h"

#define MC_ZONE_FOLDER "/usr/share/zoneinfo"

typedef struct mc_zone mc_zone;

/* "UTC" and "" need no file; "Local" is the host's own zone, by TZ or /etc/localtime; anything else is a name such as
 * "Europe/Paris". 0, or MC_EINVALID or MC_EIO with a text that names the zone and says what to do. */
int mc_zone_open(mc_slice name, mc_zone **out, mc_err *err);

/* The same from a file's bytes (TZif, version 2 or later). */
int mc_zone_parse(mc_slice name, mc_slice bytes, mc_zone **out, mc_err *err);

void mc_zone_free(mc_zone *zone); /* NULL is fine */

/* Its name as in the folder of zones; for "Local" the one that it stands for, if that can be told. */
const char *mc_zone_name(const mc_zone *zone);

mc_zone_span mc_zone_at(const mc_zone *zone, int64_t at_s);

/* The instant at which clocks of the zone show a local time, given in seconds as if it were UTC. A time that clocks
 * skip or show twice gets the instant that Go's time.Date gives it: one of the two offsets around the change is
 * applied. */
int64_t mc_zone_instant(const mc_zone *zone, int64_t local_s);

#endif
