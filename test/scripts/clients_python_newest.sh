#!/usr/bin/env bash
# The Python client with the newest Python that is here, and so with drivers and frameworks that the system's own is too old for: Django
# 6 wants 3.12. One that is not on the PATH is looked for where pyenv keeps its own. Skipped where there is none newer.
# labels: slow matrix
set -euo pipefail
source=${SOURCE_DIR:?}
newer() {  # PYTHON: whether it runs, and is newer than the system's
  "$1" -c "import ssl, sqlite3, sys; sys.exit(sys.version_info[:2] <= ($(/usr/bin/python3 -c 'import sys; print(*sys.version_info[:2], sep=",")')))" 2>/dev/null
}
found=
for minor in 15 14 13 12; do
  for one in "$(command -v python3.$minor || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.$minor.*/bin/python3.$minor; do
    [[ -z $found && -x $one ]] && newer "$one" && found=$one
  done
done
[[ -n $found ]] || { echo "no Python newer than /usr/bin/python3" >&2; exit 77; }
"$found" --version

# Where a Python cannot load extensions (pyenv builds them so), SQLite itself is asked to have ours in every connection, by what runs when
# an interpreter of the environment starts; what is said where there is no extension is then not to be seen.
left_out=(--ignore=tests/test_statements.py --ignore=tests/test_filter.py --ignore=tests/test_render.py --ignore=tests/test_package.py)
if ! "$found" -c 'import sqlite3; sqlite3.Connection.enable_load_extension' 2>/dev/null; then
  started=$(mktemp -d)
  trap 'rm -r "$started"' EXIT
  cat >"$started/sitecustomize.py" <<END
import ctypes
import sqlite3

extension = ctypes.CDLL("$(realpath "$(dirname "${VESTIGE:?}")/..")/sqlite/vestige0.so")
ctypes.CDLL("libsqlite3.so.0").sqlite3_auto_extension(ctypes.cast(extension.sqlite3_vestige_init, ctypes.c_void_p))
END
  export PYTHONPATH=$started
  absent="where_nothing_can_be_loaded or where_nothing_is_there or sqlite_without_the_extension or the_feed or a_script"
  left_out+=(-k "not ($absent or (prints_what_its_page_says and sqlite))")
fi
# Since 3.13 a connection of sqlite3 that was left to whoever collects the garbage is warned of; tests leave some.
PYTHON=$found "$source/test/scripts/clients_python.sh" "${left_out[@]}" -W ignore::pytest.PytestUnraisableExceptionWarning "$@"
