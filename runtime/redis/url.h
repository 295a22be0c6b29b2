/* Redis addresses.
 *
 *   redis://[[user]:password@]host[:port][/db]     redis+unix://[[user]:password@]/path/to.sock[?db=0]
 *   rediss://…, TLS, with ?ca=, cert=, key= parted by &: paths of PEM files, for the authorities to trust in place of
 *   the system's, and for our own certificate and its key
 *
 * Port 6379 and database 0 unless given; host may be an IPv6 address in brackets; user, password and path may be
 * percent-encoded; the database may also be given as ?db=N in every form. Anything else is refused with a text that
 * says which part is wrong and never holds the password.
 */
#ifndef MC_REDIS_URL_H
#define MC_REDIS_URL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct mc_redis_url {
  char *host; /* tcp; NULL for a unix socket */
  int port;
  char *path;     /* unix socket; NULL for tcp */
  char *user;     /* NULL when none was given */
  char *password; /* NULL when none was given */
  int db;
  bool tls;
  char *ca, *cert, *key; /* of TLS, paths; NULL when not given. No cert without tls, no key without cert. */
} mc_redis_url;

/* 0, or MC_EINVALID. On success the caller deinits. */
int mc_redis_url_parse(const char *text, mc_redis_url *out, mc_err *err);
void mc_redis_url_copy(const mc_redis_url *from, mc_redis_url *to); /* the caller deinits it as well */
void mc_redis_url_deinit(mc_redis_url *url);                        /* wipes the password */

/* The address without user and password, for logs and errors: "redis://host:6379/0", "redis+unix:///path?db=0".
 * A URL as well (but for the files of TLS): what a path may not hold plainly is percent-encoded. Returns text, always
 * NUL-terminated. */
const char *mc_redis_url_show(const mc_redis_url *url, char *text, size_t size);

#endif
