// Inclusion and consistency proofs (RFC 6962, section 2.1.1 and 2.1.2), verified as RFC 9162,
// sections 2.1.3.2 and 2.1.4.2, say. Hashes stand from the leaves to the root.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vestige/merkle/tree.h"

namespace vestige::merkle {

using Proof = std::vector<Hash>;

/// That the leaf at `index` stands in the tree of `size` leaves.
///
/// faults   invalid (index is not below size), those of `nodes`
Result<Proof> inclusion_proof(std::uint64_t index, std::uint64_t size, const Nodes& nodes);

/// That the tree of `second` leaves begins with the tree of `first`. Empty when first is 0 or second.
///
/// faults   invalid (first is above second), those of `nodes`
Result<Proof> consistency_proof(std::uint64_t first, std::uint64_t second, const Nodes& nodes);

/// True when the proof shows that the leaf stands at `index` in the tree with this root.
bool included(std::uint64_t index, std::uint64_t size, const Hash& leaf,
              std::span<const Hash> proof, const Hash& root);

/// True when the proof shows that the second tree begins with the first. Every tree begins with the
/// empty one: there the proof is empty, and the first root is that of nothing.
bool consistent(std::uint64_t first, const Hash& first_root, std::uint64_t second,
                const Hash& second_root, std::span<const Hash> proof);

}  // namespace vestige::merkle
