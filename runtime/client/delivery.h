/* A delivery: one task on its way to Redis, with an honest account of what became of it.
 *
 *   prepare ──▶ on the way ──▶ accepted │ refused (conflict, duplicate, server error) │ unavailable │ unknown
 *      └─ wrong options ──▶ refused
 *
 * Its id and its bytes are made once, so sending it again is the same task again.
 */
#ifndef MC_CLIENT_DELIVERY_H
#define MC_CLIENT_DELIVERY_H

#include "protocol/enqueue.h"

typedef struct mc_delivery {
  mc_enqueue task; /* zeroed when the options were wrong */
  bool settled;    /* code and err are final */
  int code;        /* 0: accepted; else MC_E… */
  mc_err err;      /* why, when code is not 0 */
} mc_delivery;

/* Makes the task ready. out may be uninitialised; whatever comes of it, deinit it. */
void mc_delivery_prepare(mc_delivery *out, const mc_enqueue_options *options);

/* Instead of prepare: settles a delivery whose options could not even be read. */
void mc_delivery_refuse(mc_delivery *out, const char *text);

/* Settles it. why: what Redis said, or why it could not be reached; where: the address for people. */
void mc_delivery_settle(mc_delivery *delivery, int code, const char *why, const char *where);

/* "pending", "scheduled" or "aggregating" when it was accepted, else NULL. */
const char *mc_delivery_state(const mc_delivery *delivery);

void mc_delivery_deinit(mc_delivery *delivery);

#endif
