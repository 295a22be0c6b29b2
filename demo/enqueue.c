/* Enqueues from C: enqueue URL. One line per task: name, id, queue. */
#include <mooncrew.h>

#include <stdio.h>
#include <string.h>

#define COUNT 3
#define HOUR_MS (3600 * 1000)

static const char *const names[COUNT] = {"c_email", "c_email_2", "invalid"};

/* This client knows no schemas: the last payload is refused by the worker, which keeps it in the archive. */
static const char *const payloads[COUNT] = {
    "{\"username\":\"linus\"}",
    "{\"username\":\"margaret\"}",
    "{\"username\":42}",
};

static int enqueue_all(mooncrew_client *client) {
  mooncrew_task tasks[COUNT];
  mooncrew_result results[COUNT];
  mooncrew_error error = {0};
  for (int i = 0; i < COUNT; i++) {
    tasks[i] = (mooncrew_task)MOONCREW_TASK("task:send_verify_email", "");
    tasks[i].payload = payloads[i];
    tasks[i].payload_size = strlen(payloads[i]);
    tasks[i].options.queue = "critical";
    tasks[i].options.retention_ms = HOUR_MS;
  }
  int code = mooncrew_enqueue_many(client, tasks, COUNT, results, &error);
  for (int i = 0; i < COUNT; i++) {
    if (results[i].code == MOONCREW_OK)
      printf("%s\t%s\t%s\n", names[i], results[i].id, results[i].queue);
    else
      fprintf(stderr, "enqueue: %s: %s (%s)\n", names[i], results[i].message, mooncrew_code_name(results[i].code));
    mooncrew_result_release(&results[i]);
  }
  return code;
}

int main(int argc, char **argv) {
  mooncrew_client *client = NULL;
  mooncrew_error error = {0};
  if (argc != 2) {
    fprintf(stderr, "usage: enqueue URL\n");
    return 2;
  }
  if (mooncrew_open(argv[1], &client, &error) != MOONCREW_OK) {
    fprintf(stderr, "enqueue: %s\n", error.message);
    return 1;
  }
  int code = enqueue_all(client);
  mooncrew_close(client);
  return code == MOONCREW_OK ? 0 : 1;
}
