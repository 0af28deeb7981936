// Printable: text made safe for a terminal, and its width there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vestige::cli {

/// The text with every control character, terminal escape, change of writing direction, character that nobody sees and byte that
/// is not UTF-8 shown as \xNN. With `keep_lines`, newlines and tabs stay.
std::string printable(std::string_view text, bool keep_lines = false);

/// The text with … for the rest of each private key that it repeats: an error tells what was given, and anything may be.
std::string without_private_keys(std::string text);

/// How many columns a printable text takes on a terminal.
int display_width(std::string_view text);

/// A printable text cut to a width, with … at the end when something was cut.
std::string cut(std::string_view text, int width);

/// A line of JSON in which what is safe for a parser but not for a terminal is escaped: the same value.
std::string printable_json(std::string_view json);

}  // namespace vestige::cli
