/* Preloaded into a worker: names that begin with "slow." take half a minute to resolve, as with a name server that is
 * away. Everything else is as without it. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
  if (name && strncmp(name, "slow.", 5) == 0) {
    sleep(30);
    return EAI_AGAIN;
  }
  resolver *real;
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(name, service, hints, out);
}
