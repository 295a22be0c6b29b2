/* Replies from the wire: bytes go in as they arrive, whole replies come out as value trees. */
#ifndef MC_REDIS_REPLY_H
#define MC_REDIS_REPLY_H

#include "base/err.h"
#include "base/value.h"

/* Arrays inside of arrays are handed out so deep, the outermost being the first. A reply that is deeper is read and
 * handed out as an ERROR that says so, "TOODEEP …". */
#define MC_REPLY_DEPTH_MAX 128

typedef struct mc_replies mc_replies;

mc_replies *mc_replies_new(void);
void mc_replies_free(mc_replies *replies); /* NULL is fine */

/* Copies the bytes. 0, or MC_EMALFORMED when an unfinished reply has grown beyond what Redis ever sends. */
int mc_replies_feed(mc_replies *replies, const char *bytes, size_t size, mc_err *err);

/* The next whole reply, borrowed until the next call on replies; NULL when more bytes are needed. 0, or MC_EMALFORMED
 * when the bytes are no Redis protocol: only freeing is allowed from then on. */
int mc_replies_next(mc_replies *replies, const mc_value **out, mc_err *err);

#endif
