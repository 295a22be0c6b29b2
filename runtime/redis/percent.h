/* Percent-encoded text, as the parts of an address may be. */
#ifndef MC_REDIS_PERCENT_H
#define MC_REDIS_PERCENT_H

#include "base/err.h"
#include "base/slice.h"

/* The part decoded, which the caller frees. 0, or MC_EINVALID when it is badly encoded or holds a zero byte; the text
 * names the part as name ("password") and quotes nothing of it. */
int mc_percent_decode(mc_slice part, const char *name, char **out, mc_err *err);

#endif
