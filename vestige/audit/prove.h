// prove and export: evidence that speaks for itself, without the database (docs/format.md, "Evidence").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/merkle/checkpoint.h"
#include "vestige/record/evidence.h"
#include "vestige/trail/evidence_store.h"

namespace vestige {

/// The receipt of a change: a C2SP tlog-proof against the trail's last checkpoint.
///
/// faults   missing (no such change, or it is not sealed or not signed yet), corrupt (it is not what was
///          sealed)
Result<std::string> prove(Database& db, std::int64_t change);

/// The evidence of everything that the last checkpoint covers, from a moment on: the lines of an export.
class Export {
 public:
  /// since    entries from the first one on whose change is of this time or later, microseconds
  /// faults   missing (no trail, nothing is sealed)
  static Result<std::unique_ptr<Export>> open(Database& db, std::optional<std::int64_t> since);

  /// The same from one entry on, up to what a checkpoint covers.
  ///
  /// note     a signed note
  static Result<std::unique_ptr<Export>> of_range(Database& db, std::uint64_t from,
                                                  const std::string& note);

  /// The next line, without its line end; nothing at the end.
  ///
  /// faults   corrupt, offline
  Result<std::optional<std::string>> next();

  /// The checkpoint that covers it, a signed note.
  const std::string& checkpoint() const { return note_; }

 private:
  explicit Export(Database& db) : store_(db) {}
  Result<void> start(std::optional<std::int64_t> since);
  Result<void> peaks();
  Result<void> fill();

  EvidenceStore store_;
  std::string note_;
  std::uint64_t next_ = 0;
  std::uint64_t size_ = 0;
  std::vector<std::string> lines_;  // in reverse
};

}  // namespace vestige
