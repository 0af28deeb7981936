// The fold: how changes become states, forward and backward. One definition for every verb; its
// obviously-right twin lives in test/ and is compared with it.
#pragma once

#include <optional>
#include <vector>

#include "vestige/record/change.h"

namespace vestige {

/// All recorded column values of a row at a moment; nothing when the row did not exist.
using State = std::optional<Row>;

/// state || values: each column of `values` replaces or joins that of `row`.
void overlay(Row& row, const Row& values);

/// values || state: those columns of `values` that `row` has not join it. Going forward in time, the first old value of a column
/// is the one that it had.
void underlay(Row& row, const Row& values);

/// The state after a change, from the state before it.
void fold_forward(State& state, const Change& change);

/// The state before a change, from the state after it.
void fold_backward(State& state, const Change& change);

/// One column's value on two sides; a side is missing when the column or the row was not there.
struct Difference {
  std::string column;
  std::optional<Value> from;
  std::optional<Value> to;
};

/// The columns in which two states differ, bit by bit, in the order of `to`, then of `from`.
std::vector<Difference> difference(const State& from, const State& to);

}  // namespace vestige
