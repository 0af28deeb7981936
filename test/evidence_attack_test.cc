// Attacks on both databases, each by somebody who may do everything and who tidies up behind himself: guards are taken
// away, the damage is done, guards are put back. verify finds each, and says what happened.
#include <fstream>

#include "test/evidence.h"

namespace vestige {
namespace {

// As attack(), and afterwards every guard is as it was.
void tidily(Evident& trail, const std::string& sqlite, const std::string& on_postgres) {
  std::string guards;
  if (trail.postgres()) {
    for (const char* table :
         {"change", "change_default", "context", "checkpoint", "shape", "erased"})
      for (const char* guard : {"append_only", "never_truncate"})
        guards += fmt::format("alter table vestige.{} enable always trigger {};", table, guard);
  } else {
    auto rows =
        must(trail.db().query("select sql || ';' from sqlite_schema where type = 'trigger'"
                              " and name like 'vestige%\\_no\\_%' escape '\\'"));
    while (must(rows->next()) == Step::row) guards += rows->text(0);
  }
  trail.attack(sqlite, on_postgres);
  must(trail.db().script(guards));
}

struct Attack {
  std::string name;
  std::string sqlite;
  std::string postgres;
  std::string found;  // by verify, without a kept checkpoint
  std::string says;   // somewhere in its words
};

void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }

// Changes 1 to 4 are sealed.
const std::vector<Attack> kAttacks = {
    {"ATimeAlone", "update vestige_change set at = at - 3600000 where id = 2",
     "update vestige.change set at = at - interval '1 hour' where id = 2", "altered 2 time\n",
     "its time is not what was sealed; sealed was time "},
    {"AnAddress", "update vestige_context set ip_address = '203.0.113.9' where id = 3",
     "update vestige.context set client_addr = '203.0.113.9' where id = 3",
     "reattributed 3 context\n", "was given to somebody else"},
    {"AReason", "update vestige_context set reason = 'as ordered' where id = 3",
     "update vestige.context set fields = fields || '{\"reason\": \"as ordered\"}' where id = 3",
     "reattributed 3 context\n",
     "its context (who, why, from where) is not the one that was sealed"},
    {"AnActorTakenAway", "update vestige_context set actor = null where id = 4",
     "update vestige.context set fields = null where id = 4", "reattributed 4 context\n",
     "was given to somebody else"},
    {"TheNewestHour",
     "delete from vestige_change where id > 2; delete from vestige_context where id > 2",
     "delete from vestige.change where id > 2; delete from vestige.context where id > 2",
     "deleted 3\ndeleted 4\n", "was deleted: it is sealed as entry 3"},
    {"Everything", "delete from vestige_change; delete from vestige_context",
     "delete from vestige.change; delete from vestige.context",
     "deleted 1\ndeleted 2\ndeleted 3\ndeleted 4\n", "change 1 (INSERT of p, "},
    {"AForgeryInThePlaceOfAChange",
     "create temp table t as select * from vestige_change where id = 3;"
     "delete from vestige_change where id = 3; update temp.t set v2 = 99;"
     "insert into vestige_change select * from temp.t; drop table temp.t",
     "create temp table t as select * from vestige.change where id = 3;"
     "delete from vestige.change where id = 3; update t set new_row = '(3,x,99)';"
     "insert into vestige.change select * from t",
     "altered 3 values\n", "change 3 (INSERT of p, "},
    {"AForgeryBeforeTheFirst",
     "create temp table t as select * from vestige_change where id = 2; update temp.t set id = 0;"
     "insert into vestige_change select * from temp.t; drop table temp.t",
     "create temp table t as select * from vestige.change where id = 2; update t set id = 0;"
     "insert into vestige.change select * from t",
     "inserted 0\n", "was put in: the tree has no entry of it"},
    {"ADeletionThatIsMadeAnUpdate", "update vestige_change set op = 'D' where id = 2",
     "update vestige.change set op = 'D', old_row = new_row, new_row = null where id = 2",
     "altered 2 op,values\n", "sealed was op INSERT, not DELETE"},
    {"AnotherTable", "update vestige_change set tbl = 7 where id = 2",
     "update vestige.change set tracked = 7 where id = 2", "altered 2 table\n",
     "sealed was table p (table 1), not p (table 7)"},
    {"AShapeThatIsGone", "delete from vestige_shape", "delete from vestige.shape",
     "altered 1 record\naltered 2 record\naltered 3 record\naltered 4 record\n",
     "it cannot be read: "},
    {"ColumnsThatChangePlaces",
     "update vestige_shape set columns = replace(replace(replace(columns, '\"name\":\"price\"', "
     "'@'),"
     " '\"name\":\"name\"', '\"name\":\"price\"'), '@', '\"name\":\"name\"')",
     "update vestige.shape set columns = replace(replace(replace(columns::text, '\"price\"', '@'),"
     " '\"name\": \"name\"', '\"name\": \"price\"'), '@', '\"name\"')::jsonb",
     "altered 1 values\naltered 2 values\naltered 3 values\naltered 4 values\n",
     "its values are not what was sealed"},
    {"TheSalts", "update vestige_bundle set salts = zeroblob(length(salts))",
     "update vestige.bundle set salts = decode(repeat('00', length(salts)), 'hex')",
     "altered 1 key,context,values\naltered 2 key,context,values\naltered 3 key,context,values\n"
     "altered 4 key,context,values\n",
     "its key, context and values are not what was sealed"},
    {"TheLeaves", "update vestige_tile set hashes = zeroblob(length(hashes))",
     "update vestige.tile set hashes = decode(repeat('00', length(hashes)), 'hex')",
     "entry-altered 1\nentry-altered 2\nentry-altered 3\nentry-altered 4\n",
     "does not fit its leaf of the tree"},
};

class AttackOn : public testing::TestWithParam<std::tuple<Engine, Attack>> {};

TEST_P(AttackOn, IsFoundAndNamed) {
  const auto& [engine, attack] = GetParam();
  Evident trail(engine);
  const std::string kept = trail.seal();
  tidily(trail, attack.sqlite, attack.postgres);
  trail.verify();
  EXPECT_EQ(trail.found, attack.found) << trail.words;
  EXPECT_NE(trail.words.find(attack.says), std::string::npos) << trail.words;
  trail.verify({kept});
  EXPECT_EQ(trail.found, attack.found) << "with a kept checkpoint: the same, named as precisely";
}

INSTANTIATE_TEST_SUITE_P(Both, AttackOn,
                         testing::Combine(testing::Values(Engine::sqlite, Engine::postgres),
                                          testing::ValuesIn(kAttacks)),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param) == Engine::postgres
                                                  ? "PostgreSQL"
                                                  : "SQLite") +
                                  std::get<1>(one.param).name;
                         });

using AttackLog = EvidenceTest;

INSTANTIATE_TEST_SUITE_P(Both, AttackLog, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

// Every table of the trail, put aside and put back: what restoring a backup does.
class Backup {
 public:
  explicit Backup(Evident& trail) : trail_(trail) {
    for (const std::string& table : tables())
      must(trail.db().script(
          fmt::format("create temp table saved_{0} as select * from {1}{0}", table, prefix())));
  }
  void restore() {
    std::string sql;
    for (const std::string& table : tables())
      sql += fmt::format("delete from {1}{0}; insert into {1}{0} select * from saved_{0};", table,
                         prefix());
    tidily(trail_, sql, sql);
  }

 private:
  std::string prefix() const { return trail_.postgres() ? "vestige." : "vestige_"; }
  static std::vector<std::string> tables() {
    return {"change", "context", "bundle", "tile", "checkpoint", "sealer"};
  }
  Evident& trail_;
};

TEST_P(AttackLog, AnOldTrailIsNotACutOne) {
  trail.seal();
  Backup backup(trail);
  trail.as("bob", "update p set price = 0 where id = 3");
  const std::string kept = trail.seal();
  backup.restore();
  trail.verify();
  EXPECT_EQ(trail.found, "") << "in itself an old trail is whole: docs/evidence.md says so";
  trail.verify({kept});
  EXPECT_EQ(trail.found, "rolled-back\n");
  EXPECT_NE(trail.words.find("the trail is an older state of itself: kept0 has 5 entries, the trail"
                             " 4; what is there is as it was signed, the last 1 are gone, as after"
                             " the restore of a backup"),
            std::string::npos)
      << trail.words;
  EXPECT_NE(trail.seal_error().message.find("it was set back to an older state; nothing is signed"),
            std::string::npos);
  trail.live = true;
  trail.verify();
  EXPECT_EQ(trail.found, "row-changed 3 price\n") << "the table knows more than the trail";

  // The same and a change altered: this is no backup.
  tidily(trail, "update vestige_change set v2 = 12 where id = 2",
         "update vestige.change set new_row = '(2,x,12)' where id = 2");
  trail.live = false;
  trail.verify({kept});
  EXPECT_EQ(trail.found, "altered 2 values\ntruncated\n");
  EXPECT_NE(trail.words.find("the trail was cut off: kept0 has 5 entries, the trail 4"),
            std::string::npos);
}

// The thief of the key goes on from a backup: another fifth change, sealed and signed.
TEST_P(AttackLog, AnotherHistoryFromABackupOn) {
  trail.seal();
  Backup backup(trail);
  trail.as("bob", "update p set price = 0 where id = 3");
  const std::string kept = trail.seal();
  backup.restore();
  const auto by_thief = [&] {
    const auto sealer =
        must(Sealer::open(trail.db(), Evident::signer(), trail.file("thief.state")));
    sealer->again();
    while (!sealer->done()) must(sealer->batch());
    return must(sealer->sign()).value_or("");
  };
  trail.as("eve", "update p set price = 1 where id = 2");
  const std::string forged = by_thief();
  ASSERT_EQ(forged.substr(0, 16), "log.example/p\n5\n");
  trail.verify();
  EXPECT_EQ(trail.found, "");
  trail.verify({kept});
  EXPECT_EQ(trail.found, "forked\nrewritten\n");
  EXPECT_NE(trail.words.find("the first 5 entries are not those of kept0: of the entries from 0"
                             " on some were rewritten"),
            std::string::npos)
      << trail.words;
  EXPECT_NE(trail.seal_error().message.find("the trail was rewritten, or is another one"),
            std::string::npos);
  // Two auditors hold the two against each other: no trail is needed to see that.
  trail.as("eve", "update p set price = 2 where id = 2");
  by_thief();
  tidily(trail, "delete from vestige_checkpoint where size = 5",
         "delete from vestige.checkpoint where size = 5");
  trail.verify({forged, kept});
  EXPECT_EQ(trail.found, "forked\nrewritten\n");
  EXPECT_NE(trail.words.find("kept1 and kept0 are of one size and differ: two histories were"
                             " signed"),
            std::string::npos)
      << trail.words;
}

TEST_P(AttackLog, AnotherKey) {
  const std::string kept = trail.seal();
  const auto resign = [&](const merkle::NoteSigner& signer) {
    const auto root = must(merkle::open_checkpoint(kept, {})).checkpoint.root;
    const std::string note = must(merkle::sign_checkpoint(signer, 4, root));
    const std::string sql = fmt::format("update {}checkpoint set note = '{}'",
                                        trail.postgres() ? "vestige." : "vestige_", note);
    tidily(trail, sql, sql);
  };
  resign(Evident::signer('e'));
  trail.verify({kept});
  EXPECT_EQ(trail.found, "signature\n");
  EXPECT_NE(trail.words.find("the trail's checkpoint of 4 entries is not signed by a key that you"
                             " trust"),
            std::string::npos);
  resign(Evident::signer('e', "eve.example/p"));
  trail.verify({kept});
  EXPECT_EQ(trail.found, "signature\nrewritten\n");
  EXPECT_NE(trail.words.find("kept0 is of log.example/p, and the trail is sealed as eve.example/p"),
            std::string::npos);
}

TEST_P(AttackLog, NoCheckpointAtAll) {
  const std::string kept = trail.seal();
  tidily(trail, "delete from vestige_checkpoint", "delete from vestige.checkpoint");
  const Verdict verdict = trail.verify();
  EXPECT_EQ(verdict.verified, 0U) << "nothing signed, nothing verified";
  EXPECT_EQ(verdict.unsigned_entries, 4U);
  EXPECT_EQ(trail.found, "signature\n") << "a key was named, and it signed nothing";
  // And the whole evidence: the trail looks as if it was never sealed.
  tidily(trail, "delete from vestige_bundle; delete from vestige_tile; delete from vestige_sealer",
         "delete from vestige.bundle; delete from vestige.tile; delete from vestige.sealer");
  EXPECT_EQ(trail.verify().verified, 0U);
  trail.verify({kept});
  EXPECT_EQ(trail.found, "rolled-back\n");
  EXPECT_NE(trail.seal_error().message.find("it was set back to an older state"),
            std::string::npos);
}

// A change that never happened, written behind the newest one: not sealed, so not verified; once it is sealed, the
// table contradicts it.
TEST_P(AttackLog, AForgeryAtTheEnd) {
  trail.seal();
  tidily(trail,
         "create temp table t as select * from vestige_change where id = 2; update temp.t set id ="
         " 5, v2 = 99, op = 'I'; insert into vestige_change select * from temp.t",
         "create temp table t as select * from vestige.change where id = 2; update t set id = 5,"
         " new_row = '(2,x,99)', xid = pg_current_xact_id(); insert into vestige.change select *"
         " from t");
  const Verdict verdict = trail.verify();
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.unsealed, 1U);
  EXPECT_EQ(verdict.verified, 4U);
  trail.live = true;
  trail.verify();
  EXPECT_EQ(trail.found, "row-changed 5 price\n");
  EXPECT_NE(
      trail.words.find("was changed behind the trail's back (price: 99 in the trail, 10 in the"
                       " table)"),
      std::string::npos)
      << trail.words;
  // Passed off as sealed already.
  trail.live = false;
  tidily(trail, "update vestige_sealer set last_id = 5", "update vestige.sealer set floor = 5");
  trail.verify();
  EXPECT_EQ(trail.found, trail.postgres() ? "inserted 5\n" : "position-altered\n");
}

TEST_P(AttackLog, CaptureOffAndOnAgain) {
  trail.seal();
  const std::string writes =
      "update p set price = 0 where id = 1; delete from p where id = 3;"
      "insert into p values (9, 'x', 1);";
  if (trail.postgres()) {
    trail.application("alter table p disable trigger user;" + writes +
                      R"(alter table p enable trigger user; do $$
declare name name; begin
for name in select tgname from pg_trigger where tgrelid = 'p'::regclass and tgname like '0\_vestige\_%' loop
  execute format('alter table p enable %s trigger %I', case when name like '%insert' then ''
    when name like '%apply' then 'replica' else 'always' end, name);
end loop; end $$)");
  } else {
    // The triggers are taken out of the schema and put back, byte for byte.
    auto rows = must(trail.db().query(
        "select 'drop trigger ' || quote(name) || ';', sql || ';' from sqlite_schema where type ="
        " 'trigger' and tbl_name = 'p'"));
    std::string drops;
    std::string makes;
    while (must(rows->next()) == Step::row) {
      drops += rows->text(0);
      makes += rows->text(1);
    }
    rows.reset();
    ASSERT_NE(makes, "");
    trail.application(drops + writes + makes);
  }
  trail.verify();
  EXPECT_EQ(trail.found, "") << "what was recorded is as it was sealed";
  trail.live = true;
  trail.verify();
  // PostgreSQL's event trigger has noted that capture was off; SQLite has none.
  EXPECT_EQ(trail.found, std::string(trail.postgres() ? "capture\n" : "") +
                             "row-changed 4 price\nrow-missing 3\n")
      << trail.words;
  EXPECT_NE(trail.words.find("price: 11 in the trail, 0 in the table"), std::string::npos);
  EXPECT_NE(trail.words.find("is gone from the table, and its removal was never recorded"),
            std::string::npos);
  EXPECT_EQ(trail.words.find("\"id\":9"), std::string::npos)
      << "a new row may be older than the trail, for all that --live knows: docs/evidence.md";
}

// No SQL at all: the bytes of a name are changed wherever they stand in the file, in the table and in the trail alike.
TEST(AttackTheFile, WithAnEditor) {
  Evident trail(Engine::sqlite);
  trail.as("ann", "insert into p values (4, 'unmistakable', 10)");
  trail.seal();
  const auto path = [&] {
    auto rows = must(trail.db().query("select file from pragma_database_list where name = 'main'"));
    must(rows->next());
    return rows->text(0);
  }();
  std::string bytes = must(file_bytes(path));
  int places = 0;
  for (std::size_t at = 0; (at = bytes.find("unmistakable", at)) != std::string::npos; ++places)
    bytes.replace(at, 12, "unremarkable");
  ASSERT_EQ(places, 2);
  std::ofstream(path, std::ios::binary) << bytes;
  const auto db = trail.connect();
  EXPECT_EQ(must(scalar_integer(*db, "select count(*) from p where name = 'unremarkable'")), 1);
  VerifyOptions options;
  options.live = true;
  Findings findings;
  must(verify(*db, options, findings));
  EXPECT_EQ(findings.text, "altered 5 values\n") << findings.messages;
  EXPECT_NE(findings.messages.find("its values are not what was sealed"), std::string::npos);
}

}  // namespace
}  // namespace vestige
