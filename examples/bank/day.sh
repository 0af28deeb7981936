#!/bin/sh
# A day at the bank, against the database that $VESTIGE_DB names. Each line is a transaction: who, in which session, as what.
set -e
book() {
  vestige exec --actor "$1" --session-id "$2" --business-process "$3" "$4" 2>/dev/null
}
transfer() {
  book "$1" "$2" transfer "update accounts set balance = balance - $5 where id = $3; update accounts set balance = balance + $5 where id = $4"
}

book john_doe web-1 deposit "update accounts set balance = balance + 2000 where id = 12345"
book john_doe web-1 withdrawal "update accounts set balance = balance - 1500 where id = 12345"
transfer john_doe web-1 12345 67890 3000
transfer teller_7 desk-2 12345 67890 1000
book john_doe web-1 deposit "update accounts set balance = balance + 50000 where id = 12345"  # 500.00: flagged
[ -z "$1" ] || sh -c "$1"  # what somebody does past the trail meanwhile
transfer john_doe web-1 12345 67890 2500  # the sixth change of one account: flagged
