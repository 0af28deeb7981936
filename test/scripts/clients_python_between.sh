#!/usr/bin/env bash
# The Python client with SQLAlchemy 2.0, which is neither the newest nor the oldest that is supported.
# labels: slow matrix
set -euo pipefail
REQUIREMENTS=requirements-between.txt exec "${SOURCE_DIR:?}/test/scripts/clients_python.sh" \
  tests/test_sqlalchemy.py tests/test_sqlalchemy_{around,trail,watch,examples,withheld}.py tests/test_alembic.py "$@"
