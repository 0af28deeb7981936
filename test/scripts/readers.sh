#!/usr/bin/env bash
# Nothing of the application's runs with the rights of who uses the trail.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export INSTALL_SQL=${INSTALL_SQL:-$(cd "$here/../.." && pwd)/sql/postgres/install.sql}
for scenario in ${*:-planted types}; do
  "${POSTGRES_SERVER:?}" -d shop -- "${PYTHON:-/usr/bin/python3}" -B "$here/../real/readers.py" "$scenario"
done
