#!/usr/bin/env bash
# The client for Node as somebody with a checkout has it: packed, installed in a folder of an application, and the example run as it says.
# labels: slow
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
package=$("${SOURCE_DIR:?}/clients/typescript/pack.sh" "$directory/packages")
cp -r "$SOURCE_DIR/examples/user_service" "$directory/example"
cd "$directory/example"
if ! npm install --no-save --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error "$package"; then
  echo "npm cannot install what the example needs" >&2
  exit 77
fi
chmod -R a+rX "$directory"
cat >run.sh <<'SH'
set -euo pipefail
createdb packed
trap 'dropdb packed' EXIT
export PGOPTIONS=--client-min-messages=warning
psql packed -q -1 -o /dev/null -f "$SOURCE_DIR/sql/postgres/install.sql"
psql packed -q -o /dev/null -f users.sql
DATABASE_URL="postgresql:///packed?host=$PGHOST" npm start --silent
SH
"${POSTGRES_SERVER:?}" -- bash run.sh >printed
diff printed <(sed -n '/^```text$/,/^```$/{/^```/d;p}' README.md)
