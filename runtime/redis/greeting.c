/* The first commands of a connection: AUTH, SELECT, CLIENT SETNAME, and PING, all in one write. Only the answer to PING
 * makes the connection ready: it shows that the server is Redis, lets us in, and has loaded its data.
 *
 * What the server says to AUTH is never passed on as it is: a server that does not know the command quotes its
 * arguments, and with them the password.
 */
#include <stdio.h>

#include "base/mem.h"
#include "redis/conn_state.h"

/* How answers to AUTH begin, and what they mean. */
static const struct auth_refusal {
  const char *beginning, *meaning;
} auth_refusals[] = {
    {"WRONGPASS", "Redis refused the user or password (WRONGPASS)"},
    {"ERR invalid password", "Redis refused the password"},
    {"ERR AUTH", "a password was given, but Redis has none set for the default user"},
    {"ERR Client sent AUTH", "a password was given, but Redis has none set"},
    {"ERR max number of clients", "Redis has no room for another client (maxclients)"},
    {"ERR wrong number of arguments", "this Redis is older than 6.0 and knows no user names: leave the user out"},
    {"DENIED", "Redis runs in protected mode and refuses clients of other hosts"},
    {"LOADING", "Redis is loading its data"},
};

/* Errors that a PING may get from a server that is fit for use: an ACL that forbids PING itself, and a failed save,
 * which forbids writing but not reading. */
static const char *const harmless_to_ping[] = {"NOPERM", "MISCONF"};

static void on_auth(void *arg, int status, const mc_value *reply);
static void on_select(void *arg, int status, const mc_value *reply);
static void on_ping(void *arg, int status, const mc_value *reply);

static void submit_words(mc_conn *conn, const mc_slice *words, size_t count, mc_reply_fn fn) {
  mc_conn_submit(conn, words, count, NULL, fn, conn);
}

void mc_conn_greet(mc_conn *conn) {
  const mc_redis_url *url = &conn->url;
  if (url->password) {
    mc_slice password = mc_slice_of(url->password);
    if (url->user)
      submit_words(conn, (mc_slice[]){MC_SLICE_LITERAL("AUTH"), mc_slice_of(url->user), password}, 3, on_auth);
    else
      submit_words(conn, (mc_slice[]){MC_SLICE_LITERAL("AUTH"), password}, 2, on_auth);
  }
  if (url->db) {
    char db[16];
    snprintf(db, sizeof db, "%d", url->db);
    submit_words(conn, (mc_slice[]){MC_SLICE_LITERAL("SELECT"), mc_slice_of(db)}, 2, on_select);
  }
  if (conn->options.name) { /* for people who look at CLIENT LIST; nothing depends on it */
    mc_slice name = mc_slice_of(conn->options.name);
    submit_words(conn, (mc_slice[]){MC_SLICE_LITERAL("CLIENT"), MC_SLICE_LITERAL("SETNAME"), name}, 3, NULL);
  }
  submit_words(conn, (mc_slice[]){MC_SLICE_LITERAL("PING")}, 1, on_ping);
}

static bool begins_with(mc_slice text, const char *beginning) {
  size_t size = strlen(beginning);
  return text.size >= size && memcmp(text.data, beginning, size) == 0;
}

static void on_auth(void *arg, int status, const mc_value *reply) {
  if (status != 0 || reply->kind != MC_VALUE_ERROR)
    return;
  const char *meaning = "Redis refused AUTH";
  for (size_t i = 0; i < MC_COUNT(auth_refusals); i++) {
    if (begins_with(reply->text, auth_refusals[i].beginning))
      meaning = auth_refusals[i].meaning;
  }
  mc_conn_lose(arg, "%s", meaning);
}

static void lose_for(mc_conn *conn, const char *what, const mc_value *error) {
  if (mc_value_is_error(error, "NOAUTH"))
    mc_conn_lose(conn, "Redis asks for a password, and the address holds none");
  else
    mc_conn_lose(conn, "%s: %.*s", what, MC_SLICE_PRINT(error->text));
}

static void on_select(void *arg, int status, const mc_value *reply) {
  mc_conn *conn = arg;
  char what[64];
  if (status != 0 || reply->kind != MC_VALUE_ERROR)
    return;
  snprintf(what, sizeof what, "Redis refused database %d", conn->url.db);
  lose_for(conn, what, reply);
}

static void on_ping(void *arg, int status, const mc_value *reply) {
  if (status != 0)
    return;
  bool fine = reply->kind != MC_VALUE_ERROR;
  for (size_t i = 0; i < MC_COUNT(harmless_to_ping); i++)
    fine = fine || mc_value_is_error(reply, harmless_to_ping[i]);
  if (fine)
    mc_conn_become_ready(arg);
  else
    lose_for(arg, "Redis is not ready", reply);
}
