#include "vestige/record/change.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "vestige/base/json.h"

namespace vestige {
namespace {

Change price_change() {
  Change change;
  change.id = 2;
  change.at = 1'767'225'600'000'001;
  change.op = Op::update;
  change.tx = 2;
  change.table = "products";
  change.key = {{"id", std::int64_t{1}}};
  change.old_values = Row{{"price", 999.5}};
  change.new_values = Row{{"price", 949.5}};
  change.context.set("reason", "sale");
  change.context.set("actor", "ann");
  return change;
}

TEST(Op, IsNamedAndReadInEitherCase) {
  for (std::size_t i = 0; i < kOpNames.size(); ++i) {
    const auto op = static_cast<Op>(i);
    EXPECT_EQ(name(op), kOpNames.at(i));
    EXPECT_EQ(*op_from_name(name(op)), op);
    EXPECT_EQ(*op_from_letter(letter(op)), op);
    EXPECT_EQ(of_a_row(op), op != Op::truncate && op != Op::erase && op != Op::expire);
    EXPECT_EQ(takes_away(op), op == Op::erase || op == Op::expire);
  }
  for (const std::string_view text : {"", "i", "Y", "IU"})
    EXPECT_EQ(op_from_letter(text).error().message,
              fmt::format("read a change: unknown operation '{}'", text));
  EXPECT_EQ(name(Op::remove), "DELETE");
  EXPECT_EQ(*op_from_name("delete"), Op::remove);
  EXPECT_EQ(*op_from_name("TrunCate"), Op::truncate);
}

TEST(Op, RefusesOtherNames) {
  for (const std::string_view text : {"", "remove", "insert ", "UPSERT"}) {
    const auto op = op_from_name(text);
    ASSERT_FALSE(op.has_value()) << text;
    EXPECT_EQ(op.error().message, fmt::format("read the operation '{}': unknown", text));
    EXPECT_EQ(op.error().hint, "one of insert, update, delete, truncate, baseline, erase");
  }
}

TEST(Change, SaysWhatOfItWasErasedAndByWhat) {
  Change change = price_change();
  EXPECT_FALSE(change.lost_values());
  change.old_values.reset();
  change.new_values.reset();
  EXPECT_TRUE(change.lost_values());
  EXPECT_EQ(change.how_lost(), "its values are gone, and no ERASE says who took them");
  change.erased = {{"values", 9}, {"key", 12}};
  EXPECT_EQ(change.how_lost(), "its values were erased by change 9");
  EXPECT_EQ(change.erased_by("key"), 12);
  EXPECT_FALSE(change.erased_by("context").has_value());
  const std::string json = to_json(change);
  EXPECT_TRUE(json.ends_with(R"("erased":{"values":9,"key":12}})")) << json;
  EXPECT_EQ(json.find("changed_fields"), std::string::npos) << "which they were is not known";
  change.op = Op::truncate;
  EXPECT_FALSE(change.lost_values()) << "it never had any";
  change.context = Context();
  change.db_user = "app";
  EXPECT_EQ(*change.who(), "app");
  change.erased.push_back({"context", 13});
  EXPECT_EQ(change.who(), nullptr) << "who was said is gone; whose session it was says nothing";
  change.context.set("actor", "ann");
  EXPECT_EQ(*change.who(), "ann");
  change = Change();
  change.op = Op::erase;
  change.erases = 4;
  EXPECT_TRUE(to_json(change).ends_with(R"("erases":4})")) << to_json(change);
}

TEST(Context, PrintsTheKnownFieldsFirstAndTheOthersByName) {
  Context context;
  EXPECT_TRUE(context.empty());
  EXPECT_EQ(to_json(context), "{}");
  context.set("zeta", "1");
  context.set("traceparent", "00-1");
  context.set("alpha", "2");
  context.set("reason", "it's \"urgent\"");
  context.set("actor", "ann");
  EXPECT_EQ(
      to_json(context),
      R"({"actor":"ann","reason":"it's \"urgent\"","traceparent":"00-1","alpha":"2","zeta":"1"})");
}

TEST(Context, KeepsTheLastValueOfAField) {
  Context context;
  for (const std::string_view field : {"actor", "x"}) {
    context.set(field, "first");
    context.set(field, "last");
    EXPECT_EQ(*context.get(field), "last");
  }
  EXPECT_EQ(context.fields().size(), 2U);
  EXPECT_EQ(context.get("reason"), nullptr);
}

TEST(Context, PrintsBytesThatAreNoTextAsHex) {
  Context context;
  context.set("user_agent", "\xff");
  EXPECT_EQ(to_json(context), R"({"user_agent":{"$text":"ff"}})");
}

RC_GTEST_PROP(Context, PrintsTheSameInWhateverOrderItWasSet, ()) {
  std::vector<std::string> fields(kContextFields.begin(), kContextFields.end());
  fields.insert(fields.end(), {"order", "a", "zz"});
  Context sorted;
  for (const std::string& field : fields) sorted.set(field, field + "!");
  for (std::size_t i = fields.size(); i > 1; --i)
    std::swap(fields[i - 1], fields[*rc::gen::inRange<std::size_t>(0, i)]);
  Context shuffled;
  for (const std::string& field : fields) shuffled.set(field, field + "!");
  RC_ASSERT(to_json(shuffled) == to_json(sorted));
}

TEST(Change, IsOneJsonObject) {
  EXPECT_EQ(to_json(price_change()),
            R"({"id":2,"at":"2026-01-01T00:00:00.000001Z","op":"UPDATE","table":"products",)"
            R"("key":{"id":1},"old_values":{"price":999.5},"new_values":{"price":949.5},)"
            R"("changed_fields":["price"],"tx":2,"context":{"actor":"ann","reason":"sale"},)"
            R"("db_user":null})");
}

TEST(Change, LeavesOutWhatItsOperationDoesNotHave) {
  Change change = price_change();
  change.op = Op::remove;
  change.new_values.reset();
  change.context = {};
  change.db_user = "shop\"s";
  EXPECT_EQ(to_json(change),
            R"({"id":2,"at":"2026-01-01T00:00:00.000001Z","op":"DELETE","table":"products",)"
            R"("key":{"id":1},"old_values":{"price":999.5},"new_values":null,"tx":2,)"
            R"("context":{},"db_user":"shop\"s"})");
}

TEST(Change, NamesTheNewKeyOnlyWhenTheKeyChanged) {
  Change change = price_change();
  EXPECT_EQ(to_json(change).find("new_key"), std::string::npos);
  change.new_key = Row{{"id", std::int64_t{9}}};
  EXPECT_NE(to_json(change).find(R"("key":{"id":1},"new_key":{"id":9},)"), std::string::npos);
}

TEST(Change, ListsChangedFieldsForAnUpdateOnly) {
  Change change = price_change();
  change.old_values = Row{{"price", 1.0}, {"stock \"x\"", Null{}}};
  EXPECT_EQ(change.changed_fields(), (std::vector<std::string>{"price", "stock \"x\""}));
  EXPECT_NE(to_json(change).find(R"("changed_fields":["price","stock \"x\""])"), std::string::npos);
  change.op = Op::remove;
  EXPECT_TRUE(change.changed_fields().empty());
  change.op = Op::update;
  change.old_values.reset();
  EXPECT_TRUE(change.changed_fields().empty());
}

TEST(Change, PrintsAsOneWellFormedLine) {
  Change change = price_change();
  change.table = "odd \"table\"\n";
  change.old_values = Row{{"a\nb", Text{"\xff\n"}}, {"c", Blob{std::string(3, '\0')}}};
  const std::string text = to_json(change);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  json::Reader reader(text);
  EXPECT_TRUE(reader.value().has_value());
  EXPECT_TRUE(reader.end().has_value());
}

}  // namespace
}  // namespace vestige
