// Bytes → a life of one row (inserted, updated, deleted, again) → forward to its end, backward to its
// start. Two bytes are one change: what to do, and to which columns with which values.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "test/fuzz/property.h"
#include "vestige/record/fold.h"

namespace vestige::fuzz {
namespace {

constexpr int kColumns = 4;

Value value_of(std::uint8_t byte) {
  switch (byte % 6) {
    case 0: return Null{};
    case 1: return std::int64_t{byte};
    case 2: return byte / 2.0;
    case 3: return Text{std::string(byte % 5, 'x')};
    case 4: return Blob{std::string(1, static_cast<char>(byte))};
    default: return -0.0;
  }
}

Row whole_row(std::uint8_t byte) {
  Row row;
  for (int i = 0; i < kColumns; ++i)
    row.push_back({std::string(1, static_cast<char>('a' + i)),
                   value_of(static_cast<std::uint8_t>(byte + i * 37))});
  return row;
}

// The next change of a row that stands at `state`, as a capture would record it.
Change next_change(const State& state, std::uint8_t what, std::uint8_t with) {
  Change change;
  if (!state.has_value()) {
    change.op = what % 5 == 0 ? Op::truncate : Op::insert;
    if (change.op == Op::insert) change.new_values = whole_row(with);
  } else if (what % 4 == 0) {
    change.op = Op::remove;
    change.old_values = *state;
  } else if (what % 11 == 0) {
    change.op = Op::baseline;
    change.new_values = *state;
  } else {
    change.op = Op::update;
    const Row full = whole_row(with);
    change.old_values.emplace();
    change.new_values.emplace();
    for (std::size_t i = 0; i < full.size(); ++i) {
      if ((what >> i & 1) == 0) continue;
      change.old_values->push_back((*state)[i]);
      change.new_values->push_back(full[i]);
    }
  }
  return change;
}

std::string text(const State& state) { return state.has_value() ? to_json(*state) : "nothing"; }

}  // namespace
}  // namespace vestige::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vestige;
  using vestige::fuzz::must;
  if (size > 512) return 0;
  std::vector<Change> changes;
  std::vector<std::string> states;
  State state;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    states.push_back(fuzz::text(state));
    changes.push_back(fuzz::next_change(state, data[i], data[i + 1]));
    const State before = state;
    fold_forward(state, changes.back());
    State undone = before;
    for (const Difference& one : difference(before, state))
      if (one.to.has_value()) {
        if (!undone.has_value()) undone.emplace();
        overlay(*undone, {{one.column, *one.to}});
      }
    if (state.has_value())
      must(fuzz::text(undone) == fuzz::text(state), "a difference laid over one side is the other");
  }
  while (!changes.empty()) {
    fold_backward(state, changes.back());
    must(fuzz::text(state) == states.back(), "backward undoes forward");
    changes.pop_back();
    states.pop_back();
  }
  must(!state.has_value(), "a life begins with nothing");
  return 0;
}
