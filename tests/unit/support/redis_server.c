/* A private redis-server for one test: see redis_server.h. */
#include "redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_AT_MOST 64

struct redis_server {
  char folder[64], socket[96], url[128];
  char *arguments[ARGUMENTS_AT_MOST]; /* NULL at the end */
  pid_t pid;                          /* 0: does not run */
  char answer[65536];
};

static void set_arguments(redis_server *server, const char *const *extra);
static void await_ready(redis_server *server, int log_fd);
static void end_process(redis_server *server, int signal_number);
static void remove_folder(const redis_server *server);

static void die(const char *what, const char *detail) {
  fprintf(stderr, "redis_server: %s: %s\n", what, detail);
  exit(2);
}

redis_server *redis_server_start(const char *const *extra) {
  redis_server *server = calloc(1, sizeof *server);
  if (!server)
    die("calloc", strerror(errno));
  snprintf(server->folder, sizeof server->folder, "/tmp/mooncrew-test-XXXXXX");
  if (!mkdtemp(server->folder))
    die("cannot make a temporary folder", strerror(errno));
  snprintf(server->socket, sizeof server->socket, "%s/redis.sock", server->folder);
  snprintf(server->url, sizeof server->url, "redis+unix://%s?db=0", server->socket);
  set_arguments(server, extra);
  redis_server_resume(server);
  return server;
}

const char *redis_server_url(const redis_server *server) {
  return server->url;
}

const char *redis_server_socket(const redis_server *server) {
  return server->socket;
}

void redis_server_halt(redis_server *server) {
  end_process(server, SIGTERM);
}

void redis_server_kill(redis_server *server) {
  end_process(server, SIGKILL);
}

void redis_server_freeze(redis_server *server) {
  int status;
  if (!server->pid || kill(server->pid, SIGSTOP) != 0)
    die("freeze", "the server does not run");
  if (waitpid(server->pid, &status, WUNTRACED) != server->pid || !WIFSTOPPED(status)) /* a signal takes its time */
    die("freeze", "the server ended");
}

void redis_server_thaw(redis_server *server) {
  if (!server->pid || kill(server->pid, SIGCONT) != 0)
    die("thaw", "the server does not run");
}

void redis_server_resume(redis_server *server) {
  int log_pipe[2];
  if (server->pid)
    return;
  if (pipe(log_pipe) != 0)
    die("pipe", strerror(errno));
  pid_t parent = getpid();
  server->pid = fork();
  if (server->pid < 0)
    die("fork", strerror(errno));
  if (server->pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(1);
    dup2(log_pipe[1], STDOUT_FILENO);
    dup2(log_pipe[1], STDERR_FILENO);
    close(log_pipe[0]);
    close(log_pipe[1]);
    execvp("redis-server", server->arguments);
    fprintf(stderr, "cannot start redis-server: %s\n", strerror(errno));
    _exit(127);
  }
  close(log_pipe[1]);
  await_ready(server, log_pipe[0]);
  close(log_pipe[0]); /* redis-server goes on without a reader of its log */
}

void redis_server_stop(redis_server *server) {
  end_process(server, SIGTERM);
  remove_folder(server);
  for (size_t i = 0; server->arguments[i]; i++)
    free(server->arguments[i]);
  free(server);
}

static void write_answer(const redisReply *reply, char *out, size_t size) {
  if (reply->type == REDIS_REPLY_INTEGER)
    snprintf(out, size, "%lld", reply->integer);
  else if (reply->type == REDIS_REPLY_NIL)
    snprintf(out, size, "(nil)");
  else if (reply->type == REDIS_REPLY_ARRAY)
    snprintf(out, size, "%zu", reply->elements);
  else
    snprintf(out, size, "%.*s", (int)reply->len, reply->str);
}

const char *redis_server_ask(redis_server *server, const char *format, ...) {
  va_list list;
  redisContext *context = redisConnectUnix(server->socket);
  if (!context || context->err)
    die("cannot connect", context ? context->errstr : "out of memory");
  va_start(list, format);
  redisReply *reply = redisvCommand(context, format, list);
  va_end(list);
  if (!reply)
    die(format, context->errstr);
  write_answer(reply, server->answer, sizeof server->answer);
  freeReplyObject(reply);
  redisFree(context);
  return server->answer;
}

int redis_server_free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    die("cannot find a free port", strerror(errno));
  close(fd);
  return ntohs(address.sin_port);
}

static void set_arguments(redis_server *server, const char *const *extra) {
  const char *const fixed[] = {
      "redis-server", "--port", "0", "--unixsocket", server->socket, "--dir", server->folder, "--save", "",
      "--daemonize",  "no"};
  size_t count = 0;
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    server->arguments[count++] = strdup(fixed[i]);
  for (size_t i = 0; extra && extra[i]; i++) {
    if (count == ARGUMENTS_AT_MOST - 1)
      die("too many arguments", extra[i]);
    server->arguments[count++] = strdup(extra[i]);
  }
}

/* Reads the server's log until it says that it accepts connections. */
static void await_ready(redis_server *server, int log_fd) {
  char log[16384];
  size_t size = 0;
  for (;;) {
    ssize_t part = read(log_fd, log + size, sizeof log - 1 - size);
    if (part < 0 && errno == EINTR)
      continue;
    size += part > 0 ? (size_t)part : 0;
    log[size] = '\0';
    if (strstr(log, "eady to accept connections"))
      return;
    if (part <= 0) {
      end_process(server, SIGKILL);
      remove_folder(server);
      die("the server did not start", log);
    }
  }
}

static void end_process(redis_server *server, int signal_number) {
  if (!server->pid)
    return;
  kill(server->pid, signal_number);
  kill(server->pid, SIGCONT); /* in case it is frozen */
  while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  server->pid = 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *ftw) {
  (void)status, (void)kind, (void)ftw;
  return remove(path);
}

static void remove_folder(const redis_server *server) {
  nftw(server->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
