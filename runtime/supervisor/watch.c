/* Watching the scripts: see watch.h. */
#include "supervisor/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_MS 120
#define MAX_LINKS 40       /* as the kernel follows them */
#define SETTLE_MAX_MS 2000 /* a change that others follow without an end is not put off for longer */

typedef struct mc_watched {
  mc_node *node;
  uv_fs_event_t event;
  char *path;
  char *only;    /* the one name in it that matters; NULL: scripts and folders */
  bool optional; /* nobody needs to hear that it cannot be watched */
  int failure;   /* libuv's error: it is not watched; 0: it is */
} mc_watched;

static void on_quiet(uv_timer_t *timer);

/* ---- what matters ---- */

static bool is_folder_or_gone(const char *path) {
  struct stat info;
  return stat(path, &info) != 0 || S_ISDIR(info.st_mode);
}

static bool is_link(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

static bool is_script(const char *name) {
  size_t size = strlen(name);
  return size > 4 && strcmp(name + size - 4, ".lua") == 0;
}

/* Hidden files are no scripts, but a hidden link may stand before them: so Kubernetes changes what is in a volume, by
 * its link ..data. */
static bool concerns_scripts(const char *folder, const char *name) {
  mc_buf path = {0};
  mc_buf_printf(&path, "%s/%s", folder, name);
  *mc_buf_reserve(&path, 1) = '\0';
  bool concerns = name[0] == '.' ? is_link(path.data) : is_script(name) || is_folder_or_gone(path.data);
  mc_buf_deinit(&path);
  return concerns;
}

/* name: NULL where the kernel says only that something happened. */
static bool matters(const mc_watched *watched, const char *name) {
  if (!name)
    return true;
  return watched->only ? strcmp(name, watched->only) == 0 : concerns_scripts(watched->path, name);
}

static void on_change(uv_fs_event_t *event, const char *name, int events, int status) {
  mc_watched *watched = mc_container_of(event, mc_watched, event);
  mc_watch *watch = &watched->node->watch;
  (void)events;
  if (status || !watch->open || !matters(watched, name))
    return;
  uint64_t now_ms = mc_clock_mono_ms();
  if (!watch->first_ms)
    watch->first_ms = now_ms;
  if (now_ms - watch->first_ms < SETTLE_MAX_MS)
    uv_timer_start(&watch->settle, on_quiet, SETTLE_MS, 0);
}

/* ---- the folders ---- */

static void on_closed(uv_handle_t *handle) {
  mc_watched *watched = mc_container_of(handle, mc_watched, event);
  free(watched->path);
  free(watched->only);
  free(watched);
}

static void forget_folders(mc_watch *watch) {
  for (size_t i = 0; i < watch->count; i++)
    uv_close((uv_handle_t *)&watch->folders[i]->event, on_closed);
  watch->count = 0;
}

static mc_watched *add(mc_node *node, const char *path, const char *only) {
  mc_watch *watch = &node->watch;
  mc_watched *watched = mc_zalloc(sizeof *watched);
  watched->node = node;
  watched->path = mc_strdup(path);
  watched->only = mc_strdup(only);
  uv_fs_event_init(&node->loop, &watched->event);
  watch->folders = mc_realloc(watch->folders, (watch->count + 1) * sizeof *watch->folders);
  watch->folders[watch->count++] = watched;
  watched->failure = uv_fs_event_start(&watched->event, on_change, path, 0);
  return watched;
}

static void on_folder(void *arg, const char *path) {
  add(arg, path, NULL);
}

/* The folder that holds the scripts folder. */
static void add_parent(mc_node *node) {
  char *for_folder = mc_strdup(node->config->scripts), *for_name = mc_strdup(node->config->scripts);
  add(node, dirname(for_folder), basename(for_name));
  free(for_folder);
  free(for_name);
}

/* ---- the way to them ---- */

static void add_way(mc_node *node, const char *path, size_t from, int *links);

/* What a link in this folder leads to is a step of the way as well. */
static void follow(mc_node *node, const char *folder, const char *link, int *links) {
  char target[PATH_MAX];
  ssize_t size = *links > 0 ? readlink(link, target, sizeof target - 1) : -1;
  if (size <= 0)
    return;
  target[size] = '\0';
  --*links;
  mc_buf path = {0};
  if (target[0] != '/')
    mc_buf_printf(&path, "%s/", folder);
  size_t from = path.size;
  mc_buf_add_text(&path, target);
  *mc_buf_reserve(&path, 1) = '\0';
  add_way(node, path.data, from, links);
  mc_buf_deinit(&path);
}

/* The name that the path ends in, where it stands. */
static void add_step(mc_node *node, const char *path, int *links) {
  char *for_folder = mc_strdup(path), *for_name = mc_strdup(path);
  const char *folder = dirname(for_folder), *name = basename(for_name);
  if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
    add(node, folder, name)->optional = true;
  follow(node, folder, path, links);
  free(for_folder);
  free(for_name);
}

/* Each folder of the path may be replaced, or be a link that is set anew: so a release takes the place of another. From
 * where the steps have not been added. */
static void add_way(mc_node *node, const char *path, size_t from, int *links) {
  char *way = mc_strdup(path);
  for (char *at = way + from + strspn(way + from, "/"); *at;) {
    char *end = at + strcspn(at, "/"), after = *end;
    *end = '\0';
    add_step(node, way, links);
    *end = after;
    at = end + strspn(end, "/");
  }
  free(way);
}

/* ---- those that cannot be watched ---- */

static const char *explain(int failure) {
  if (failure == UV_ENOSPC)
    return "the kernel's limit for watches is reached: raise fs.inotify.max_user_watches (sysctl)";
  if (failure == UV_EMFILE)
    return "the kernel's limit for watchers is reached: raise fs.inotify.max_user_instances (sysctl)";
  return uv_strerror(failure);
}

/* One line for all, and only when there are more or fewer than before: folders may be many. */
static void tell_unwatched(mc_watch *watch) {
  const mc_watched *first = NULL;
  size_t count = 0;
  for (size_t i = 0; i < watch->count; i++) {
    const mc_watched *watched = watch->folders[i];
    if (!watched->failure || watched->optional)
      continue;
    count++;
    first = first ? first : watched;
  }
  if (first && count != watch->unwatched) {
    mc_log_begin(MC_LOG_WARN, "folders not watched");
    mc_log_int("folders", (int64_t)count);
    mc_log_text("first", first->path);
    mc_log_text("detail", explain(first->failure));
    mc_log_text("consequence", "a change in them reloads nothing: send HUP, or use `mooncrew reload`");
    mc_log_end();
  }
  watch->unwatched = count;
}

/* All anew: folders come and go, and one may be replaced by another of the same name. */
static void watch_folders(mc_node *node) {
  int links = MAX_LINKS;
  forget_folders(&node->watch);
  add_parent(node);
  mc_snapshot_folders(node->config->scripts, on_folder, node);
  add_way(node, node->config->scripts, 0, &links); /* last: where watches are scarce, scripts are changed more often */
  tell_unwatched(&node->watch);
}

/* ---- what comes of it ---- */

/* Scripts that cannot be read now are a change, too: whoever asks for them says why. */
static bool is_changed(mc_node *node) {
  mc_snapshot now = {.fd = -1};
  mc_err err;
  uint64_t digest = mc_snapshot_take(node->config->scripts, &now, &err) ? 0 : now.digest;
  bool changed = digest != node->watch.seen_digest;
  mc_snapshot_close(&now);
  node->watch.seen_digest = digest;
  return changed;
}

static void on_settled(uv_timer_t *timer) {
  mc_watch *watch = mc_container_of(timer, mc_watch, settle);
  mc_node *node = mc_container_of(watch, mc_node, watch);
  watch->first_ms = 0;
  watch_folders(node); /* first: what changes from now on is told */
  if (is_changed(node))
    mc_reload_ask(node);
}

/* Due timers run before the kernel is asked for events. A loop that was late has a change waiting there, maybe, whose
 * end is yet to come: it is heard before the timer fires again, and then puts it off. Not 0 ms, which libuv 1.44 counts
 * as due in this same pass. */
static void on_quiet(uv_timer_t *timer) {
  uv_timer_start(timer, on_settled, 1, 0);
}

void mc_watch_open(mc_node *node) {
  mc_watch *watch = &node->watch;
  if (!node->config->watch)
    return;
  watch->open = true;
  watch->seen_digest = node->reload.serving.scripts.digest;
  uv_timer_init(&node->loop, &watch->settle);
  watch_folders(node);
  uv_timer_start(&watch->settle, on_quiet, SETTLE_MS, 0); /* what changed between the copy and the watch */
}

void mc_watch_close(mc_node *node) {
  mc_watch *watch = &node->watch;
  if (!watch->open)
    return;
  watch->open = false;
  forget_folders(watch);
  free(watch->folders);
  watch->folders = NULL;
  uv_close((uv_handle_t *)&watch->settle, NULL);
}
