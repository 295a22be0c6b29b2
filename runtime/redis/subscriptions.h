/* What a connection is subscribed to, and what that makes of the arrays it receives.
 *
 * In RESP2 a message looks like any other array, so the state decides: messages come only while something is
 * subscribed, and then no other command answers with an array whose first item is "message" or "pmessage". A SUBSCRIBE
 * of three names is answered three times. A zeroed mc_subscriptions is subscribed to nothing.
 */
#ifndef MC_REDIS_SUBSCRIPTIONS_H
#define MC_REDIS_SUBSCRIPTIONS_H

#include "base/value.h"
#include "redis/requests.h"

typedef struct mc_subscriptions {
  uint32_t channels, patterns; /* confirmed */
} mc_subscriptions;

/* How many confirmations a command of that name awaits (see mc_request): 0 when it is none of this family. */
uint32_t mc_subscriptions_expected(mc_slice command, size_t names);

/* True when the reply is a message, or a change that was not asked for, and answers no command. `first` is the oldest
 * waiting command, NULL for none. */
bool mc_subscriptions_is_push(const mc_subscriptions *subscriptions, const mc_request *first, const mc_value *reply);

/* Counts a reply to a command of this family. True when it was the last that the command awaited. */
bool mc_subscriptions_confirm(mc_subscriptions *subscriptions, mc_request *first, const mc_value *reply);

#endif
