/* A client and a redis-server filled by hand: see inspected.h. */
#include "inspected.h"

#include <stdio.h>
#include <stdlib.h>

int inspected_set_up(void **state) {
  inspected *i = calloc(1, sizeof *i);
  i->server = redis_server_start(NULL);
  i->redis = redis_sync_open(redis_server_socket(i->server));
  assert_int_equal(mooncrew_open(redis_server_url(i->server), &i->client, NULL), MOONCREW_OK);
  *state = i;
  return 0;
}

int inspected_tear_down(void **state) {
  inspected *i = *state;
  mooncrew_close(i->client);
  redis_sync_close(i->redis);
  redis_server_stop(i->server);
  free(i);
  return 0;
}

const char *inspected_ask(inspected *i, const char *format, ...) {
  va_list list;
  va_start(list, format);
  const mc_value *answer = redis_sync_vask(i->redis, format, list);
  va_end(list);
  return redis_sync_text(i->redis, answer);
}

void inspected_give_options(inspected *i, const char *id, const char *payload, mooncrew_options options) {
  mooncrew_task task = {"kind", payload, strlen(payload), options};
  task.options.queue = "q";
  task.options.task_id = id;
  inspected_expect(i, mooncrew_enqueue(i->client, &task, NULL, &i->error), MOONCREW_OK);
}

void inspected_give(inspected *i, const char *id) {
  const mooncrew_options options = MOONCREW_OPTIONS_INIT;
  inspected_give_options(i, id, "{}", options);
}

void inspected_expect(inspected *i, int code, int expected) {
  if (code != expected)
    fail_msg("%s instead of %s: %s", mooncrew_code_name(code), mooncrew_code_name(expected), i->error.message);
}

long inspected_calls(inspected *i, const char *command) {
  char pattern[64];
  snprintf(pattern, sizeof pattern, "cmdstat_%s:calls=", command);
  const char *found = strstr(inspected_ask(i, "INFO commandstats"), pattern);
  return found ? atol(found + strlen(pattern)) : 0;
}
