/* The children of this process: see children.h. They are found by reading all of /proc, since the list that the kernel
 * can keep of them is an option of its own. No memory is taken: the signal may have come inside of malloc. */
#include "lualib/children.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PARENT_FIELD 4 /* of /proc/PID/stat, counted from 1 */
#define START_FIELD 22
#define MAX_DEPTH 5 /* a shell, what it starts, … */

struct entry { /* of getdents64 */
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

uint64_t mc_children_now(void) {
  struct timespec now;
  long per_second = sysconf(_SC_CLK_TCK);
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * (uint64_t)per_second + (uint64_t)now.tv_nsec / (1000000000u / (uint64_t)per_second);
}

static bool read_stat(const char *pid, char *text, size_t size) {
  char path[64] = "/proc/";
  strncat(path, pid, 20);
  strcat(path, "/stat");
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;
  if (fd >= 0)
    close(fd);
  text[got > 0 ? got : 0] = '\0';
  return got > 0;
}

/* The second field is the program's name in brackets, which may hold anything. */
static uint64_t field(const char *stat, int number) {
  const char *at = strrchr(stat, ')');
  for (int i = 2; at && i < number; i++)
    at = strchr(at + 1, ' ');
  return at ? strtoull(at, NULL, 10) : 0;
}

static void kill_children(pid_t parent, uint64_t since, int depth);

static void look_at(const char *name, pid_t parent, uint64_t since, int depth) {
  char stat[512];
  if (name[0] < '1' || name[0] > '9' || !read_stat(name, stat, sizeof stat))
    return;
  if (field(stat, PARENT_FIELD) != (uint64_t)parent || field(stat, START_FIELD) < since)
    return;
  pid_t pid = (pid_t)strtoul(name, NULL, 10);
  if (depth < MAX_DEPTH) /* before it: they would become somebody else's */
    kill_children(pid, since, depth + 1);
  kill(pid, SIGKILL);
}

static void kill_children(pid_t parent, uint64_t since, int depth) {
  _Alignas(struct entry) char bytes[4096];
  int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  for (long size; (size = syscall(SYS_getdents64, fd, bytes, sizeof bytes)) > 0;)
    for (long at = 0; at < size;) {
      const struct entry *entry = (const struct entry *)(bytes + at);
      look_at(entry->name, parent, since, depth);
      at += entry->size;
    }
  close(fd);
}

void mc_children_kill(uint64_t since) {
  kill_children(getpid(), since, 0);
}
