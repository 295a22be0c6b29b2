/* TLS with Redis: a session that trusts nobody unseen, and what its failures mean. No I/O: see transport_tls.c.
 *
 * The server's certificate must lead to an authority that is trusted (those of the url's ca, else the system's, which
 * OpenSSL's SSL_CERT_FILE and SSL_CERT_DIR replace) and must hold the url's host, a name or an address. TLS 1.2 or
 * newer. Nothing turns this off.
 */
#ifndef MC_REDIS_TLS_H
#define MC_REDIS_TLS_H

#include "redis/url.h"

#include <openssl/ssl.h>

/* A client's session for one connection, which the caller frees by SSL_free. Its files are read here, so every attempt
 * takes them as they are then; the system's authorities only when they have changed (authorities.h). 0, or MC_EIO when
 * one cannot be used, MC_EINTERNAL when OpenSSL cannot. */
int mc_tls_session_new(const mc_redis_url *url, SSL **out, mc_err *err);

/* What made the last call on the session fail, as OpenSSL's error queue of this thread has it, and what to do. */
void mc_tls_explain(const SSL *session, mc_err *err);

#endif
