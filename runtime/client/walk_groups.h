/* The tasks of all groups of a queue, counted in calls that each look at a bounded number of groups. */
#ifndef MC_CLIENT_WALK_GROUPS_H
#define MC_CLIENT_WALK_GROUPS_H

#include "client/client.h"

/* Within a begun call. forget: the names of groups without tasks are removed on the way. *tasks stays untouched on
 * failure. */
int mc_client_walk_groups(mc_client *client, mc_slice queue, bool forget, int64_t *tasks, mc_err *err);

#endif
