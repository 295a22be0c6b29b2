/* A talk over a connection that libcurl has made (mc_transfer_connect_only): curl has done names, TLS and the login, we
 * say and hear the rest. For SMTP, where curl itself blocks until the server has answered to a whole message.
 *
 *   exchange: all is sent ──▶ something was heard ──▶ the function runs, once; then the next exchange may begin
 */
#ifndef MC_WORKER_DIALOGUE_H
#define MC_WORKER_DIALOGUE_H

#include "worker/transfer.h"

typedef struct mc_dialogue mc_dialogue;

/* CURLE_OK: what was heard, at least a byte, borrowed until return. CURLE_GOT_NOTHING: the other side has closed.
 * CURLE_OPERATION_TIMEDOUT, or what curl says: it is over. May close the dialogue. */
typedef void (*mc_dialogue_fn)(void *arg, CURLcode result, mc_slice heard);

/* The transfer, which is connected, and the loop are borrowed until closed. MC_EUNAVAILABLE: the connection has gone.
 */
int mc_dialogue_open(uv_loop_t *loop, mc_transfer *transfer, mc_dialogue **out, mc_err *err);

/* Sends the bytes, borrowed until fn runs, and waits for an answer; fn runs in a later turn. timeout_ms: 0 for none. */
void mc_dialogue_exchange(mc_dialogue *self, mc_slice bytes, uint64_t timeout_ms, mc_dialogue_fn fn, void *arg);

/* fn does not run any more. The last words are sent as far as they can be without waiting. To be called before the
 * transfer is freed. */
void mc_dialogue_close(mc_dialogue *self, mc_slice last_words);

#endif
