// CSV (RFC 4180), as everything that vestige prints has it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/record/value.h"

namespace vestige::server {

/// One field of a record: quoted when it must be. Null is empty, an empty text is "".
std::string csv_field(const Value& value);
std::string csv_text(std::string_view text);

/// A record of such fields, with its line end. What a spreadsheet would take for a formula has an apostrophe before it.
///
/// raw    it has none
std::string csv_record(const std::vector<std::string>& fields, bool raw = false);

/// The columns of a list of changes, and the fields of one.
///
/// index   with the place in the feed
std::vector<std::string> change_heads(bool index = false);
std::vector<std::string> change_fields(const Change& change, bool index = false);

/// What was erased of a change, and by which, in words; what an ERASE took.
std::string erased_text(const Change& change);

}  // namespace vestige::server
