#include "vestige/merkle/proof.h"

#include <algorithm>
#include <bit>

namespace vestige::merkle {
namespace {

// The hashes beside the way from a node to the root of the tree of `size` leaves.
Result<Proof> way_up(Node node, std::uint64_t size, const Nodes& nodes) {
  Proof proof;
  for (std::uint64_t last = (size - 1) >> node.level; last != 0;
       ++node.level, node.index >>= 1, last >>= 1) {
    const std::uint64_t beside = node.index ^ 1;
    if (beside > last) continue;  // the last of its level, alone: it is its own parent
    const std::uint64_t begin = beside << node.level;
    const std::uint64_t width = std::min(std::uint64_t{1} << node.level, size - begin);
    proof.push_back(TRY(root_of(begin, begin + width, nodes)));
  }
  return proof;
}

// Walks up as both verifications do: `step(proof element, it stands left)`.
template <class Step>
bool walk(std::uint64_t index, std::uint64_t last, std::span<const Hash> proof, const Step& step) {
  for (const Hash& hash : proof) {
    if (last == 0) return false;
    const bool left = (index & 1) != 0 || index == last;
    step(hash, left);
    if (left && (index & 1) == 0) {
      while ((index & 1) == 0 && index != 0) {
        index >>= 1;
        last >>= 1;
      }
    }
    index >>= 1;
    last >>= 1;
  }
  return last == 0;
}

}  // namespace

Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t size, const Nodes& nodes) {
  if (index >= size)
    return fail(Fault::invalid, "prove entry {}: the tree has {} entries", index, size);
  return way_up({0, index}, size, nodes);
}

Result<Proof> consistency_proof(std::uint64_t first, std::uint64_t second, const Nodes& nodes) {
  if (first > second)
    return fail(Fault::invalid, "prove that a tree of {} entries grew from one of {}", second,
                first);
  if (first == 0 || first == second) return Proof{};
  const auto level = static_cast<unsigned>(std::countr_zero(first));
  const Node node{level, (first - 1) >> level};
  Proof proof = TRY(way_up(node, second, nodes));
  if (node.index != 0) proof.insert(proof.begin(), TRY(nodes(node)));
  return proof;
}

bool included(std::uint64_t index, std::uint64_t size, const Hash& leaf,
              std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return false;
  Hash reached = leaf;
  const bool whole = walk(index, size - 1, proof, [&](const Hash& hash, bool left) {
    reached = left ? node_hash(hash, reached) : node_hash(reached, hash);
  });
  return whole && reached == root;
}

bool consistent(std::uint64_t first, const Hash& first_root, std::uint64_t second,
                const Hash& second_root, std::span<const Hash> proof) {
  if (first > second) return false;
  if (first == second)
    return proof.empty() && first_root == second_root && (first != 0 || first_root == empty_root());
  if (first == 0) return proof.empty() && first_root == empty_root();
  std::uint64_t index = first - 1;
  std::uint64_t last = second - 1;
  while ((index & 1) != 0) {
    index >>= 1;
    last >>= 1;
  }
  Hash before = first_root;
  if (!std::has_single_bit(first)) {
    if (proof.empty()) return false;
    before = proof.front();
    proof = proof.subspan(1);
  }
  Hash after = before;
  const bool whole = walk(index, last, proof, [&](const Hash& hash, bool left) {
    if (left) before = node_hash(hash, before);
    after = left ? node_hash(hash, after) : node_hash(after, hash);
  });
  return whole && before == first_root && after == second_root;
}

}  // namespace vestige::merkle
