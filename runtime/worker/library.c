/* Libraries loaded on demand: see library.h. */
#include "worker/library.h"

#include <dlfcn.h>
#include <string.h>

int mc_library_load(const char *soname, const char *package, const mc_symbol *symbols, size_t count, mc_err *err) {
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return mc_fail(err, MC_EUNAVAILABLE, "%s does not load (%s): install the package %s", soname, dlerror(), package);
  for (size_t i = 0; i < count; i++)
    if (!dlsym(library, symbols[i].name)) {
      dlclose(library);
      return mc_fail(err, MC_EUNAVAILABLE, "%s has no %s: install a newer %s", soname, symbols[i].name, package);
    }
  for (size_t i = 0; i < count; i++) {
    void *function = dlsym(library, symbols[i].name);
    memcpy(symbols[i].into, &function, sizeof function);
  }
  return 0;
}
