/* The authorities that the system trusts: see authorities.h. */
#include "redis/authorities.h"

#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *kept; /* NULL: none was read */
static mc_buf kept_from; /* what describe() said when it was */

/* Where it is, and which state of it: another one, or one that was written to, reads differently. */
static void describe_one(mc_buf *out, const char *variable, const char *usual) {
  const char *given = secure_getenv(variable);
  const char *path = given ? given : usual;
  struct stat stat_of = {0};
  stat(path, &stat_of); /* where it is not there, all zero */
  mc_buf_printf(out, "%s %llu %llu %lld %lld.%09ld\n", path, (unsigned long long)stat_of.st_dev,
                (unsigned long long)stat_of.st_ino, (long long)stat_of.st_size, (long long)stat_of.st_mtim.tv_sec,
                stat_of.st_mtim.tv_nsec);
}

static void describe(mc_buf *out) {
  describe_one(out, X509_get_default_cert_file_env(), X509_get_default_cert_file());
  describe_one(out, X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
}

/* Takes the description. */
static void read_again(mc_buf *from) {
  X509_STORE_free(kept);
  kept = X509_STORE_new();
  if (kept)
    X509_STORE_set_default_paths(kept);
  mc_buf_deinit(&kept_from);
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
