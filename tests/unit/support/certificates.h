/* A throw-away certificate authority and certificates of every kind that matters, made by the openssl command in a
 * folder of their own. Whatever goes wrong ends the test program with a text that says what.
 *
 *   ca.pem                       the authority
 *   server.pem, server.key       of it, for 127.0.0.1 and localhost
 *   wrong.pem, expired.pem       of it, with the same key: for another host; not valid any more
 *   self.pem                     with the same key, signed by itself
 *   stranger.pem                 another authority
 *   client.pem, client.key       of it, for a client; both.pem holds the two
 *   locked.key                   client.key under a passphrase
 */
#ifndef MC_TESTS_CERTIFICATES_H
#define MC_TESTS_CERTIFICATES_H

typedef struct certificates {
  char folder[64];
} certificates;

void certificates_make(certificates *made);
void certificates_remove(const certificates *made);

#endif
