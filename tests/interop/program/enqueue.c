/* Enqueues one task through libmooncrew, as a program that links it does, and prints the task's id.
 *
 *   enqueue URL TYPE PAYLOAD [OPTION=VALUE…]
 *
 * The options are named as in Lua; durations are in seconds; a header is header:NAME=VALUE.
 */
#include "client/mooncrew.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 8

struct request {
  mooncrew_options options;
  mooncrew_header headers[HEADERS_MAX];
};

enum kind { TEXT, COUNT, UNIX_S, DURATION_MS };

static const struct {
  const char *name;
  enum kind kind;
  size_t at;
} known[] = {
    {"queue", TEXT, offsetof(mooncrew_options, queue)},
    {"task_id", TEXT, offsetof(mooncrew_options, task_id)},
    {"group", TEXT, offsetof(mooncrew_options, group)},
    {"max_retry", COUNT, offsetof(mooncrew_options, max_retry)},
    {"deadline", UNIX_S, offsetof(mooncrew_options, deadline_s)},
    {"process_at", UNIX_S, offsetof(mooncrew_options, process_at_s)},
    {"timeout", DURATION_MS, offsetof(mooncrew_options, timeout_ms)},
    {"unique", DURATION_MS, offsetof(mooncrew_options, unique_ms)},
    {"process_in", DURATION_MS, offsetof(mooncrew_options, process_in_ms)},
    {"retention", DURATION_MS, offsetof(mooncrew_options, retention_ms)},
};

static void set(void *field, enum kind kind, const char *value) {
  switch (kind) {
  case TEXT:
    *(const char **)field = value;
    break;
  case COUNT:
    *(int *)field = atoi(value);
    break;
  case UNIX_S:
    *(int64_t *)field = atoll(value);
    break;
  case DURATION_MS:
    *(int64_t *)field = atoll(value) * 1000;
    break;
  }
}

static bool add_header(struct request *request, const char *name, const char *value) {
  if (request->options.header_count == HEADERS_MAX)
    return false;
  request->headers[request->options.header_count++] = (mooncrew_header){name, value};
  request->options.headers = request->headers;
  return true;
}

/* Cuts the argument in two; false when it names nothing that is known. */
static bool add_option(struct request *request, char *argument) {
  char *value = strchr(argument, '=');
  if (!value)
    return false;
  *value++ = '\0';
  if (strncmp(argument, "header:", strlen("header:")) == 0)
    return add_header(request, argument + strlen("header:"), value);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(argument, known[i].name) != 0)
      continue;
    set((char *)&request->options + known[i].at, known[i].kind, value);
    return true;
  }
  return false;
}

static int enqueue(const char *url, const mooncrew_task *task) {
  mooncrew_client *client = NULL;
  mooncrew_error error;
  mooncrew_result result;
  int code = mooncrew_open(url, &client, &error);
  if (code == 0) {
    code = mooncrew_enqueue(client, task, &result, &error);
    if (code == 0)
      printf("%s\n", result.id);
    mooncrew_result_release(&result);
  }
  if (code != 0)
    fprintf(stderr, "enqueue: %s\n", error.message);
  mooncrew_close(client);
  return code == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  struct request request = {.options = MOONCREW_OPTIONS_INIT};
  bool understood = argc >= 4;
  for (int i = 4; i < argc && understood; i++)
    understood = add_option(&request, argv[i]);
  if (!understood) {
    fprintf(stderr, "usage: enqueue URL TYPE PAYLOAD [OPTION=VALUE…]\n");
    return 2;
  }
  mooncrew_task task = {
      .type = argv[2], .payload = argv[3], .payload_size = strlen(argv[3]), .options = request.options};
  return enqueue(argv[1], &task);
}
