// Tiles and entry bundles: the tree in files of 256 (C2SP tlog-tiles).
//
//   tile/L/N[.p/W]        hashes of level 8·L, 32 bytes each; W of them where the tile is not full
//   tile/entries/N[.p/W]  entries, each a length of 16 bits, big-endian, and its bytes
//
// N is written in groups of three digits, all but the last with an x before: 1234067 is x001/x234/067.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/merkle/tree.h"

namespace vestige::merkle {

inline constexpr unsigned kTileWidth = 256;
inline constexpr std::size_t kLongestEntry = 65535;

struct Tile {
  /// 0…63; absent: a bundle of entries
  std::optional<unsigned> level = 0;
  std::uint64_t index = 0;
  /// 1…256 hashes or entries; 256 is a full one
  unsigned width = kTileWidth;
  bool operator==(const Tile&) const = default;
};

/// "tile/0/x001/234/067.p/8", "tile/entries/000"
std::string path(const Tile& tile);

/// faults   invalid
Result<Tile> parse_tile_path(std::string_view path);

/// How many hashes the tile has in a tree of `size` leaves: 0…256; 0 is no tile.
unsigned tile_width(unsigned level, std::uint64_t index, std::uint64_t size);

/// The tiles of hashes that are new or wider when a tree grows from one size to another, level by level.
/// The bundles are those of level 0.
std::vector<Tile> tiles_grown(std::uint64_t from, std::uint64_t to);

/// Where tiles come from: the bytes of a tile of hashes, exactly 32 × width.
using Tiles = std::function<Result<std::string>(const Tile&)>;

/// Hashes of subtrees of the tree of `size` leaves, read from its tiles. The last tile of each level is
/// remembered.
///
/// faults   of what it returns: those of `tiles`, corrupt (a tile of another length)
Nodes nodes_of(Tiles tiles, std::uint64_t size);

/// The right edge of the tree: what the sealer keeps between two batches. It takes leaves and gives each
/// tile that is full.
class Edge {
 public:
  /// An empty tree.
  Edge() = default;
  /// The tree of `size` leaves, from its last tile of each level.
  ///
  /// faults   those of `tiles`, corrupt
  static Result<Edge> at(std::uint64_t size, const Tiles& tiles);

  /// A full tile that append completed.
  struct Full {
    Tile tile;
    std::string hashes;  // 8192 bytes
  };

  /// Appends a leaf; the tiles that became full by it stand in `full` until `take_full`.
  void append(const Hash& leaf);
  std::vector<Full> take_full();

  std::uint64_t size() const { return size_; }
  Hash root() const;
  /// The tiles of the right edge that are not full, by level; empty ones are left out.
  std::vector<Full> partial() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<std::string> levels_;  // hashes of the last tile of each level, fewer than 256
  std::vector<Full> full_;
};

/// Appends one entry to a bundle.
///
/// entry    up to 65,535 bytes
/// faults   invalid (longer)
Result<void> append_entry(std::string& bundle, std::string_view entry);

/// The entries of a bundle; views into it.
///
/// width    how many it must have
/// faults   corrupt
Result<std::vector<std::string_view>> entries_of(std::string_view bundle, unsigned width);

}  // namespace vestige::merkle
