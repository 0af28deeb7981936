// The text of dates and times as PostgreSQL prints them in ISO style at UTC, without its detours.
#pragma once

#include "pgext/row_text.h"

namespace vestige::native {

/// The text of a date, timestamp or timestamptz, by its output function; no bytes where only that one knows how:
/// infinity, and years that have not four digits.
Text printed_moment(Oid output, Datum value);

}  // namespace vestige::native
