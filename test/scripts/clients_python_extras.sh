#!/usr/bin/env bash
# Each extra of the Python client by itself: installed where nothing else is, its module is there, and nothing of the others'.
# labels: slow matrix
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python=${PYTHON:-/usr/bin/python3}
"$python" -m venv "$directory/pip"
pip=("$directory/pip/bin/pip" --quiet --disable-pip-version-check)
if ! "${pip[@]}" install --upgrade "pip>=23" "hatchling>=1.26"; then
  echo "pip cannot install what makes wheels" >&2
  exit 77
fi
"${pip[@]}" wheel --no-build-isolation --no-deps -w "$directory" "${SOURCE_DIR:?}/clients/python"
wheel=$(echo "$directory"/vestige_audit-*.whl)

# `sqlite` is the package that clients/sqlite makes (sqlite_wheel), `sign` has no module of its own.
for extra in $(unzip -p "$wheel" '*/METADATA' | sed -n 's/^Provides-Extra: //p'); do
  [[ $extra != sqlite ]] || continue
  "$python" -m venv --without-pip "$directory/$extra"
  "${pip[@]}" --python "$directory/$extra/bin/python" install "$wheel[$extra]"
  case $extra in
    sign) command='import vestige, cryptography; vestige.sign_with(None)' ;;
    django) command='import vestige.django, vestige.django.middleware' ;;
    alembic) command='import vestige.sqlalchemy.alembic' ;;
    *) command="import vestige.$extra" ;;
  esac
  "$directory/$extra/bin/python" -W error -I -c "$command"
  echo "$extra"
done
