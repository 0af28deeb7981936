#include "vestige/record/fold.h"

namespace vestige {

void overlay(Row& row, const Row& values) {
  for (const Field& field : values) {
    bool found = false;
    for (Field& own : row) {
      if (own.name != field.name) continue;
      own.value = field.value;
      found = true;
      break;
    }
    if (!found) row.push_back(field);
  }
}

void underlay(Row& row, const Row& values) {
  row.reserve(values.size());
  for (const Field& field : values)
    if (find(row, field.name) == nullptr) row.push_back(field);
}

void fold_forward(State& state, const Change& change) {
  switch (change.op) {
    case Op::insert:
    case Op::baseline: state = change.new_values; break;
    case Op::remove: state.reset(); break;
    case Op::update:
      if (!state.has_value()) state.emplace();
      if (change.new_values.has_value()) overlay(*state, *change.new_values);
      break;
    case Op::truncate:  // the rows it removed are changes of their own
    case Op::erase:
    case Op::expire: break;
  }
}

void fold_backward(State& state, const Change& change) {
  switch (change.op) {
    case Op::insert: state.reset(); break;
    case Op::baseline: state = change.new_values; break;  // a look at the row, before and after
    case Op::remove: state = change.old_values; break;
    case Op::update:
      if (!state.has_value()) state.emplace();
      if (change.old_values.has_value()) overlay(*state, *change.old_values);
      break;
    case Op::truncate:
    case Op::erase:
    case Op::expire: break;
  }
}

std::vector<Difference> difference(const State& from, const State& to) {
  std::vector<Difference> out;
  if (to.has_value()) {
    for (const Field& field : *to) {
      const Value* before = from.has_value() ? find(*from, field.name) : nullptr;
      if (before == nullptr) out.push_back({field.name, std::nullopt, field.value});
      else if (!identical(*before, field.value)) out.push_back({field.name, *before, field.value});
    }
  }
  if (from.has_value())
    for (const Field& field : *from)
      if (!to.has_value() || find(*to, field.name) == nullptr)
        out.push_back({field.name, field.value, std::nullopt});
  return out;
}

}  // namespace vestige
