#include "vestige/record/fold.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "test/generators.h"

namespace vestige {
namespace {

const Row kLaptop = {{"id", std::int64_t{1}}, {"name", Text{"Laptop"}}, {"price", 999.5}};

Change change(Op op, std::optional<Row> old_values, std::optional<Row> new_values) {
  Change made;
  made.op = op;
  made.old_values = std::move(old_values);
  made.new_values = std::move(new_values);
  return made;
}

std::string text(const State& state) { return state.has_value() ? to_json(*state) : "nothing"; }

std::string text(const std::vector<Difference>& differences) {
  std::string out;
  for (const Difference& one : differences)
    out += fmt::format("{}: {} -> {}\n", one.column, one.from ? to_json(*one.from) : "none",
                       one.to ? to_json(*one.to) : "none");
  return out;
}

TEST(Overlay, ReplacesInPlaceAndJoinsAtTheEnd) {
  Row row = kLaptop;
  overlay(row, {{"stock", std::int64_t{3}}, {"name", Null{}}});
  EXPECT_EQ(to_json(row), R"({"id":1,"name":null,"price":999.5,"stock":3})");
  overlay(row, {});
  EXPECT_EQ(row.size(), 4U);
}

TEST(Fold, GoesForwardThroughALife) {
  State state;
  fold_forward(state, change(Op::insert, std::nullopt, kLaptop));
  EXPECT_EQ(text(state), to_json(kLaptop));
  fold_forward(state, change(Op::update, Row{{"price", 999.5}}, Row{{"price", 949.5}}));
  EXPECT_EQ(text(state), R"({"id":1,"name":"Laptop","price":949.5})");
  fold_forward(state, change(Op::truncate, std::nullopt, std::nullopt));
  EXPECT_EQ(text(state), R"({"id":1,"name":"Laptop","price":949.5})");
  fold_forward(state, change(Op::remove, *state, std::nullopt));
  EXPECT_EQ(text(state), "nothing");
  fold_forward(state, change(Op::baseline, std::nullopt, kLaptop));
  EXPECT_EQ(text(state), to_json(kLaptop));
}

TEST(Fold, GoesBackwardFromADeletion) {
  State state;
  fold_backward(state, change(Op::remove, kLaptop, std::nullopt));
  EXPECT_EQ(text(state), to_json(kLaptop));
  fold_backward(state, change(Op::baseline, std::nullopt, kLaptop));
  EXPECT_EQ(text(state), to_json(kLaptop)) << "a baseline is a look, not a change";
  fold_backward(state, change(Op::truncate, std::nullopt, std::nullopt));
  EXPECT_EQ(text(state), to_json(kLaptop));
  fold_backward(state,
                change(Op::update, Row{{"name", Text{"Lap"}}}, Row{{"name", Text{"Laptop"}}}));
  EXPECT_EQ(text(state), R"({"id":1,"name":"Lap","price":999.5})");
  fold_backward(state, change(Op::insert, std::nullopt, *state));
  EXPECT_EQ(text(state), "nothing");
}

TEST(Fold, TakesAnUpdateOfARowItNeverSawAsAllItKnows) {
  State state;
  fold_forward(state, change(Op::update, Row{{"a", Null{}}}, Row{{"a", std::int64_t{1}}}));
  EXPECT_EQ(text(state), R"({"a":1})");
  state.reset();
  fold_backward(state, change(Op::update, Row{{"a", Null{}}}, Row{{"a", std::int64_t{1}}}));
  EXPECT_EQ(text(state), R"({"a":null})");
}

TEST(Fold, GivesTheSameWhetherUpdatesAreFullOrSparse) {
  State sparse = kLaptop;
  State full = kLaptop;
  Row after = kLaptop;
  after[2].value = 1.0;
  fold_forward(sparse, change(Op::update, Row{{"price", 999.5}}, Row{{"price", 1.0}}));
  fold_forward(full, change(Op::update, kLaptop, after));
  EXPECT_EQ(text(sparse), text(full));
}

TEST(Difference, ComparesBitByBitInTheOrderOfTheNewSide) {
  EXPECT_EQ(text(difference(kLaptop, kLaptop)), "");
  EXPECT_EQ(text(difference(Row{{"a", 0.0}, {"b", std::int64_t{1}}, {"c", Null{}}},
                            Row{{"b", 1.0}, {"d", Text{}}, {"a", -0.0}})),
            "b: 1 -> 1.0\nd: none -> \"\"\na: 0.0 -> -0.0\nc: null -> none\n");
}

TEST(Difference, TakesAMissingRowAsMissingColumns) {
  EXPECT_EQ(text(difference(std::nullopt, Row{{"a", Null{}}})), "a: none -> null\n");
  EXPECT_EQ(text(difference(Row{{"a", Null{}}}, std::nullopt)), "a: null -> none\n");
  EXPECT_EQ(text(difference(std::nullopt, std::nullopt)), "");
}

// The obviously right twin: a row is a map from column to canonical text, and history is kept by
// remembering every state.
using Plain = std::optional<std::map<std::string, std::string>>;

Plain plain(const State& state) {
  if (!state.has_value()) return std::nullopt;
  Plain out(std::in_place);
  for (const Field& field : *state) (*out)[field.name] = to_json(field.value);
  return out;
}

struct Life {
  std::vector<Change> changes;
  std::vector<Plain> states;  // states[i] is before changes[i]; one more at the end
};

// A row's life as a capture would record it. Columns come and go, as a schema's do.
Life random_life() {
  Life life;
  State state;
  life.states.push_back(std::nullopt);
  const int length = *rc::gen::inRange(0, 30);
  for (int i = 0; i < length; ++i) {
    Change next;
    if (!state.has_value()) {
      next.op = Op::insert;
      Row row;
      for (const std::string column : {"id", "name", "price", "stock"})
        row.push_back({column, *any_value()});
      next.new_values = row;
      state = row;
    } else if (*rc::gen::inRange(0, 6) == 0) {
      next.op = Op::remove;
      next.old_values = *state;
      state.reset();
    } else if (*rc::gen::inRange(0, 8) == 0) {
      next.op = *rc::gen::element(Op::baseline, Op::truncate);
      if (next.op == Op::baseline) next.new_values = *state;
    } else {
      next.op = Op::update;
      const bool full = *rc::gen::arbitrary<bool>();
      next.old_values.emplace();
      next.new_values.emplace();
      for (Field& field : *state) {
        const bool changes = *rc::gen::arbitrary<bool>();
        if (!changes && !full) continue;
        next.old_values->push_back(field);
        if (changes) field.value = *any_value();
        next.new_values->push_back(field);
      }
    }
    life.changes.push_back(next);
    life.states.push_back(plain(state));
  }
  return life;
}

RC_GTEST_PROP(Fold, AgreesWithRememberingEveryStateForwardAndBackward, ()) {
  const Life life = random_life();
  State state;
  for (std::size_t i = 0; i < life.changes.size(); ++i) {
    RC_ASSERT(plain(state) == life.states[i]);
    fold_forward(state, life.changes[i]);
  }
  RC_ASSERT(plain(state) == life.states.back());
  for (std::size_t i = life.changes.size(); i-- > 0;) {
    fold_backward(state, life.changes[i]);
    RC_ASSERT(plain(state) == life.states[i]);
  }
}

RC_GTEST_PROP(Difference, LaidOverOneSideGivesTheOther, ()) {
  const auto row = [] {
    Row made;
    for (const std::string column : {"a", "b", "c", "d"})
      if (*rc::gen::arbitrary<bool>()) made.push_back({column, *any_value()});
    return made;
  };
  const Row from = row();
  const Row to = row();
  auto rebuilt = *plain(from);
  for (const Difference& one : difference(from, to)) {
    const auto before = rebuilt.find(one.column);
    RC_ASSERT(one.from.has_value() == (before != rebuilt.end()));
    if (one.from.has_value()) RC_ASSERT(to_json(*one.from) == before->second);
    if (one.to.has_value()) rebuilt[one.column] = to_json(*one.to);
    else rebuilt.erase(one.column);
  }
  RC_ASSERT(Plain(rebuilt) == plain(to));
}

}  // namespace
}  // namespace vestige
