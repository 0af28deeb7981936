// The order in which PostgreSQL's changes are sealed: late commits, savepoints, prepared transactions, restores.
#include <cstdlib>

#include "test/evidence.h"

namespace vestige {
namespace {

class PostgresSeal : public testing::Test {
 protected:
  Evident trail{Engine::postgres};

  std::uint64_t sealed() { return trail.verify().verified; }
};

TEST_F(PostgresSeal, ALateCommitHoldsBackItsOwnChangesOnly) {
  const auto late = trail.connect();
  must(late->script("begin; insert into p values (10, 'late', 1)"));
  trail.as("bob", "insert into p values (11, 'early', 1)");
  trail.seal();
  EXPECT_EQ(sealed(), 5U) << "bob's";
  EXPECT_EQ(trail.verify().unsealed, 0U);
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  while (!sealer->done()) must(sealer->batch());
  const auto waiting = must(sealer->unfinished());
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_TRUE(waiting[0].what.starts_with("transaction of postgres")) << waiting[0].what;
  must(late->script("commit"));
  EXPECT_EQ(trail.verify().unsealed, 1U);
  sealer->again();
  while (!sealer->done()) must(sealer->batch());
  must(sealer->sign());
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, TransactionsThatOverlapAgainAndAgain) {
  std::vector<std::unique_ptr<Database>> open;
  for (int i = 0; i < 12; ++i) {
    open.push_back(trail.connect());
    must(open.back()->script(fmt::format("begin; insert into p values ({}, 'o', 1)", 100 + i)));
    trail.as("bob", fmt::format("insert into p values ({}, 'b', 1)", 200 + i));
    if (i >= 3) must(open[static_cast<std::size_t>(i - 3)]->script("commit"));
    trail.seal();
    trail.verify();
    EXPECT_EQ(trail.found, "") << i;
  }
  for (std::size_t i = 9; i < 12; ++i) must(open[i]->script(i == 10 ? "rollback" : "commit"));
  trail.seal();
  EXPECT_EQ(sealed(), 4U + 12U + 11U);
  EXPECT_EQ(trail.verify().unsealed, 0U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, ABatchThatCouldNotBeWrittenIsMadeAnew) {
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  for (const char* lost : {"tile", "bundle"}) {
    trail.as("bob", fmt::format("insert into p values ({}, 'b', 1)",
                                lost == std::string("tile") ? 90 : 91));
    sealer->again();
    must(trail.db().script(fmt::format("alter table vestige.{} rename to gone", lost)));
    EXPECT_FALSE(sealer->batch().has_value());
    must(trail.db().script(fmt::format("alter table vestige.gone rename to {}", lost)));
    while (!sealer->done()) must(sealer->batch());
    must(sealer->sign());
  }
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, Savepoints) {
  trail.application(
      "begin; insert into p values (20, 'a', 1); savepoint s;"
      "insert into p values (21, 'b', 1); rollback to s;"
      "insert into p values (22, 'c', 1); release s; commit");
  trail.seal();
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, APreparedTransactionHoldsBackItsOwnChangesOnly) {
  const auto other = trail.connect();
  must(other->script("begin; insert into p values (30, 'p', 1); prepare transaction 'kept'"));
  trail.as("bob", "insert into p values (31, 'q', 1)");
  trail.seal();
  EXPECT_EQ(sealed(), 5U);
  {
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    const auto waiting = must(sealer->unfinished());
    ASSERT_EQ(waiting.size(), 1U);
    EXPECT_TRUE(waiting[0].what.starts_with("prepared transaction 'kept' of postgres"));
  }
  must(other->script("commit prepared 'kept'"));
  trail.seal();
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
}

// What this version makes of the position of the one before, also in the middle of a run, by `vestige init`.
TEST_F(PostgresSeal, AnOlderSealerIsGoneOnWith) {
  for (const bool in_a_run : {false, true}) {
    const std::string kept = trail.seal();
    const auto late = trail.connect();
    const std::string n = in_a_run ? "6" : "5";
    trail.as("bob", "insert into p values (" + n + "1, 'new', 1)");
    trail.as("bob", "insert into p values (" + n + "2, 'new', 1)");
    must(late->script("begin; select pg_current_xact_id()"));
    // As it left them: everything below an xmin is sealed, and a run's upto is one.
    must(
        trail.db().script("alter table vestige.sealer add floor_xid xid8;"
                          "update vestige.sealer set home = (select split_part(home, '/', 1) || "
                          "'/' || split_part(home,"
                          " '/', 2)), sealed = (select xid from vestige.change where id > floor "
                          "order by xid limit 1)"));
    if (in_a_run)
      must(
          trail.db().script("update vestige.sealer set upto = (select (xid::text::numeric + "
                            "1)::text::xid8 from vestige.change"
                            " order by xid desc limit 1), next_floor = null"));
    must(trail.db().script(
        "alter table vestige.sealer drop open, drop floors, drop upto_open, drop upto_id,"
        " drop restored, drop unreadable"));
    EXPECT_EQ(trail.seal_error().message,
              "find the evidence: this trail is older and has no place for it");
    EXPECT_TRUE(must(install(trail.db())));
    must(late->script("insert into p values (" + n + "0, 'late', 1)"));
    trail.seal();
    EXPECT_EQ(trail.verify({kept}).unsealed, 0U);
    EXPECT_EQ(trail.found, "");
    must(late->script("commit"));
    trail.seal();
    EXPECT_EQ(trail.verify({kept}).unsealed, 0U);
    EXPECT_EQ(trail.found, "");
    EXPECT_EQ(must(scalar_integer(trail.db(), "select count(*) from vestige.change")),
              static_cast<std::int64_t>(sealed()));
  }
}

// A role of the application holds every lock that it can get hold of: nobody waits for it.
TEST_F(PostgresSeal, ARoleOfTheApplicationHoldsUpNobody) {
  const auto eve = trail.connect();
  must(eve->script(
      "create role eve_of_the_sealer; grant usage on schema public to eve_of_the_sealer;"
      "set role eve_of_the_sealer; begin"));
  for (int key = 0; key < 8; ++key)
    must(
        eve->script(fmt::format("select pg_advisory_lock(1986360180, {0}),"
                                " pg_advisory_lock({0}), pg_advisory_xact_lock(1986360180, {0})",
                                key)));
  std::vector<std::string> modes;
  auto rows = must(eve->query(
      "select format('lock table %s in %s mode', c.oid::regclass, m) from pg_class c, unnest(array["
      "'access share', 'row share', 'row exclusive', 'share update exclusive', 'share',"
      " 'share row exclusive', 'exclusive', 'access exclusive']) m"
      " where c.relnamespace = 'vestige'::regnamespace and c.relkind in ('r', 'p', 'v')"));
  while (must(rows->next()) == Step::row) modes.push_back(rows->text(0));
  rows.reset();
  EXPECT_GT(modes.size(), 80U);
  for (const std::string& lock : modes) {
    must(eve->script("savepoint s"));
    if (eve->script(lock).has_value()) ADD_FAILURE() << lock;
    must(eve->script("rollback to s"));
  }
  trail.as("bob", "insert into p values (50, 'x', 1)");
  must(trail.db().script("set lock_timeout = '2s'"));
  trail.seal();
  EXPECT_EQ(sealed(), 5U);
  must(trail.db().script("begin; select vestige.set_context('{\"reason\":\"r\"}')"));
  EXPECT_EQ(must(scalar_integer(trail.db(), "select vestige.erase('public.p', '50')")) > 0, true);
  must(trail.db().script("commit"));
  trail.seal();
  EXPECT_EQ(sealed(), 6U);
  EXPECT_EQ(trail.found, "");
  must(eve->script(
      "rollback; reset role; drop owned by eve_of_the_sealer; drop role eve_of_the_sealer"));
}

// The same rows under another cluster's or database's name: as after pg_dump and psql.
TEST_F(PostgresSeal, ARestoredTrailIsGoneOnWith) {
  const std::string kept = trail.seal();
  trail.as("bob", "insert into p values (40, 'before the dump', 1)");
  must(trail.db().script("update vestige.sealer set home = '1/1', sealed = '1000000', floor = 3"));
  const auto late = trail.connect();
  trail.as("bob", "insert into p values (41, 'after the restore', 1)");
  trail.seal();
  const Verdict verdict = trail.verify({kept});
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.verified, 6U);
  EXPECT_EQ(verdict.unsealed, 0U);
  trail.as("bob", "insert into p values (42, 'later', 1)");
  trail.seal();
  EXPECT_EQ(sealed(), 7U);
  EXPECT_EQ(trail.found, "");
}

TEST_F(PostgresSeal, BaselineAndTruncateTakeTheirXidFirst) {
  trail.application("create table q (id int primary key); insert into q values (1), (2)");
  trail.application("select vestige.track('q', baseline => true); truncate q");
  trail.seal();
  EXPECT_EQ(sealed(), 4U + 2U + 3U);
  EXPECT_EQ(trail.found, "");
}

}  // namespace
}  // namespace vestige
