/* Enqueues one task from the command line, as a C program does it with libmooncrew:
 *
 *   cc enqueue.c $(pkg-config --cflags --libs mooncrew) -o enqueue
 *   ./enqueue [-q queue] [-i seconds] [-u seconds] [-r retries] TYPE [PAYLOAD]
 *
 * Redis is where MOONCREW_REDIS says, else at redis://127.0.0.1:6379/0. Prints the task's id, its queue and its state.
 * Exit codes: 0 enqueued, 1 not, 2 wrong usage.
 */
#include <mooncrew.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void) {
  fprintf(stderr, "usage: enqueue [-q queue] [-i seconds from now] [-u seconds unique] [-r retries] TYPE [PAYLOAD]\n");
  return 2;
}

/* Fills the task from the command line; false when that makes no sense. */
static int read_arguments(int argc, char **argv, mooncrew_task *task) {
  int option;
  while ((option = getopt(argc, argv, "q:i:u:r:")) != -1) {
    switch (option) {
    case 'q':
      task->options.queue = optarg;
      break;
    case 'i':
      task->options.process_in_ms = atoll(optarg) * 1000;
      break;
    case 'u':
      task->options.unique_ms = atoll(optarg) * 1000;
      break;
    case 'r':
      task->options.max_retry = atoi(optarg);
      break;
    default:
      return 0;
    }
  }
  if (optind != argc - 1 && optind != argc - 2)
    return 0;
  task->type = argv[optind];
  task->payload = argv[optind + 1]; /* NULL: no payload */
  task->payload_size = task->payload ? strlen(task->payload) : 0;
  return 1;
}

int main(int argc, char **argv) {
  const char *url = getenv("MOONCREW_REDIS");
  mooncrew_task task = {.options = MOONCREW_OPTIONS_INIT};
  mooncrew_client *client = NULL;
  mooncrew_result result;
  mooncrew_error error;

  if (!read_arguments(argc, argv, &task))
    return usage();
  if (mooncrew_open(url ? url : "redis://127.0.0.1:6379/0", &client, &error)) {
    fprintf(stderr, "enqueue: %s\n", error.message);
    return 1;
  }
  int code = mooncrew_enqueue(client, &task, &result, &error);
  if (code)
    fprintf(stderr, "enqueue: %s (%s)\n", error.message, mooncrew_code_name(code));
  else
    printf("%s %s %s\n", result.id, result.queue, result.state);
  mooncrew_result_release(&result);
  mooncrew_close(client);
  return code ? 1 : 0;
}
