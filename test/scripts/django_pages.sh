#!/usr/bin/env bash
# The history in Django's admin as a browser has it, with JavaScript and without, wide and narrow, looked at by axe.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/report_pages
CHROMIUM=$("${SOURCE_DIR:?}/test/report_pages/prepare.sh" "$folder")
export CHROMIUM LOOKS_AT_PAGES=$folder/admin.js
exec "$SOURCE_DIR/test/scripts/clients_python.sh" tests/test_django_browser.py
