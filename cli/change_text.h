// Changes in words: one line of log, the block of show.
#pragma once

#include <string>

#include "cli/output.h"
#include "vestige/record/change.h"

namespace vestige::cli {

/// "price: 94900 → 89900", or the row's values.
std::string what_changed(const Change& change);

/// INSERT, UPDATE, …, labelled.
Piece op_piece(Op op);

/// A key as people type it: "1", or "order_id=1, line=2".
std::string key_words(const Row& key);

/// A field of the context, or "".
std::string context_text(const Change& change, std::string_view field);

/// The change as `show` prints it.
void print_change(Output& output, const Change& change);

/// The head of log's CSV, and its records.
void print_csv_head(Output& output);
void print_csv(Output& output, const Change& change);

}  // namespace vestige::cli
