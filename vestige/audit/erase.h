// erase: takes what was recorded of a person out of the trail, and says by whom and why (docs/evidence.md,
// "Erasing"). On PostgreSQL it is vestige.erase_changes (sql/postgres/install/erase.sql). Test: test/erase_test.cc,
// test/erase_attack_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"

namespace vestige {

/// What to erase: exactly one of a row, changes and a transaction.
struct EraseRequest {
  std::string table;  // a row's whole history, under every key it had: what `log` shows of it
  std::vector<std::string>
      key;  // as typed; with columns it may be left out: every row of the table
  std::vector<std::int64_t> changes;
  std::optional<std::int64_t> tx;
  std::vector<std::string>
      columns;  // of those only the changes that hold a value of one of these; all their values
  bool keys = false;  // the rows' keys, too: then nobody finds out any more whose changes they were
  bool contexts = false;  // and what the application said, of every change of the same transactions
  std::string archive;    // the directory of an archive that it reaches into; "": none
  bool dry_run = false;   // everything is done, and rolled back
};

struct Erasing {
  std::vector<std::int64_t>
      by;                    // the ERASEs, one for each table; of a dry run: those that would be
  std::int64_t changes = 0;  // that lost parts
  std::int64_t values = 0;   // that lost values
  std::int64_t keys = 0;
  std::int64_t contexts = 0;  // that lost what their context said
  std::int64_t others = 0;    // that hold no value of the columns, and keep theirs
  std::int64_t archived = 0;  // that lost parts in an archive
  std::int64_t parts = 0;     // of the archive, that were written anew
  std::int64_t held = 0;  // that stay in the archive, though an ERASE names them: a hold keeps them
  std::int64_t alerts = 0;   // that said something of it, and do not any more
  bool row_stands = false;   // the row itself is in the table still: deleting it records it anew
  std::string_view remains;  // where what was taken may be found for some time yet; for people
};

/// How many changes of a table hold a value of a column in clear; counted up to a limit.
///
/// faults   missing (no such table), offline
Result<std::int64_t> holding(Database& db, const std::string& table, const std::string& column,
                             std::int64_t limit);

/// One object (docs/json.md); of a dry run the ERASEs, which are none, are left out.
std::string to_json(const Erasing& done, bool dry_run);

/// Takes values, and keys and contexts if asked to, with their salts, in one transaction with an ERASE that
/// is recorded and sealed like any change. What was erased before is passed over; entries and proofs stay.
///
/// context  of the ERASE; it must have a reason
/// faults   invalid (no reason, nothing named, a column of a key), missing (no such change, row or column; an older trail), denied
///          (also where a hold keeps any of it: then nothing is taken, and that it was tried is recorded)
Result<Erasing> erase(Database& db, const EraseRequest& request, const Context& context);

}  // namespace vestige
