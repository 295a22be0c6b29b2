/* A shared library that is loaded when a script first needs it, so that an idle worker stays small and a machine
 * without it can do everything else. */
#ifndef MC_WORKER_LIBRARY_H
#define MC_WORKER_LIBRARY_H

#include "base/err.h"

#include <stddef.h>

typedef struct mc_symbol {
  const char *name;
  void *into; /* a pointer to the function pointer that is filled in */
} mc_symbol;

/* Loads soname ("libcurl.so.4") and fills in all of the symbols, or none and MC_EUNAVAILABLE with what is missing and
 * the Debian package that has it. It stays loaded until the process ends. */
int mc_library_load(const char *soname, const char *package, const mc_symbol *symbols, size_t count, mc_err *err);

#endif
