/* The certificate authorities that the system trusts, as OpenSSL finds them (SSL_CERT_FILE and SSL_CERT_DIR replace
 * them). Reading the hundreds of them takes longer than all the rest of a connection, so they are read once, and again
 * when their file or folder is another one or has changed. Safe to call from several threads: those of a program that
 * uses the client library are not ours. */
#ifndef MC_REDIS_AUTHORITIES_H
#define MC_REDIS_AUTHORITIES_H

#include <openssl/x509.h>

/* The caller owns a reference, which X509_STORE_free gives back. One that is not there trusts nobody. NULL: OpenSSL has
 * no memory for it. */
X509_STORE *mc_authorities_take(void);

#endif
