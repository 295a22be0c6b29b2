/* Passwords in arguments: see scrub.h. */
#include "cli/scrub.h"

#include <string.h>

/* Up to the last "@", because a password that should have been percent-encoded may hold one; hiding too much is fine.
 * Without a colon all of it goes: then a password was written without the colon that belongs before it. */
static void scrub(char *arg) {
  char *start = strstr(arg, "://");
  char *end = start ? strrchr(start, '@') : NULL;
  if (!end)
    return;
  start += 3;
  char *colon = memchr(start, ':', (size_t)(end - start));
  if (colon)
    start = colon + 1;
  memset(start, 'x', (size_t)(end - start));
}

void mc_scrub_args(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    scrub(argv[i]);
}
