// erase on both databases: what goes, what stays, and what every verb says of it. Attacks: erase_attack_test.cc.
#include "test/erase.h"

#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/check.h"
#include "vestige/audit/diff.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/prove.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

class Erase : public ErasingTest {};

INSTANTIATE_TEST_SUITE_P(Both, Erase, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Erase, TakesTheValuesOfARowAndNoProof) {
  const std::string kept = trail.seal();
  const std::string receipt = must(prove(trail.db(), 4));
  const Erasing done = erase(row("1"));
  EXPECT_EQ(done.by, std::vector<std::int64_t>{5});
  EXPECT_EQ(done.values, 2);
  EXPECT_EQ(done.keys + done.contexts, 0);
  EXPECT_TRUE(done.row_stands);
  EXPECT_EQ(log(),
            "1 INSERT {\"id\":1} values:5 {\"actor\":\"ann\"}\n"
            "2 INSERT {\"id\":2} +{\"id\":2,\"name\":\"x\",\"price\":10} {\"actor\":\"ann\"}\n"
            "3 INSERT {\"id\":3} +{\"id\":3,\"name\":\"x\",\"price\":10} {\"actor\":\"ann\"}\n"
            "4 UPDATE {\"id\":1} values:5 {\"actor\":\"ann\"}\n"
            "5 ERASE {} of 2 {\"actor\":\"dpo\",\"reason\":\"request 4711\"}\n");
  EXPECT_EQ(verified({kept}), "5 took parts of 2: dpo, request 4711, not sealed\n");
  EXPECT_EQ(trail.verify({kept}).verified, 4U);
  const std::string later = trail.seal();
  EXPECT_EQ(verified({kept, later}), "5 took parts of 2: dpo, request 4711\n");
  EXPECT_EQ(trail.verify({kept, later}).erased, 2U);
  trail.live = true;
  EXPECT_EQ(verified(), "5 took parts of 2: dpo, request 4711\n");

  Trust trust;
  trust.keys = {Evident::signer().key()};
  EXPECT_TRUE(must(check_receipt(receipt, trust)).evidence.values.has_value())
      << "who got a receipt before has what it says";
  const auto now = must(check_receipt(must(prove(trail.db(), 4)), trust));
  EXPECT_FALSE(now.evidence.values.has_value());
  EXPECT_TRUE(now.evidence.key.has_value());
  const auto of_erase = must(check_receipt(must(prove(trail.db(), 5)), trust));
  EXPECT_EQ(of_erase.entry.op, "ERASE");
  EXPECT_EQ(of_erase.evidence.values->canonical, R"({"erased":{"1":"values","4":"values"}})");
  const auto all = must(Export::open(trail.db(), std::nullopt));
  TrailCheck check(must(open_trusted(all->checkpoint(), trust)));
  while (const auto line = must(all->next())) check.line(*line);
  const auto verdict = check.finish();
  EXPECT_EQ(verdict.wrong, 0U);
  EXPECT_EQ(verdict.withheld, 2U);
}

TEST_P(Erase, KeysGoWithThePlacesThatNamedThem) {
  trail.as("bob", "update p set id = 30 where id = 3");
  trail.seal();
  EraseRequest all = row("3");
  all.keys = true;
  const Erasing done = erase(all);
  EXPECT_EQ(done.keys, 2);
  EXPECT_EQ(log("3"), "");
  EXPECT_EQ(log("30"), "");
  EXPECT_EQ(log().substr(0, log().find('\n')),
            "1 INSERT {\"id\":1} +{\"id\":1,\"name\":\"x\",\"price\":10} {\"actor\":\"ann\"}");
  EXPECT_NE(log().find("3 INSERT {} values:6 key:6 {\"actor\":\"ann\"}\n"), std::string::npos)
      << log();
  EXPECT_NE(log().find("5 UPDATE {} values:6 key:6 {\"actor\":\"bob\"}\n"), std::string::npos)
      << log();
  if (trail.postgres()) {
    EXPECT_EQ(must(scalar_integer(trail.db(),
                                  "select count(*) from vestige.moved, vestige.change c where"
                                  " c.id in (3, 5) and (c.key_hash is not null or c.key is not null"
                                  " or c.new_key is not null or moved.change = 5)")),
              0);
  }
  trail.seal();
  trail.live = true;
  EXPECT_EQ(verified(), "6 took parts of 2: dpo, request 4711\n");
  EXPECT_EQ(must(doctor(trail.db(), false)).size(), trail.postgres() ? 0U : 1U)
      << "the journal mode of SQLite";
}

TEST_P(Erase, AContextGoesForItsWholeTransaction) {
  if (trail.postgres()) must(trail.db().script("set application_name = 'a \"quoted\" \\ name\t/'"));
  trail.as("eve", "insert into p values (4, 'y', 1), (5, 'z', 1)");
  trail.seal();
  const std::int64_t four = must(
      scalar_integer(trail.db(), trail.postgres() ? "select id from vestige.change where key = '4'"
                                                  : "select id from vestige_change where key = 4"));
  EraseRequest one = changes({four});
  one.contexts = true;
  const Erasing done = erase(one);
  EXPECT_EQ(done.values, 1);
  EXPECT_EQ(done.contexts, 2) << "the other change of the transaction, too";
  EXPECT_EQ(log().find("eve"), std::string::npos) << log();
  EXPECT_NE(log().find(fmt::format(" +{{\"id\":5,\"name\":\"z\",\"price\":1}} context:{} {{}}\n",
                                   done.by[0])),
            std::string::npos)
      << log();
  trail.seal();
  EXPECT_EQ(verified(), fmt::format("{} took parts of 2: dpo, request 4711\n", done.by[0]));
  // What the database itself says of the transaction stays, and is bound to the ERASE.
  trail.attack(fmt::format("update vestige_context set at = at + 1 where id = (select context from"
                           " vestige_change where id = {})",
                           four),
               fmt::format("update vestige.context set db_user = 'mallory' where id = (select"
                           " context from vestige.change where id = {})",
                           four));
  EXPECT_EQ(verified(),
            fmt::format("reattributed {} context\nreattributed {} context\n", four, four + 1));
}

TEST_P(Erase, WhatIsNotSealedYet) {
  EXPECT_EQ(erase(changes({2, 4})).by, std::vector<std::int64_t>{5}) << "never sealed";
  trail.seal();
  EXPECT_EQ(verified(), "5 took parts of 2: dpo, request 4711\n");
  Trust trust;
  trust.keys = {Evident::signer().key()};
  EXPECT_FALSE(must(check_receipt(must(prove(trail.db(), 2)), trust)).entry.values.has_value());
  trail.as("ann", "update p set price = 12 where id = 1");
  trail.as("ann", "update p set price = 13 where id = 1");
  EraseRequest with_keys = changes({6, 7});
  with_keys.keys = true;
  with_keys.contexts = true;
  EXPECT_EQ(erase(with_keys).changes, 2) << "sealed before, and not since";
  trail.seal();
  EXPECT_EQ(verified(),
            "5 took parts of 2: dpo, request 4711\n8 took parts of 2: dpo, request 4711\n");
  EXPECT_EQ(trail.verify().verified, 8U);
}

TEST_P(Erase, ASealerThatIsAtWork) {
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  must(sealer->batch());
  const auto other = trail.connect();
  must(vestige::erase(*other, row("1"), because()));
  trail.as("ann", "update p set price = 12 where id = 2");
  sealer->again();
  while (!sealer->done()) must(sealer->batch());
  must(sealer->sign());
  EXPECT_EQ(verified(), "5 took parts of 2: dpo, request 4711\n");
  const auto bundle = must(EvidenceStore(trail.db()).bundle(0));
  for (const std::size_t erased : {0, 3})
    EXPECT_TRUE(is_erased(salts_at(bundle->salts, erased).values));
  EXPECT_FALSE(is_erased(salts_at(bundle->salts, 0).key));
  EXPECT_FALSE(is_erased(salts_at(bundle->salts, 5).values));
}

// The lock of C++ and that of SQL are one.
TEST(EraseOnPostgres, AnErasureAndASealerTakeTurns) {
  Evident trail(Engine::postgres);
  const auto other = trail.connect();
  for (Database* db : {&trail.db(), other.get()}) must(db->script("set lock_timeout = '50ms'"));
  {
    auto sealing = must(Transaction::begin(trail.db()));
    must(EvidenceStore(trail.db()).hold());
    EXPECT_EQ(error_of(erase(*other, row("1"), because())).fault, Fault::conflict);
  }
  {
    auto erasing = must(ContextScope::begin(*other, because()));
    must(other->script("select vestige.erase('p', '1')"));
    auto sealing = must(Transaction::begin(trail.db()));
    const Error error = error_of(EvidenceStore(trail.db()).hold("50ms"));
    EXPECT_EQ(error.fault, Fault::conflict);
    EXPECT_TRUE(error.message.starts_with("seal: an erasure or another sealer is under way: "));
  }
  EXPECT_EQ(must(erase(*other, row("1"), because())).values, 2);
}

TEST_P(Erase, TwiceAndInParts) {
  trail.seal();
  EXPECT_EQ(erase(changes({4})).by, std::vector<std::int64_t>{5});
  EXPECT_TRUE(erase(changes({4})).by.empty()) << "nothing is left to take";
  EraseRequest more = row("1");
  more.keys = true;
  more.contexts = true;
  more.dry_run = true;
  const Erasing would = erase(more);
  EXPECT_EQ(would.values, 1);
  EXPECT_EQ(would.keys, 2);
  EXPECT_EQ(log().find("key:"), std::string::npos) << "a dry run takes nothing";
  more.dry_run = false;
  const Erasing done = erase(more);
  EXPECT_EQ(done.values, 1);
  EXPECT_EQ(done.keys, 2);
  EXPECT_EQ(done.contexts, 2);
  EXPECT_NE(
      log().find(fmt::format("4 UPDATE {{}} values:5 key:{0} context:{0} {{}}\n", done.by[0])),
      std::string::npos)
      << log();
  trail.seal();
  EXPECT_EQ(verified(), fmt::format("5 took parts of 1: dpo, request 4711\n"
                                    "{} took parts of 2: dpo, request 4711\n",
                                    done.by[0]));
}

TEST_P(Erase, WhatIsRefused) {
  EXPECT_EQ(refused(row("1"), Context()), "erase: a reason is needed");
  EXPECT_EQ(refused(row("1"), because("")), "erase: a reason is needed");
  EXPECT_EQ(refused(EraseRequest()), "erase: say what, in just one way");
  EXPECT_EQ(refused(changes({1, 99})), "erase change 99: there is no such change");
  EXPECT_EQ(refused(row("99")), "erase p id=99: the trail has no change of such a row");
  EraseRequest tx;
  tx.tx = 99;
  EXPECT_EQ(refused(tx), "erase tx 99: there is no such transaction");
  erase(changes({1}));
  EXPECT_NE(refused(changes({5})).find("erase change 5: it is an erasure, which holds no values"),
            std::string::npos);
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "p", requiring({"request_id"})));
  must(transaction.commit());
  EXPECT_NE(refused(changes({2})).find("needs a context with request_id"), std::string::npos);
  Context whole = because();
  whole.set("request_id", "r1");
  EXPECT_EQ(must(vestige::erase(trail.db(), changes({2}), whole)).values, 1);
}

TEST_P(Erase, WholeTransactionsOfSeveralTables) {
  trail.application("create table q (id integer primary key, s text)");
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "q", Policy()));
  must(transaction.commit());
  trail.as("ann", "insert into q values (1, 'secret'); update p set name = 'secret' where id = 2");
  trail.seal();
  EraseRequest request;
  request.tx =
      must(scalar_integer(trail.db(), trail.postgres() ? "select max(tx) from vestige.context"
                                                       : "select max(tx) from vestige_change"));
  request.contexts = true;
  const Erasing done = erase(request);
  EXPECT_EQ(done.by.size(), 2U) << "an ERASE for each table";
  EXPECT_EQ(done.values, 2);
  EXPECT_EQ(log().find("secret"), std::string::npos) << log();
  trail.seal();
  EXPECT_EQ(trail.verify().erased, 2U) << trail.found;
  EXPECT_EQ(trail.found, "");
}

// A change of another table whose context goes with its transaction's keeps its values, though that table has one that goes, too.
TEST_P(Erase, TakesOfOtherTablesTheContextAlone) {
  trail.application("create table q (id integer primary key, s text)");
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "q", Policy()));
  must(transaction.commit());
  trail.as("nora", "insert into p values (8, 'gone', 1); insert into q values (1, 'stays')");
  trail.as("bob", "insert into q values (2, 'gone')");
  trail.seal();
  const auto ids = must(change_ids(trail.db(), {}));
  EraseRequest request = changes({ids[ids.size() - 3], ids.back()});
  request.contexts = true;
  const Erasing done = erase(request);
  EXPECT_EQ(done.values, 2);
  EXPECT_EQ(done.contexts, 3);
  EXPECT_EQ(log().find("gone"), std::string::npos) << log();
  EXPECT_NE(log().find("stays"), std::string::npos) << log();
  EXPECT_EQ(log().find("nora"), std::string::npos) << log();
  trail.seal();
  EXPECT_EQ(trail.verify().erased, 3U) << trail.found;
  EXPECT_EQ(trail.found, "");
}

TEST_P(Erase, WhatWasBeforeIsNotKnown) {
  trail.as("ann", "update p set price = 12 where id = 1");
  trail.as("ann", "update p set price = 13, name = 'y' where id = 1");
  erase(changes({5}));
  Database& db = trail.db();
  const std::string lost = "change 5 of it is needed, and its values were erased by change 7";
  EXPECT_EQ(error_of(at(db, "p", {"1"}, just_after(4))).message,
            "read p id=1 at a moment: " + lost);
  EXPECT_EQ(to_json(*must(at(db, "p", {"1"}, just_after(5)))), R"({"id":1,"name":"x","price":12})");
  EXPECT_EQ(to_json(*must(at(db, "p", {"2"}, just_after(4)))), R"({"id":2,"name":"x","price":10})");
  const auto whole = must(at(db, "p", just_after(4)));
  std::string rows;
  while (const auto state = must(whole->next())) rows += to_json(*state);
  EXPECT_EQ(rows, R"({"id":2,"name":"x","price":10}{"id":3,"name":"x","price":10})")
      << "the row that is not known is left out";
  EXPECT_EQ(must(erased_since(db, "p", just_after(4))).changes, 1);
  EXPECT_EQ(must(erased_since(db, "p", just_after(5))).changes, 0);
  EXPECT_EQ(error_of(diff(db, "p", {"1"}, just_after(4), Moment())).message,
            "diff p id=1: " + lost);
  EXPECT_EQ(must(diff(db, "p", {"1"}, just_after(5), Moment())).differences.size(), 2U);
  ApplyOptions options;
  const std::string restored = error_of(restore(db, "p", {"1"}, just_after(4), options)).message;
  EXPECT_NE(restored.find("its values were erased by change 7"), std::string::npos) << restored;
  RevertRequest request;
  request.changes = {5};
  const std::string reverted = error_of(revert(db, request, options)).message;
  EXPECT_NE(reverted.find("change 5 (p id=1): its values were erased by change 7"),
            std::string::npos)
      << reverted;
  request.changes = {7};
  EXPECT_NE(error_of(revert(db, request, options)).message.find("an erasure cannot be undone"),
            std::string::npos);
  options.on_conflict = OnConflict::skip;
  request.changes = {6, 5};
  EXPECT_EQ(must(revert(db, request, options)).skipped, 1);
  const Blame blamed = must(blame(db, "p", {"1"}));
  EXPECT_EQ(blamed.columns[2].change->op, Op::update);
  EXPECT_EQ(blamed.columns[0].change->id, 7) << "what made it so was erased by it";
  EXPECT_EQ(blamed.columns[0].change->op, Op::erase);
}

TEST_P(Erase, ADeletedRow) {
  trail.as("ann", "delete from p where id = 1");
  EXPECT_FALSE(erase(row("1")).row_stands);
  EXPECT_EQ(error_of(blame(trail.db(), "p", {"1"})).message,
            "blame p id=1: change 5 of it is needed, and its values were erased by change 6");
  EXPECT_EQ(error_of(at(trail.db(), "p", {"1"}, just_after(3))).fault, Fault::missing);
  EXPECT_FALSE(must(at(trail.db(), "p", {"1"}, Moment())).has_value());
  trail.seal();
  trail.live = true;
  EXPECT_EQ(verified(), "6 took parts of 3: dpo, request 4711\n");
}

TEST_P(Erase, ARowThatWasRemovedByAnErasedChangeIsNotMissing) {
  trail.as("ann", "delete from p where id = 1");
  EraseRequest one = changes({5});
  one.keys = true;
  erase(one);
  trail.seal();
  trail.live = true;
  EXPECT_EQ(verified(), "6 took parts of 1: dpo, request 4711\n");
}

TEST_P(Erase, AnOlderTrailIsBroughtUpToDate) {
  if (trail.postgres()) {
    trail.attack("", "drop function vestige.erase_changes(bigint[], boolean, boolean)");
  } else {
    trail.attack(
        "create trigger vestige_change_no_update before update on vestige_change begin"
        " select raise(fail, 'vestige: vestige_change is append-only: update refused');"
        " end",
        "");
  }
  EXPECT_EQ(refused(row("1")), "erase: this trail is older and lets nothing be erased");
  EXPECT_TRUE(must(install(trail.db())));
  EXPECT_EQ(erase(row("1")).values, 2);
}

}  // namespace
}  // namespace vestige
