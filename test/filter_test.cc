// Filters on both databases: what the database chooses by an index and what the program chooses are one answer.
#include <algorithm>
#include <random>

#include "test/evidence.h"
#include "vestige/audit/log.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

class FilterBoth : public testing::TestWithParam<Engine> {};

INSTANTIATE_TEST_SUITE_P(Both, FilterBoth, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

std::vector<std::int64_t> ids(std::unique_ptr<Changes> changes) {
  std::vector<std::int64_t> out;
  while (const auto change = must(changes->next())) out.push_back(change->id);
  return out;
}

TEST_P(FilterBoth, OneAnswerWhoeverChooses) {
  Evident trail{GetParam()};
  Database& db = trail.db();
  for (int i = 0; i < 12; ++i) {
    Context context;
    if (i % 3 != 0) context.set("actor", i % 3 == 1 ? "ann" : "bob, the builder");
    if (i % 2 == 0) context.set("reason", "price list " + std::to_string(i));
    auto scope = must(ContextScope::begin(db, context));
    trail.application(fmt::format(
        "insert into p values ({0}, 'row {0}', {1}); update p set name = '{1}', price = "
        "nullif({1}, 100) where id = {0}",
        100 + i, i * 50));
    if (i % 4 == 0) trail.application(fmt::format("delete from p where id = {}", 100 + i));
    must(scope.commit());
  }
  std::vector<Change> all;
  {
    auto changes = must(read_changes(db, Selection()));
    while (auto change = must(changes->next())) all.push_back(*std::move(change));
  }
  ASSERT_GT(all.size(), 24U);
  const std::int64_t now = clock_now();
  const std::vector<std::string> pool = {
      "table:p",
      "-table:p",
      "op:insert",
      "op:update,delete",
      "-op:insert",
      "who:ann",
      "who:ann,\"bob, the builder\"",
      "-who:*",
      "who:a*",
      "actor:ann",
      "reason:\"price list 4\"",
      "-reason:*",
      "key:103",
      "value:100",
      "-value:\"row 104\"",
      "key:10*",
      "key.id:103",
      "key.id>=105",
      "-key.id<104",
      "column:price",
      "-column:name",
      "old.name:\"row 101\"",
      "new.price>200",
      "new.price<=150",
      "new.price:null",
      "old.name!=null",
      "row",
      "-text:row",
      "since:1d",
      "until:1d",
      fmt::format("until:{}", format_time(all[all.size() / 2].at)),
      fmt::format("since:{}", format_time(all[all.size() / 2].at)),
      fmt::format("tx:{}", all[5].tx),
      fmt::format("tx:{},{}", all[5].tx, all[9].tx),
      fmt::format("id:{},{}", all[2].id, all[20].id),
      "tag:SOX",
      "-class:*",
      "id:1,2,3,4,5,6"};
  std::mt19937 dice(std::random_device{}());
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t i = 0; i < 1 + dice() % 3; ++i) text += pool[dice() % pool.size()] + " ";
    SCOPED_TRACE(text);
    Selection selection;
    selection.filter = must(parse_filter(text, now));
    selection.oldest_first = dice() % 2 == 0;
    selection.limit = dice() % 3 == 0 ? 3 : 0;
    std::vector<std::int64_t> expected;
    for (const Change& change : all)
      if (matches(selection.filter, change, {})) expected.push_back(change.id);
    if (selection.oldest_first) std::reverse(expected.begin(), expected.end());
    if (selection.limit != 0 && expected.size() > 3) expected.resize(3);
    EXPECT_EQ(ids(must(read_changes(db, selection))), expected);
    selection.limit = 0;
    const auto chosen = must(change_ids(db, selection));
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    EXPECT_EQ(chosen.size(), ids(must(read_changes(db, selection))).size());
  }
}

TEST_P(FilterBoth, NamesAreReadAsPeopleTypeThem) {
  Evident trail{GetParam()};
  LogRequest request;
  request.filter.filter = must(parse_filter("table:P", clock_now()));
  EXPECT_FALSE(ids(must(log(trail.db(), request))).empty());
  for (const std::string wrong : {"table:q", "column:q", "old.q:1"}) {
    request.filter.filter = must(parse_filter(wrong, clock_now()));
    const auto found = log(trail.db(), request);
    ASSERT_FALSE(found.has_value()) << wrong;
    EXPECT_EQ(found.error().fault, Fault::missing) << wrong;
  }
}

}  // namespace
}  // namespace vestige
