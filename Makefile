# ecert: build with PGXS against the PostgreSQL that pg_config names.
#
#   make            build            make check    build and run every test on a throw-away server
#   make install    install          make demo     the whole job on sample plants
#   make ASSERTS=1  build with ecert's assertions
#   make SANITIZE=1 build with AddressSanitizer and UBSan; the server has to be started with libasan (scripts/dev.sh)
#
# GNUmakefile, which make reads first, has check and demo: PGXS keeps the name check for itself.
EXTENSION = ecert
MODULE_big = ecert
DATA_built = ecert--1.0.sql

# Joined in this order, which is that of the arrows between the folders
SQL_PARTS = \
	src/package/package.sql \
	src/record/record.sql \
	src/registry/registry.sql \
	src/registry/policy.sql \
	src/ledger/ledger.sql \
	src/ledger/peer.sql \
	src/ledger/rules.sql \
	src/ledger/verify_rows.sql \
	src/ledger/moved.sql \
	src/ledger/ask.sql \
	src/governance/governance.sql \
	src/checkpoint/checkpoint.sql \
	src/checkpoint/story.sql \
	src/checkpoint/witness.sql \
	src/energy/energy.sql \
	src/energy/saving.sql \
	src/audit/audit.sql \
	src/certificate/standing.sql \
	src/certificate/certificate.sql \
	src/verify/verify.sql \
	src/replication/receiver.sql \
	src/replication/link.sql \
	src/replication/resume.sql \
	src/replication/story.sql \
	src/replication/compare.sql \
	src/duty/duty.sql \
	src/duty/structure.sql \
	src/duty/health.sql \
	src/setup/setup.sql

SOURCES = $(wildcard src/*.c src/core/*.c src/crypto/*.c src/rules/*.c src/pg/*.c src/package/*.c \
	src/record/*.c src/registry/*.c src/ledger/*.c src/energy/*.c src/audit/*.c src/certificate/*.c src/checkpoint/*.c src/duty/*.c)
OBJS = $(SOURCES:.c=.o)

REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
ISOLATION = $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))
TAP_TESTS = 1

PG_CONFIG ?= pg_config
# The compiler notes beside each object which headers it was made with. src/rules does not see the server's headers: a
# server that checks its assertions has those of rules checked too
PG_CPPFLAGS = -I$(srcdir)/src -I$(libpq_srcdir) -MMD -MP $(if $(findstring enable-cassert,$(shell $(PG_CONFIG) --configure)),-DECERT_CHECKS)
PG_CFLAGS = -std=gnu11 -fvisibility=hidden -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
# ASSERTS=1: the assertions of ecert are checked, also where the server was built without its own (docs/design.md)
ifdef ASSERTS
PG_CFLAGS += -DUSE_ASSERT_CHECKING
endif
SHLIB_LINK = -lcrypto -lsodium $(libpq)
# SANITIZE=1: what reads or writes beside its memory ends the server's process; what C does not define is written to its log
ifdef SANITIZE
PG_CFLAGS += -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=address -fno-omit-frame-pointer -Wno-maybe-uninitialized
SHLIB_LINK += -fsanitize=address,undefined
endif
EXTRA_CLEAN = ecert--1.0.sql build $(OBJS:.o=.d)

# The server's bitcode needs its very clang; an extension gains nothing from it
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): Makefile
-include $(OBJS:.o=.d)

ecert--1.0.sql: $(SQL_PARTS) Makefile
	{ printf '%s\n' '\echo Use "CREATE EXTENSION ecert" to load this file. \quit' 'SET LOCAL standard_conforming_strings = on;'; cat $(SQL_PARTS); } > $@
