/* What the recover duty has seen of one queue: see sighting.h. */
#include "supervisor/sighting.h"

#include "base/mem.h"

#include <stdlib.h>

static void forget(mc_sightings *sightings, mc_sighting *sighting) {
  HASH_DEL(sightings->by_id, sighting);
  free(sighting->id);
  free(sighting);
}

void mc_sightings_begin(mc_sightings *sightings) {
  sightings->round++;
}

mc_sighting *mc_sightings_see(mc_sightings *sightings, mc_slice id, double lease_s, uint64_t now_ms) {
  mc_sighting *sighting = NULL;
  HASH_FIND(hh, sightings->by_id, id.data, id.size, sighting);
  if (!sighting) {
    sighting = mc_zalloc(sizeof *sighting);
    sighting->id = mc_strndup(id.data, id.size);
    sighting->id_size = id.size;
    sighting->lease_s = lease_s;
    sighting->since_ms = now_ms;
    HASH_ADD_KEYPTR(hh, sightings->by_id, sighting->id, sighting->id_size, sighting);
  }
  if (sighting->lease_s != lease_s) {
    sighting->lease_s = lease_s;
    sighting->since_ms = now_ms;
  }
  sighting->round = sightings->round;
  return sighting;
}

void mc_sightings_end(mc_sightings *sightings) {
  mc_sighting *sighting, *next;
  HASH_ITER(hh, sightings->by_id, sighting, next) {
    if (sighting->round != sightings->round)
      forget(sightings, sighting);
  }
}

void mc_sightings_clear(mc_sightings *sightings) {
  mc_sighting *sighting, *next;
  HASH_ITER(hh, sightings->by_id, sighting, next) {
    forget(sightings, sighting);
  }
}
