// Rows of numbers and texts, formed without asking at every column what it may be: what heap_form_tuple gives.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

constexpr int kMostColumns = 32;

/// What a table's columns are: numbers by value, or texts that may have a short header.
struct RowLayout {
  int count;
  int8 length[kMostColumns];  // of a number; 0: a text
};

/// Looks at a table's columns. False when they are more, or others.
bool row_layout(TupleDesc columns, RowLayout* out);

/// A row, in the current memory context. Texts are whole, with headers of four bytes.
HeapTuple row_tuple(const RowLayout& layout, const Datum* values, const bool* nulls);

}  // namespace vestige::native
