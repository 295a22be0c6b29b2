/* TLS with Redis: see tls.h. */
#include "redis/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/mem.h"
#include "redis/authorities.h"

#define AUTHORITY_HINT "name its authority's certificate by ?ca=/path/ca.pem in the address, or by SSL_CERT_FILE"
#define CLIENT_HINT "name a certificate and its key by ?cert=/path/client.pem&key=/path/client.key in the address"

/* What OpenSSL finds wrong with the server's certificate, and what to do. */
static const struct distrust {
  long result;
  const char *meaning;
} distrusts[] = {
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "it is signed by itself, and not trusted here: " AUTHORITY_HINT},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its authority is not trusted here: " AUTHORITY_HINT},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "its authority is not trusted here: " AUTHORITY_HINT},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "its authority is not trusted here: " AUTHORITY_HINT},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "its authority is not trusted here: " AUTHORITY_HINT},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "the trusted authority of that name did not sign it: " AUTHORITY_HINT},
    {X509_V_ERR_CERT_HAS_EXPIRED, "it, or one that it stands on, has expired: renew it on the server"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "it is not valid yet: is this machine's clock right?"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "it is not for this host name: write into the address a name that it is for"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "it is not for this IP address: write into the address a name that it is for"},
};

/* Other ends of a session, and what to do. */
static const struct trouble {
  int reason;
  const char *meaning;
} troubles[] = {
    {SSL_R_WRONG_VERSION_NUMBER,
     "the server does not speak TLS on this port: write the port of its tls-port, or redis://"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server knows no TLS that is new enough: let it speak TLS 1.2 or 1.3"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server refuses TLS 1.2 and 1.3: let it speak one of them"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the server refused the TLS handshake; if it asks for a client certificate: " CLIENT_HINT},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the server asks for a client certificate: " CLIENT_HINT},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "the server does not trust the client certificate (cert= in the address): its authority must be the server's"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the server refused the client certificate (cert= in the address)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client certificate (cert= in the address) has expired: renew it"},
};

static int trust(SSL_CTX *context, const mc_redis_url *url, mc_err *err);
static int identify(SSL_CTX *context, const mc_redis_url *url, mc_err *err);
static bool expect_host(SSL *session, const char *host);
static int no_passphrase(char *text, int size, int writing, void *arg);

int mc_tls_session_new(const mc_redis_url *url, SSL **out, mc_err *err) {
  SSL *session = NULL;
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  int rc = context ? 0 : MC_EINTERNAL;
  if (rc == 0) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    rc = trust(context, url, err);
  }
  if (rc == 0)
    rc = identify(context, url, err);
  if (rc == 0)
    session = SSL_new(context);
  SSL_CTX_free(context); /* the session holds it */
  if (rc == MC_EIO)
    return rc;
  if (!session || !expect_host(session, url->host)) {
    SSL_free(session);
    return mc_fail(err, MC_EINTERNAL,
                   "OpenSSL cannot begin a TLS session: its configuration (openssl.cnf) may forbid it");
  }
  SSL_set_connect_state(session);
  *out = session;
  return 0;
}

/* ---- what is trusted, and who we are ---- */

/* A prompt for it would stop the whole process. */
static int no_passphrase(char *text, int size, int writing, void *arg) {
  (void)text, (void)size, (void)writing, (void)arg;
  return -1;
}

/* The first error is the cause, those behind it are its consequences. */
static const char *first_error(void) {
  unsigned long code = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(code))
    return strerror(ERR_GET_REASON(code));
  const char *reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

static int refuse_file(const char *name, const char *path, const char *hint, mc_err *err) {
  return mc_fail(err, MC_EIO, "cannot use %s, which the address names by %s=: %s%s", path, name, first_error(), hint);
}

static int trust_system(SSL_CTX *context) {
  X509_STORE *store = mc_authorities_take();
  if (!store)
    return MC_EINTERNAL;
  SSL_CTX_set_cert_store(context, store);
  ERR_clear_error(); /* a store that is not there trusts nobody, as the handshake will say */
  return 0;
}

static int trust(SSL_CTX *context, const mc_redis_url *url, mc_err *err) {
  if (!url->ca)
    return trust_system(context);
  if (SSL_CTX_load_verify_file(context, url->ca) == 1)
    return 0;
  return refuse_file("ca", url->ca, "; it must be a PEM file of certificates", err);
}

/* One file may hold both. */
static int identify(SSL_CTX *context, const mc_redis_url *url, mc_err *err) {
  if (!url->cert)
    return 0;
  if (SSL_CTX_use_certificate_chain_file(context, url->cert) != 1)
    return refuse_file("cert", url->cert, "; it must be a PEM file of a certificate", err);
  const char *key = url->key ? url->key : url->cert;
  if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1)
    return 0;
  return refuse_file(url->key ? "key" : "cert", key,
                     "; it must be a PEM file that holds the key of the certificate, without a passphrase", err);
}

static bool expect_name(SSL *session, const char *name) {
  X509_VERIFY_PARAM *rules = SSL_get0_param(session);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1 && SSL_set_tlsext_host_name(session, name) == 1;
}

/* The dot that ends a name which is not to be looked for in the resolver's own domains is for DNS alone: certificates
 * do not have it, and RFC 6066 forbids it to a client. A name that is nothing else stays: an empty one is not checked.
 */
static bool expect_host(SSL *session, const char *host) {
  struct in6_addr address;
  if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
  size_t size = strlen(host);
  char *name = mc_strndup(host, size - (size > 1 && host[size - 1] == '.'));
  bool expected = expect_name(session, name);
  free(name);
  return expected;
}

/* ---- what failures mean ---- */

static void explain_distrust(long result, mc_err *err) {
  const char *meaning = X509_verify_cert_error_string(result);
  for (size_t i = 0; i < MC_COUNT(distrusts); i++)
    if (distrusts[i].result == result)
      meaning = distrusts[i].meaning;
  mc_fail(err, 0, "the server's certificate does not hold: %s", meaning);
}

void mc_tls_explain(const SSL *session, mc_err *err) {
  unsigned long code = ERR_peek_error();
  int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  long verdict = SSL_get_verify_result(session);
  if (verdict != X509_V_OK && !SSL_is_init_finished(session)) { /* the queue may begin with why it came to that */
    explain_distrust(verdict, err);
    return;
  }
  for (size_t i = 0; i < MC_COUNT(troubles); i++) {
    if (troubles[i].reason == reason) {
      mc_fail(err, 0, "%s", troubles[i].meaning);
      return;
    }
  }
  mc_fail(err, 0, "TLS failed: %s", first_error());
}
