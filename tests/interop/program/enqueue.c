/* Enqueues one task through libmooncrew, as a program that links it does, and prints the task's id.
 *
 *   enqueue URL TYPE PAYLOAD QUEUE MAX_RETRY PROCESS_IN_MS RETENTION_MS
 */
#include "client/mooncrew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mooncrew_task task_from(char **arguments) {
  static const mooncrew_header headers[] = {{"trace", "from-c"}};
  mooncrew_task task = MOONCREW_TASK(NULL, "");
  task.type = arguments[0];
  task.payload = arguments[1];
  task.payload_size = strlen(arguments[1]);
  task.options.queue = arguments[2];
  task.options.max_retry = atoi(arguments[3]);
  task.options.process_in_ms = atoll(arguments[4]);
  task.options.retention_ms = atoll(arguments[5]);
  task.options.headers = headers;
  task.options.header_count = 1;
  return task;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: enqueue URL TYPE PAYLOAD QUEUE MAX_RETRY PROCESS_IN_MS RETENTION_MS\n");
    return 2;
  }
  mooncrew_client *client = NULL;
  mooncrew_error error;
  mooncrew_result result;
  int code = mooncrew_open(argv[1], &client, &error);
  if (code == 0) {
    mooncrew_task task = task_from(argv + 2);
    code = mooncrew_enqueue(client, &task, &result, &error);
    if (code == 0)
      printf("%s\n", result.id);
    mooncrew_result_release(&result);
  }
  if (code != 0)
    fprintf(stderr, "enqueue: %s\n", error.message);
  mooncrew_close(client);
  return code == 0 ? 0 : 1;
}
