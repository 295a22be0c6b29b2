/* Names of hosts to addresses: see postgres_hosts.h. One host is looked up after the other. */
#include "worker/postgres_hosts.h"

#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct mc_postgres_lookup {
  uv_loop_t *loop;
  uv_getaddrinfo_t request;
  mc_postgres_settings *settings; /* NULL once stopped */
  char *hosts;                    /* the list as the settings have it, which may hold empty items */
  const char *host;               /* that is at hand, not NUL-terminated; NULL after the last */
  size_t at;                      /* its place in the list */
  mc_buf names, addresses, ports; /* the lists that come of it */
  size_t added;                   /* to each of them */
  bool starting, ended;           /* ended while starting: it is not reported by fn */
  char reason[256];               /* why the last one that failed did */
  mc_postgres_lookup_fn fn;
  void *arg;
};

static void next(mc_postgres_lookup *self);

static mc_slice item(const char *list, size_t at) {
  for (; at > 0 && list; at--) {
    list = strchr(list, ',');
    list = list ? list + 1 : NULL;
  }
  return list ? (mc_slice){list, strcspn(list, ",")} : (mc_slice){0};
}

/* One port stands for all hosts. */
static mc_slice port_of(const mc_postgres_lookup *self) {
  const char *ports = mc_postgres_settings_get(self->settings, "port");
  bool many = ports && strchr(ports, ',');
  return item(ports, many ? self->at : 0);
}

static void add_item(const mc_postgres_lookup *self, mc_buf *list, mc_slice text) {
  if (self->added > 0)
    mc_buf_add_char(list, ',');
  mc_buf_add_slice(list, text);
}

static void add(mc_postgres_lookup *self, mc_slice host, mc_slice address) {
  add_item(self, &self->names, host);
  add_item(self, &self->addresses, address);
  add_item(self, &self->ports, port_of(self));
  self->added++;
}

static void destroy(mc_postgres_lookup *self) {
  mc_buf_deinit(&self->names);
  mc_buf_deinit(&self->addresses);
  mc_buf_deinit(&self->ports);
  free(self->hosts);
  free(self);
}

static void set_list(mc_postgres_settings *settings, const char *name, mc_buf *list) {
  mc_buf_add_char(list, '\0');
  mc_postgres_settings_set(settings, name, list->data);
}

static void finish(mc_postgres_lookup *self) {
  if (self->added > 0) {
    set_list(self->settings, "host", &self->names);
    set_list(self->settings, "hostaddr", &self->addresses);
    set_list(self->settings, "port", &self->ports);
  }
  self->ended = true;
  if (self->starting)
    return;
  self->fn(self->arg, self->added ? 0 : MC_EUNAVAILABLE, self->added ? NULL : self->reason);
  destroy(self);
}

/* A folder of a socket, an abstract socket, libpq's default, or a numeric address. */
static bool needs_no_lookup(mc_slice host) {
  unsigned char binary[sizeof(struct in6_addr)];
  char text[INET6_ADDRSTRLEN + 1];
  if (host.size == 0 || host.data[0] == '/' || host.data[0] == '@')
    return true;
  if (host.size >= sizeof text)
    return false;
  memcpy(text, host.data, host.size);
  text[host.size] = '\0';
  return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

static void add_found(mc_postgres_lookup *self, mc_slice host, const struct addrinfo *found) {
  char text[INET6_ADDRSTRLEN];
  for (; found; found = found->ai_next) {
    int rc = found->ai_family == AF_INET6 ? uv_ip6_name((const struct sockaddr_in6 *)found->ai_addr, text, sizeof text)
                                          : uv_ip4_name((const struct sockaddr_in *)found->ai_addr, text, sizeof text);
    if (rc == 0)
      add(self, host, mc_slice_of(text));
  }
}

static void say_why(mc_postgres_lookup *self, mc_slice host, int status) {
  snprintf(self->reason, sizeof self->reason, "cannot resolve PostgreSQL's host name %.*s: %s", MC_SLICE_PRINT(host),
           uv_strerror(status));
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  mc_postgres_lookup *self = mc_container_of(request, mc_postgres_lookup, request);
  mc_slice host = item(self->hosts, self->at);
  if (!self->settings) {
    uv_freeaddrinfo(found);
    destroy(self);
    return;
  }
  if (status == 0)
    add_found(self, host, found);
  else
    say_why(self, host, status);
  uv_freeaddrinfo(found);
  self->at++;
  next(self);
}

static void look_up(mc_postgres_lookup *self, mc_slice host) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  char *name = mc_strndup(host.data, host.size);
  int status = uv_getaddrinfo(self->loop, &self->request, on_found, name, NULL, &hints);
  free(name);
  if (status == 0)
    return;
  say_why(self, host, status); /* too long, or not a name in any alphabet */
  self->at++;
  next(self);
}

static void next(mc_postgres_lookup *self) {
  mc_slice host = item(self->hosts, self->at);
  for (; host.data && needs_no_lookup(host); host = item(self->hosts, ++self->at)) {
    bool numeric = host.size > 0 && host.data[0] != '/' && host.data[0] != '@';
    add(self, host, numeric ? host : (mc_slice){0});
  }
  if (host.data)
    look_up(self, host);
  else
    finish(self);
}

/* The list of hosts to look up, or NULL. libpq would take it from the environment as well. */
static const char *find_hosts(const mc_postgres_settings *settings) {
  const char *hosts = mc_postgres_settings_get(settings, "host");
  if (mc_postgres_settings_get(settings, "hostaddr") || (!hosts && getenv("PGHOSTADDR")))
    return NULL;
  hosts = hosts ? hosts : getenv("PGHOST");
  for (size_t i = 0; item(hosts, i).data; i++)
    if (!needs_no_lookup(item(hosts, i)))
      return hosts;
  return NULL;
}

int mc_postgres_lookup_start(uv_loop_t *loop, mc_postgres_settings *settings, mc_postgres_lookup_fn fn, void *arg,
                             mc_postgres_lookup **out, mc_err *err) {
  const char *hosts = find_hosts(settings);
  *out = NULL;
  if (!hosts)
    return 0;
  mc_postgres_lookup *self = mc_zalloc(sizeof *self);
  *self = (mc_postgres_lookup){
      .loop = loop, .settings = settings, .hosts = mc_strdup(hosts), .fn = fn, .arg = arg, .starting = true};
  next(self);
  self->starting = false;
  if (!self->ended) {
    *out = self;
    return 0;
  }
  int rc = self->added ? 0 : mc_fail(err, MC_EUNAVAILABLE, "%s", self->reason);
  destroy(self);
  return rc;
}

void mc_postgres_lookup_stop(mc_postgres_lookup *self) {
  self->settings = NULL;
  uv_cancel((uv_req_t *)&self->request);
}
