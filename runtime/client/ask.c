/* Commands and script calls, sent together: see ask.h. */
#include "client/ask.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* One round; every question leads back to it. */
struct round {
  mc_client *client;
  mc_answer_fn fn;
  void *arg;
  size_t answered;
  bool passing; /* Redis did nothing and asks to come again later; why: err */
  int code;     /* the first failure */
  mc_err *err;
};

struct question {
  struct round *round;
  size_t i;
};

static int round_run(struct round *round, const mc_call *calls, size_t count);

int mc_client_ask(mc_client *client, const mc_call *calls, size_t count, mc_answer_fn fn, void *arg, mc_err *err) {
  struct round round = {.client = client, .fn = fn, .arg = arg, .err = err};
  while (round.answered < count) {
    int code = round_run(&round, calls, count);
    if (code)
      return code;
  }
  return 0;
}

int mc_client_tell(mc_client *client, const mc_call *call, mc_answer_fn fn, void *arg, mc_err *err) {
  struct round round = {.client = client, .fn = fn, .arg = arg, .err = err};
  do {
    int code = round_run(&round, call, 1);
    if (code)
      return code;
  } while (round.passing);
  if (round.answered == 0)
    return mc_fail(err, MC_EUNKNOWN, "no answer from Redis at %s: look whether it was done", mc_client_where(client));
  return 0;
}

void mc_calls_deinit(mc_call *calls, size_t count) {
  for (size_t i = 0; i < count; i++)
    mc_args_deinit(&calls[i].args);
}

void mc_call_words(mc_call *call, const char *command, const char *first, mc_slice second) {
  call->script = NULL;
  mc_args_clear(&call->args);
  mc_args_add_text(&call->args, command);
  mc_args_add_text(&call->args, first);
  if (second.size)
    mc_args_add(&call->args, second);
}

void mc_command_alive(mc_args *args, const char *key) {
  mc_args_add_text(args, "ZRANGEBYSCORE");
  mc_args_add_text(args, key);
  mc_args_add_int(args, mc_clock_wall_s());
  mc_args_add_text(args, "+inf");
}

int mc_answer_number(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  (void)i;
  return mc_value_integer(reply, arg) ? mc_fail(err, MC_EMALFORMED, "Redis did not answer by a number") : 0;
}

/* ---- one round ---- */

static void refuse(struct round *round, const mc_value *reply) {
  round->code = mc_fail(round->err, MC_ESERVER, "Redis at %s refused: %.*s", mc_client_where(round->client),
                        MC_SLICE_PRINT(reply->text));
}

/* LOADING after a restart, BUSY with a long script: nothing was done, and it passes. */
static bool is_passing(const mc_value *reply) {
  return mc_value_is_error(reply, "LOADING") || mc_value_is_error(reply, "BUSY");
}

static void on_answer(void *arg, int status, const mc_value *reply) {
  struct question *question = arg;
  struct round *round = question->round;
  if (status || round->code)
    return;
  if (is_passing(reply)) {
    round->passing = true;
    mc_fail(round->err, MC_EUNAVAILABLE, "Redis at %s takes no commands: %.*s", mc_client_where(round->client),
            MC_SLICE_PRINT(reply->text));
    return;
  }
  round->answered++;
  if (reply->kind == MC_VALUE_ERROR)
    refuse(round, reply);
  else
    round->code = round->fn(round->arg, question->i, reply, round->err);
}

/* The connection takes the arguments of a script call, and we may need them again. */
static void send_call(mc_conn *conn, const mc_call *call, struct question *question) {
  mc_call copy = {.script = call->script};
  if (!call->script) {
    mc_conn_send(conn, &call->args, on_answer, question);
    return;
  }
  for (size_t i = 0; i < call->args.count; i++)
    mc_args_add(&copy.args, mc_args_at(&call->args, i));
  mc_conn_call(conn, &copy, on_answer, question);
}

static int round_run(struct round *round, const mc_call *calls, size_t count) {
  int code = mc_client_ready(round->client, round->err);
  if (code)
    return code;
  struct question *questions = mc_alloc(count * sizeof *questions);
  round->answered = 0;
  round->passing = false;
  for (size_t i = 0; i < count; i++) {
    questions[i] = (struct question){round, i};
    send_call(mc_client_conn(round->client), &calls[i], &questions[i]);
  }
  mc_client_drain(round->client);
  free(questions);
  if (round->code)
    return round->code;
  return round->passing && !mc_client_pause(round->client) ? MC_EUNAVAILABLE : 0;
}
