// Forming a row of the heap whose columns are numbers by value, and texts that are plain in memory: what heap_form_tuple
// does, without asking at every column what it might be.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// Whether rows of this layout can be formed so.
bool simple(TupleDesc layout);

/// Forms a row. Texts are neither compressed nor elsewhere, and have a header of four bytes.
HeapTuple row_tuple(TupleDesc layout, const Datum* values, const bool* nulls);

}  // namespace vestige::native
