/* A script that runs inside Redis: what protocol/ embeds and redis/ sends. */
#ifndef MC_BASE_SCRIPT_H
#define MC_BASE_SCRIPT_H

#include "base/args.h"

typedef struct mc_script {
  const char *name; /* the file's name without .lua */
  const char *body;
  size_t body_size;
  char sha1[41]; /* hex, lower case */
  int keys;      /* how many of the arguments are keys */
} mc_script;

/* One call of a script under construction: its keys, then its arguments. A zeroed mc_call is empty and ready. */
typedef struct mc_call {
  const mc_script *script;
  mc_args args;
} mc_call;

#endif
