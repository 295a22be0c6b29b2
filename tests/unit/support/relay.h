/* Stands between one client and a real redis-server, in a thread of its own, and does to chosen commands what a bad
 * network or a server in trouble would do to them.
 */
#ifndef MC_TESTS_RELAY_H
#define MC_TESTS_RELAY_H

#include <stddef.h>

typedef enum relay_action {
  RELAY_CUT,     /* Redis carries the command out, but both connections end before its answer comes through */
  RELAY_SWALLOW, /* nobody gets the command, and the connection stays open and silent from here on */
  RELAY_ANSWER,  /* Redis does not get it; this answer comes instead */
} relay_action;

typedef struct relay_rule {
  const char *command; /* its first word */
  relay_action action;
  const char *answer; /* RELAY_ANSWER: as it goes over the wire */
  int after;          /* this many such commands pass first */
  int times;          /* then it is for this many; the next ones pass */
} relay_rule;

struct relay;

/* The rules are copied. Commands that no rule is for pass. */
struct relay *relay_start(const char *redis_socket, const relay_rule *rules, size_t count);
void relay_stop(struct relay *relay);

const char *relay_url(const struct relay *relay); /* "redis+unix:///…", lives as long as the relay */
int relay_connections(const struct relay *relay); /* made to it so far */

#endif
