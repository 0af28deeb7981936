// Evidence store: the tables in which the evidence stands, alike on both databases
// (sql/sqlite/evidence.sql, sql/postgres/install/evidence.sql). Test: test/evidence_seal_test.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/merkle/tile.h"
#include "vestige/record/entry.h"
#include "vestige/trail/spelling.h"

namespace vestige {

/// Up to 256 entries and their salts.
struct Bundle {
  std::uint64_t n = 0;
  unsigned width = 0;
  std::int64_t first_id = 0;  // the smallest and the largest change in it
  std::int64_t last_id = 0;
  std::string salts;    // 48 bytes for each entry: of key, context, values
  std::string entries;  // as append_entry makes them
};

/// The salts of one entry.
struct Salts {
  Salt key{};
  Salt context{};
  Salt values{};
};

inline constexpr std::size_t kSaltBytes = 48;

/// The salts of the entry at a place of a bundle, zeros where they are missing.
Salts salts_at(std::string_view salts, std::size_t place);
std::string to_bytes(const Salts& salts);
/// True for the salt of a part that was erased.
bool is_erased(const Salt& salt);

/// The change that an entry is of, from its line; nothing when it is no entry.
std::optional<std::int64_t> entry_id(std::string_view line);

/// A note whose signatures begin with two hyphens, as some databases keep it.
std::string with_hyphens(std::string_view note);

struct StoredCheckpoint {
  std::uint64_t size = 0;
  std::int64_t at = 0;
  std::string root;  // 32 bytes, when it is what it should be
  std::string note;
};

class EvidenceStore {
 public:
  explicit EvidenceStore(Database& db);

  /// The number of entries; 0 before the first run.
  Result<std::uint64_t> size();

  /// What a tree that was read is read anew for when it differs: the last ERASE or EXPIRE (0: there is none; salts that were
  /// read before it may be out of date), and the number of entries.
  struct Standing {
    std::int64_t erasure = 0;
    std::uint64_t size = 0;
    bool operator==(const Standing&) const = default;
  };
  Result<Standing> standing();

  Result<std::optional<Bundle>> bundle(std::uint64_t n);
  /// Bundles n, n + 1, … below `end`, as far as they are there, by n.
  Result<std::vector<Bundle>> bundles(std::uint64_t n, std::uint64_t end);
  Result<void> put(const Bundle& bundle);
  Result<void> put_salts(std::uint64_t n, std::string_view salts);
  /// The numbers of the bundles that may have an entry of a change from `first` to `last`.
  Result<std::vector<std::uint64_t>> bundles_of(std::int64_t first, std::int64_t last);

  /// The hashes of a tile; "" when it is not there. It may be wider than what was asked for.
  Result<std::string> tile(unsigned level, std::uint64_t n);
  Result<void> put_tile(unsigned level, std::uint64_t n, std::string_view hashes);
  /// Tiles as the tree wants them: cut to their width.
  merkle::Tiles tiles();

  /// The largest one below a size.
  Result<std::optional<StoredCheckpoint>> last_checkpoint(
      std::uint64_t below = std::numeric_limits<std::int64_t>::max());
  /// Every checkpoint, by size.
  Result<std::vector<StoredCheckpoint>> checkpoints();
  /// False: one of that size is there already.
  Result<bool> put_checkpoint(std::uint64_t size, std::string_view root, std::string_view note);
  /// Puts a signature line behind the note of a checkpoint.
  Result<void> put_signature(std::uint64_t size, std::string_view line);

  /// The index of a change's entry.
  struct Found {
    std::uint64_t index = 0;
    std::string entry;
    Salts salts;
  };
  /// faults   corrupt
  Result<std::optional<Found>> find(std::int64_t change);

  /// Keeps other sealers and erasures away until the transaction ends.
  ///
  /// patience  of PostgreSQL's lock_timeout
  /// faults    conflict: one is under way, and did not end meanwhile
  Result<void> hold(std::string_view patience = "10s");

  Database& db() { return db_; }
  /// Adds to the number of changes of which a part was sealed as null, since it could not be read.
  Result<void> count_unreadable(std::uint64_t more);

  /// A table's name: vestige_tile, or vestige.tile.
  std::string table(std::string_view name) const { return spelling_.table(name); }

 private:
  Database& db_;
  Spelling spelling_;
  bool expires_ = false;  // it has a place for what EXPIREs take, as far as that is known
};

/// A transaction that only reads, and sees one moment.
class ReadTransaction {
 public:
  static Result<ReadTransaction> begin(Database& db);
  ReadTransaction(ReadTransaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction() {
    if (db_ != nullptr) db_->rollback();
  }

 private:
  explicit ReadTransaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace vestige
