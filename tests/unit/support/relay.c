/* A relay that misbehaves: see relay.h. One connection at a time, one command at a time. */
#include "relay.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RULES_AT_MOST 4

struct relay {
  char redis_socket[108], socket[108], url[160];
  relay_rule rules[RULES_AT_MOST];
  int listener, stop; /* stop: an eventfd that is readable once the relay is to end */
  pthread_t thread;
  _Atomic int connections;
};

/* One connection through the relay. */
struct passage {
  struct relay *relay;
  int client, server;
  redisReader *commands, *answers;
  bool silent;
};

static void *run(void *arg);

static void die(const char *what) {
  fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
  exit(2);
}

static struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%.*s", (int)sizeof address.sun_path - 1, path);
  return address;
}

struct relay *relay_start(const char *redis_socket, const relay_rule *rules, size_t count) {
  struct relay *relay = calloc(1, sizeof *relay);
  if (!relay || count > RULES_AT_MOST)
    die("cannot start");
  snprintf(relay->redis_socket, sizeof relay->redis_socket, "%s", redis_socket);
  snprintf(relay->socket, sizeof relay->socket, "%.100s.relay", redis_socket);
  snprintf(relay->url, sizeof relay->url, "redis+unix://%s", relay->socket);
  if (count)
    memcpy(relay->rules, rules, count * sizeof *rules);
  struct sockaddr_un address = address_of(relay->socket);
  relay->stop = eventfd(0, EFD_CLOEXEC);
  relay->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(relay->listener, (struct sockaddr *)&address, sizeof address) || listen(relay->listener, 8))
    die("cannot listen");
  if (pthread_create(&relay->thread, NULL, run, relay))
    die("cannot start a thread");
  return relay;
}

void relay_stop(struct relay *relay) {
  eventfd_write(relay->stop, 1);
  pthread_join(relay->thread, NULL);
  close(relay->listener);
  close(relay->stop);
  unlink(relay->socket);
  free(relay);
}

const char *relay_url(const struct relay *relay) {
  return relay->url;
}

int relay_connections(const struct relay *relay) {
  return relay->connections;
}

/* False when the relay is to end. */
static bool wait_readable(const struct relay *relay, int fd) {
  struct pollfd polls[] = {{.fd = fd, .events = POLLIN}, {.fd = relay->stop, .events = POLLIN}};
  while (poll(polls, 2, -1) < 0 && errno == EINTR)
    ;
  return !polls[1].revents;
}

static void send_all(int fd, const char *bytes, size_t size) {
  for (size_t sent = 0; sent < size;) {
    ssize_t n = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (n <= 0)
      return; /* the other side went; reading will tell */
    sent += (size_t)n;
  }
}

static const relay_rule *rule_take(struct relay *relay, const char *command) {
  for (size_t i = 0; i < RULES_AT_MOST; i++) {
    relay_rule *rule = &relay->rules[i];
    if (!rule->command || strcasecmp(rule->command, command) != 0)
      continue;
    if (rule->after > 0)
      rule->after--;
    else if (rule->times-- > 0)
      return rule;
  }
  return NULL;
}

/* Has Redis carry a command out. False when it hung up, or when its answer is not to come through. */
static bool pass(struct passage *passage, const redisReply *command, bool answer_comes_through) {
  const char *words[8192];
  size_t sizes[8192];
  char *bytes;
  for (size_t i = 0; i < command->elements; i++) {
    words[i] = command->element[i]->str;
    sizes[i] = command->element[i]->len;
  }
  int size = redisFormatCommandArgv(&bytes, (int)command->elements, words, sizes);
  send_all(passage->server, bytes, (size_t)size);
  redisFreeCommand(bytes);
  for (void *answer = NULL; !answer;) {
    char buffer[65536];
    ssize_t n = read(passage->server, buffer, sizeof buffer);
    if (n <= 0)
      return false;
    if (answer_comes_through)
      send_all(passage->client, buffer, (size_t)n);
    redisReaderFeed(passage->answers, buffer, (size_t)n);
    redisReaderGetReply(passage->answers, &answer);
    if (answer)
      freeReplyObject(answer);
  }
  return answer_comes_through;
}

/* False when the connections are to end. */
static bool handle(struct passage *passage, const redisReply *command) {
  const relay_rule *rule = passage->silent ? NULL : rule_take(passage->relay, command->element[0]->str);
  if (passage->silent)
    return true;
  if (!rule || rule->action == RELAY_CUT)
    return pass(passage, command, !rule);
  passage->silent = rule->action == RELAY_SWALLOW;
  if (rule->action == RELAY_ANSWER)
    send_all(passage->client, rule->answer, strlen(rule->answer));
  return true;
}

static bool handle_all(struct passage *passage) {
  void *command = NULL;
  bool goes_on = true;
  while (goes_on && redisReaderGetReply(passage->commands, &command) == REDIS_OK && command) {
    goes_on = handle(passage, command);
    freeReplyObject(command);
  }
  return goes_on;
}

static void serve(struct relay *relay, int client) {
  struct sockaddr_un address = address_of(relay->redis_socket);
  struct passage passage = {.relay = relay, .client = client, .server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  passage.commands = redisReaderCreate();
  passage.answers = redisReaderCreate();
  if (connect(passage.server, (struct sockaddr *)&address, sizeof address))
    die("cannot reach redis-server");
  while (wait_readable(relay, client)) {
    char buffer[65536];
    ssize_t n = read(client, buffer, sizeof buffer);
    if (n <= 0)
      break;
    redisReaderFeed(passage.commands, buffer, (size_t)n);
    if (!handle_all(&passage))
      break;
  }
  redisReaderFree(passage.commands);
  redisReaderFree(passage.answers);
  close(passage.server);
  close(client);
}

static void *run(void *arg) {
  struct relay *relay = arg;
  while (wait_readable(relay, relay->listener)) {
    int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
      continue;
    relay->connections++;
    serve(relay, client);
  }
  return NULL;
}
