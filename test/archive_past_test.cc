// What an archive says of the past, on both databases: alone, and together with a database that let changes go.
#include "test/erase.h"
#include "test/expire.h"
#include "vestige/audit/archive.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/log.h"
#include "vestige/record/filter.h"
#include "vestige/source/archive.h"

namespace vestige {
namespace {

class ArchivedPast : public ExpiringTest {
 protected:
  std::string directory() const { return trail.file("archive"); }
  void archive() { must(write_archive(trail.db(), {directory(), {}}, because("monthly"))); }
  std::unique_ptr<Database> alone() { return must(archive_alone(directory())); }
  std::unique_ptr<Database> both() { return must(with_archive(trail.connect(), directory())); }

  static std::string told(Result<std::unique_ptr<States>> asked) {
    if (!asked.has_value()) return asked.error().message;
    std::string out;
    while (true) {
      auto state = (*asked)->next();
      if (!state.has_value()) return state.error().message;
      if (!state->has_value()) return out;
      out += to_json(**state) + "\n";
    }
  }
  static std::string at_change(Database& db, const std::string& table, std::int64_t id) {
    return told(at(db, table, Moment{Moment::Kind::change, id}));
  }
  static std::string blamed(Database& db, const std::string& table, const std::string& key) {
    auto found = blame(db, table, {key}, {});
    if (!found.has_value()) return found.error().message;
    std::string out = found->exists ? "" : "deleted ";
    for (const Blamed& one : found->columns)
      out += fmt::format("{}={} by {} ", one.column, to_json(one.value),
                         one.change.has_value() ? one.change->id : 0);
    return out;
  }
  static std::string logged(Database& db, const std::string& filter = "") {
    LogRequest request;
    request.filter.oldest_first = true;
    if (!filter.empty()) request.filter.filter = must(parse_filter(filter, Now(0)));
    std::string out;
    auto all = must(vestige::log(db, request));
    while (const auto change = must(all->next())) out += to_json(*change) + "\n";
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, ArchivedPast, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ArchivedPast, IsTheSameAloneAtEachChange) {
  for (const char* sql :
       {"update p set id = 30 where id = 3", "insert into p values (4, 'new', 3)",
        "update p set name = null, price = 12.5 where id = 1", "delete from p where id = 2",
        "insert into p values (10, 'ten', 10), (9, 'nine', 9)", "update p set id = 2 where id = 30",
        "delete from p where id = 4"})
    trail.as("bob", sql);
  trail.seal();
  const std::int64_t last = number("select max(id) from {}change");
  archive();
  auto db = alone();
  for (std::int64_t id = 1; id <= last; ++id)
    EXPECT_EQ(at_change(*db, "p", id), at_change(trail.db(), "p", id)) << id;
  for (const char* key : {"1", "2", "3", "9", "10", "30", "77"}) {
    EXPECT_EQ(blamed(*db, "p", key), blamed(trail.db(), "p", key)) << key;
    for (std::int64_t id = 1; id <= last; ++id) {
      const auto here = at(trail.db(), "p", {key}, {Moment::Kind::change, id});
      const auto there = at(*db, "p", {key}, {Moment::Kind::change, id});
      if (!here.has_value()) {  // a number that no change has
        EXPECT_FALSE(there.has_value());
        continue;
      }
      ASSERT_TRUE(there.has_value()) << there.error().message << key << " at " << id;
      EXPECT_EQ(here->has_value() ? to_json(**here) : "none",
                there->has_value() ? to_json(**there) : "none")
          << key << " at " << id;
    }
  }
}

// Keys that go from row to row: each row is followed as long as it had one, and no longer.
TEST_P(ArchivedPast, FollowsRowsAsTheDatabaseDoes) {
  unsigned dice = 7;
  const auto roll = [&] { return (dice = dice * 1103515245 + 12345) >> 16 & 0x7fff; };
  for (int i = 0; i < 60; ++i) {
    const unsigned from = roll() % 6 + 1;
    const unsigned to = roll() % 6 + 1;
    const std::string free = fmt::format("not exists (select 1 from p where id = {})", to);
    trail.as("bob", i % 4 == 0 ? fmt::format("delete from p where id = {}", from)
                    : i % 4 == 1
                        ? fmt::format("insert into p select {}, 'new', {} where {}", to, i, free)
                        : fmt::format("update p set id = {} where id = {} and {}", to, from, free));
  }
  trail.seal();
  archive();
  auto db = alone();
  std::size_t followed = 0;
  for (int key = 1; key <= 6; ++key) {
    const auto of = [&](Database& asked) {
      LogRequest request;
      request.table = "p";
      request.key = {std::to_string(key)};
      std::string out;
      auto all = must(vestige::log(asked, request));
      while (const auto change = must(all->next())) {
        out += std::to_string(change->id) + " ";
        ++followed;
      }
      return out;
    };
    EXPECT_EQ(of(*db), of(trail.db())) << key;
  }
  EXPECT_GT(followed, 60U);
}

TEST_P(ArchivedPast, GoesBackBeyondWhatHasExpired) {
  three_years(8);
  trail.as("bob", "update n set what = 'changed' where id in (1, 8)");
  trail.as("bob", "delete from n where id = 2");
  trail.seal();
  archive();
  const std::string log = logged(trail.db(), "table:n");
  const std::int64_t last = number("select max(id) from {}change");
  std::vector<std::string> before;
  for (std::int64_t id = 1; id <= last; ++id) before.push_back(at_change(trail.db(), "n", id));
  ASSERT_FALSE(expire().by.empty());
  trail.seal();
  EXPECT_NE(at_change(trail.db(), "n", 1), before.front());
  auto db = both();
  EXPECT_EQ(logged(*db, "table:n op:INSERT,UPDATE,DELETE"), log);
  for (std::int64_t id = 1; id <= last; ++id)
    EXPECT_EQ(at_change(*db, "n", id), before[static_cast<std::size_t>(id - 1)]) << id;
  EXPECT_EQ(must(horizon_of(*db, must(tracked_table(*db, "n")).id)), std::nullopt);
  EXPECT_NE(must(horizon_of(trail.db(), must(tracked_table(*db, "n")).id)), std::nullopt);
}

TEST_P(ArchivedPast, WhatWasErasedStaysErasedAlsoWhenItHasExpired) {
  three_years(4);
  archive();
  EraseRequest request;
  request.table = "n";
  request.key = {"1"};
  request.keys = true;
  must(vestige::erase(trail.db(), request, because()));
  auto unexpired = both();
  EXPECT_EQ(logged(*unexpired), logged(trail.db()));
  EXPECT_EQ(logged(*unexpired, "table:n key:1"), "");
  trail.seal();
  expire();
  auto db = both();
  EXPECT_EQ(logged(*db, "table:n key:1"), "");
  LogRequest row;
  row.table = "n";
  row.key = {"1"};
  EXPECT_EQ(must(must(vestige::log(*db, row))->next()), std::nullopt);
  EXPECT_EQ(logged(*db, "table:n").find("\"id\":1,\"what\""), std::string::npos) << logged(*db);
}

TEST_P(ArchivedPast, OfAnotherTrailOrAnAlteredOneIsRefused) {
  trail.seal();
  archive();
  const ArchivePart part = must(archive_parts(directory())).front();
  const std::string refusal = fmt::format("read the archive part {}: {} has no record of it",
                                          part.folder, trail.db().where());
  EXPECT_TRUE(with_archive(trail.connect(), directory()).has_value());
  Manifest forged = part.manifest;
  forged.first_at = 0;
  must(replace_file(part.folder + "/manifest.json", to_json(forged)));
  EXPECT_EQ(error_of(with_archive(trail.connect(), directory())).message, refusal);
  EXPECT_TRUE(archive_alone(directory()).has_value());
}

TEST(ArchiveParts, SayWhatIsMissing) {
  std::vector<ArchivePart> parts(3);
  parts[0].manifest.from = 2;
  parts[0].manifest.upto = 5;
  parts[1].manifest.from = 5;
  parts[1].manifest.upto = 6;
  parts[2].manifest.from = 8;
  EXPECT_EQ(missing_in(parts), (std::vector<std::string>{"entries 0 to 1", "entries 6 to 7"}));
}

// A row that is older than the archive: what only its UPDATE says is not all.
TEST_P(ArchivedPast, DoesNotMakeUpWhatItHasNot) {
  trail.seal();
  archive();
  trail.as("bob", "update p set name = 'other' where id = 1");
  trail.seal();
  archive();
  std::filesystem::remove_all(must(archive_parts(directory())).front().folder);
  auto db = alone();
  const std::string refusal = "read p id=1 from the archive: what id was is in none of its changes";
  EXPECT_EQ(at_change(*db, "p", number("select max(id) from {}change where op = 'U'")), refusal);
  EXPECT_EQ(blamed(*db, "p", "1"), refusal);
}

}  // namespace
}  // namespace vestige
