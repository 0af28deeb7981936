#include "vestige/record/filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test/generators.h"

namespace vestige {
namespace {

constexpr std::int64_t kNow = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z

Change an_update() {
  Change change;
  change.id = 7;
  change.at = kNow - 3'600'000'000;
  change.op = Op::update;
  change.tx = 6;
  change.table = "products";
  change.key = {{"id", std::int64_t{17}}};
  change.old_values = Row{{"price", Token{"99.50"}},
                          {"note", Null{}},
                          {"at", Text{"2026-01-01"}},
                          {"Unit price", Token{"\"a, b\""}}};
  change.new_values = Row{{"price", Token{"100"}},
                          {"note", Text{"Refund of 12 null*"}},
                          {"at", Text{"2026-02-01"}},
                          {"Unit price", Token{"null"}}};
  change.context.set("actor", "ann@example.com");
  change.context.set("reason", "Price list of 2026");
  change.context.set("tenant", "acme");
  change.db_user = "app";
  return change;
}

const std::map<std::string, TableFacts> kTables = {{"products", {"confidential", {"SOX", "GDPR"}}}};

bool met(const std::string& text, const Change& change = an_update()) {
  const auto filter = parse_filter(text, kNow);
  EXPECT_TRUE(filter.has_value()) << text << ": " << filter.error().message;
  return filter.has_value() && matches(*filter, change, kTables);
}

std::string refused(const std::string& text) {
  const auto filter = parse_filter(text, kNow);
  return filter.has_value() ? "" : filter.error().message + "; " + filter.error().hint;
}

TEST(Filter, MeansWhatItSays) {
  for (const char* text : {"",
                           "table:products",
                           "table:prod*",
                           "table:x,products",
                           "key:17",
                           "key:017",
                           "key:1*",
                           "key.id:17",
                           "key.id:1,17",
                           "key.id>16",
                           "key.id!=18,19",
                           "-key.id<17",
                           "op:update",
                           "op:DELETE,Update",
                           "column:price",
                           "column:note,x",
                           "column:Unit*",
                           "who:ann@example.com",
                           "who:ann@*",
                           "actor:*",
                           "db_user:app",
                           "reason:\"price LIST\"",
                           "reason:2026",
                           "since:2h",
                           "until:now",
                           "until:30m",
                           "tx:6",
                           "id:1,7",
                           "tag:SOX",
                           "tag:GD*",
                           "class:confidential",
                           "context.tenant:acme",
                           "old.price>99.4",
                           "old.price>=99.5",
                           "new.price<=100.000",
                           "old.price!=100",
                           "old.price:99.5",
                           "old.price=9.95e1",
                           "new.price<1e3",
                           "old.note:null",
                           "new.note!=null",
                           "new.note:Refund*",
                           "new.note:\"Refund of 12 null*\"",
                           "old.at<2026-01-15",
                           "new.at>\"2026-01-31\"",
                           "old.\"Unit price\":\"a, b\"",
                           "new.\"Unit price\":null",
                           "refund",
                           "REFUND,nothing",
                           "text:12",
                           "value:Refund",
                           "value:x,\"Refund of 12\"",
                           "value:*",
                           "text:acme",
                           "text:ann@",
                           "-op:delete",
                           "-who:bob",
                           "-session_id:*",
                           "  op:update\ttable:products\n old.price>1 ",
                           "\"of 12\"",
                           "old.price:1,99.50",
                           "old.price!=1,2"})
    EXPECT_TRUE(met(text)) << text;
  for (const char* text : {"table:product",
                           "table:\"prod*\"",
                           "key:1",
                           "op:insert",
                           "column:pric",
                           "who:ann",
                           "who:\"ann@*\"",
                           "reason:sale",
                           "since:30m",
                           "until:2h",
                           "tx:7",
                           "id:1",
                           "tag:HIPAA",
                           "class:*x",
                           "context.tenant:acm",
                           "session_id:*",
                           "old.price>99.5",
                           "old.price<99.50",
                           "new.price!=100",
                           "new.other:1",
                           "-new.price:100",
                           "old.note:\"null\"",
                           "old.note:*x",
                           "old.note<5",
                           "new.note:null",
                           "new.note>100",
                           "new.at<2026-01-31",
                           "-refund",
                           "value:refund",
                           "value:acme",
                           "\"of  12\"",
                           "op:update -table:products",
                           "old.price!=1,99.5",
                           "old.price:abc",
                           "old.price>abc"})
    EXPECT_FALSE(met(text)) << text;
}

TEST(Filter, ATableWithoutTagsHasNone) {
  Change change = an_update();
  change.table = "other";
  EXPECT_FALSE(met("tag:*", change));
  EXPECT_TRUE(met("-tag:* -class:*", change));
}

TEST(Filter, OfAChangeThatLostItsValuesNothingIsKnown) {
  Change change = an_update();
  change.old_values = change.new_values = std::nullopt;
  EXPECT_FALSE(met("old.price>1", change));
  EXPECT_FALSE(met("column:price", change));
  EXPECT_TRUE(met("who:ann@* -column:*", change));
}

TEST(Filter, ATextThatStaysWhereItWasHasNotMoved) {
  Change change = an_update();
  change.old_values = Row{{"note", Text{"a refund"}}, {"name", Text{"tea"}}};
  change.new_values = Row{{"note", Text{"the refund"}}, {"name", Text{"teapot"}}};
  EXPECT_FALSE(met("value:refund", change));
  EXPECT_FALSE(met("value:tea", change));
  EXPECT_TRUE(met("value:teapot value:\"a refund\"", change));
  // capture = "full": every new value is recorded, also of what did not change.
  change.new_values->push_back({"city", Text{"Pinneberg"}});
  EXPECT_FALSE(met("value:Pinneberg", change));
  change.op = Op::remove;
  change.new_values = std::nullopt;
  EXPECT_TRUE(met("value:tea", change));
}

TEST(Filter, SaysWhatIsWrong) {
  const auto has = [](const std::string& said, const std::string& words) {
    EXPECT_NE(said.find(words), std::string::npos) << said;
  };
  has(refused("colour:red"), "read the filter: colour:red: there is no field colour; the fields");
  has(refused("price>5"), "there is no field price; compare old.price or new.price");
  has(refused("who>5"),
      "read the filter: who>5: only key., old. and new. are compared; write who:VALUE");
  has(refused("who:"), "who: a value is missing; who:* is any value, -who:* none");
  has(refused("who:a,"), "a value is missing");
  has(refused("old:5"), "read the filter: old:5: a name is missing; write old.NAME:VALUE");
  has(refused("old.:5"), "a name is missing");
  has(refused("key.:5"), "a name is missing");
  has(refused("key>5"), "only key., old. and new. are compared");
  has(refused("reason:\"open"),
      "read the filter: a quote is not closed: \"open; a quote within quotes");
  has(refused("who:a\"b\""),
      "read the filter: a quote within a\"b\"; put the whole value in quotes");
  has(refused("who:\"a\"b"), "read the filter: b follows a closing quote");
  has(refused("tx:last"), "read the filter: tx: 'last' is not a number");
  has(refused("since:soon"), "read the time 'soon': not a moment");
  has(refused("op:upsert"), "read the operation 'upsert': unknown");
  has(refused("-"), "a value is missing; \"\" is the empty text");
}

RC_GTEST_PROP(Filter, ReadsBackWhatItPrints, ()) {
  const auto piece = rc::gen::weightedOneOf<std::string>(
      {{3,
        rc::gen::element<std::string>("table:", "old.", "new.", "-", "who:", "\"", ",", ":", ">",
                                      "<=", "!=", " ", "since:7d", "op:update", "context.", "null",
                                      "*", "5", "a", "\"\"", "é", "price", "tx:", "id:4", "text:")},
       {1, any_utf8()}});
  std::string text;
  for (const std::string& part : *rc::gen::container<std::vector<std::string>>(piece)) text += part;
  const auto filter = parse_filter(text, kNow);
  if (!filter.has_value()) return;
  const std::string printed = to_text(*filter);
  const auto again = parse_filter(printed, kNow + 1);
  RC_ASSERT(again.has_value());
  RC_ASSERT(to_text(*again) == printed);
  RC_ASSERT(matches(*again, an_update(), kTables) == matches(*filter, an_update(), kTables));
}

}  // namespace
}  // namespace vestige
