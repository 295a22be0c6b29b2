/* The limits of a queue, read and changed while servers run (protocol/limits.h). */
#ifndef MC_CLIENT_LIMITS_H
#define MC_CLIENT_LIMITS_H

#include "client/client.h"
#include "protocol/limits.h"

/* What to change; the rest stays. */
typedef struct mc_limits_change {
  bool concurrency, rate; /* which of them */
  mc_limits to;           /* 0: no limit */
} mc_limits_change;

/* Makes the change (NULL or empty: none) and reads what holds then, in one round trip. The queue need not exist yet. 0;
 * MC_EINVALID for a name or number that is none, with nothing sent; or as mc_client_query. After MC_EUNAVAILABLE the
 * change may have been made or not; to make it again does no harm. */
int mc_client_limit(mc_client *client, mc_slice queue, const mc_limits_change *change, mc_limits *out, mc_err *err);

#endif
