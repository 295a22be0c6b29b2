/* Commands that only read, asked together: see query.h. */
#include "client/query.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* One round of asking; every question leads back to it. */
struct asking {
  size_t answered;
  char refusal[160]; /* the first error answer; else empty */
};

struct question {
  struct asking *asking;
  mc_query *query;
};

static void ask(struct asking *asking, mc_client *client, mc_query *queries, size_t count);
static void query_clear(mc_query *query);

int mc_client_query(mc_client *client, mc_query *queries, size_t count, mc_err *err) {
  struct asking asking = {0};
  while (asking.answered < count) {
    int code = mc_client_ready(client, err);
    if (code)
      return code;
    ask(&asking, client, queries, count);
    if (asking.refusal[0])
      return mc_fail(err, MC_ESERVER, "Redis at %s does not answer a question: %s", mc_client_where(client),
                     asking.refusal);
  }
  return 0;
}

void mc_queries_deinit(mc_query *queries, size_t count) {
  for (size_t i = 0; i < count; i++) {
    query_clear(&queries[i]);
    mc_args_deinit(&queries[i].args);
  }
}

static void query_clear(mc_query *query) {
  for (size_t i = 0; i < query->text_count; i++)
    free(query->texts[i]);
  free(query->texts);
  query->texts = NULL;
  query->text_count = 0;
  query->number = 0;
}

static void add_text(mc_query *query, const mc_value *value) {
  if (value->kind == MC_VALUE_STRING)
    query->texts[query->text_count++] = mc_strndup(value->text.data, value->text.size);
}

static void on_answer(void *arg, int status, const mc_value *reply) {
  struct question *question = arg;
  mc_query *query = question->query;
  if (status)
    return;
  question->asking->answered++;
  if (reply->kind == MC_VALUE_ERROR) {
    snprintf(question->asking->refusal, sizeof question->asking->refusal, "%.*s", MC_SLICE_PRINT(reply->text));
    return;
  }
  query_clear(query); /* what an earlier round, cut short, has left */
  mc_value_integer(reply, &query->number);
  query->texts = mc_alloc((reply->count + 1) * sizeof *query->texts);
  add_text(query, reply);
  for (size_t i = 0; i < reply->count; i++)
    add_text(query, mc_value_item(reply, i));
}

static void ask(struct asking *asking, mc_client *client, mc_query *queries, size_t count) {
  struct question *questions = mc_alloc(count * sizeof *questions);
  *asking = (struct asking){0};
  for (size_t i = 0; i < count; i++) {
    questions[i] = (struct question){asking, &queries[i]};
    mc_conn_send(mc_client_conn(client), &queries[i].args, on_answer, &questions[i]);
  }
  mc_client_drain(client);
  free(questions);
}
