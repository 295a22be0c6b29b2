/* Commands that only read, asked together in one round trip. */
#ifndef MC_CLIENT_QUERY_H
#define MC_CLIENT_QUERY_H

#include "client/client.h"

/* A zeroed query is ready for its command to be added to args. */
typedef struct mc_query {
  mc_args args;
  int64_t number; /* an integer, or a text of digits; 0 for nil and all else */
  char **texts;   /* a text or an array of texts, copied */
  size_t text_count;
} mc_query;

/* Within a begun call: asks all, and asks again when the connection was lost. 0; MC_EUNAVAILABLE at the deadline;
 * MC_ESERVER when Redis refused one of them. The caller deinits the queries in any case. */
int mc_client_query(mc_client *client, mc_query *queries, size_t count, mc_err *err);

void mc_queries_deinit(mc_query *queries, size_t count);

#endif
