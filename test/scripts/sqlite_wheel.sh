#!/usr/bin/env bash
# The wheel of the loadable extension: made, installed where nothing else is, loaded; and found by the client's wheel.
set -euo pipefail
build=$(realpath "$(dirname "${VESTIGE:?}")/..")
export VESTIGE_EXTENSION=$build/sqlite/vestige0.so
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"${PYTHON:-/usr/bin/python3}" -m venv "$directory/venv"
if ! "$directory/venv/bin/pip" install --quiet --disable-pip-version-check "hatchling>=1.26" auditwheel; then
  echo "pip cannot install what makes wheels" >&2
  exit 77
fi
cp -r "${SOURCE_DIR:?}/clients/sqlite/python" "$directory/source"
"$directory/venv/bin/pip" wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w "$directory" "$directory/source"
wheel=$(echo "$directory"/vestige_sqlite-*-py3-none-manylinux_*.whl)
# Its tag says the oldest system that has what it asks for.
tag=${wheel##*-}
if ! "$directory/venv/bin/auditwheel" show "$wheel" | grep -F "platform tag: \"${tag%.whl}\""; then
  "$directory/venv/bin/auditwheel" show "$wheel" >&2
  exit 1
fi
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
cd "$directory"
"$directory/venv/bin/python" - <<'PY'
import sqlite3
import vestige_sqlite
db = sqlite3.connect(":memory:")
vestige_sqlite.load(db)
db.execute("create table t (id integer primary key)")
assert db.execute("select vestige_init(), vestige_track('t')").fetchone() == (1, 1)
db.execute("insert into t values (7)")
assert db.execute("select new_values from vestige_history('t', 7)").fetchone() == ('{"id":7}',)
try:
    db.execute("select load_extension('x')")
    raise SystemExit("loading stayed switched on")
except sqlite3.OperationalError as error:
    assert "not authorized" in str(error), error
try:
    vestige_sqlite.load(object())
    raise SystemExit("it was loaded into nothing")
except vestige_sqlite.ExtensionUnavailable as error:
    assert "apsw" in str(error), error
PY
# The client beside it, as `pip install vestige-audit[sqlite]` has it.
"$directory/venv/bin/pip" wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps -w "$directory" "$SOURCE_DIR/clients/python"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links "$directory" "vestige-audit[sqlite]"
"$directory/venv/bin/python" -W error - <<'PY'
import contextlib
import sqlite3
import vestige
from vestige import _install
from vestige.trail import Trail
assert "site-packages" in vestige.__file__, vestige.__file__
assert "create schema vestige" in _install.script()
with contextlib.closing(sqlite3.connect(":memory:")) as db:
    trail = Trail(db)
    assert trail.init()
    db.execute("create table t (id integer primary key, x)")
    trail.track("t")
    db.execute("insert into t values (7, x'00')")
    [change] = trail.history("t", 7)
    assert change.new == {"id": 7, "x": b"\0"}, change
PY
