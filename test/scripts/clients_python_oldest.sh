#!/usr/bin/env bash
# The Python client with the oldest drivers, frameworks and queues that it says it supports. `make clients-matrix` runs all of its tests
# with them; this leaves out those that no driver has a part in.
# labels: slow matrix
set -euo pipefail
export REQUIREMENTS=requirements-oldest.txt
alone=(context docs django_docs filter leaks package render statements)
left_out=()
for name in "${alone[@]}"; do left_out+=("--ignore=tests/test_$name.py"); done
# Old drivers leave sockets to whoever collects the garbage.
exec "${SOURCE_DIR:?}/test/scripts/clients_python.sh" "${left_out[@]}" -W ignore::pytest.PytestUnraisableExceptionWarning "$@"
