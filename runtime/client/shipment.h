/* A shipment: the deliveries of one call, sent together. */
#ifndef MC_CLIENT_SHIPMENT_H
#define MC_CLIENT_SHIPMENT_H

#include "client/client.h"
#include "client/delivery.h"

/* Enqueues every delivery that is not settled yet, in few round trips, and settles it. Within a queue they keep their
 * order. Takes at most the client's time-out. */
void mc_shipment_send(mc_client *client, mc_delivery *deliveries, size_t count);

#endif
