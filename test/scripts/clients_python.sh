#!/usr/bin/env bash
# The Python client: its types, its lint, and its tests against a server, PgBouncer and SQLite, in a virtual environment.
# labels: slow
set -euo pipefail
source=${SOURCE_DIR:-$PWD}
export VESTIGE=${VESTIGE:-$source/build/bin/vestige} PYTHONDONTWRITEBYTECODE=1
requirements=${REQUIREMENTS:-requirements.txt}
environment=$(dirname "$VESTIGE")/../venv/${requirements%.txt}${PYTHON:+-$(basename "$PYTHON")}

# Made anew when the list or the interpreter is another; what is half made is not taken for whole.
wanted=$(cat "$source/clients/python/tests/$requirements"; "${PYTHON:-/usr/bin/python3}" --version)
if [[ $wanted != "$(cat "$environment/made-of" 2>/dev/null)" ]]; then
  rm -rf "$environment"
  "${PYTHON:-/usr/bin/python3}" -m venv "$environment"
  if ! "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$source/clients/python/tests/$requirements"; then
    echo "pip cannot install what the tests need" >&2
    exit 77
  fi
  # It is fetched at its first run, from npm.
  if [[ $requirements == requirements.txt ]] && ! "$environment/bin/pyright" --version >/dev/null; then
    echo "npm has no pyright" >&2
    exit 77
  fi
  echo "$wanted" >"$environment/made-of"
fi

cd "$source/clients/python"
export PATH=$(realpath "$environment")/bin:$PATH PYTHONPATH=src:tests${PYTHONPATH:+:$PYTHONPATH}
checks() {
  ruff check --no-cache .
  ruff format --no-cache --check .
  mypy --cache-dir="$environment/mypy"
  pyright --pythonpath "$environment/bin/python" --warnings
}
# They take half a minute of one processor, beside tests that wait for a server most of the time.
checking=
if [[ $requirements == requirements.txt && $# == 0 ]]; then  # not for some of the tests
  checks >"$environment/checks" 2>&1 &
  checking=$!
fi
failed=0
"${POSTGRES_SERVER:-$source/build/bin/postgres_server}" -c max_prepared_transactions=4 -- python -m pytest "$@" || failed=$?
if [[ -n $checking ]] && ! wait "$checking"; then
  cat "$environment/checks" >&2
  failed=1
fi
exit $failed
