// check: what a receipt or an export proves, offline: nothing is needed but the files and the public keys.
// The formats stand in docs/format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/merkle/quorum.h"
#include "vestige/record/evidence.h"

namespace vestige {

/// Whom the auditor trusts. The log must have signed with one of its keys; every witness key that is
/// named must have cosigned; and so must the witnesses that the quorum demands.
struct Trust {
  std::vector<merkle::NoteKey> keys;
  std::optional<merkle::Quorum> quorum;

  /// Those of the quorum, too.
  std::vector<merkle::NoteKey> all_keys() const;
};

/// Opens a signed checkpoint and demands the log's signature alone.
///
/// faults   corrupt (the checkpoint is damaged, or not signed by a log that is trusted)
Result<merkle::OpenedCheckpoint> open_signed(std::string_view checkpoint, const Trust& trust);

/// Opens a signed checkpoint and demands the signatures.
///
/// faults   corrupt (the checkpoint is damaged, or not signed by those who are trusted)
Result<merkle::OpenedCheckpoint> open_trusted(std::string_view checkpoint, const Trust& trust);

/// Demands the cosignatures alone.
///
/// faults   corrupt (a witness that must have cosigned has not, or too few have)
Result<void> require_cosigned(const std::vector<merkle::Signed>& signatures, const Trust& trust);

struct CheckedReceipt {
  Evidence evidence;
  Entry entry;  // what stands in evidence.entry
  merkle::OpenedCheckpoint checkpoint;
};

/// Checks a receipt.
///
/// text     the whole file
/// faults   corrupt: the receipt proves nothing, and the message says why
Result<CheckedReceipt> check_receipt(std::string_view text, const Trust& trust);

/// Checks an export, line by line, in the memory of one line.
class TrailCheck {
 public:
  explicit TrailCheck(merkle::OpenedCheckpoint checkpoint) : checkpoint_(std::move(checkpoint)) {}

  /// One line of the export, without its line end.
  void line(std::string_view line);

  struct Verdict {
    std::uint64_t first = 0;     // index of the first entry
    std::uint64_t entries = 0;   // how many lines were entries
    std::uint64_t withheld = 0;  // keys, contexts and values that are sealed and not in the file
    std::uint64_t wrong = 0;     // how many complaints
    std::vector<std::string> complaints;  // the first hundred, in words
  };
  /// After the last line. All is well when nothing is wrong.
  Verdict finish();

  const merkle::OpenedCheckpoint& checkpoint() const { return checkpoint_; }

 private:
  void complain(std::string complaint);
  void entry(std::string_view line);

  merkle::OpenedCheckpoint checkpoint_;
  merkle::Frontier tree_;
  std::optional<Hash> root_;  // of the tree, when it has the checkpoint's size
  std::uint64_t line_ = 0;
  std::uint64_t next_ = 0;  // the index that comes next
  Verdict verdict_;
};

}  // namespace vestige
