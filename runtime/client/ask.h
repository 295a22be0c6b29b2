/* Commands and script calls, sent together in one round trip, within a call that was begun.
 *
 * What only reads is asked again when the connection was lost, until the deadline. What changes something is sent once:
 * when its answer is lost, nobody knows whether it was done, and MC_EUNKNOWN says so.
 */
#ifndef MC_CLIENT_ASK_H
#define MC_CLIENT_ASK_H

#include "client/client.h"

/* Takes the answer to call i, which is no error and is borrowed until return: 0 or MC_E…. What is asked again is also
 * answered again; the last answer counts. */
typedef int (*mc_answer_fn)(void *arg, size_t i, const mc_value *reply, mc_err *err);

/* Calls without a script are plain commands. They stay as they are; the caller deinits their args.
 * 0, or the first code that is not 0 of: MC_EUNAVAILABLE at the deadline, MC_ESERVER when Redis refused, what fn said.
 */
int mc_client_ask(mc_client *client, const mc_call *calls, size_t count, mc_answer_fn fn, void *arg, mc_err *err);

/* Sends one call that changes something: as above, or MC_EUNKNOWN. */
int mc_client_tell(mc_client *client, const mc_call *call, mc_answer_fn fn, void *arg, mc_err *err);

void mc_calls_deinit(mc_call *calls, size_t count);

/* A plain command whose last word, if it is not empty, is given as bytes. */
void mc_call_words(mc_call *call, const char *command, const char *first, mc_slice second);

/* The command that asks a zset of servers or schedulers for those whose time, its score in unix s, has not run out. */
void mc_command_alive(mc_args *args, const char *key);

/* An mc_answer_fn for a number: arg is an int64_t *. */
int mc_answer_number(void *arg, size_t i, const mc_value *reply, mc_err *err);

#endif
