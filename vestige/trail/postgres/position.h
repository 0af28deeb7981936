// Position: how far the sealing order of PostgreSQL is, as it stands in vestige.sealer
// (sql/postgres/install/evidence.sql; docs/decisions/0014-sealed-order.md). Test: test/postgres_seal_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"

namespace vestige::postgres {

using Xid = std::uint64_t;

/// A transaction that was at work, and an id that everything it records is above.
struct OpenTransaction {
  Xid xid = 0;
  std::int64_t floor = 0;
  bool operator==(const OpenTransaction&) const = default;
};

/// Which transactions were at an end at a moment: those below `end` that were not open.
struct Snapshot {
  Xid end = 0;
  std::vector<Xid> open;     // ascending
  std::int64_t before = 0;   // what a transaction from `end` on records is above it
  std::int64_t through = 0;  // what those that were at an end recorded is not above it
  bool operator==(const Snapshot&) const = default;
};

struct Position {
  std::uint64_t size = 0;
  std::string home;                   // "": nothing was sealed yet
  Xid sealed = 0;                     // what ended below it is an entry
  std::vector<OpenTransaction> open;  // but of these, which were at work
  std::int64_t floor = 0;             // what a transaction from `sealed` on records is above it
  std::optional<Snapshot> run;        // what is being sealed: what ended since, by id
  std::int64_t last_id = 0;           // and how far that is
  std::int64_t restored = 0;          // the last id that came here with a restored trail
  bool operator==(const Position&) const = default;
};

/// Nothing when no sealer was ever here.
Result<std::optional<Position>> read_position(Database& db);
/// In a transaction that has the sealer's table to itself (EvidenceStore::hold).
Result<void> write_position(Database& db, const Position& position);

/// The cluster, the database and the trail whose xids these are.
Result<std::string> home_of(Database& db);
/// True where a position is of this home: an older one does not name the trail.
bool is_at(const Position& position, std::string_view home);

/// The moment that is now. Not inside a transaction: it takes an xid and gives it up.
///
/// known    the `before` of the last one; where nothing was recorded since, `before` stays, and `end` means nothing
Result<Snapshot> look(Database& db, std::int64_t known);

/// What tells whether anything happened, by one small question. It may stand inside a transaction.
struct Glance {
  std::int64_t last_id = 0;  // the sequence's value
  std::uint64_t size = 0;    // of the tree
  Xid end = 0;               // as of a snapshot, where it was asked for
  std::vector<Xid> open;
};
Result<Glance> glance(Database& db, bool snapshot);

}  // namespace vestige::postgres
