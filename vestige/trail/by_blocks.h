// The changes of somebody, by an index of who made which blocks of changes. For this floor only.
//
// Block b has the changes 64 * b + 1 to 64 * b + 64. An index says in which of them a name may stand, of changes up to a certain
// one; what came after that is read as it is (docs/decisions/0019-who.md).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vestige/trail/changes.h"

namespace vestige {

inline constexpr std::int64_t kBlock = 64;

/// What a database's wing answers, of one selection.
class BlockIndex {
 public:
  BlockIndex() = default;
  BlockIndex(const BlockIndex&) = delete;
  BlockIndex& operator=(const BlockIndex&) = delete;
  virtual ~BlockIndex() = default;

  /// The last change that the index knows; a multiple of 64.
  virtual std::int64_t upto() const = 0;

  /// The blocks in which the names may stand: below one, descending, or from one on, ascending.
  ///
  /// most   fewer: there are no more
  virtual Result<std::vector<std::int64_t>> blocks(std::int64_t from, bool ascending,
                                                   std::int64_t most) = 0;

  /// The selected changes of some blocks.
  virtual Result<std::unique_ptr<Changes>> within(const Selection& selection,
                                                  const std::vector<std::int64_t>& blocks) = 0;

  /// The selected changes without an index.
  virtual Result<std::unique_ptr<Changes>> all(const Selection& selection) = 0;
};

/// Whether an index of names narrows a selection: something narrower chooses otherwise.
bool by_name(const Selection& selection);

/// The selected changes, in their order: a few blocks first, then more at a time.
std::unique_ptr<Changes> by_blocks(std::unique_ptr<BlockIndex> index, const Selection& selection);

}  // namespace vestige
