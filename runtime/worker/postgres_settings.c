/* Addresses of PostgreSQL: see postgres_settings.h. */
#include "worker/postgres_settings.h"

#include "base/mem.h"
#include "worker/libpq.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HINT                                                                                                           \
  "write postgres://[user[:password]@]host[:port]/database, with signs such as @ / ? # in a password as %40 %2F %3F "  \
  "%23, or host=… user=… password=… dbname=…"

/* Unless the address says otherwise: text as Lua has it, no Kerberos (it blocks), and a host that vanished is noticed
 * within half a minute, by a query as well as by the cancelling of one. */
static const struct setting {
  const char *name, *value;
} defaults[] = {
    {"client_encoding", "UTF8"},   {"fallback_application_name", "mooncrew"},
    {"gssencmode", "disable"},     {"keepalives_idle", "15"},
    {"keepalives_interval", "5"},  {"keepalives_count", "3"},
    {"tcp_user_timeout", "30000"},
};

static int find(const mc_postgres_settings *settings, const char *name) {
  for (int i = 0; i < settings->count; i++)
    if (strcmp(settings->names[i], name) == 0)
      return i;
  return -1;
}

const char *mc_postgres_settings_get(const mc_postgres_settings *settings, const char *name) {
  int at = find(settings, name);
  return at < 0 ? NULL : settings->values[at];
}

void mc_postgres_settings_set(mc_postgres_settings *settings, const char *name, const char *value) {
  int at = find(settings, name);
  if (at < 0 && settings->count == MC_POSTGRES_SETTINGS)
    return;
  if (at < 0) {
    at = settings->count++;
    settings->names[at] = mc_strdup(name);
  }
  free(settings->values[at]);
  settings->values[at] = mc_strdup(value);
}

void mc_postgres_settings_deinit(mc_postgres_settings *settings) {
  for (int i = 0; i < settings->count; i++) {
    explicit_bzero(settings->values[i], strlen(settings->values[i]));
    free(settings->values[i]);
    free(settings->names[i]);
  }
  *settings = (mc_postgres_settings){0};
}

/* In a URL with a password whose signs are not encoded, a part of it ends up elsewhere: behind a second @, in the path,
 * or in the port. */
static bool is_misread(const char *address) {
  const char *rest = strstr(address, "://");
  if (!rest || (strncmp(address, "postgres://", 11) != 0 && strncmp(address, "postgresql://", 13) != 0))
    return false;
  rest += 3;
  const char *at = strchr(rest, '@');
  return at && (strcspn(rest, "/?#") < (size_t)(at - rest) || strchr(at + 1, '@'));
}

/* libpq would quote a port that is none in its message. */
static bool is_port_list(const char *ports) {
  for (const char *at = ports; at && *at; at++)
    if (!isdigit((unsigned char)*at) && *at != ',')
      return false;
  return true;
}

int mc_postgres_settings_parse(const char *address, mc_postgres_settings *out, mc_err *err) {
  char *error = NULL;
  PQconninfoOption *options = is_misread(address) ? NULL : mc_pq.conninfoParse(address, &error);
  mc_pq.freemem(error); /* it quotes the address */
  if (!options)
    return mc_fail(err, MC_EINVALID, "the address of PostgreSQL is malformed: %s", HINT);
  mc_postgres_settings settings = {0};
  for (const PQconninfoOption *option = options; option->keyword; option++)
    if (option->val)
      mc_postgres_settings_set(&settings, option->keyword, option->val);
  mc_pq.conninfoFree(options);
  if (!is_port_list(mc_postgres_settings_get(&settings, "port"))) {
    mc_postgres_settings_deinit(&settings);
    return mc_fail(err, MC_EINVALID, "the port of PostgreSQL's address is no number: %s", HINT);
  }
  for (size_t i = 0; i < MC_COUNT(defaults); i++)
    if (!mc_postgres_settings_get(&settings, defaults[i].name))
      mc_postgres_settings_set(&settings, defaults[i].name, defaults[i].value);
  *out = settings;
  return 0;
}
