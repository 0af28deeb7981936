// What the two indexes of the trail have in common, vestige_runs (runs.h) and vestige_order (order.h): a first page that
// says how far the index reaches, pages of parts, and how it comes to reach further.
//
// Both index a table that grows at its end, and write nothing for most rows: heap blocks from `closed` on are the tail,
// which searches read in the heap itself. Now and then whoever inserts closes some blocks: what is in them is written
// into the index at once, as a part. So that nothing is lost between:
//
//   a row is in the heap before its insertion looks at `closing`;
//   `closing` is moved, and everybody can see it, before the blocks up to there are read.
//
// Whoever found a row's block not yet being closed therefore put the row where the closer finds it; everybody else comes
// late, and tells the index (each in its own way). A closer that dies leaves `closing` beyond `closed`: searches still
// read those blocks, and the next one closes them again. Parts are never moved or given back, so that a search may go by
// the first page as it was when it began. One closes at a time: the lock on page 0, which VACUUM takes too.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

enum class PageKind : uint16 { first = 1, parts, run, late, blocks };

/// At the end of every page.
struct PageEnd {
  BlockNumber next;  // of the late ones
  uint16 kind;
  uint16 count;  // of the page's items
};

/// A piece of the index: a run, or a page of heap blocks.
struct Part {
  BlockNumber page;  // the first of them
  uint32 pages;
  uint64 count;  // of entries, or heap blocks
  int64 least;   // key; none when it is greater than `most`
  int64 most;
};

/// The first page.
struct First {
  uint32 magic;
  BlockNumber closed;
  BlockNumber closing;
  uint32 parts;
  BlockNumber late;       // pages of entries that came late: the first,
  BlockNumber late_last;  // and the last
  uint32 late_pages;
  uint32 late_full;  // the last takes no more: a closer reads it
  uint32 part_pages;
  BlockNumber part_page[FLEXIBLE_ARRAY_MEMBER];
};

constexpr uint32 kMagic = 0x56525331;  // of this layout
constexpr uint32 kRoom =
    BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(PageEnd));  // bytes of a page's items
constexpr uint32 kPartsOnPage = kRoom / sizeof(Part);
constexpr uint32 kMostPartPages = (kRoom - sizeof(First)) / sizeof(BlockNumber);
constexpr BlockNumber kFirstPage = 0;

inline PageEnd* end_of(Page page) {
  return static_cast<PageEnd*>(static_cast<void*>(PageGetSpecialPointer(page)));
}
inline First* first_of(Page page) {
  return static_cast<First*>(static_cast<void*>(PageGetContents(page)));
}
template <typename Item>
Item* items_of(Page page) {
  return static_cast<Item*>(static_cast<void*>(PageGetContents(page)));
}

/// Raises that a page of the index is not as it was written.
[[noreturn]] void corrupted(Relation index, BlockNumber page);

/// Reads a page that another one names; it is pinned, not locked.
Buffer read_page(Relation index, BlockNumber page);

/// The page in a buffer that is locked: every page that is read or changed comes from here. Raises where it is of another
/// kind, where what it says of itself is not what lies on it, or where it has fewer items than it must.
Page checked(Relation index, Buffer buffer, PageKind kind, size_t item, uint32 least);
template <typename Item>
Item* checked_items(Relation index, Buffer buffer, PageKind kind, uint32 least) {
  return items_of<Item>(checked(index, buffer, kind, sizeof(Item), least));
}
/// The same of the first page.
First* checked_first(Relation index, Buffer buffer);

/// Goes from one late page to the next: counts the steps, which a chain that leads in a circle has no end of.
class Chain {
 public:
  explicit Chain(Relation index) : index_(index) {}
  void step();

 private:
  Relation index_;
  BlockNumber steps_ = 0;
  BlockNumber most_ = 0;
};

/// Makes a page empty, of a kind.
void begin_page(Page page, PageKind kind);

/// Tells how many items of a size a page has; what lies behind them is not logged.
void set_count(Page page, uint32 count, size_t size);

/// Adds a page to the index and returns it pinned, not locked.
Buffer new_page(Relation index);

/// Writes the first page of a new index.
void begin_index(Relation index);
/// The same for an unlogged one: refused.
void begin_unlogged(Relation index);

/// What an insertion must know.
struct Reach {
  BlockNumber closed;
  BlockNumber closing;
  uint32 late_pages;
};
Reach reach_of(Relation index);

/// The first page as it is now, in the current memory context.
First* read_first(Relation index);

/// The parts that a first page tells of, in the current memory context; the pages of each are in the index.
Part* read_parts(Relation index, const First* first);

/// Becomes the one that closes; false when somebody else is. Ends with end_closing or the transaction.
bool begin_closing(Relation index);
void end_closing(Relation index);
/// Waits until nobody closes.
void await_closer(Relation index);

/// Says that the heap blocks before `upto` are being read, and that the late pages there are take no more. What the
/// first page was then.
First* announce(Relation index, BlockNumber upto);

/// Enters a part at a place (which may be the next one) and how far the index reaches with it, in one record of the WAL.
///
/// absorbed  the last late page that is in the part, or InvalidBlockNumber; and how many they are
/// late_item the size of a late entry
/// page      one more page to change with it, pinned by the caller: `change(copy, argument)`; or InvalidBuffer; whether
///           it is new, or else its kind and the size of its items
/// returns   false when there is no room for more parts
struct Publication {
  uint32 place;
  Part part;
  BlockNumber closed;
  BlockNumber absorbed;
  uint32 absorbed_pages;
  size_t late_item;
  Buffer page;
  bool fresh;
  PageKind kind;
  size_t item;
  void (*change)(Page, void*);
  void* argument;
};
bool publish(Relation index, const Publication& what);

/// A stand-in for a page to serializable transactions: a search for one key conflicts with insertions of this bucket.
BlockNumber bucket_of(int64 key);

}  // namespace vestige::native
