# The front door; the house itself is CMake (CMakeLists.txt, CMakePresets.json).
#
#   make           build the library and build/bin/vestige
#   make demo      build, then show it at work on a shop's database
#   make test      everything that must hold: tests, sanitizers, lint
#   make matrix    every PostgreSQL test on 13, 14, 16, 17 and 18
#   make bench     measure
#   make lint      clang-format and clang-tidy, as `make test` runs them
#   make format    rewrite the sources as clang-format wants them
#   make asan      the sanitized build and its tests
#   make fuzz      each fuzz target for SECONDS (default 30)
#   make install   into PREFIX (default /usr/local)

JOBS ?= $(shell nproc)
SECONDS ?= 30
PREFIX ?= /usr/local
TEST = ctest --no-tests=error -j $(JOBS)

.PHONY: all demo test matrix bench lint format asan fuzz install clean build-packages test-packages
all: build-packages build/build.ninja
	@cmake --build --preset release -j $(JOBS)

build/build.ninja:
	@cmake --preset release >/dev/null

build-packages:
	@scripts/install-packages build
test-packages:
	@scripts/install-packages build test

demo: all
	@VESTIGE=$(CURDIR)/build/bin/vestige scripts/demo

test: test-packages
	@cmake --preset test >/dev/null
	@cmake --build --preset test -j $(JOBS)
	@$(TEST) --preset test
	@$(MAKE) --no-print-directory asan

asan: test-packages
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS)
	@$(TEST) --preset asan

matrix: test-packages
	@cmake --preset test >/dev/null
	@cmake --build --preset test -j $(JOBS)
	@for major in 13 14 16 17 18; do test/matrix.sh $$major --all || exit 1; done

lint: test-packages
	@cmake --preset test >/dev/null
	@$(TEST) --preset test -L lint

format: test-packages
	@scripts/lint format --fix

bench: test-packages
	@cmake --preset test >/dev/null
	@cmake --build --preset test -j $(JOBS)
	@scripts/bench

fuzz: test-packages
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@scripts/fuzz $(SECONDS)

install: all
	@cmake --install build --prefix $(PREFIX)

clean:
	@cmake -E rm -rf build
