/* What libpq is to connect with: a URL or a list of name=value, taken apart, so that what would block can be replaced.
 * A zeroed mc_postgres_settings is empty and ready.
 */
#ifndef MC_WORKER_POSTGRES_SETTINGS_H
#define MC_WORKER_POSTGRES_SETTINGS_H

#include "base/err.h"

#define MC_POSTGRES_SETTINGS 64

typedef struct mc_postgres_settings {
  char *names[MC_POSTGRES_SETTINGS + 1]; /* ends with NULL, as libpq wants it */
  char *values[MC_POSTGRES_SETTINGS + 1];
  int count;
} mc_postgres_settings;

/* Requires libpq. Reads the address, and adds what we want unless it says otherwise. 0, or MC_EINVALID with a text that
 * holds no part of the address: a misplaced sign can make the password any part. */
int mc_postgres_settings_parse(const char *address, mc_postgres_settings *out, mc_err *err);
void mc_postgres_settings_deinit(mc_postgres_settings *settings); /* wipes the values */

const char *mc_postgres_settings_get(const mc_postgres_settings *settings, const char *name); /* NULL: not set */
void mc_postgres_settings_set(mc_postgres_settings *settings, const char *name, const char *value);

#endif
