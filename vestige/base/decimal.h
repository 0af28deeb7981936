// Numbers compared as they are written, without passing through a double.
#pragma once

#include <optional>
#include <string_view>

namespace vestige {

/// Compares two decimal numerals exactly, whatever their length: "-1.50", "1e400", "007".
///
/// returns  less than, equal to or greater than 0; nothing where one of them is not a finite numeral
std::optional<int> compare_numbers(std::string_view left, std::string_view right);

}  // namespace vestige
