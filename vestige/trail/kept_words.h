// What of the words of a request may be written down for good. Who asked for what is recorded and sealed; an erasure does not
// reach it, so that nothing stands there that one could take out of changes: no value, nothing that a context says, and of keys
// what names a row and no person. Test: kept_words_test.cc.
#pragma once

#include <string>

namespace vestige {

/// Stands for what is not written down.
inline constexpr const char* kNotKept = "…";

/// A word of a key: a whole number and a UUID say which row it was and stay, with the column that they are of, but for a number that
/// may be that of a card.
std::string kept_key(const std::string& typed);

/// A whole number.
std::string kept_number(const std::string& typed);

/// A time, a period, or a place in the trail ("tx:12~", "last~3"). Not the name of a mark: anybody calls one what they like.
std::string kept_moment(const std::string& typed);

/// A filter: the words of its conditions stay where they are about tables, columns, operations, times and places in the trail.
std::string kept_filter(const std::string& text);

}  // namespace vestige
