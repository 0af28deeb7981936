#!/usr/bin/env bash
# The vectors of the evidence formats are up to date, and the independent verifier agrees with each; it
# also agrees with the program about the sample files.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-/usr/bin/python3}
"$python" -B vectors/make.py --check
"$python" -B independent/vectors.py vectors
cd vectors/sample
for receipt in receipt.tlog-proof cosigned.tlog-proof; do
  "$python" -B ../../independent/verify.py receipt "$receipt" --vkey log.vkey
  "${VESTIGE:?}" check "$receipt" --vkey log.vkey >/dev/null
done
"$python" -B ../../independent/verify.py receipt cosigned.tlog-proof --policy policy
"$python" -B ../../independent/verify.py trail trail.ndjson checkpoint --vkey log.vkey
"$VESTIGE" check trail.ndjson checkpoint --vkey log.vkey >/dev/null
if "$python" -B ../../independent/verify.py receipt receipt.tlog-proof --vkey other.vkey; then exit 1; fi
if "$VESTIGE" check receipt.tlog-proof --vkey other.vkey; then exit 1; fi
