/* What the recover duty has seen of one queue: for each id in `active` that is not ours, its lease score and since when
 * that pair has not changed.
 */
#ifndef MC_SUPERVISOR_SIGHTING_H
#define MC_SUPERVISOR_SIGHTING_H

#include "base/slice.h"

#include <stdint.h>
#include <uthash.h>

typedef struct mc_sighting {
  char *id;
  size_t id_size;
  double lease_s;    /* MC_NO_LEASE: none */
  uint64_t since_ms; /* CLOCK_MONOTONIC */
  uint64_t round;    /* the look at which it was seen last */
  UT_hash_handle hh;
} mc_sighting;

typedef struct mc_sightings {
  mc_sighting *by_id;
  uint64_t round;
} mc_sightings;

/* Begins a look; ends it, forgetting what was not seen in it. */
void mc_sightings_begin(mc_sightings *sightings);
void mc_sightings_end(mc_sightings *sightings);

/* The id was seen with this lease; returns its entry, whose since_ms says how long the pair has stood. */
mc_sighting *mc_sightings_see(mc_sightings *sightings, mc_slice id, double lease_s, uint64_t now_ms);

void mc_sightings_clear(mc_sightings *sightings);

#endif
