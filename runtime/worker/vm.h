/* The worker's LuaJIT state, and the narrow way into it: a few functions of lua/mooncrew/worker.lua. */
#ifndef MC_WORKER_VM_H
#define MC_WORKER_VM_H

#include "base/err.h"
#include "base/slice.h"

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum mc_vm_entry {
  MC_VM_LOAD,
  MC_VM_START,
  MC_VM_FOLD,
  MC_VM_STEP,
  MC_VM_STOP,
  MC_VM_FORGET,
  MC_VM_ENQUEUED,
  MC_VM_CLOSE,
  MC_VM_ENTRIES,
} mc_vm_entry;

typedef struct mc_vm {
  lua_State *L;
  uint32_t worker; /* this worker's number, for log lines; set by the caller before it is opened */
  int error_handler;
  int hook_mask;              /* of the debug hook when the call at hand began */
  int entries[MC_VM_ENTRIES]; /* references */
} mc_vm;

struct mc_bindings;

/* A state with the project's modules, its C halves, and lua/mooncrew/worker.lua loaded. lua_path: empty for the
 * compiled-in modules. The bindings are borrowed as long as the state lives. */
int mc_vm_open(mc_vm *vm, const char *lua_path, struct mc_bindings *bindings, mc_err *err);

/* A call of an entry: begin, push its arguments on vm->L, run. After success its results are on the stack and the
 * caller pops them with mc_vm_end; after a failure (logged with its traceback) nothing is left to end. */
void mc_vm_begin(mc_vm *vm, mc_vm_entry entry);
int mc_vm_run(mc_vm *vm, int results, mc_err *err);
void mc_vm_end(mc_vm *vm);

/* Takes away a debug hook that Lua code has set since mc_vm_begin: hooks are the state's, not a coroutine's, and would
 * strike everybody else. True: there was one. */
bool mc_vm_unhook(mc_vm *vm);

/* Calls the function behind a reference, without arguments; an error is logged. */
void mc_vm_call_back(mc_vm *vm, int reference);

#endif
