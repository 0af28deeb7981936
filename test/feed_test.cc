// The feed on both databases: every change once, in the order of the tree, from any index on, whatever became of it since.
#include "vestige/feed/feed.h"

#include "test/erase.h"
#include "vestige/feed/cursor.h"
#include "vestige/feed/follower.h"

namespace vestige {
namespace {

class FeedTest : public EvidenceTest {
 protected:
  // "index:id op", of everything behind an index.
  std::string feed(std::int64_t after = -1, const Selection& selection = Selection()) {
    const auto open = must(Feed::open(trail.db(), selection, after));
    std::string out;
    while (const auto change = must(open->next()))
      out += fmt::format("{}:{} {}\n", change->index.value_or(999), change->id, name(change->op));
    for (const Feed::Unreadable& one : open->unreadable())
      out += fmt::format("unreadable {}\n", one.change);
    at = open->at();
    return out;
  }
  void sequence() {
    const auto sequencer = must(Sequencer::open(trail.db()));
    while (!sequencer->done()) must(sequencer->batch());
  }
  std::int64_t at = -2;
};
using Feeding = FeedTest;

INSTANTIATE_TEST_SUITE_P(Both, Feeding, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Feeding, FromAnyIndexOn) {
  EXPECT_EQ(feed(), "") << "nothing has a place yet";
  EXPECT_EQ(at, -1);
  sequence();
  EXPECT_EQ(feed(), "0:1 INSERT\n1:2 INSERT\n2:3 INSERT\n3:4 UPDATE\n");
  EXPECT_EQ(at, 3);
  EXPECT_EQ(feed(2), "3:4 UPDATE\n");
  EXPECT_EQ(feed(3), "");
  const auto open = must(Feed::open(trail.db(), Selection(), 3));
  EXPECT_FALSE(must(open->next()).has_value());
  trail.as("bob", "insert into p values (9, 'x', 1), (10, 'y', 2)");
  EXPECT_FALSE(must(open->next()).has_value());
  sequence();
  const Change change = must(open->next()).value();
  EXPECT_EQ(to_json(change).substr(0, 11), "{\"index\":4,");
  EXPECT_EQ(to_json(*change.new_values), R"({"id":9,"name":"x","price":1})");
  EXPECT_EQ(*change.who(), "bob");
  EXPECT_EQ(must(open->next())->index, 5U);
  EXPECT_FALSE(must(open->next()).has_value());
  EXPECT_EQ(open->at(), 5);
}

TEST_P(Feeding, ManyBundles) {
  std::string sql;
  for (int i = 100; i < 900; ++i) sql += fmt::format("insert into p values ({}, 'n', {});", i, i);
  trail.as("bulk", sql);
  sequence();
  for (const std::int64_t after : {-1, 0, 254, 255, 256, 511, 802}) {
    const auto open = must(Feed::open(trail.db(), Selection(), after));
    std::int64_t next = after;
    while (const auto change = must(open->next()))
      ASSERT_EQ(static_cast<std::int64_t>(*change->index), ++next);
    EXPECT_EQ(next, 803);
    EXPECT_EQ(open->at(), 803);
  }
}

// What does not meet the selection is passed over, and counted: who goes on from at() misses nothing.
TEST_P(Feeding, OfSomeChanges) {
  trail.application("create table q (id integer primary key, what text)");
  {
    auto transaction = must(Transaction::begin(trail.db()));
    must(track(trail.db(), "q", Policy()));
    must(transaction.commit());
  }
  trail.as("bob", "insert into q values (1, 'x')");
  trail.as("eve", "update p set price = 12 where id = 2");
  sequence();
  Selection selection;
  selection.ops = {Op::update};
  EXPECT_EQ(feed(-1, selection).substr(0, 11), "3:4 UPDATE\n");
  EXPECT_EQ(at, 5);
  selection = Selection();
  selection.who = {"bob"};
  EXPECT_EQ(feed(-1, selection).substr(0, 2), "4:");
  selection = Selection();
  selection.filter = must(parse_filter("table:p -who:ann", 0));
  EXPECT_EQ(feed(-1, selection).substr(0, 2), "5:");
  EXPECT_EQ(at, 5);
  selection = must(select(trail.db(), {.table = "p", .key = {"1"}, .filter = {}}));
  EXPECT_EQ(feed(-1, selection), "0:1 INSERT\n3:4 UPDATE\n");
  selection = Selection();
  selection.ids = {2, 4};
  EXPECT_EQ(feed(0, selection), "1:2 INSERT\n3:4 UPDATE\n");
}

// A row of which the key changes stays the row that was asked for.
TEST_P(Feeding, OfARowUnderItsNewKey) {
  trail.as("bob", "update p set id = 71 where id = 1");
  trail.as("bob", "update p set price = 5 where id = 71");
  sequence();
  const Selection selection = must(select(trail.db(), {.table = "p", .key = {"71"}, .filter = {}}));
  const std::string all = feed(-1, selection);
  EXPECT_EQ(all.substr(0, 22), "0:1 INSERT\n3:4 UPDATE\n");
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 4);
}

TEST_P(Feeding, WhatIsGoneOrCannotBeReadStopsNobody) {
  trail.as("bob", "insert into p values (9, 'x', 1)");
  trail.as("bob", "insert into p values (10, 'x', 1)");
  trail.seal();
  const std::string all = feed();
  trail.attack(
      "delete from vestige_change where id = 2; update vestige_change set shape = 99 where id = 3",
      "delete from vestige.change where id = 2; update vestige.change set shape = 99 where id = 3");
  EXPECT_EQ(feed(), all + "unreadable 3\n");
  const auto open = must(Feed::open(trail.db(), Selection(), 0));
  const Change gone = must(open->next()).value();
  EXPECT_EQ(gone.id, 2);
  EXPECT_EQ(gone.table, "p");
  EXPECT_TRUE(gone.lost_values());
  EXPECT_TRUE(gone.key.empty());
  const Change odd = must(open->next()).value();
  EXPECT_EQ(odd.id, 3);
  EXPECT_TRUE(odd.lost_values());
  EXPECT_NE(open->unreadable().at(0).why.find("shape"), std::string::npos);
  // Where only some are selected, what is gone is not among them.
  Selection selection;
  selection.who = {"ann", "bob"};
  const std::string some = feed(-1, selection);
  EXPECT_EQ(some.find(":2 "), std::string::npos) << some;
  EXPECT_NE(some.find(":4 "), std::string::npos) << some;
}

TEST_P(Feeding, ErasedPartsAreNotInIt) {
  must(erase(trail.db(), row("1"), because()));
  sequence();
  const auto open = must(Feed::open(trail.db(), Selection(), -1));
  const Change first = must(open->next()).value();
  EXPECT_TRUE(first.erased_by("values").has_value());
  std::optional<Change> last = first;
  while (auto change = must(open->next())) last = std::move(change);
  EXPECT_EQ(last->op, Op::erase);
  EXPECT_EQ(last->index, 4U);
}

TEST_P(Feeding, AnEntryThatIsNoneEndsIt) {
  sequence();
  trail.attack("update vestige_bundle set entries = x'000341414100034141410003414141000341414141'",
               "update vestige.bundle set entries = '\\x0003414141000341414100034141410003414141'");
  if (!trail.postgres())
    trail.attack("update vestige_bundle set entries = x'0003414141000341414100034141410003414141'",
                 "");
  const auto open = must(Feed::open(trail.db(), Selection(), -1));
  EXPECT_EQ(error_of(open->next()).message, "read entry 0: it is none");
}

TEST_P(Feeding, AFollowerBeginsAtTheEnd) {
  const auto other = trail.connect();
  const auto follower = must(Follower::open(*other, Selection(), std::nullopt));
  while (must(follower->catch_up())) {
  }
  EXPECT_EQ(follower->at(), 3);
  EXPECT_FALSE(must(follower->next()).has_value());
  trail.as("bob", "insert into p values (9, 'x', 1)");
  EXPECT_EQ(must(follower->next())->index, 4U) << "it gives the change its place";
  EXPECT_FALSE(must(follower->next()).has_value());
  EXPECT_FALSE(must(follower->next()).has_value());
  trail.as("bob", "insert into p values (10, 'x', 1)");
  trail.seal();
  EXPECT_EQ(must(follower->next())->index, 5U) << "another gave it its place";
  EXPECT_FALSE(must(follower->next()).has_value());
  EXPECT_FALSE(follower->hindered().has_value());
  trail.seal();
  trail.verify();
  EXPECT_EQ(trail.found, "");
}

// What it reads while nothing comes would show here: the last bundle is unreadable meanwhile.
TEST_P(Feeding, AFollowerAtTheEndReadsNoBundle) {
  trail.seal();
  const auto other = trail.connect();
  const auto follower = must(Follower::open(*other, Selection(), 2));
  EXPECT_EQ(must(follower->next())->index, 3U);
  EXPECT_FALSE(must(follower->next()).has_value());
  const auto entries =
      must(scalar(trail.db(), trail.postgres() ? "select entries from vestige.bundle"
                                               : "select entries from vestige_bundle"));
  const std::string set =
      fmt::format("update {}bundle set entries = ?1", trail.postgres() ? "vestige." : "vestige_");
  must(trail.db().run(set, {Blob{"none"}}));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(must(follower->next()).has_value());
  must(trail.db().run(set, {entries}));
  trail.as("bob", "insert into p values (9, 'x', 1)");
  EXPECT_EQ(must(follower->next())->index, 4U);
}

TEST_P(Feeding, AFollowerGoesOnFromAnIndex) {
  trail.seal();
  const auto follower = must(Follower::open(trail.db(), Selection(), 1));
  EXPECT_FALSE(must(follower->catch_up()));
  EXPECT_EQ(must(follower->next())->index, 2U);
  EXPECT_EQ(must(follower->next())->index, 3U);
  EXPECT_FALSE(must(follower->next()).has_value());
  EXPECT_EQ(error_of(Follower::open(trail.db(), Selection(), 4)).message,
            "follow: 3 is the last index of the feed, and 4 was known: the trail was set back to an"
            " older state");
}

// Two followers, and whoever comes first gives the places: both see the same.
TEST_P(Feeding, FollowersSeeTheSame) {
  const auto one = trail.connect();
  const auto two = trail.connect();
  std::vector<std::unique_ptr<Follower>> followers;
  followers.push_back(must(Follower::open(*one, Selection(), -1)));
  followers.push_back(must(Follower::open(*two, Selection(), -1)));
  std::vector<std::string> seen(2);
  const auto take = [&](std::size_t who) {
    while (const auto change = must(followers[who]->next()))
      seen[who] += fmt::format("{}:{} ", *change->index, change->id);
  };
  for (int i = 0; i < 8; ++i) {
    trail.as("bob", fmt::format("insert into p values ({}, 'x', 1)", 100 + i));
    if (i % 3 != 0) take(static_cast<std::size_t>(i % 2));
  }
  take(0);
  take(1);
  take(0);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(std::count(seen[0].begin(), seen[0].end(), ' '), 12);
}

// What a transaction recorded that stays open comes when it ends, and holds up nobody.
TEST_P(Feeding, AConsumerGoesOnWhereItWas) {
  sequence();
  const auto cursor = must(Cursor::open(trail.db(), "a"));
  EXPECT_FALSE(cursor->upto().has_value());
  must(cursor->move(1));
  must(cursor->move(2));
  EXPECT_EQ(must(Cursor::open(trail.db(), "a"))->upto(), 2);
  EXPECT_FALSE(must(Cursor::open(trail.db(), "A"))->upto().has_value());
  const auto back = must(Cursor::open(trail.db(), "b'"));
  must(back->move(-1));
  const auto all = must(cursors(trail.db()));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(fmt::format("{} {} {}, {} {} {}", all[0].consumer, all[0].upto, all[0].behind,
                        all[1].consumer, all[1].upto, all[1].behind),
            "a 2 1, b' -1 4");
}

TEST_P(Feeding, OfTwoByOneNameTheSecondFails) {
  const auto one = must(Cursor::open(trail.db(), "a"));
  const auto other = must(Cursor::open(trail.db(), "a"));
  must(one->move(0));
  for (int i = 0; i < 2; ++i) {
    const auto moved = other->move(3);
    ASSERT_FALSE(moved.has_value());
    EXPECT_EQ(moved.error().fault, Fault::invalid);
    EXPECT_EQ(moved.error().message, "follow: consumer a was moved by somebody else since");
  }
  must(one->move(1));
  const auto late = must(Cursor::open(trail.db(), "a"));
  must(one->move(2));
  EXPECT_FALSE(late->move(3).has_value());
  EXPECT_EQ(must(Cursor::open(trail.db(), "a"))->upto(), 2);
}

TEST_P(Feeding, AnOlderTrailKeepsNoCursors) {
  must(trail.db().script(GetParam() == Engine::sqlite ? "drop table vestige_cursor"
                                                      : "drop table vestige.cursor"));
  EXPECT_EQ(must(cursors(trail.db())).size(), 0U);
  const auto open = Cursor::open(trail.db(), "a");
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().message, "follow: this trail is older and keeps no cursors");
  if (GetParam() == Engine::postgres)
    must(trail.db().script("delete from vestige.meta where name = 'script'"));
  EXPECT_TRUE(must(install(trail.db())));
  must(must(Cursor::open(trail.db(), "a"))->move(7));
  EXPECT_FALSE(must(install(trail.db())));
  EXPECT_EQ(must(Cursor::open(trail.db(), "a"))->upto(), 7);
  for (const std::string& name : {std::string(), std::string(201, 'x')}) {
    const auto bad = Cursor::open(trail.db(), name);
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().message, "follow: a consumer's name has 1 to 200 bytes");
  }
}

TEST(FeedLate, ATransactionThatStaysOpen) {
  Evident trail(Engine::postgres);
  trail.seal();
  const auto late = trail.connect();
  const auto follower = must(Follower::open(trail.db(), Selection(), 3));
  must(late->script("begin; insert into p values (10, 'late', 1)"));
  trail.as("bob", "insert into p values (11, 'early', 1)");
  Change change = must(follower->next()).value();
  EXPECT_EQ(change.index, 4U);
  EXPECT_EQ(to_json(change.key), R"({"id":11})");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(must(follower->next()).has_value());
  must(late->script("commit"));
  change = must(follower->next()).value();
  EXPECT_EQ(change.index, 5U);
  EXPECT_EQ(to_json(change.key), R"({"id":10})");
  EXPECT_FALSE(must(follower->next()).has_value());
  EXPECT_EQ(trail.verify().unsealed, 0U);
}

// A reader sees what others put in order, and says that it may not do so itself.
TEST(FeedLate, AReaderFollowsWhatOthersPutInOrder) {
  Evident trail(Engine::postgres);
  trail.seal();
  const auto reader = trail.connect();
  must(reader->script("set role vestige_reader"));
  const auto follower = must(Follower::open(*reader, Selection(), 2));
  EXPECT_EQ(must(follower->next())->index, 3U);
  EXPECT_FALSE(must(follower->next()).has_value());
  ASSERT_TRUE(follower->hindered().has_value());
  EXPECT_EQ(follower->hindered()->fault, Fault::denied);
  trail.as("bob", "insert into p values (11, 'x', 1)");
  EXPECT_FALSE(must(follower->next()).has_value());
  trail.seal();
  EXPECT_EQ(must(follower->next())->index, 4U);
  EXPECT_FALSE(must(follower->next()).has_value());
}

// An erasure that does not end is waited for, and what has its place is given meanwhile.
TEST(FeedLate, AnErasureThatDoesNotEnd) {
  Evident trail(Engine::postgres);
  trail.seal();
  const auto follower = must(Follower::open(trail.db(), Selection(), 1));
  const auto eraser = trail.connect();
  must(eraser->script("begin; lock table vestige.sealer in share row exclusive mode"));
  trail.as("bob", "insert into p values (11, 'x', 1)");
  EXPECT_EQ(must(follower->next())->index, 2U);
  EXPECT_EQ(must(follower->next())->index, 3U);
  EXPECT_FALSE(must(follower->next()).has_value());
  ASSERT_TRUE(follower->hindered().has_value());
  EXPECT_EQ(follower->hindered()->fault, Fault::conflict);
  must(eraser->script("rollback"));
  EXPECT_EQ(must(follower->next())->index, 4U);
  EXPECT_FALSE(must(follower->next()).has_value());
  EXPECT_FALSE(follower->hindered().has_value());
}

// SQLite: an UPDATE in which no bit differs has an id and an entry; log does not show it, and the feed has no hole.
TEST(FeedLate, AnUpdateThatChangedNoBit) {
  Evident trail(Engine::sqlite);
  trail.seal();
  trail.application("create table z (id integer primary key, v); insert into z values (1, 0.0)");
  {
    auto transaction = must(Transaction::begin(trail.db()));
    must(track(trail.db(), "z", Policy()));
    must(transaction.commit());
  }
  trail.as("ann", "update z set v = 0.0");
  trail.as("ann", "update z set v = -0.0");
  const auto follower = must(Follower::open(trail.db(), Selection(), 3));
  const Change same = must(follower->next()).value();
  EXPECT_EQ(same.index, 4U);
  EXPECT_EQ(to_json(*same.old_values), "{}");
  EXPECT_EQ(to_json(*must(follower->next())->old_values), R"({"v":0.0})");
}

}  // namespace
}  // namespace vestige
