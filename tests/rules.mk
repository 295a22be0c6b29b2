# Tests, demo, benchmark and care: included by the Makefile.

# ---- unit tests, specs, integration ----

# Which rooms a unit test of a room is linked with.
USES_base       := base
USES_config     := config base
USES_protocol   := protocol base
USES_redis      := redis base
USES_supervisor := supervisor redis protocol config base
USES_worker     := worker lualib redis protocol base
USES_client     := client redis protocol base
USES_lualib     := lualib protocol base
USES_cli        := cli client lualib redis protocol config base
USES_server     := protocol base

UNIT_SOURCES := $(wildcard tests/unit/*/*_test.c)
UNIT_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/support/*.c))
UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SOURCES))

# What the tests of one room share: the files beside them that are not tests.
unit_helpers = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %_test.c,$(wildcard tests/unit/$1/*.c)))

define unit_rule
$(BUILD)/tests/unit/$1/%: $(BUILD)/tests/unit/$1/%.o $(call unit_helpers,$1) $(UNIT_SUPPORT) $(foreach room,$(USES_$1),$(call room_objects,$(room)))
	@echo "link $$@"
	@$(CC) $(LDFLAGS) -o $$@ $$^ $(if $(findstring worker,$1)$(findstring lualib,$1)$(findstring cli,$1),$$(LIBS),$$(CLIENT_LIBS)) -lcmocka -lm
endef
$(foreach room,$(ROOMS) server,$(eval $(call unit_rule,$(room))))

unit: $(UNIT_TESTS) ## unit tests (cmocka)
	@BUILD=$(BUILD) SAN=$(SAN) tests/run unit '$(TEST)'

spec: all ## specs of the Lua modules and the example scripts (busted)
	@BUILD=$(BUILD) SAN=$(SAN) tests/run spec '$(TEST)'

integration: all ## the real binary with a real Redis (busted)
	@BUILD=$(BUILD) SAN=$(SAN) tests/run integration '$(TEST)'

test: deps ## set up and run every test
	@$(MAKE) --no-print-directory all $(UNIT_TESTS)
	@BUILD=$(BUILD) SAN=$(SAN) tests/run 'unit spec integration' '$(TEST)'

soak: all ## promises kept over many minutes (not a part of `make test`)
	@BUILD=$(BUILD) SAN=$(SAN) tests/run soak '$(TEST)'

# ---- with the real asynq ----

$(BUILD)/tests/interop/enqueue: tests/interop/program/enqueue.c $(BUILD)/libmooncrew.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -Iruntime -o $@ $^ $(CLIENT_LIBS)

interop: deps ## tasks, states and servers shared with the real asynq (needs Go)
	@$(MAKE) --no-print-directory all $(BUILD)/tests/interop/enqueue
	@BUILD=$(BUILD) SAN=$(SAN) GO=$(GO) tests/interop/run '$(TEST)'

# ---- the demo ----

$(BUILD)/demo/enqueue: demo/enqueue.c $(BUILD)/libmooncrew.a
	@mkdir -p $(@D)
	$(CC) -Iruntime/client $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)

demo: deps ## set up, build, and run the main job from end to end
	@$(MAKE) --no-print-directory all $(BUILD)/demo/enqueue
	@BUILD=$(BUILD) demo/run

# ---- the benchmark ----

BENCH_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c)) $(UNIT_SUPPORT) \
                $(CLIENT_OBJECTS)

$(BUILD)/tests/bench/bench: $(BENCH_OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)

bench: deps ## measure: drain rate and cost against a bare client, idle pickup
	@$(MAKE) --no-print-directory all $(BUILD)/tests/bench/bench
	@MOONCREW=$(BUILD)/mooncrew $(BUILD)/tests/bench/bench

# ---- care ----

C_FILES := $(shell find runtime tests examples demo -name '*.[ch]' 2>/dev/null)

lint: $(GEN)/protocol/server_scripts.c ## luacheck, the include rules, clang's warnings where clang is installed
	@luacheck -q lua scripts demo spec tests tools $(GEN)/protocol/server
	@tools/check-includes
	@if command -v clang >/dev/null; then $(MAKE) --no-print-directory all CC=clang BUILD=build/clang; fi

format: ## clang-format all C files
	clang-format -i $(C_FILES)

FUZZ_SECONDS := 30
FUZZERS      := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SOURCES  = $(wildcard runtime/base/*.c runtime/protocol/*.c runtime/redis/*.c) $(OBJ_protocol_gen:.o=.c)

$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_SOURCES)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -g -O1 -fsanitize=fuzzer,address,undefined -o $@ $^ $(CLIENT_LIBS)

fuzz: ## every decoder against random input, FUZZ_SECONDS=30 each (needs clang)
	@command -v clang >/dev/null || { echo "make fuzz needs clang: apt-get install clang" >&2; exit 1; }
	@$(MAKE) --no-print-directory $(FUZZERS)
	@for fuzzer in $(FUZZERS); do echo "$$fuzzer"; \
	  $$fuzzer -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 || exit 1; done
