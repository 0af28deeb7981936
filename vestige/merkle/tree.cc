#include "vestige/merkle/tree.h"

#include <bit>

namespace vestige::merkle {

using namespace std::string_view_literals;

Hash empty_root() { return sha256(""sv); }

Hash leaf_hash(std::string_view entry) { return sha256({"\0"sv, entry}); }

Hash node_hash(const Hash& left, const Hash& right) {
  return sha256({"\1"sv, view(left), view(right)});
}

Result<Frontier> Frontier::at(std::uint64_t size, std::vector<Hash> peaks) {
  if (static_cast<std::size_t>(std::popcount(size)) != peaks.size())
    return fail(Fault::corrupt, "take up a tree of {} entries: it has {} full subtrees, not {}",
                size, std::popcount(size), peaks.size());
  Frontier frontier;
  frontier.size_ = size;
  frontier.peaks_ = std::move(peaks);
  return frontier;
}

void Frontier::append(const Hash& leaf) {
  Hash hash = leaf;
  for (std::uint64_t full = size_; (full & 1) != 0; full >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Hash Frontier::root() const {
  if (peaks_.empty()) return empty_root();
  Hash root = peaks_.back();
  for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak)
    root = node_hash(*peak, root);
  return root;
}

Result<Hash> root_of(std::uint64_t begin, std::uint64_t end, const Nodes& nodes) {
  // From the right: the smallest full subtree first.
  Hash root{};
  bool first = true;
  for (std::uint64_t rest = end - begin; rest != 0; rest &= rest - 1) {
    const auto level = static_cast<unsigned>(std::countr_zero(rest));
    const std::uint64_t start = begin + (rest & (rest - 1));
    const Hash left = TRY(nodes({level, start >> level}));
    root = first ? left : node_hash(left, root);
    first = false;
  }
  return root;
}

Result<Hash> root_of(std::uint64_t size, const Nodes& nodes) {
  if (size == 0) return empty_root();
  return root_of(0, size, nodes);
}

}  // namespace vestige::merkle
