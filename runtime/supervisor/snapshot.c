/* A copy of all scripts: see snapshot.h. The walk is that of lua/mooncrew/scripts.lua. */
#include "supervisor/snapshot.h"

#include "base/buf.h"
#include "base/mem.h"
#include "protocol/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MAX_BYTES (64u << 20)

/* A walk through the folder. Folders are remembered by device and inode, because links can form a ring. */
struct walk {
  mc_buf seen;   /* of struct identity */
  mc_buf path;   /* where it is, NUL-terminated */
  int failed_as; /* 0, or the code of what ended it */
  mc_err *err;
  mc_folder_fn *on_folder;
  void (*on_file)(struct walk *walk, const struct stat *info);
  void *arg;
};

struct identity {
  dev_t device;
  ino_t inode;
};

static void stop(struct walk *walk, int code, const char *why) {
  walk->failed_as = mc_fail(walk->err, code, "cannot read '%s': %s", walk->path.data, why);
}

static bool is_new(struct walk *walk, const struct stat *info) {
  struct identity found;
  memset(&found, 0, sizeof found); /* padding is compared, too */
  found.device = info->st_dev;
  found.inode = info->st_ino;
  for (size_t at = 0; at < walk->seen.size; at += sizeof found)
    if (memcmp(walk->seen.data + at, &found, sizeof found) == 0)
      return false;
  mc_buf_add(&walk->seen, &found, sizeof found);
  return true;
}

static void set_path(mc_buf *path, size_t size, const char *name) {
  path->size = size;
  if (name)
    mc_buf_printf(path, "/%s", name);
  *mc_buf_reserve(path, 1) = '\0';
}

static bool is_script(const char *name) {
  size_t size = strlen(name);
  return size >= 4 && strcmp(name + size - 4, ".lua") == 0;
}

/* A link to nothing or to itself, or what is gone since it was listed; else a script may stand there that is not to be
 * left out. */
static void pass_over(struct walk *walk) {
  if (walk->on_file && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
    stop(walk, MC_EIO, strerror(errno));
}

static void walk_folder(struct walk *walk);

static void walk_entry(struct walk *walk, const char *name) {
  size_t size = walk->path.size;
  struct stat info;
  set_path(&walk->path, size, name);
  if (name[0] == '.')
    ;
  else if (stat(walk->path.data, &info))
    pass_over(walk);
  else if (S_ISDIR(info.st_mode) && is_new(walk, &info))
    walk_folder(walk);
  else if (S_ISREG(info.st_mode) && is_script(name) && walk->on_file)
    walk->on_file(walk, &info);
  if (!walk->failed_as) /* else the path is that of the failure */
    set_path(&walk->path, size, NULL);
}

static void walk_folder(struct walk *walk) {
  DIR *folder = opendir(walk->path.data);
  const struct dirent *entry;
  if (!folder) {
    if (walk->on_file) /* a look for folders takes what it can get */
      stop(walk, MC_EIO, strerror(errno));
    return;
  }
  if (walk->on_folder)
    walk->on_folder(walk->arg, walk->path.data);
  while (!walk->failed_as && (entry = readdir(folder)))
    walk_entry(walk, entry->d_name);
  closedir(folder);
}

/* From the folder on, whose path loses slashes at its end. */
static int walk_from(struct walk *walk, const char *folder) {
  struct stat info;
  size_t size = strlen(folder);
  while (size > 1 && folder[size - 1] == '/')
    size--;
  mc_buf_add(&walk->path, folder, size);
  set_path(&walk->path, size, NULL);
  if (stat(walk->path.data, &info))
    stop(walk, MC_EIO, strerror(errno));
  else if (is_new(walk, &info))
    walk_folder(walk);
  mc_buf_deinit(&walk->seen);
  mc_buf_deinit(&walk->path);
  return walk->failed_as;
}

void mc_snapshot_folders(const char *folder, mc_folder_fn *visit, void *arg) {
  struct walk walk = {.on_folder = visit, .arg = arg};
  walk_from(&walk, folder);
}

/* ---- what the files hold ---- */

struct file {
  char *path;
  size_t begin, size; /* in texts */
};

struct copy {
  struct file *files;
  size_t count;
  mc_buf texts; /* of all, one behind the other: files are many and small */
};

/* Adds what the file holds. */
static bool read_all(const char *path, mc_buf *out) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : 1;
  while (size > 0 && out->size <= SIZE_MAX_BYTES) {
    size = read(fd, mc_buf_reserve(out, 65536), 65536);
    if (size > 0)
      out->size += (size_t)size;
    else if (size < 0 && errno == EINTR)
      size = 1;
  }
  int reason = errno;
  if (fd >= 0)
    close(fd);
  errno = reason;
  return size >= 0;
}

static void copy_file(struct walk *walk, const struct stat *info) {
  struct copy *copy = walk->arg;
  (void)info;
  size_t begin = copy->texts.size;
  if (!read_all(walk->path.data, &copy->texts)) {
    stop(walk, MC_EIO, strerror(errno));
    return;
  }
  if ((copy->count & (copy->count - 1)) == 0) /* full: it doubles */
    copy->files = mc_realloc(copy->files, (copy->count ? 2 * copy->count : 1) * sizeof *copy->files);
  copy->files[copy->count++] = (struct file){mc_strdup(walk->path.data), begin, copy->texts.size - begin};
  if (copy->texts.size > SIZE_MAX_BYTES)
    stop(walk, MC_EINVALID, "the scripts of this folder are more than 64 MB");
}

static int compare_files(const void *left, const void *right) {
  return strcmp(((const struct file *)left)->path, ((const struct file *)right)->path);
}

static void pack(struct copy *copy, mc_buf *out) {
  if (copy->count > 0)
    qsort(copy->files, copy->count, sizeof *copy->files, compare_files); /* the same files, the same digest */
  for (size_t i = 0; i < copy->count; i++) {
    const struct file *file = &copy->files[i];
    mc_source_add(out, mc_slice_of(file->path), (mc_slice){copy->texts.data + file->begin, file->size});
  }
}

static void copy_deinit(struct copy *copy) {
  for (size_t i = 0; i < copy->count; i++)
    free(copy->files[i].path);
  free(copy->files);
  mc_buf_deinit(&copy->texts);
}

/* FNV-1a */
static uint64_t digest_of(mc_slice bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes.size; i++)
    hash = (hash ^ (unsigned char)bytes.data[i]) * 0x100000001b3u;
  return hash;
}

static bool write_all(int fd, mc_slice bytes) {
  while (bytes.size) {
    ssize_t size = write(fd, bytes.data, bytes.size);
    if (size < 0 && errno != EINTR)
      return false;
    if (size > 0)
      bytes = (mc_slice){bytes.data + size, bytes.size - (size_t)size};
  }
  return true;
}

static int seal(mc_slice bytes, int *out_fd, mc_err *err) {
  int fd = memfd_create("mooncrew-scripts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0)
    return mc_fail(err, MC_EIO, "memfd_create: %s", strerror(errno));
  if (!write_all(fd, bytes) || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)) {
    int rc = mc_fail(err, MC_EIO, "cannot keep a copy of the scripts: %s", strerror(errno));
    close(fd);
    return rc;
  }
  *out_fd = fd;
  return 0;
}

int mc_snapshot_take(const char *folder, mc_snapshot *out, mc_err *err) {
  struct copy copy = {0};
  struct walk walk = {.on_file = copy_file, .arg = &copy, .err = err};
  mc_buf bytes = {0};
  int code = walk_from(&walk, folder);
  if (code == 0) {
    pack(&copy, &bytes);
    code = seal(mc_buf_slice(&bytes), &out->fd, err);
  }
  if (code == 0)
    out->digest = digest_of(mc_buf_slice(&bytes));
  copy_deinit(&copy);
  mc_buf_deinit(&bytes);
  return code;
}

static bool find_path(mc_slice files, size_t number, char *path, size_t size) {
  mc_source source;
  bool found = number > 0;
  while (found && number-- > 0)
    found = mc_source_next(&files, &source);
  if (found)
    snprintf(path, size, "%.*s", (int)source.path.size, source.path.data);
  return found;
}

bool mc_snapshot_path(const mc_snapshot *snapshot, size_t number, char *path, size_t size) {
  struct stat info;
  if (snapshot->fd < 0 || fstat(snapshot->fd, &info) || info.st_size == 0)
    return false;
  mc_slice files = {mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, snapshot->fd, 0), (size_t)info.st_size};
  if (files.data == MAP_FAILED)
    return false;
  bool found = find_path(files, number, path, size);
  munmap((void *)files.data, files.size);
  return found;
}

void mc_snapshot_close(mc_snapshot *snapshot) {
  if (snapshot->fd >= 0)
    close(snapshot->fd);
  snapshot->fd = -1;
}
