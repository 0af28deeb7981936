# The front door; the house itself is CMake (CMakeLists.txt, CMakePresets.json).
#
#   make           build the library and build/bin/vestige
#   make demo      build, then show it at work on a shop's database
#   make test      build, and run the tests
#   make check     and the rest that must hold: lint, PostgreSQL of other versions, everything again under the sanitizers
#   make matrix    every PostgreSQL test on 13, 14, 16, 17 and 18; the native engine's on 13, 17 and 18
#   make clients-matrix   the clients' tests with the oldest drivers and frameworks that they support, all of them, and with the newest Python
#                  and Nodes there are, and each extra by itself; make check runs those that drivers have a part in
#   make bench     measure
#   make lint      clang-format and clang-tidy, as `make check` runs them
#   make format    rewrite the sources as clang-format wants them
#   make asan      the sanitized build and its tests
#   make fuzz      each fuzz target for SECONDS (default 30)
#   make install   into PREFIX (default /usr/local)
#   make console   the page of the console, console/dist, which is committed: needs Node and npm, which nothing else of this does
#   make pgext     the native engine for the PostgreSQL server of PG_CONFIG (default pg_config)
#   make sqlite-extension   build/sqlite/vestige0.so, SQLite's history from any language (docs/sqlite-extension.md)
#   make deb       Debian packages of the program, the console as a service, the library and the native engine, in build/packages

JOBS ?= $(shell nproc)
SECONDS ?= 30
PREFIX ?= /usr/local
PG_CONFIG ?= pg_config
CLIENTS = SOURCE_DIR=$(CURDIR) VESTIGE=$(CURDIR)/build/bin/vestige POSTGRES_SERVER=$(CURDIR)/build/bin/postgres_server
# One more than there are processors: a test that has a server of its own waits for it a third of the time.
TEST = ctest --no-tests=error -j $$(($(JOBS) + 1))

.PHONY: all demo test check matrix clients-matrix bench lint format asan fuzz install console pgext sqlite-extension deb clean build-packages test-packages
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
	@$(TEST) --preset test -LE 'lint|matrix'

check: test-packages
	@cmake --preset test >/dev/null
	@cmake --build --preset test -j $(JOBS)
	@$(TEST) --preset test -L 'lint|matrix'
	@$(MAKE) --no-print-directory asan

asan: test-packages
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS)
	@$(TEST) --preset asan

matrix: test-packages
	@cmake --preset test >/dev/null
	@cmake --build --preset test -j $(JOBS)
	@for major in 13 14 16 17 18; do test/matrix.sh $$major --all || exit 1; done
	@for major in 13 17 18; do for part in boundary capture native; do test/native.sh $$part $$major || exit 1; done; done
	@for major in 17 18; do test/native.sh memory $$major || exit 1; done

clients-matrix: test-packages
	@cmake --preset test >/dev/null
	@cmake --build --preset test -j $(JOBS) --target vestige_cli postgres_server sqlite_extension
	@REQUIREMENTS=requirements-oldest.txt test/scripts/clients_python.sh
	@for part in clients_python_between clients_python_newest clients_python_extras typescript_oldest typescript_nodes typescript_frameworks; do $(CLIENTS) test/scripts/$$part.sh || [ $$? = 77 ] || exit 1; done

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

console:
	@console/prepare.sh build/console
	@cmake -E rm -rf console/dist
	@cmake -E copy_directory build/console/dist console/dist

pgext: all
	@scripts/install-packages pgext
	@cmake --preset release -D VESTIGE_PG_CONFIG=$(PG_CONFIG) >/dev/null
	@cmake --build build --target pgext -j $(JOBS)
	@echo "build/pgext/vestige.so; to install it: cmake --install build --component pgext"

sqlite-extension: all
	@cmake --build build --target sqlite_extension -j $(JOBS)
	@echo "build/sqlite/vestige0.so"

deb: pgext
	@scripts/install-packages deb
	@scripts/deb build build/packages

clean:
	@cmake -E rm -rf build
