#!/usr/bin/env bash
# The console's API on both databases: what it answers, whom, and what it does with what is hostile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)/../server
python=${PYTHON:-/usr/bin/python3}
[[ $# -gt 0 ]] || "$python" -B "$here/api_page.py"
for test in ${*:-api guard rights tail}; do
  "$python" -B "$here/console_$test.py"
  "${POSTGRES_SERVER:?}" -- "$python" -B "$here/console_$test.py" --postgres
done
