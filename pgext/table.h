// A table of the trail that rows are put into directly: no statement, no plan, no executor.
//
// Only a table as plain as the trail makes it is written so: heap, no triggers on INSERT, no checks, indexes over
// columns. For any other `open` says no, and the portable engine writes, which goes by everything that was added.
#pragma once

#include "pgext/row_tuple.h"
#include "pgext/server.h"

namespace vestige::native {

/// A column that a row is given: its name and type in the trail.
struct Field {
  const char* name;
  Oid type;
};

#if PG_VERSION_NUM >= 160000
using FilePlace = RelFileLocator;
#else
using FilePlace = RelFileNode;
#endif

constexpr int kMostFields = 16;

struct Index {
  Oid oid;
  bool plain;  // over columns, for all rows
  bool unique;
  bool ready;
  bool kept;  // `info` holds for long: a btree, and the trail's own, keep nothing in it
  int count;
  AttrNumber columns[INDEX_MAX_KEYS];
  IndexInfo* info;
  FilePlace file;
  BlockNumber segment;  // of the trail's own kinds: how many blocks one closes at once; else 0
  Buffer first;         // where its first page was last
};

/// What is known of one table. Zero: nothing yet.
struct Table {
  Oid oid;
  bool known;   // looked at since it was altered last
  bool usable;  // as plain as it must be
  bool
      writable;  // but for indexes: those that are not plain came later than rows that wait, and wait for these
  bool locked;  // in this transaction
  bool
      guarded;  // the trail's guard looks at what is put there, and has nothing against what this module does
  MemoryContext memory;
  const Field* fields;  // that rows are given
  int field_count;
  TupleDesc layout;  // a copy
  bool as_given;     // its columns are the fields, in their order: a row of those is a row of it
  AttrNumber place[kMostFields];  // of each field
  int index_count;
  Index* indexes;
};

/// Looks at the table if it must, and locks it for the transaction. Whether rows can be put into it directly.
bool ready(Table* table, const Field* fields, int count);

/// A row of a table that is ready, in the current memory context.
HeapTuple row_for(const Table& table, const Datum* values, const bool* nulls);

/// Fields alone, numbers and texts, whichever table they will be in.
struct Loose {
  const Field* fields;
  int count;
  TupleDesc layout;
  RowLayout columns;
};
Loose* loose(const Field* fields, int count);
/// A row of them, in the current memory context; texts are whole, with headers of four bytes.
inline HeapTuple loose_row(const Loose& of, const Datum* values, const bool* nulls) {
  return row_tuple(of.columns, values, nulls);
}
/// The same as a row of a table that is ready: itself, where the table has just those columns.
HeapTuple row_from(const Loose& of, const Table& table, HeapTuple row);

/// Puts rows of one command into a table that was ready in this transaction when they were recorded, and into its indexes.
void put(Table* table, HeapTuple* rows, int count, CommandId command);

/// Locks a relation until the transaction ends, also when a subtransaction that asked for it does not last.
void lock_for_transaction(Oid oid);

/// Whether something is the table, or one of its indexes.
bool concerns(const Table& table, Oid relation);

/// Whether an INSERT into a relation would do more than put the row there.
///
/// guarded   but for the trail's own guard
bool plain_for_insert(Relation relation, bool guarded = false);

}  // namespace vestige::native
