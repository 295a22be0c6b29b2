/* The authorities that the system trusts: see authorities.h. */
#include "redis/authorities.h"

#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *kept; /* NULL: none was read */
static mc_buf kept_from; /* what describe() said when it was */

static const char *place_of(const char *variable, const char *usual) {
  const char *given = secure_getenv(variable);
  return given ? given : usual;
}

/* Where it is, and which state of it: another one, or one that was written to or may be read now, is another. */
static void describe_one(mc_buf *out, const char *path) {
  struct stat now = {0};
  stat(path, &now); /* where it is not there, all zero */
  mc_buf_printf(out, "%s %llu %llu %lld %lld.%09ld %lld.%09ld\n", path, (unsigned long long)now.st_dev,
                (unsigned long long)now.st_ino, (long long)now.st_size, (long long)now.st_mtim.tv_sec,
                now.st_mtim.tv_nsec, (long long)now.st_ctim.tv_sec, now.st_ctim.tv_nsec);
}

/* Folders are separated by colons. */
static void describe(mc_buf *out) {
  describe_one(out, place_of(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
  char *folders = mc_strdup(place_of(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())), *left = folders;
  for (char *folder; (folder = strsep(&left, ":"));)
    describe_one(out, folder);
  free(folders);
}

/* What could not be read leaves a store without authorities, and nobody says so: that one is not kept for the next.
 * (Folders alone give such a store as well; it reads them when it needs them, and costs nothing to make.) */
static bool is_to_be_kept(void) {
  return kept && sk_X509_OBJECT_num(X509_STORE_get0_objects(kept)) > 0;
}

/* Takes the description. */
static void read_again(mc_buf *from) {
  X509_STORE_free(kept);
  kept = X509_STORE_new();
  if (kept)
    X509_STORE_set_default_paths(kept);
  mc_buf_deinit(&kept_from);
  if (!is_to_be_kept())
    return;
  kept_from = *from;
  *from = (mc_buf){0};
}

X509_STORE *mc_authorities_take(void) {
  mc_buf now = {0};
  pthread_mutex_lock(&lock);
  describe(&now);
  if (!kept || !mc_slice_equal(mc_buf_slice(&now), mc_buf_slice(&kept_from)))
    read_again(&now);
  X509_STORE *taken = kept;
  if (taken)
    X509_STORE_up_ref(taken);
  pthread_mutex_unlock(&lock);
  mc_buf_deinit(&now);
  return taken;
}
