// The Merkle tree of RFC 6962, section 2.1: hashes of leaves and nodes, and the tree that grows.
//
//   root of nothing  SHA-256("")
//   leaf             SHA-256(0x00 || entry)
//   node             SHA-256(0x01 || left || right)
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "vestige/base/crypto.h"

namespace vestige::merkle {

Hash empty_root();
Hash leaf_hash(std::string_view entry);
Hash node_hash(const Hash& left, const Hash& right);

/// A tree that is only appended to, in the memory of one path: the roots of its full subtrees.
class Frontier {
 public:
  /// An empty tree.
  Frontier() = default;
  /// A tree of so many leaves, from the roots of its full subtrees.
  ///
  /// faults   corrupt (another number of roots than bits are set in size)
  static Result<Frontier> at(std::uint64_t size, std::vector<Hash> peaks);

  void append(const Hash& leaf);
  /// Number of leaves.
  std::uint64_t size() const { return size_; }
  Hash root() const;
  /// The roots of the full subtrees, largest first; one for each bit that is set in size().
  const std::vector<Hash>& peaks() const { return peaks_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;
};

/// A full subtree: the leaves [index << level, (index + 1) << level).
struct Node {
  unsigned level = 0;
  std::uint64_t index = 0;
};

/// Where hashes of full subtrees come from. It is asked for subtrees within the tree only.
using Nodes = std::function<Result<Hash>(Node)>;

/// The root of the leaves [begin, end), made from full subtrees.
///
/// begin    a multiple of the smallest power of two that is not below end - begin
/// end      above begin
/// faults   those of `nodes`
Result<Hash> root_of(std::uint64_t begin, std::uint64_t end, const Nodes& nodes);

/// The root of the tree of the first `size` leaves.
///
/// faults   those of `nodes`
Result<Hash> root_of(std::uint64_t size, const Nodes& nodes);

}  // namespace vestige::merkle
