// Numbers compared as they are written, without passing through a double.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vestige {

/// Compares two decimal numerals exactly, whatever their length: "-1.50", "1e400", "007".
///
/// returns  less than, equal to or greater than 0; nothing where one of them is not a finite numeral
std::optional<int> compare_numbers(std::string_view left, std::string_view right);

/// The exact sum of two decimal numerals, with as many decimals as the one that has more: "0.10", "0.2" → "0.30". Without an
/// exponent.
///
/// returns  nothing where one of them is not a finite numeral, or the sum would have more than 20,000 digits
std::optional<std::string> add_numbers(std::string_view left, std::string_view right);

/// The numeral with the other sign.
std::string negated(std::string_view number);

}  // namespace vestige
