/* The configuration: one table of options (name, type, default, doc) and the struct that holds their values.
 *
 * Values arrive as text, whatever they came from (mooncrew.lua, MOONCREW_* environment, flags), and are checked here.
 * The Lua command line reads the table to make its flags, its help and the environment names.
 */
#ifndef MC_CONFIG_CONFIG_H
#define MC_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mc_config_queue {
  char *name;                /* "tenant:*" stands for every queue whose name begins so */
  int weight;                /* at least 1; with strict queues: a higher weight goes first */
  int64_t archive_max_age_s; /* 0: as the option of this name says */
  int64_t archive_max_size;
} mc_config_queue;

/* A pool of workers with a name; what it was not given is that of the option of this name (config/pools.h). */
typedef struct mc_config_pool {
  char *name;
  unsigned given; /* bit per row of the table of settings in pools.c */
  int64_t workers, concurrency, prefetch, memory_limit;
  bool strict;
  mc_config_queue *queues;
  size_t queue_count;
} mc_config_pool;

typedef struct mc_config {
  char *redis;   /* a URL; secret */
  char *scripts; /* folder */
  int64_t workers;
  int64_t concurrency; /* tasks at a time, per worker */
  int64_t prefetch;    /* tasks held per worker beyond its concurrency */
  mc_config_queue *queues;
  size_t queue_count;
  bool strict;
  mc_config_pool *pools; /* none: one pool, of the options above */
  size_t pool_count;
  int64_t shutdown_timeout_ms;
  int64_t kill_grace_ms;
  int64_t load_timeout_ms;
  bool watch;                     /* reload when a script was changed */
  int64_t memory_limit;           /* bytes, per worker; 0: none */
  int64_t task_check_interval_ms; /* polling where Redis refuses wake-ups */
  int64_t max_crashes;
  int64_t archive_max_age_s;
  int64_t archive_max_size;
  char *log_level;  /* debug info warn error */
  char *log_format; /* text json */
} mc_config;

typedef enum mc_option_type {
  MC_OPTION_TEXT,
  MC_OPTION_INTEGER,
  MC_OPTION_BOOLEAN,
  MC_OPTION_DURATION_MS, /* int64_t milliseconds, written as 8s, 1h30m … */
  MC_OPTION_DURATION_S,
  MC_OPTION_SIZE,   /* int64_t bytes, written as 256M, 1.5G … */
  MC_OPTION_QUEUES, /* critical=6,default=3 */
  MC_OPTION_CHOICE,
  MC_OPTION_POOLS, /* io: workers=1 cpu: workers=2 queues=image=1 */
} mc_option_type;

typedef struct mc_option {
  const char *name; /* as in mooncrew.lua; flag --name-with-dashes, environment MOONCREW_NAME */
  mc_option_type type;
  size_t offset;       /* of the value in mc_config */
  const char *value;   /* default, as text */
  int64_t min, max;    /* INTEGER, SIZE and durations, in the option's unit */
  const char *choices; /* CHOICE: "text json"; TEXT options have NULL */
  bool secret;
  const char *doc;
} mc_option;

extern const mc_option mc_options[];
extern const size_t mc_option_count;

void mc_config_init(mc_config *config); /* every option at its default */
void mc_config_deinit(mc_config *config);

/* Sets one option from text. MC_ENOT_FOUND for an unknown name (the text names the nearest known one), MC_EINVALID for
 * a bad value (the text names the option, the value unless secret, and what is wanted). The old value then stays. */
int mc_config_set(mc_config *config, const char *name, const char *value, mc_err *err);

/* Sets the value of any option but those of type QUEUES and POOLS at a place of the caller's; the error does not name
 * the option. */
int mc_option_read(const mc_option *option, void *place, const char *text, mc_err *err);

/* Appends the value that an option has, in the form that does not depend on how it was written: 3 for "03", "90s" for
 * "1m30s", "true" for "yes". Set from this text, the option has the same value. */
void mc_config_show(const mc_config *config, const mc_option *option, mc_buf *out);

#endif
