#include "vestige/merkle/tile.h"

#include <algorithm>

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr unsigned kHighestLevel = 63;
constexpr unsigned kRealLevels = 8;  // 256^8 leaves and more do not fit into 64 bits

// How many hashes the whole level has; a hash of level 8·L covers 256^L leaves.
std::uint64_t level_size(unsigned level, std::uint64_t size) {
  return level >= kRealLevels ? 0 : size >> 8 * level;
}

Hash hash_at(std::string_view hashes, std::size_t place) {
  return to_array<kHashBytes>(hashes.substr(place * kHashBytes, kHashBytes));
}

// The root of `count` hashes, a power of two.
Hash full_root(std::string_view hashes, std::size_t first, std::size_t count) {
  Frontier frontier;
  for (std::size_t i = 0; i < count; ++i) frontier.append(hash_at(hashes, first + i));
  return frontier.root();
}

auto bad_path(std::string_view path, std::string_view why) {
  return fail(Fault::invalid, "read tile path '{}': {}", path, why);
}

Result<unsigned> small(std::string_view whole, std::string_view text, std::uint64_t least,
                       std::uint64_t most) {
  const auto number = parse_decimal(text);
  if (!number.has_value() || *number < least || *number > most)
    return bad_path(whole, "a level is 0 to 63, a width 1 to 255");
  return static_cast<unsigned>(*number);
}

Result<std::uint64_t> tile_index(std::string_view whole, std::string_view text) {
  std::uint64_t index = 0;
  for (std::size_t group = 0;; ++group) {
    const bool last = !text.starts_with('x');
    if (!last) text.remove_prefix(1);
    const std::string_view digits = text.substr(0, 3);
    const bool plain = digits.size() == 3 && std::all_of(digits.begin(), digits.end(), [](char c) {
                         return c >= '0' && c <= '9';
                       });
    if (!plain || (last ? text.size() != 3 : text.substr(3, 1) != "/"))
      return bad_path(whole,
                      "the number stands in groups of three digits, all but the last with an x");
    if (group == 0 && !last && digits == "000")
      return bad_path(whole, "the number has a group of zeros too many");
    const auto value =
        static_cast<unsigned>((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
    if (__builtin_mul_overflow(index, 1000U, &index) ||
        __builtin_add_overflow(index, value, &index))
      return bad_path(whole, "the number is above 64 bits");
    if (last) return index;
    text.remove_prefix(4);
  }
}

}  // namespace

std::string path(const Tile& tile) {
  std::string number = fmt::format("{:03}", tile.index % 1000);
  for (std::uint64_t rest = tile.index / 1000; rest != 0; rest /= 1000)
    number = fmt::format("x{:03}/", rest % 1000) + number;
  const std::string level = tile.level.has_value() ? std::to_string(*tile.level) : "entries";
  std::string out = fmt::format("tile/{}/{}", level, number);
  if (tile.width != kTileWidth) out += fmt::format(".p/{}", tile.width);
  return out;
}

Result<Tile> parse_tile_path(std::string_view path) {
  std::string_view rest = path;
  if (!rest.starts_with("tile/")) return bad_path(path, "it begins with tile/");
  rest.remove_prefix(5);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return bad_path(path, "it has no number");
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  Tile tile;
  if (level == "entries") tile.level.reset();
  else tile.level = TRY(small(path, level, 0, kHighestLevel));
  if (const std::size_t partial = rest.find(".p/"); partial != std::string_view::npos) {
    tile.width = TRY(small(path, rest.substr(partial + 3), 1, kTileWidth - 1));
    rest = rest.substr(0, partial);
  }
  tile.index = TRY(tile_index(path, rest));
  return tile;
}

unsigned tile_width(unsigned level, std::uint64_t index, std::uint64_t size) {
  const std::uint64_t hashes = level_size(level, size);
  if (index > hashes / kTileWidth) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, hashes - index * kTileWidth));
}

std::vector<Tile> tiles_grown(std::uint64_t from, std::uint64_t to) {
  std::vector<Tile> tiles;
  for (unsigned level = 0; level_size(level, to) > level_size(level, from); ++level)
    for (std::uint64_t index = level_size(level, from) / kTileWidth;; ++index) {
      const unsigned width = tile_width(level, index, to);
      if (width == 0) break;
      tiles.push_back({level, index, width});
      if (width < kTileWidth) break;
    }
  return tiles;
}

Nodes nodes_of(Tiles tiles, std::uint64_t size) {
  struct Kept {
    Tile tile;
    std::string hashes;
  };
  return [tiles = std::move(tiles), size,
          kept = std::vector<Kept>(kRealLevels)](Node node) mutable -> Result<Hash> {
    const unsigned level = node.level / 8;
    const unsigned above = node.level % 8;
    const std::uint64_t first = node.index << above;
    const Tile tile{level, first / kTileWidth, tile_width(level, first / kTileWidth, size)};
    Kept& last = kept[level];
    if (last.hashes.empty() || last.tile != tile) {
      std::string hashes = TRY(tiles(tile));
      if (hashes.size() != tile.width * kHashBytes)
        return fail(Fault::corrupt, "read {}: {} bytes, not {}", path(tile), hashes.size(),
                    tile.width * kHashBytes);
      last = {tile, std::move(hashes)};
    }
    return full_root(last.hashes, first % kTileWidth, std::size_t{1} << above);
  };
}

Result<Edge> Edge::at(std::uint64_t size, const Tiles& tiles) {
  Edge edge;
  edge.size_ = size;
  for (unsigned level = 0; level_size(level, size) != 0; ++level) {
    const std::uint64_t last = level_size(level, size) / kTileWidth;
    const unsigned width = tile_width(level, last, size);
    std::string hashes;
    if (width != 0) hashes = TRY(tiles({level, last, width}));
    if (hashes.size() != width * kHashBytes)
      return fail(Fault::corrupt, "read {}: {} bytes, not {}", path({level, last, width}),
                  hashes.size(), width * kHashBytes);
    edge.levels_.push_back(std::move(hashes));
  }
  return edge;
}

void Edge::append(const Hash& leaf) {
  Hash hash = leaf;
  ++size_;
  for (unsigned level = 0;; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    std::string& hashes = levels_[level];
    hashes += view(hash);
    if (hashes.size() < kTileWidth * kHashBytes) return;
    hash = full_root(hashes, 0, kTileWidth);
    full_.push_back({{level, level_size(level, size_) / kTileWidth - 1, kTileWidth}, hashes});
    hashes.clear();
  }
}

std::vector<Edge::Full> Edge::take_full() { return std::exchange(full_, {}); }

Hash Edge::root() const {
  // From the left: the highest level has the largest subtrees.
  std::vector<Hash> peaks;
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    Frontier frontier;
    for (std::size_t i = 0; i * kHashBytes < level->size(); ++i)
      frontier.append(hash_at(*level, i));
    peaks.insert(peaks.end(), frontier.peaks().begin(), frontier.peaks().end());
  }
  if (peaks.empty()) return empty_root();
  Hash root = peaks.back();
  for (auto peak = peaks.rbegin() + 1; peak != peaks.rend(); ++peak) root = node_hash(*peak, root);
  return root;
}

std::vector<Edge::Full> Edge::partial() const {
  std::vector<Full> tiles;
  for (unsigned level = 0; level < levels_.size(); ++level) {
    const std::string& hashes = levels_[level];
    if (hashes.empty()) continue;
    const auto width = static_cast<unsigned>(hashes.size() / kHashBytes);
    tiles.push_back({{level, level_size(level, size_) / kTileWidth, width}, hashes});
  }
  return tiles;
}

Result<void> append_entry(std::string& bundle, std::string_view entry) {
  if (entry.size() > kLongestEntry)
    return fail(Fault::invalid, "put an entry into a bundle: it has {} bytes, more than 65535",
                entry.size());
  bundle += static_cast<char>(entry.size() >> 8);
  bundle += static_cast<char>(entry.size() & 255);
  bundle += entry;
  return {};
}

Result<std::vector<std::string_view>> entries_of(std::string_view bundle, unsigned width) {
  std::vector<std::string_view> entries;
  entries.reserve(width);
  while (!bundle.empty()) {
    if (bundle.size() < 2) return fail(Fault::corrupt, "read a bundle: it is cut off");
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bundle[0]) << 8 |
                                                 static_cast<unsigned char>(bundle[1]));
    bundle.remove_prefix(2);
    if (bundle.size() < length) return fail(Fault::corrupt, "read a bundle: it is cut off");
    entries.push_back(bundle.substr(0, length));
    bundle.remove_prefix(length);
  }
  if (entries.size() != width)
    return fail(Fault::corrupt, "read a bundle: it has {} entries, not {}", entries.size(), width);
  return entries;
}

}  // namespace vestige::merkle
