// Every size to 128, every index, every pair, against the twin.
#include "vestige/merkle/proof.h"

#include <gtest/gtest.h>

#include "test/merkle_twin.h"
#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

constexpr std::size_t kMost = 128;

std::string hex(const Hash& hash) { return to_hex(view(hash)); }

twin::Entries entries(std::size_t size) {
  twin::Entries all;
  for (std::size_t i = 0; i < size; ++i) all.push_back("entry " + std::to_string(i));
  return all;
}

// Full subtrees, made by the twin and kept.
Nodes nodes_of_twin(const twin::Entries& all) {
  std::vector<std::vector<Hash>> levels;
  for (unsigned level = 0; all.size() >> level != 0; ++level) {
    auto& hashes = levels.emplace_back();
    for (std::size_t i = 0; (i + 1) << level <= all.size(); ++i)
      hashes.push_back(twin::mth(twin::part(all, i << level, (i + 1) << level)));
  }
  return [levels](Node node) -> Result<Hash> {
    if (node.level >= levels.size() || node.index >= levels[node.level].size())
      return fail(Fault::missing, "no node {} {}", node.level, node.index);
    return levels[node.level][node.index];
  };
}

TEST(Tree, HasTheRootsOfTheReferenceVectors) {
  const std::vector<std::string> inputs = {"",
                                           "00",
                                           "10",
                                           "2021",
                                           "3031",
                                           "40414243",
                                           "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f"};
  const std::vector<std::string> roots = {
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Frontier frontier;
  EXPECT_EQ(hex(frontier.root()), roots[0]);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    frontier.append(leaf_hash(from_lower_hex(inputs[i]).value()));
    EXPECT_EQ(hex(frontier.root()), roots[i + 1]);
    EXPECT_EQ(frontier.size(), i + 1);
  }
}

// The public test log of transparency-dev/tessera (testdata/log).
TEST(Tree, HasTheRootsOfTesserasTestLog) {
  Frontier frontier;
  const auto append_until = [&](std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) frontier.append(leaf_hash(word));
    return to_base64(view(frontier.root()));
  };
  EXPECT_EQ(append_until({"one", "two", "three", "four", "five", "six", "seven"}),
            "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=");
  EXPECT_EQ(append_until({"eit", "nain", "ten", "ileven", "twelf", "threeten", "fourten"}),
            "SvCd38yNade7xEPY1a/aAc1M3A2AHYVF8lIiUnsH1ao=");
  EXPECT_EQ(append_until({"fivten"}), "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=");
}

TEST(Tree, GrowsAsTheTwinSays) {
  const auto all = entries(kMost);
  const Nodes nodes = nodes_of_twin(all);
  Frontier frontier;
  for (std::size_t size = 0; size <= kMost; ++size) {
    const Hash root = twin::mth(twin::part(all, 0, size));
    EXPECT_EQ(frontier.root(), root) << size;
    EXPECT_EQ(root_of(size, nodes).value(), root) << size;
    EXPECT_EQ(Frontier::at(size, frontier.peaks())->root(), root) << size;
    if (size < kMost) frontier.append(leaf_hash(all[size]));
  }
}

TEST(Proof, InclusionIsTheTwinsForEveryIndexOfEverySize) {
  const auto all = entries(kMost);
  const Nodes nodes = nodes_of_twin(all);
  for (std::size_t size = 1; size <= kMost; ++size) {
    const auto tree = twin::part(all, 0, size);
    const Hash root = root_of(size, nodes).value();
    for (std::size_t index = 0; index < size; ++index) {
      const Proof proof = inclusion_proof(index, size, nodes).value();
      ASSERT_EQ(proof, twin::path(index, tree)) << index << " of " << size;
      const Hash leaf = leaf_hash(all[index]);
      ASSERT_TRUE(included(index, size, leaf, proof, root));
      // No other place, size, leaf or root, nothing cut off and nothing added.
      for (std::size_t other = 0; other < size; ++other)
        ASSERT_EQ(included(other, size, leaf, proof, root), other == index);
      ASSERT_FALSE(included(size, size, leaf, proof, root));
      ASSERT_FALSE(included(index, size, root, proof, leaf) && size > 1);
      ASSERT_FALSE(included(index, size, leaf_hash("other"), proof, root));
      Proof longer = proof;
      longer.push_back(root);
      ASSERT_FALSE(included(index, size, leaf, longer, root));
      if (proof.empty()) continue;
      for (std::size_t cut = 0; cut < proof.size(); ++cut)
        ASSERT_FALSE(included(index, size, leaf, std::span(proof).first(cut), root));
      ASSERT_FALSE(included(index, size, leaf, std::span(proof).subspan(1), root));
      for (Hash& hash : longer) {
        hash[7] ^= 1;
        ASSERT_FALSE(included(index, size, leaf, std::span(longer).first(proof.size()), root) &&
                     &hash != &longer.back());
        hash[7] ^= 1;
      }
    }
  }
}

TEST(Proof, ConsistencyIsTheTwinsForEveryPairOfSizes) {
  const auto all = entries(kMost);
  const Nodes nodes = nodes_of_twin(all);
  std::vector<Hash> roots;
  for (std::size_t size = 0; size <= kMost; ++size) roots.push_back(root_of(size, nodes).value());
  for (std::size_t second = 1; second <= kMost; ++second) {
    const auto tree = twin::part(all, 0, second);
    for (std::size_t first = 1; first <= second; ++first) {
      const Proof proof = consistency_proof(first, second, nodes).value();
      ASSERT_EQ(proof, twin::consistency(first, tree)) << first << " to " << second;
      ASSERT_TRUE(consistent(first, roots[first], second, roots[second], proof));
      // Other sizes may pass only where the proof is the same for them: never with other roots.
      ASSERT_FALSE(consistent(first, leaf_hash(""), second, roots[second], proof));
      ASSERT_FALSE(consistent(first, roots[first], second, leaf_hash(""), proof));
      ASSERT_FALSE(consistent(first, roots[first - 1], second, roots[second], proof));
      ASSERT_FALSE(consistent(second + 1, roots[second], second, roots[second], proof));
      Proof longer = proof;
      longer.push_back(roots[second]);
      ASSERT_FALSE(consistent(first, roots[first], second, roots[second], longer));
      for (std::size_t cut = 0; cut < proof.size(); ++cut)
        ASSERT_FALSE(
            consistent(first, roots[first], second, roots[second], std::span(proof).first(cut)));
      for (std::size_t i = 0; i < proof.size(); ++i) {
        Proof changed = proof;
        changed[i][0] ^= 1;
        ASSERT_FALSE(consistent(first, roots[first], second, roots[second], changed));
      }
    }
  }
}

TEST(Proof, EveryTreeBeginsWithTheEmptyOne) {
  const Hash root = leaf_hash("a");
  EXPECT_TRUE(consistent(0, empty_root(), 0, empty_root(), {}));
  EXPECT_TRUE(consistent(0, empty_root(), 1, root, {}));
  EXPECT_FALSE(consistent(0, root, 1, root, {}));
  EXPECT_FALSE(consistent(0, root, 0, root, {}));
  EXPECT_FALSE(consistent(0, empty_root(), 1, root, std::vector<Hash>{root}));
}

TEST(Tree, IsTakenUpFromItsPeaksOnly) {
  EXPECT_EQ(Frontier::at(5, {leaf_hash("a")}).error().message,
            "take up a tree of 5 entries: it has 2 full subtrees, not 1");
  EXPECT_EQ(Frontier::at(0, {})->root(), empty_root());
}

TEST(Proof, RefusesWhatIsNotThere) {
  const Nodes nodes = nodes_of_twin(entries(3));
  EXPECT_EQ(inclusion_proof(3, 3, nodes).error().message, "prove entry 3: the tree has 3 entries");
  EXPECT_EQ(inclusion_proof(0, 0, nodes).error().message, "prove entry 0: the tree has 0 entries");
  EXPECT_EQ(consistency_proof(3, 2, nodes).error().message,
            "prove that a tree of 2 entries grew from one of 3");
  EXPECT_TRUE(consistency_proof(0, 3, nodes)->empty());
  EXPECT_EQ(root_of(5, nodes).error().fault, Fault::missing) << "what the nodes say comes back";
}

}  // namespace
}  // namespace vestige::merkle
