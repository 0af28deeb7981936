#!/usr/bin/env bash
# The loadable extension: the file, and what it does in Python's own SQLite.
set -euo pipefail
file=$(realpath "$(dirname "${VESTIGE:?}")/../sqlite/vestige0.so")
fail() { echo "$file $1" >&2; exit 1; }
shown=$(nm -D --defined-only "$file" | awk '{ print $NF }' | xargs)
[[ $shown == sqlite3_vestige_init || $shown == *__asan* ]] || fail "shows more than its one function: $shown"
# Neither a second SQLite nor anything that the host might have otherwise.
wanted=$(ldd "$file" | awk '{ print $1 }' | { grep -vE '^(linux-vdso|/lib|lib(c|m|asan|ubsan|rt|dl|pthread|resolv|gcc_s)\.)' || true; } | xargs)
[[ -z $wanted ]] || fail "wants $wanted"
if ! nm -D "$file" | grep -q __asan; then
  (($(stat -c %s "$file") <= 2 << 20)) || fail "is larger than 2 MB"
fi
exec "${PYTHON:-/usr/bin/python3}" -B "${SOURCE_DIR:?}/clients/sqlite/test.py" "$file"
