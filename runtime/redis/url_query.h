/* What stands behind the ? of a Redis address: settings, name=value, parted by &. */
#ifndef MC_REDIS_URL_QUERY_H
#define MC_REDIS_URL_QUERY_H

#include "base/slice.h"
#include "redis/url.h"

/* Decimal digits only, at most `most`; -1 for anything else. */
int mc_redis_url_number(mc_slice digits, int most);

/* Reads them into url, whose scheme is read already. has_db: the path has named the database. 0, or MC_EINVALID with a
 * text that quotes nothing of the query; what was read by then is left in url. */
int mc_redis_url_read_query(mc_slice query, bool has_db, mc_redis_url *url, mc_err *err);

#endif
