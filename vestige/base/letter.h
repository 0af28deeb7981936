// Letters of UTF-8, and which of them nobody sees: a name must not look like another. Test: letter_test.cc.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vestige {

struct Letter {
  char32_t code = 0;
  std::size_t bytes = 1;  // never 0; 1 also for a byte that is not UTF-8
  bool valid = false;
};

/// The letter that begins at a place of a text.
Letter letter_at(std::string_view text, std::size_t at);

/// Whether the letter at a place cannot be seen, or moves what stands beside it: marks of the writing direction, characters without
/// width, controls beyond ASCII. What joins letters or chooses their form is seen where it stands among letters that it is for: in Arabic, in the
/// scripts of India, in emoji, not in Latin; and not behind 32 of its kind.
bool is_unseen(std::string_view text, std::size_t at);

/// "\u202e"; beyond four digits "\u{e0041}".
void append_shown(std::string& out, char32_t code);

}  // namespace vestige
