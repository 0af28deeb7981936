// verify on both databases: each attack is found, and named.
#include "test/evidence.h"
#include "vestige/audit/blame.h"

namespace vestige {
namespace {

using VerifyTrail = EvidenceTest;

INSTANTIATE_TEST_SUITE_P(Both, VerifyTrail, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(VerifyTrail, AValue) {
  trail.seal();
  trail.attack("update vestige_change set v2 = 12 where id = 2",
               "update vestige.change set new_row = '(2,x,12)' where id = 2");
  EXPECT_EQ(trail.verify().verified, 3U);
  EXPECT_EQ(trail.found, "altered 2 values\n");
  EXPECT_NE(trail.words.find("its values are not what was sealed"), std::string::npos);
}

TEST_P(VerifyTrail, AKey) {
  trail.seal();
  trail.attack("update {}change set key = '9' where id = 2");
  trail.verify();
  EXPECT_EQ(trail.found, "altered 2 key\n");
}

TEST_P(VerifyTrail, AnActor) {
  trail.seal();
  trail.attack("update vestige_context set actor = 'eve' where id = 2",
               "update vestige.context set fields = '{\"actor\": \"eve\"}' where id = 2");
  trail.verify();
  EXPECT_EQ(trail.found, "reattributed 2 context\n");
}

TEST_P(VerifyTrail, AnotherContext) {
  trail.seal();
  trail.as("eve", "insert into p values (9, 'z', 1)");
  trail.seal();
  trail.attack("update vestige_change set context = 5, tx = 5 where id = 2",
               "update vestige.change set context = 5, xid = (select xid from vestige.context where"
               " id = 5) where id = 2");
  trail.verify();
  EXPECT_EQ(trail.found, "reattributed 2 tx,context\n");
}

TEST_P(VerifyTrail, AContextThatIsGone) {
  trail.seal();
  trail.attack("delete from {}context where id = 2");
  trail.verify();
  EXPECT_EQ(trail.found, "altered 2 record\n");
  EXPECT_NE(trail.words.find("it cannot be read"), std::string::npos);
}

TEST_P(VerifyTrail, ATimeAndAnOperation) {
  trail.seal();
  trail.attack("update vestige_change set at = at - 3600000, op = 'B' where id = 2",
               "update vestige.change set at = at - interval '1 hour', op = 'B' where id = 2");
  trail.verify();
  EXPECT_EQ(trail.found, "altered 2 op,time\n");
  EXPECT_NE(trail.words.find("sealed was op INSERT, not BASELINE"), std::string::npos);
}

TEST_P(VerifyTrail, ADeletedChange) {
  trail.seal();
  trail.attack("delete from {}change where id in (2, 4)");
  EXPECT_EQ(trail.verify().verified, 2U);
  EXPECT_EQ(trail.found, "deleted 2\ndeleted 4\n");
}

TEST_P(VerifyTrail, AnInsertedChange) {
  trail.attack("update {}change set id = 20 where id = 4");
  trail.seal();
  trail.attack(
      "insert into vestige_change (id, tbl, shape, op, at, seq, tx, context, key, v0)"
      " select 10, tbl, shape, op, at, seq, tx, context, 7, 7 from vestige_change where id = 2",
      "insert into vestige.change (id, at, xid, context, tracked, shape, op, key, new_row) select "
      "10,"
      " at, xid, context, tracked, shape, op, key, new_row from vestige.change where id = 2");
  trail.verify();
  EXPECT_EQ(trail.found, "inserted 10\n");
}

TEST_P(VerifyTrail, TwoChangesSwapped) {
  trail.seal();
  trail.attack(
      "update {}change set id = -1 where id = 2; update {}change set id = 2 where id = 3;"
      "update {}change set id = 3 where id = -1");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("altered 2 ") &&
              trail.found.find("altered 3 ") != std::string::npos)
      << trail.found;
}

TEST_P(VerifyTrail, AColumnsName) {
  trail.seal();
  trail.attack(
      "update vestige_shape set columns = replace(columns, 'price', 'bonus')",
      "update vestige.shape set columns = replace(columns::text, 'price', 'bonus')::jsonb");
  trail.verify();
  EXPECT_EQ(trail.found,
            "altered 1 values\naltered 2 values\naltered 3 values\naltered 4 values\n");
}

TEST_P(VerifyTrail, EverythingRecomputed) {
  const std::string kept = trail.seal();
  // The attacker has the database and seals it anew with a key of their own, and then with the log's.
  trail.attack(
      "update vestige_change set v2 = 12 where id = 2; delete from vestige_bundle;"
      "delete from vestige_tile; delete from vestige_checkpoint; delete from vestige_sealer",
      "update vestige.change set new_row = '(2,x,12)' where id = 2; delete from vestige.bundle;"
      "delete from vestige.tile; delete from vestige.checkpoint; delete from vestige.sealer");
  const auto anew = [&](char seed) {
    const auto sealer =
        must(Sealer::open(trail.db(), Evident::signer(seed), trail.file("eve.state")));
    while (!sealer->done()) must(sealer->batch());
    must(sealer->sign());
  };
  anew('e');
  trail.verify();
  EXPECT_EQ(trail.found, "signature\n");
  trail.attack("delete from {}checkpoint");
  anew('s');
  trail.verify();
  EXPECT_EQ(trail.found, "")
      << "who has the key and the database is found out by a kept checkpoint only";
  trail.verify({kept});
  EXPECT_EQ(trail.found, "forked\nrewritten\n");
  EXPECT_NE(trail.words.find("two histories were signed"), std::string::npos);
}

TEST_P(VerifyTrail, TheEntriesThemselves) {
  trail.seal();
  if (trail.postgres())
    trail.attack("update {}bundle set entries = overlay(entries placing '\\x58'::bytea from 60)");
  else
    trail.attack(
        "update {}bundle set entries = cast(substr(entries, 1, 59) || x'58' ||"
        " substr(entries, 61) as blob)");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("entry-altered 1\n")) << trail.found;
  trail.attack("update {}bundle set entries = salts");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("entry-altered\n")) << trail.found;
}

TEST_P(VerifyTrail, TheTree) {
  for (int i = 0; i < 260; ++i) trail.as("c", "update p set price = price + 1 where id = 1");
  trail.seal();
  trail.attack(
      "update {}tile set hashes = (select hashes from {}tile where level = 0 and n = 1)"
      " where level = 1");
  trail.verify();
  EXPECT_EQ(trail.found, "tree-altered\n");
  trail.attack("delete from {}bundle where n = 0");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("entries-missing\n")) << trail.found;
}

TEST_P(VerifyTrail, ACheckpoint) {
  trail.seal();
  trail.attack("update {}checkpoint set note = replace(note, '4', '5')");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("checkpoint-altered\n")) << trail.found;
}

TEST_P(VerifyTrail, SetBackAndCutOff) {
  trail.seal();
  // An older state of the trail: everything in it as it was.
  Evident copy(GetParam());
  trail.as("bob", "delete from p where id = 3");
  const std::string kept = trail.seal();
  trail.attack(
      "delete from vestige_change where id = 5; delete from vestige_checkpoint where size = 5;"
      "update vestige_sealer set size = 4, last_id = 4;"
      "update vestige_bundle set width = 4, last_id = 4",
      "delete from vestige.change where id = 5; delete from vestige.checkpoint where size = 5;"
      "update vestige.sealer set size = 4; update vestige.bundle set width = 4");
  trail.verify({kept});
  EXPECT_NE(trail.found.find("truncated\n"), std::string::npos) << trail.found;
}

TEST_P(VerifyTrail, AnotherKeptLog) {
  trail.seal();
  const auto other = must(merkle::sign_checkpoint(Evident::signer('x', "other"), 1, Hash{}));
  trail.verify({other}, false);
  EXPECT_EQ(trail.found, "rewritten\nrewritten\n");
  VerifyOptions options;
  options.kept = {{"kept.txt", "nothing\n"}};
  Findings findings;
  EXPECT_TRUE(error_of(verify(trail.db(), options, findings)).message.starts_with("kept.txt: "));
}

TEST_P(VerifyTrail, SealedTwice) {
  trail.seal();
  trail.attack("update vestige_sealer set last_id = 0",
               "update vestige.sealer set floor = 0, sealed = '0', restored = 0");
  trail.seal();
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("sealed-twice 1\nsealed-twice 2\n")) << trail.found;
}

TEST_P(VerifyTrail, ThePosition) {
  trail.seal();
  trail.attack("update {}sealer set size = 3");
  trail.verify();
  EXPECT_EQ(trail.found, "position-altered\n");
}

TEST_P(VerifyTrail, LiveRowsThatWereChangedBehindTheTrail) {
  trail.as("ann",
           "update p set id = 30, name = 'moved' where id = 3; insert into p values (4, 'd', 1), "
           "(5, 'e', 1);"
           "delete from p where id = 5");
  trail.seal();
  trail.live = true;
  trail.verify();
  EXPECT_EQ(trail.found, "");
  if (trail.postgres()) {
    trail.application(
        "alter table p disable trigger user; update p set price = 5 where id = 1;"
        "delete from p where id = 30; insert into p values (5, 'back', 1)");
    trail.verify();
    // It is off, and an event trigger has noted since when.
    EXPECT_EQ(trail.found.substr(0, 16), "capture\ncapture\n");
    trail.found.erase(0, 16);
  } else {
    must(trail.db().application_triggers(false));
    trail.application(
        "update p set price = 5 where id = 1; delete from p where id = 30;"
        "insert into p values (5, 'back', 1)");
    must(trail.db().application_triggers(true));
    trail.verify();
  }
  EXPECT_EQ(trail.found, "row-changed 4 price\nrow-missing 5\nrow-unknown 8\n");
  EXPECT_NE(trail.words.find("price: 11 in the trail, 5 in the table"), std::string::npos);
}

TEST_P(VerifyTrail, TheGuardsOfTheEvidence) {
  trail.seal();
  const std::string prefix = trail.postgres() ? "vestige." : "vestige_";
  must(trail.db().script("insert into " + prefix + "erased values (1, 1, 'values')"));
  const auto refused = [&](const std::string& sql) {
    return error_of(trail.db().script(sql)).message;
  };
  for (const std::string table : {"checkpoint", "erased"}) {
    const std::string update = refused("update " + prefix + table + " set " +
                                       (table == "erased" ? "parts = 'key'" : "note = ''"));
    const std::string remove = refused("delete from " + prefix + table);
    if (trail.postgres()) {
      EXPECT_NE(update.find("history is append-only"), std::string::npos) << update;
      EXPECT_NE(remove.find("history is append-only"), std::string::npos) << remove;
      continue;
    }
    const std::string replace =
        refused(fmt::format("insert or replace into vestige_{0} select * from vestige_{0}", table));
    const bool first = table == "checkpoint";
    EXPECT_EQ(update, first ? "run sql: vestige: vestige_checkpoint is append-only: update refused"
                            : "run sql: vestige: vestige_erased is append-only: update refused");
    EXPECT_EQ(remove, first ? "run sql: vestige: vestige_checkpoint is append-only: delete refused"
                            : "run sql: vestige: vestige_erased is append-only: delete refused");
    EXPECT_EQ(replace, first
                           ? "run sql: vestige: vestige_checkpoint is append-only: replace refused"
                           : "run sql: vestige: vestige_erased is append-only: replace refused");
  }
}

TEST_P(VerifyTrail, ASaltThatIsGone) {
  trail.seal();
  if (trail.postgres())
    trail.attack(
        "update vestige.bundle set salts = overlay(salts placing"
        " '\\x00000000000000000000000000000000'::bytea from 81);"
        "update vestige.change set new_row = null where id = 2");
  else
    trail.attack(
        "update vestige_bundle set salts = cast(substr(salts, 1, 80) || zeroblob(16) ||"
        " substr(salts, 97) as blob); update vestige_change set op = 'D' where id = 2");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with(trail.postgres() ? "erased 2 values\n" : "altered 2 op"))
      << trail.found;
}

// Which change gave the columns of such a row their values is not known, and no reader falls over it.
TEST_P(VerifyTrail, ARowThatCameBackWhileNothingWasRecorded) {
  trail.as("ann", "delete from p where id = 1");
  if (trail.postgres()) {
    trail.application(
        "alter table p disable trigger user; insert into p values (1, 'y', 5);"
        " alter table p enable trigger user");
  } else {
    auto rows =
        must(trail.db().query("select 'drop trigger ' || name from sqlite_schema where type = "
                              "'trigger' and tbl_name = 'p'"));
    std::vector<std::string> drops;
    while (must(rows->next()) == Step::row) drops.push_back(rows->text(0));
    rows.reset();
    EXPECT_FALSE(drops.empty());
    for (const std::string& drop : drops) must(trail.db().script(drop));
    trail.application("insert into p values (1, 'y', 5)");
  }
  const Blame blamed = must(blame(trail.db(), "p", {"1"}));
  ASSERT_EQ(blamed.columns.size(), 3U);
  for (const Blamed& column : blamed.columns) EXPECT_FALSE(column.change.has_value());
}

}  // namespace
}  // namespace vestige
