#include "vestige/trail/by_blocks.h"

#include <algorithm>
#include <limits>

namespace vestige {
namespace {

constexpr std::int64_t kFirst =
    8;  // blocks: somebody who wants the last few changes does not wait for more
constexpr std::int64_t kMost = 1024;  // 65,536 changes are sorted by the database at a time

class ByBlocks final : public Changes {
 public:
  ByBlocks(std::unique_ptr<BlockIndex> index, const Selection& selection)
      : index_(std::move(index)), selection_(selection), ascending_(selection.oldest_first) {
    const std::int64_t end =
        std::min(selection.upto.value_or(std::numeric_limits<std::int64_t>::max()), index_->upto());
    first_ = selection.after.value_or(0) / kBlock;
    end_ = (end + kBlock - 1) / kBlock;
    from_ = ascending_ ? first_ : end_;
  }

  Result<std::optional<Change>> next() override {
    while (selection_.limit == 0 || given_ < selection_.limit) {
      if (part_ == nullptr && !TRY(more())) break;
      auto change = TRY(part_->next());
      if (change.has_value()) {
        ++given_;
        return change;
      }
      part_.reset();
    }
    return std::optional<Change>();
  }

 private:
  // What was not indexed yet is the newest.
  Result<bool> more() {
    if (!ascending_ && !rest_read_) return rest();
    if (TRY(some_blocks())) return true;
    if (ascending_ && !rest_read_) return rest();
    return false;
  }

  Result<bool> rest() {
    rest_read_ = true;
    Selection rest = wanted();
    rest.after = std::max(rest.after.value_or(0), index_->upto());
    part_ = TRY(index_->all(rest));
    return true;
  }

  Result<bool> some_blocks() {
    if (last_) return false;
    auto blocks = TRY(index_->blocks(from_, ascending_, at_once_));
    last_ = std::ssize(blocks) < at_once_;
    if (!blocks.empty()) from_ = ascending_ ? blocks.back() + 1 : blocks.back();
    at_once_ = std::min(at_once_ * 2, kMost);
    const std::size_t found = blocks.size();
    std::erase_if(blocks, [&](std::int64_t one) { return one < first_ || one >= end_; });
    last_ = last_ || blocks.size() < found;  // it has come to the other end
    if (blocks.empty()) return false;
    part_ = TRY(index_->within(wanted(), blocks));
    return true;
  }

  Selection wanted() const {
    Selection rest = selection_;
    if (rest.limit > 0) rest.limit -= given_;
    return rest;
  }

  std::unique_ptr<BlockIndex> index_;
  Selection selection_;
  bool ascending_;
  std::int64_t first_ = 0;  // the blocks in which a selected change may be, from here
  std::int64_t end_ = 0;    // and up to here
  std::int64_t from_ = 0;
  std::int64_t at_once_ = kFirst;
  bool last_ = false;
  bool rest_read_ = false;
  std::int64_t given_ = 0;
  std::unique_ptr<Changes> part_;
};

}  // namespace

bool by_name(const Selection& selection) {
  return (!selection.who.empty() || !selection.db_users.empty()) && selection.key.empty() &&
         !selection.row_id.has_value() && !selection.tx.has_value() && selection.ids.empty();
}

std::unique_ptr<Changes> by_blocks(std::unique_ptr<BlockIndex> index, const Selection& selection) {
  return std::make_unique<ByBlocks>(std::move(index), selection);
}

}  // namespace vestige
