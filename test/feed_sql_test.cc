// The feed in SQL, on PostgreSQL (sql/postgres/install/feed.sql).
#include "test/evidence.h"
#include "vestige/feed/feed.h"
#include "vestige/feed/sequencer.h"

namespace vestige {
namespace {

// What vestige.feed gives is what the program gives, from every index on.
TEST(FeedInSql, IsTheSame) {
  Evident trail(Engine::postgres);
  std::string sql = "update p set name = E'\\u00e9\"\\\\' where id = 1;";
  for (int i = 100; i < 700; ++i) sql += fmt::format("insert into p values ({}, 'n', {});", i, i);
  trail.as("bulk", sql);
  const auto sequencer = must(Sequencer::open(trail.db()));
  while (!sequencer->done()) must(sequencer->batch());
  const auto feed = must(Feed::open(trail.db(), Selection(), -1));
  std::vector<std::string> wanted;
  while (const auto change = must(feed->next()))
    wanted.push_back(fmt::format("{} {} {} {} {} {}", *change->index, change->id, name(change->op),
                                 change->table, change->tx,
                                 change->who() == nullptr ? "" : *change->who()));
  ASSERT_EQ(wanted.size(), sequencer->size());
  const auto given = [&](const std::string& condition) {
    auto rows = must(trail.db().query(
        "select concat_ws(' ', index, id, op, \"table\", tx, coalesce(actor, db_user)) from "
        "vestige.feed(" +
        condition + ")"));
    std::vector<std::string> out;
    while (must(rows->next()) == Step::row) out.push_back(rows->text(0));
    return out;
  };
  EXPECT_EQ(given("-1, 100000"), wanted);
  EXPECT_EQ(given("").size(), std::min<std::size_t>(wanted.size(), 1000));
  for (const std::size_t after : {0, 1, 254, 255, 256, 300, 511, 512, 603})
    for (const std::size_t most : {1, 2, 256, 257}) {
      const auto from =
          wanted.begin() + static_cast<std::ptrdiff_t>(std::min(after + 1, wanted.size()));
      const auto left = static_cast<std::size_t>(wanted.end() - from);
      EXPECT_EQ(
          given(fmt::format("{}, {}", after, most)),
          std::vector<std::string>(from, from + static_cast<std::ptrdiff_t>(std::min(most, left))))
          << after << " " << most;
    }
  EXPECT_EQ(given("100000").size(), 0U);
  EXPECT_EQ(given("-7, 1"), std::vector<std::string>{wanted[0]});
  EXPECT_EQ(given("0, 0").size(), 0U);
  // What is gone has its place; what is no entry ends it.
  trail.attack("", "delete from vestige.change where id = 2");
  EXPECT_EQ(given("0, 1"), std::vector<std::string>{"1 2"});
  trail.attack(
      "", "update vestige.bundle set entries = overlay(entries placing 'x' from 3) where n = 0");
  EXPECT_NE(trail.db()
                .script("select * from vestige.feed()")
                .error()
                .message.find("feed: entry 0 is none"),
            std::string::npos);
  trail.attack("", "update vestige.bundle set entries = substring(entries for 1) where n = 1");
  EXPECT_NE(trail.db()
                .script("select * from vestige.feed(255)")
                .error()
                .message.find("feed: bundle 1 ends within its entries"),
            std::string::npos);
}

}  // namespace
}  // namespace vestige
