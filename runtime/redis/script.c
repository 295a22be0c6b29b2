/* Calls of scripts. Redis keeps scripts by their hash: the call names the hash, and only when Redis does not know it
 * (restarted, flushed, a new replica) it is sent again with the script's text, which Redis then keeps.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "redis/conn_state.h"

typedef struct script_call {
  mc_conn *conn;
  mc_call call;
  mc_reply_fn fn;
  void *arg;
} script_call;

static void submit(script_call *pending, const char *command, mc_slice script, mc_reply_fn fn);
static void on_evalsha(void *arg, int status, const mc_value *reply);
static void on_eval(void *arg, int status, const mc_value *reply);

int mc_conn_call(mc_conn *conn, mc_call *call, mc_reply_fn fn, void *arg) {
  if (!mc_conn_is_ready(conn)) {
    mc_args_deinit(&call->args);
    return MC_EUNAVAILABLE;
  }
  script_call *pending = mc_alloc(sizeof *pending);
  *pending = (script_call){.conn = conn, .call = *call, .fn = fn, .arg = arg};
  call->args = (mc_args){0};
  submit(pending, "EVALSHA", mc_slice_of(pending->call.script->sha1), on_evalsha);
  return 0;
}

static void submit(script_call *pending, const char *command, mc_slice script, mc_reply_fn fn) {
  char keys[16];
  snprintf(keys, sizeof keys, "%d", pending->call.script->keys);
  mc_slice head[] = {mc_slice_of(command), script, mc_slice_of(keys)};
  mc_conn_submit(pending->conn, head, MC_COUNT(head), &pending->call.args, fn, pending);
}

static void finish(script_call *pending, int status, const mc_value *reply) {
  if (pending->fn)
    pending->fn(pending->arg, status, reply);
  mc_args_deinit(&pending->call.args);
  free(pending);
}

static void on_evalsha(void *arg, int status, const mc_value *reply) {
  script_call *pending = arg;
  if (status != 0 || !mc_value_is_error(reply, "NOSCRIPT")) {
    finish(pending, status, reply);
    return;
  }
  const mc_script *script = pending->call.script;
  submit(pending, "EVAL", (mc_slice){script->body, script->body_size}, on_eval);
}

static void on_eval(void *arg, int status, const mc_value *reply) {
  finish(arg, status, reply);
}
