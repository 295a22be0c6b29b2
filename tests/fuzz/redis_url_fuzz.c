/* Fuzzes Redis addresses. What is accepted must be whole, copy, and be shown in its room; what is refused must say why.
 * Built with libFuzzer (clang -fsanitize=fuzzer). */
#include "redis/url.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth) {
  if (!truth)
    abort();
}

static void check_accepted(mc_redis_url *url) {
  char shown[4096], cut[16];
  mc_redis_url copy;
  require(!url->host != !url->path && url->db >= 0);
  require(url->path ? url->path[0] == '/' : url->port >= 1 && url->port <= 65535);
  require(!url->user || url->password);
  require(strlen(mc_redis_url_show(url, cut, sizeof cut)) < sizeof cut);
  require(strncmp(mc_redis_url_show(url, shown, sizeof shown), "redis", 5) == 0);
  mc_redis_url_copy(url, &copy);
  mc_redis_url_deinit(url);
  mc_redis_url_deinit(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = mc_strndup((const char *)data, size);
  mc_redis_url url;
  mc_err err = {""};
  int rc = mc_redis_url_parse(text, &url, &err);
  if (rc == 0)
    check_accepted(&url);
  else
    require(rc == MC_EINVALID && err.text[0]);
  free(text);
  return 0;
}
