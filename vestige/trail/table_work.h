// Work on many tables of an application that goes on writing to them (docs/postgres.md, "Locks").
// Covered by test/postgres_locks_test.cc.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

/// What is to be done, in two parts. Both may be called more than once, each time in a transaction of its own: what they did
/// before is rolled back.
struct TableWork {
  std::function<Result<std::vector<std::string>>()> begin;     // comes first; returns the tables
  std::function<Result<void>(std::size_t place)> table;        // for one of them
  std::function<void(std::size_t done, std::size_t of)> tell;  // whenever one is done; may be empty
};

/// How long each attempt waits for a lock, as PostgreSQL writes it: "500ms", "10s"; "0" is for ever.
inline constexpr std::string_view kLockTimeout = "500ms";

/// A table that the work was not done for, and why.
struct Undone {
  std::size_t place = 0;
  Error error;
};

/// SQLite: all of it in one transaction, or nothing. PostgreSQL: `begin` in one, then each table in one, so that no lock on a
/// table is held while another is waited for. A table that others hold is tried again later, after the others and after pauses
/// that grow; one that still cannot be had is returned, with who holds it, and so is one that fails otherwise. What is done stays
/// done.
///
/// faults   what `begin` says; offline; and of SQLite what `table` says
Result<std::vector<Undone>> table_by_table(Database& db, const TableWork& work,
                                           std::string_view lock_timeout = kLockTimeout);

}  // namespace vestige
