#include "vestige/merkle/tile.h"

#include <gtest/gtest.h>

#include <map>

#include "vestige/merkle/proof.h"

namespace vestige::merkle {
namespace {

using namespace std::string_literals;

constexpr std::optional<unsigned> kEntries;

TEST(Tile, IsFoundByItsPath) {
  const struct {
    Tile tile;
    std::string path;
  } cases[] = {
      {{0, 0, 256}, "tile/0/000"},
      {{0, 999, 256}, "tile/0/999"},
      {{0, 1000, 256}, "tile/0/x001/000"},
      {{2, 1234067, 256}, "tile/2/x001/x234/067"},
      {{1, 17, 8}, "tile/1/017.p/8"},
      {{63, 1000000, 255}, "tile/63/x001/x000/000.p/255"},
      {{kEntries, 0, 1}, "tile/entries/000.p/1"},
      {{kEntries, 18446744073709551615U, 256}, "tile/entries/x018/x446/x744/x073/x709/x551/615"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(path(one.tile), one.path);
    EXPECT_EQ(parse_tile_path(one.path).value(), one.tile) << one.path;
  }
}

TEST(Tile, HasOnePath) {
  const struct {
    std::string path;
    std::string_view why;
  } cases[] = {
      {"", "it begins with tile/"},
      {"/tile/0/000", "it begins with tile/"},
      {"tile/0", "it has no number"},
      {"tile//000", "a level is 0 to 63, a width 1 to 255"},
      {"tile/00/000", "a level is 0 to 63, a width 1 to 255"},
      {"tile/64/000", "a level is 0 to 63, a width 1 to 255"},
      {"tile/-1/000", "a level is 0 to 63, a width 1 to 255"},
      {"tile/entry/000", "a level is 0 to 63, a width 1 to 255"},
      {"tile/0/000.p/0", "a level is 0 to 63, a width 1 to 255"},
      {"tile/0/000.p/256", "a level is 0 to 63, a width 1 to 255"},
      {"tile/0/000.p/01", "a level is 0 to 63, a width 1 to 255"},
      {"tile/0/000.p/", "a level is 0 to 63, a width 1 to 255"},
      {"tile/0/", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/00", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/0000", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/00a", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/000/", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/001/000", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/x001/x000",
       "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/x001", "the number stands in groups of three digits, all but the last with an x"},
      {"tile/0/x000/001", "the number has a group of zeros too many"},
      {"tile/0/x018/x446/x744/x073/x709/x551/616", "the number is above 64 bits"},
  };
  for (const auto& one : cases) {
    const auto tile = parse_tile_path(one.path);
    ASSERT_FALSE(tile.has_value()) << one.path;
    EXPECT_EQ(tile.error().message, "read tile path '" + one.path + "': " + std::string(one.why));
  }
}

TEST(Tile, WidthsAreThoseOfTheSpecification) {
  EXPECT_EQ(tile_width(0, 272, 70000), 256U);
  EXPECT_EQ(tile_width(0, 273, 70000), 112U);
  EXPECT_EQ(tile_width(0, 274, 70000), 0U);
  EXPECT_EQ(tile_width(1, 0, 70000), 256U);
  EXPECT_EQ(tile_width(1, 1, 70000), 17U);
  EXPECT_EQ(tile_width(2, 0, 70000), 1U);
  EXPECT_EQ(tile_width(3, 0, 70000), 0U);
  EXPECT_EQ(tile_width(0, 0, 256), 256U);
  EXPECT_EQ(tile_width(0, 1, 256), 0U);
  EXPECT_EQ(tile_width(1, 0, 256), 1U);
  EXPECT_EQ(tile_width(7, 0, ~std::uint64_t{0}), 255U);
  EXPECT_EQ(tile_width(63, 0, ~std::uint64_t{0}), 0U);
}

TEST(Tile, AGrowingTreeWritesTheTilesThatChange) {
  EXPECT_TRUE(tiles_grown(0, 0).empty());
  EXPECT_TRUE(tiles_grown(70000, 70000).empty());
  EXPECT_EQ(tiles_grown(0, 1), (std::vector<Tile>{{0, 0, 1}}));
  EXPECT_EQ(tiles_grown(0, 256), (std::vector<Tile>{{0, 0, 256}, {1, 0, 1}}));
  EXPECT_EQ(tiles_grown(255, 258), (std::vector<Tile>{{0, 0, 256}, {0, 1, 2}, {1, 0, 1}}));
  EXPECT_EQ(tiles_grown(256, 257), (std::vector<Tile>{{0, 1, 1}}));
  EXPECT_EQ(tiles_grown(0, 70000).size(), 274U + 2U + 1U);
}

// The tree of `size` leaves, and its tiles as a sealer that seals in batches would write them.
struct Grown {
  std::map<std::string, std::string> tiles;
  Edge edge;

  void batch(std::uint64_t size) {
    const std::uint64_t from = edge.size();
    while (edge.size() < size) edge.append(leaf_hash(std::to_string(edge.size())));
    std::vector<Edge::Full> written = edge.take_full();
    for (Edge::Full& tile : edge.partial()) written.push_back(std::move(tile));
    std::vector<std::string> expected;
    for (const Tile& tile : tiles_grown(from, size)) expected.push_back(path(tile));
    std::vector<std::string> paths;
    for (Edge::Full& one : written) {
      EXPECT_EQ(one.hashes.size(), one.tile.width * 32U);
      // A partial tile that did not grow is given as well: it stands there already.
      if (tiles.contains(path(one.tile))) {
        EXPECT_EQ(tiles[path(one.tile)], one.hashes);
      } else {
        paths.push_back(path(one.tile));
      }
      tiles[path(one.tile)] = std::move(one.hashes);
    }
    std::sort(paths.begin(), paths.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(paths, expected);
  }

  Tiles source() const {
    return [this](const Tile& tile) -> Result<std::string> {
      const auto found = tiles.find(path(tile));
      if (found == tiles.end()) return fail(Fault::missing, "no {}", path(tile));
      return found->second;
    };
  }
};

TEST(Tile, ProofsAreMadeFromTiles) {
  Grown grown;
  Frontier frontier;
  std::uint64_t before = 0;
  Hash before_root = empty_root();
  for (const std::uint64_t size : {1U, 2U, 255U, 256U, 257U, 600U, 65536U, 65537U, 70000U}) {
    grown.batch(size);
    while (frontier.size() < size) frontier.append(leaf_hash(std::to_string(frontier.size())));
    const Hash root = frontier.root();
    EXPECT_EQ(grown.edge.root(), root);
    const Nodes nodes = nodes_of(grown.source(), size);
    EXPECT_EQ(root_of(size, nodes).value(), root);
    for (std::uint64_t index = 0; index < size; index += 1 + size / 50) {
      const Proof proof = inclusion_proof(index, size, nodes).value();
      EXPECT_TRUE(included(index, size, leaf_hash(std::to_string(index)), proof, root));
    }
    const Proof proof = consistency_proof(before, size, nodes).value();
    EXPECT_TRUE(consistent(before, before_root, size, root, proof));
    before = size;
    before_root = root;
    // Taken up again from its tiles, it goes on as if nothing had happened.
    grown.edge = Edge::at(size, grown.source()).value();
    EXPECT_EQ(grown.edge.size(), size);
    EXPECT_EQ(grown.edge.root(), root);
  }
}

TEST(Tile, ATileOfAnotherLengthIsRefused) {
  const Tiles short_tiles = [](const Tile&) -> Result<std::string> { return "short"s; };
  EXPECT_EQ(root_of(3, nodes_of(short_tiles, 3)).error().message,
            "read tile/0/000.p/3: 5 bytes, not 96");
  EXPECT_EQ(Edge::at(3, short_tiles).error().message, "read tile/0/000.p/3: 5 bytes, not 96");
  const Tiles none = [](const Tile& tile) -> Result<std::string> {
    return fail(Fault::missing, "no {}", path(tile));
  };
  EXPECT_EQ(Edge::at(3, none).error().message, "no tile/0/000.p/3");
  EXPECT_EQ(root_of(3, nodes_of(none, 3)).error().message, "no tile/0/000.p/3");
  EXPECT_EQ(Edge::at(0, none)->root(), empty_root());
}

TEST(Bundle, HoldsEntriesWithTheirLengths) {
  std::string bundle;
  ASSERT_TRUE(append_entry(bundle, "one").has_value());
  ASSERT_TRUE(append_entry(bundle, "").has_value());
  ASSERT_TRUE(append_entry(bundle, std::string(300, 'x')).has_value());
  EXPECT_EQ(bundle.substr(0, 9), "\0\3one\0\0\1\x2c"s);
  EXPECT_EQ(entries_of(bundle, 3).value(),
            (std::vector<std::string_view>{"one", "", std::string_view(bundle).substr(9)}));
  for (std::size_t cut = 1; cut < bundle.size(); ++cut)
    EXPECT_FALSE(entries_of(std::string_view(bundle).substr(0, cut), 3).has_value()) << cut;
  EXPECT_EQ(entries_of("\0"s, 1).error().message, "read a bundle: it is cut off");
  EXPECT_EQ(entries_of("\0\2x"s, 1).error().message, "read a bundle: it is cut off");
  EXPECT_EQ(entries_of(bundle, 4).error().message, "read a bundle: it has 3 entries, not 4");
  EXPECT_EQ(append_entry(bundle, std::string(65536, 'x')).error().message,
            "put an entry into a bundle: it has 65536 bytes, more than 65535");
  ASSERT_TRUE(append_entry(bundle, std::string(65535, 'x')).has_value());
  EXPECT_EQ(entries_of(bundle, 4)->back().size(), 65535U);
}

}  // namespace
}  // namespace vestige::merkle
