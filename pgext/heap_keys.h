// The keys of the rows in a heap block, read from the page itself: what the indexes do not have yet.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// A key and where its row is: block << 16 | offset.
struct Entry {
  int64 key;
  uint64 place;
};

inline uint64 place_of(BlockNumber block, OffsetNumber offset) {
  return static_cast<uint64>(block) << 16 | offset;
}
// A row whose key is null has the key that stands for it, and this in its place.
constexpr uint64 kNull = uint64{1} << 62;
inline bool is_null(uint64 place) { return (place & kNull) != 0; }
inline BlockNumber block_of(uint64 place) { return static_cast<BlockNumber>(place >> 16); }
inline ItemPointerData pointer_of(uint64 place) {
  ItemPointerData pointer;
  ItemPointerSet(&pointer, block_of(place), static_cast<OffsetNumber>(place & 0xFFFF));
  return pointer;
}
inline bool operator<(const Entry& a, const Entry& b) {
  return a.key != b.key ? a.key < b.key : a.place < b.place;
}
inline bool operator==(const Entry& a, const Entry& b) {
  return a.key == b.key && a.place == b.place;
}

/// A table, and the bigint column of it that an index is over.
struct Keyed {
  Relation heap;
  AttrNumber column;
  int offset;  // of the column in a row where nothing before it is null; -1: not the same in each
};
Keyed keyed(Relation heap, Relation index);

constexpr int kMostInBlock = MaxHeapTuplesPerPage;

/// Reads the keys of all rows of a block, whoever sees them; a null is `null_key`, or left out when that is null.
/// A row with several versions has the place of its root, and may stand there several times.
///
/// out      room for kMostInBlock entries
/// returns  their number
int read_block(const Keyed& table, BlockNumber block, const int64* null_key, Entry* out);

}  // namespace vestige::native
