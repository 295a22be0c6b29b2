# mooncrew: build, test, install. `make help` lists the targets.
#
# Variables:  SAN=address,undefined  build and test with sanitizers      TEST=name  only tests whose file name holds it
#             CC=clang               another compiler                    BUILD=dir  another build folder
#             PREFIX=/usr/local DESTDIR=   where `make install` puts things

VERSION := 0.1.0
CC      := gcc
SAN     :=
TEST    :=
PREFIX  := /usr/local
BUILD   := build/$(if $(SAN),san,release)
GO      := $(or $(shell command -v go),/usr/local/go/bin/go)

ROOMS    := base config protocol redis supervisor worker client lualib cli

# Recursive on purpose: pkg-config is asked once the Debian packages are there (see deps).
PKG_CFLAGS = $(shell pkg-config --cflags luajit libuv hiredis libprotobuf-c libssl libcrypto libpcre2-8 libcurl libpq)
LIBS       = $(shell pkg-config --libs luajit libuv hiredis libprotobuf-c libssl libcrypto libpcre2-8) -lm -lpthread -ldl
# The installed client library carries no Lua and no PCRE2.
CLIENT_LIBS = $(shell pkg-config --libs libuv hiredis libprotobuf-c libssl libcrypto) -lpthread

CFLAGS   := -O2 -g -std=c11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -fPIC \
            -fvisibility=hidden -fno-omit-frame-pointer $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined)
CPPFLAGS  = -D_GNU_SOURCE -DMC_VERSION='"$(VERSION)"' -Iruntime -I$(BUILD)/gen $(PKG_CFLAGS)
LDFLAGS  := $(if $(SAN),-fsanitize=$(SAN)) -Wl,-E

GEN      := $(BUILD)/gen
objects   = $(patsubst %.c,$(BUILD)/%.o,$(filter-out runtime/main.c,$(wildcard runtime/$1/*.c)))
OBJ_protocol_gen := $(GEN)/protocol/task.pb-c.o $(GEN)/protocol/server_scripts.o
OBJ_lualib_gen   := $(GEN)/lualib/lua_modules.o
room_objects      = $(call objects,$1) $(OBJ_$1_gen)
ALL_OBJECTS      := $(foreach room,$(ROOMS),$(call room_objects,$(room)))

PRODUCTS := $(BUILD)/mooncrew $(BUILD)/libmooncrew.so $(BUILD)/libmooncrew.a $(BUILD)/lua/mooncrew/native.so \
            $(BUILD)/lua/mooncrew/native_client.so $(BUILD)/lua/mooncrew/native_cli.so $(BUILD)/lua/mooncrew/native_http.so

all: $(PRODUCTS) ## build everything

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile tests/rules.mk | sed 's/:.*## /\t/' | expand -t 14

deps: ## install the Debian packages that are missing
	@tools/deps

# ---- the build ----

$(BUILD)/mooncrew: $(BUILD)/runtime/main.o $(ALL_OBJECTS)
	@echo "link $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

CLIENT_LUA     = $(patsubst %.c,$(BUILD)/%.o,$(wildcard runtime/client/lua_*.c))
CLIENT_OBJECTS = $(filter-out $(CLIENT_LUA),$(foreach room,client redis protocol base,$(call room_objects,$(room))))

# Both export the names of mooncrew.h alone: what is hidden in the objects is made local in the static library as well.
$(BUILD)/libmooncrew.so: $(CLIENT_OBJECTS)
	$(CC) $(LDFLAGS) -shared -Wl,-soname,libmooncrew.so.0 -o $@ $^ $(CLIENT_LIBS)

$(BUILD)/libmooncrew.a: $(CLIENT_OBJECTS)
	$(CC) -r -nostdlib -o $(BUILD)/libmooncrew.o $^
	objcopy --localize-hidden $(BUILD)/libmooncrew.o
	rm -f $@ && ar rcs $@ $(BUILD)/libmooncrew.o

# The C halves of the Lua modules: for LuaJIT and plain Lua 5.1 alike, so they are linked with neither.
$(BUILD)/lua/mooncrew/native.so: $(filter-out %/modules.o,$(call objects,lualib)) $(call room_objects,base) \
                                 $(BUILD)/runtime/protocol/cron.o $(BUILD)/runtime/protocol/cron_next.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -shared -o $@ $^ $(shell pkg-config --libs libpcre2-8)

$(BUILD)/lua/mooncrew/native_client.so: $(filter-out %/mooncrew.o %/mooncrew_inspect.o,$(CLIENT_OBJECTS)) $(CLIENT_LUA)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -shared -o $@ $^ $(CLIENT_LIBS)

# HTTP and SMTP for tests of handlers, which run outside of a worker. libcurl is loaded when it is first needed.
$(BUILD)/lua/mooncrew/native_http.so: $(patsubst %,$(BUILD)/runtime/worker/%.o,native_http_alone native_http dialogue \
                                        transfer sink multi curl library behalf growth page) $(call objects,base)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -shared -o $@ $^ $(shell pkg-config --libs libuv) -lm

# The command line's: the binary has it inside; this one is for the specs.
$(BUILD)/lua/mooncrew/native_cli.so: $(filter-out %/cli.o,$(call objects,cli)) $(call objects,config) $(call objects,base) \
                                     $(patsubst %,$(BUILD)/runtime/redis/%.o,url url_query percent)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -shared -o $@ $^

$(BUILD)/%.o: %.c | $(GEN)/protocol/task.pb-c.h
	@mkdir -p $(@D) && echo "cc $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(GEN)/%.o: $(GEN)/%.c
	@echo "cc $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<

$(GEN)/protocol/task.pb-c.c $(GEN)/protocol/task.pb-c.h &: runtime/protocol/task.proto
	@mkdir -p $(@D)
	protoc-c --c_out=$(GEN)/protocol --proto_path=runtime/protocol task.proto

SERVER_SCRIPTS := $(wildcard runtime/protocol/server/*.lua)
$(GEN)/protocol/server_scripts.c: tools/embed.lua $(SERVER_SCRIPTS) $(wildcard runtime/protocol/server/parts/*.lua)
	@mkdir -p $(@D)/server
	@echo "embed $@"
	@luajit tools/embed.lua scripts $@ $(SERVER_SCRIPTS)

LUA_MODULES := $(shell find lua -name '*.lua')
$(GEN)/lualib/lua_modules.c: tools/embed.lua $(LUA_MODULES)
	@mkdir -p $(@D)
	@echo "embed $@"
	@luajit tools/embed.lua modules $@ $(LUA_MODULES)

# ---- installation ----

ROOT = $(DESTDIR)$(PREFIX)

install: all ## into $(DESTDIR)$(PREFIX): the program, the C library, the Lua modules
	install -d $(ROOT)/bin $(ROOT)/include $(ROOT)/lib/pkgconfig $(ROOT)/lib/lua/5.1/mooncrew
	install -m 755 $(BUILD)/mooncrew $(ROOT)/bin/
	install -m 644 runtime/client/mooncrew.h $(ROOT)/include/
	install -m 644 $(BUILD)/libmooncrew.a $(ROOT)/lib/
	install -m 755 $(BUILD)/libmooncrew.so $(ROOT)/lib/libmooncrew.so.$(VERSION)
	ln -sf libmooncrew.so.$(VERSION) $(ROOT)/lib/libmooncrew.so.0
	ln -sf libmooncrew.so.0 $(ROOT)/lib/libmooncrew.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' runtime/client/mooncrew.pc.in >$(ROOT)/lib/pkgconfig/mooncrew.pc
	install -m 755 $(patsubst %,$(BUILD)/lua/mooncrew/%.so,native native_client native_http) $(ROOT)/lib/lua/5.1/mooncrew/
	for file in $$(cd lua && find mooncrew -name '*.lua' -not -path '*/cli/*' -not -path '*/gen/*'); do \
	  install -D -m 644 lua/$$file $(ROOT)/share/lua/5.1/$$file || exit 1; done

include tests/rules.mk

clean: ## remove what was built
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all help deps unit spec integration test demo bench lint format fuzz interop soak install clean
.SECONDARY:
.DEFAULT_GOAL := all
