// Changes in words: one line of log, the block of show.
#pragma once

#include <string>
#include <string_view>

#include "cli/output.h"
#include "vestige/record/change.h"

namespace vestige::cli {

/// "price: 94900 → 89900", or the row's values.
std::string what_changed(const Change& change);
using server::erased_text;

/// A value for people: as to_display, but nothing is taken for something else ('' and 'null' are texts).
std::string value_text(const Value& value);

/// A value and what it became. Where both would look alike (1 and '1') they are shown as JSON.
struct Pair {
  std::string before;
  std::string after;
};
Pair pair_text(const Value& before, const Value& after);

/// INSERT, UPDATE, …, labelled.
Piece op_piece(Op op);

/// The values of a key as people type them: "1", or "7 2".
std::string key_words(const Row& key);

/// Who did it (see Change::who), or "".
std::string who_text(const Change& change);

/// The same with what the signature of its context is worth, where anybody asked: "✓ ann", or "(replayed) ann".
std::string signed_who_text(const Change& change);

/// A field of the context, or "".
std::string context_text(const Change& change, std::string_view field);

/// The change as `show` prints it.
void print_change(Output& output, const Change& change);

/// The same, but of a long text that became another the words that went and came, and of a JSON document the places.
void print_patch(Output& output, const Change& change);

/// The change in one line: "17 UPDATE products 1 price: 94900 → 89900 (ann: summer sale)".
void print_line(Output& output, const Change& change);

/// The head of log's CSV, and its records; with its index.
void print_csv_head(Output& output, bool index = false);
void print_csv(Output& output, const Change& change, bool index = false);

}  // namespace vestige::cli
