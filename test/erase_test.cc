// erase on both databases: what goes, what stays, what every verb says of it, and that nothing else passes the guards.
#include "vestige/audit/erase.h"

#include <set>

#include "test/capture_random.h"
#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/check.h"
#include "vestige/audit/diff.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/log.h"
#include "vestige/audit/prove.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

Context because(const std::string& reason = "request 4711") {
  Context context;
  context.set("actor", "dpo");
  context.set("reason", reason);
  return context;
}

EraseRequest row(const std::string& id) {
  EraseRequest request;
  request.table = "p";
  request.key = {id};
  return request;
}

EraseRequest changes(std::vector<std::int64_t> ids) {
  EraseRequest request;
  request.changes = std::move(ids);
  return request;
}

class Erase : public EvidenceTest {
 protected:
  Erasing erase(const EraseRequest& request) {
    return must(vestige::erase(trail.db(), request, because()));
  }
  std::string refused(const EraseRequest& request, const Context& context = because()) {
    return error_of(vestige::erase(trail.db(), request, context)).message;
  }
  // Every change, oldest first, a line each.
  std::string log(const std::string& wanted = "") {
    LogRequest request;
    if (!wanted.empty()) {
      request.table = "p";
      request.key = {wanted};
    }
    request.filter.oldest_first = true;
    auto all = must(vestige::log(trail.db(), request));
    std::string out;
    while (const auto change = must(all->next())) {
      out += fmt::format("{} {} {}", change->id, name(change->op), to_json(change->key));
      if (change->new_key.has_value()) out += "→" + to_json(*change->new_key);
      if (change->old_values.has_value()) out += " -" + to_json(*change->old_values);
      if (change->new_values.has_value()) out += " +" + to_json(*change->new_values);
      for (const ErasedPart& part : change->erased)
        out += fmt::format(" {}:{}", part.part, part.by);
      if (change->op == Op::erase) out += fmt::format(" of {}", change->erases);
      out += " " + to_json(change->context) + "\n";
    }
    return out;
  }
  std::string verified(const std::vector<std::string>& kept = {}) {
    const Verdict verdict = trail.verify(kept);
    std::string out = trail.found;
    for (const Erasure& one : verdict.erasures)
      out += fmt::format("{} took parts of {}: {}, {}{}\n", one.change, one.erased, one.actor,
                         one.reason, one.sealed ? "" : ", not sealed");
    return out;
  }
  static Moment just_after(std::int64_t change) { return {Moment::Kind::change, change}; }
};

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
  trail.as("eve", "insert into p values (4, 'y', 1), (5, 'z', 1)");
  trail.seal();
  const std::int64_t four = must(scalar_integer(
      trail.db(), trail.postgres() ? "select id from vestige.change where key = '4'"
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
  EXPECT_NE(log().find(fmt::format("4 UPDATE {{}} values:5 key:{0} context:{0} {{}}\n", done.by[0])),
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
  must(trail.db().script("create table q (id integer primary key, s text)"));
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "q", Policy()));
  must(transaction.commit());
  trail.as("ann", "insert into q values (1, 'secret'); update p set name = 'secret' where id = 2");
  trail.seal();
  EraseRequest request;
  request.tx = must(scalar_integer(
      trail.db(), trail.postgres() ? "select max(tx) from vestige.context"
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

TEST_P(Erase, WhatWasBeforeIsNotKnown) {
  trail.as("ann", "update p set price = 12 where id = 1");
  trail.as("ann", "update p set price = 13, name = 'y' where id = 1");
  erase(changes({5}));
  Database& db = trail.db();
  const std::string lost = "change 5 of it is needed, and its values were erased by change 7";
  EXPECT_EQ(error_of(at(db, "p", {"1"}, just_after(4))).message,
            "read p id=1 at a moment: " + lost);
  EXPECT_EQ(to_json(*must(at(db, "p", {"1"}, just_after(5)))),
            R"({"id":1,"name":"x","price":12})");
  EXPECT_EQ(to_json(*must(at(db, "p", {"2"}, just_after(4)))),
            R"({"id":2,"name":"x","price":10})");
  const auto whole = must(at(db, "p", just_after(4)));
  std::string rows;
  while (const auto state = must(whole->next())) rows += to_json(*state);
  EXPECT_EQ(rows, R"({"id":2,"name":"x","price":10}{"id":3,"name":"x","price":10})")
      << "the row that is not known is left out";
  EXPECT_EQ(must(erased_since(db, "p", just_after(4))).changes, 1);
  EXPECT_EQ(must(erased_since(db, "p", just_after(5))).changes, 0);
  EXPECT_EQ(error_of(diff(db, "p", {"1"}, just_after(4), Moment())).message, "diff p id=1: " + lost);
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

// What somebody tries who may write the trail's tables, and goes by the guards.
TEST_P(Erase, TheGuardsLetNothingElseThrough) {
  trail.seal();
  trail.as("bob", "update p set id = 30 where id = 3");
  const bool pg = trail.postgres();
  const std::string p = pg ? "vestige." : "vestige_";
  const auto attempt = [&](const std::string& parts, const std::string& sql) {
    auto transaction = must(Transaction::begin(trail.db()));
    // An ERASE of this very transaction, which names one change.
    if (pg)
      must(trail.db().script("select vestige.write_change(1, 1, 'E', null, null, null, null, 900)"));
    else
      must(trail.db().script("insert into vestige_change (tbl, shape, op, at, seq, tx) values"
                             " (1, 1, 'E', 0, 0, 6)"));
    must(trail.db().script(fmt::format(
        "insert into {}erased values ((select max(id) from {}change), 5, '{}')", p, p, parts)));
    return error_of(trail.db().script(sql)).message;
  };
  const std::string nulls = [] {
    std::string out;
    for (int i = 0; i < 32; ++i) out += fmt::format(", v{} = null", i);
    return out;
  }();
  const std::string values = pg ? "old_row = null, new_row = null"
                                : "changed = -65536" + nulls;
  const std::string key = pg ? ", key = null, new_key = null, key_hash = null"
                             : ", key = null, new_key = null, row_id = null";
  const std::string all = (pg ? values : "changed = -196608" + nulls) + key;
  const std::vector<std::pair<std::string, std::string>> attempts = {
      {"values", "update {}change set " + values + " where id = 4"},
      {"values", "update {}change set " + all + " where id = 5"},
      {"values", "update {}change set " + values + ", at = " + (pg ? "now()" : "1") + " where id = 5"},
      {"values", "update {}change set " + values + ", id = 77 where id = 5"},
      {"values", "update {}change set " + values + ", op = 'D' where id = 5"},
      {"values", "update {}change set " + std::string(pg ? "old_row = '(9)'" : "v0 = 9") + " where id = 5"},
      {"values", "update {}change set " + std::string(pg ? "old_row = null" : "v0 = null") + " where id = 5"},
      {"values,key", "update {}change set " + values + " where id = 5"},
      {"context=abc", "update {}change set " + values + " where id = 5"},
      {"key", "update {}context set " + std::string(pg ? "fields" : "actor") + " = null"},
      {"values", "delete from {}change where id = 5"},
      {"context=abc", "update {}context set " + std::string(pg ? "fields = '{\"actor\":\"eve\"}'"
                                                                : "actor = 'eve'")},
      {"context=abc", "update {}context set " + std::string(pg ? "fields = null" : "actor = null") +
                          " where id = 1"},
  };
  for (const auto& [parts, sql] : attempts) {
    std::string text = sql;
    for (std::size_t at = 0; (at = text.find("{}")) != std::string::npos;) text.replace(at, 2, p);
    const std::string message = attempt(parts, text);
    EXPECT_NE(message.find("append-only"), std::string::npos) << parts << ": " << sql << message;
  }
  if (pg) {
    EXPECT_NE(attempt("values", "delete from vestige.moved").find("append-only"), std::string::npos);
  }
  EXPECT_EQ(verified(), "");
}

TEST_P(Erase, AnOlderNamingTakesNothing) {
  erase(changes({1}));
  trail.as("ann", "update p set price = 12 where id = 2");
  const std::string p = trail.postgres() ? "vestige." : "vestige_";
  must(trail.db().script("insert into " + p + "erased values (5, 2, 'values')"));
  const std::string message =
      error_of(trail.db().script(trail.postgres()
                                     ? "update vestige.change set new_row = null where id = 2"
                                     : "update vestige_change set changed = -65536, v0 = null,"
                                       " v1 = null, v2 = null where id = 2"))
          .message;
  EXPECT_NE(message.find("append-only"), std::string::npos) << message;
}

std::string without_values(bool postgres, int change) {
  if (postgres)
    return fmt::format("update vestige.change set old_row = null, new_row = null where id = {};",
                       change);
  std::string sql = "update vestige_change set changed = -65536";
  for (int i = 0; i < 32; ++i) sql += fmt::format(", v{} = null", i);
  return sql + fmt::format(" where id = {};", change);
}

TEST_P(Erase, ForgedAndTamperedErasures) {
  trail.as("ann", "update p set price = 12 where id = 2");
  trail.seal();
  erase(changes({4}));
  trail.seal();
  const std::string good = "6 took parts of 1: dpo, request 4711\n";
  ASSERT_EQ(verified(), good);
  const bool pg = trail.postgres();
  const auto attack = [&](const std::string& sql) { trail.attack(sql, sql); };
  const std::string p = pg ? "vestige." : "vestige_";
  const auto forget = [&](int place) {
    const int from = place * 48 + 32;
    return pg ? fmt::format("update vestige.bundle set salts = overlay(salts placing"
                            " '\\x00000000000000000000000000000000'::bytea from {});",
                            from + 1)
              : fmt::format("update vestige_bundle set salts = cast(substr(salts, 1, {}) ||"
                            " zeroblob(16) || substr(salts, {}) as blob);",
                            from, from + 17);
  };
  attack(without_values(pg, 2) + forget(1));
  EXPECT_EQ(verified(), "erased 2 values\n" + good) << "nobody said that they took it";
  attack("insert into " + p + "erased values (6, 2, 'key')");
  EXPECT_EQ(verified(), "erased 2 values\naltered 6 values\n" + good) << "it names other parts";
  attack("update " + p + "erased set parts = 'values' where erased = 2");
  EXPECT_EQ(verified(), "altered 6 values\n6 took parts of 2: dpo, request 4711\n")
      << "an ERASE that was sealed takes nothing more";
  attack("delete from " + p + "erased");
  EXPECT_EQ(verified(), "erased 2 values\nerased 4 values\naltered 6 values\n");
  attack("delete from " + p + "change where id = 6");
  EXPECT_EQ(verified(), "erased 2 values\nerased 4 values\ndeleted 6\n");
}

TEST_P(Erase, ValuesThatWentBeforeTheyWereSealed) {
  trail.attack(without_values(false, 2), without_values(true, 2));
  trail.seal();
  EXPECT_EQ(verified(), "erased 2 values\n");
  EXPECT_NE(trail.words.find("its values went, and no ERASE says who took them and why"),
            std::string::npos);
}

TEST_P(Erase, ALieAboutAnErasedChange) {
  trail.seal();
  erase(row("1"));
  trail.seal();
  trail.attack("update vestige_change set changed = null, v1 = 'forged' where id = 1",
               "update vestige.change set new_row = '(1,forged,1)' where id = 1");
  EXPECT_EQ(verified(), "altered 1 values\n5 took parts of 1: dpo, request 4711\n");
}

// Random trails, of which random changes are erased: every proof holds, and what went is nowhere any more.
class RandomErasures : public Erase {
 protected:
  std::string word() { return fmt::format("word{:06}end", ++words_); }
  std::string id() { return std::to_string(1 + dice_.below(5)); }

  void write() {
    switch (dice_.below(5)) {
      case 0:
        return trail.as(word(), fmt::format("insert into p values ({}, '{}', 1) on conflict do nothing",
                                            id(), word()));
      case 1: return trail.as(word(), "delete from p where id = " + id());
      case 2:
        return trail.as(word(), fmt::format("update p set id = id + 5 where id = {0} and not exists"
                                            " (select 1 from p where id = {0} + 5)",
                                            id()));
      case 3:
        return trail.as(word(), fmt::format("update p set name = '{}'", word()));
      default:
        return trail.as(word(), fmt::format("update p set name = '{}' where id = {}", word(), id()));
    }
  }

  // The words that stand in a text.
  static std::set<std::string> words(const std::string& text) {
    std::set<std::string> out;
    for (std::size_t at = text.find("word"); at != std::string::npos; at = text.find("word", at + 1))
      out.insert(text.substr(at, 13));
    return out;
  }

  std::vector<std::int64_t> ids() {
    std::vector<std::int64_t> out;
    Selection all;
    for (const std::int64_t one : must(change_ids(trail.db(), all)))
      if (must(show(trail.db(), one)).op != Op::erase) out.push_back(one);
    return out;
  }

  void erase_some() {
    const auto all = ids();
    EraseRequest request;
    for (int i = 0; i < 3; ++i) request.changes.push_back(dice_.pick(all));
    request.keys = dice_.chance(50);
    request.contexts = dice_.chance(50);
    erase(request);
  }

  // Everything that the database keeps: the file, or the rows.
  std::string everything() {
    if (!trail.postgres()) {
      const Value path =
          must(scalar(trail.db(), "select file from pragma_database_list where name = 'main'"));
      return must(file_bytes(std::get<Text>(path).bytes));
    }
    std::string out;
    for (const char* table : {"vestige.change", "vestige.context", "vestige.moved", "vestige.erased",
                              "vestige.note", "p"}) {
      auto rows = must(trail.db().query(fmt::format("select t::text from {} t", table)));
      while (must(rows->next()) == Step::row) out += rows->text(0) + "\n";
    }
    return out;
  }

  std::string live() {
    std::string out;
    // Who wrote nothing, because no row was there, has a context and no change.
    auto rows = must(trail.db().query(
        trail.postgres()
            ? "select name from p union all select fields from vestige.context where fields is"
              " not null"
            : "select name from p union all select actor from vestige_context where actor is not"
              " null"));
    while (must(rows->next()) == Step::row) out += rows->text(0) + "\n";
    return out;
  }

  Dice dice_{20261122};
  int words_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Both, RandomErasures, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(RandomErasures, ProveAndForget) {
  Trust trust;
  trust.keys = {Evident::signer().key()};
  std::vector<std::string> kept = {trail.seal()};
  std::vector<std::string> receipts;
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 8; ++i) write();
    if (dice_.chance(60)) kept.push_back(trail.seal());
    erase_some();
    if (dice_.chance(60)) kept.push_back(trail.seal());
    const auto found = must(EvidenceStore(trail.db()).find(ids().front()));
    ASSERT_TRUE(found.has_value());
    receipts.push_back(must(prove(trail.db(), ids().front())));
    const std::string said = log();
    const auto known = words(said + live());
    for (const std::string& one : words(everything()))
      EXPECT_TRUE(known.contains(one)) << one << " stands somewhere, and was erased";
  }
  kept.push_back(trail.seal());
  trail.live = true;
  const Verdict verdict = trail.verify(kept);
  EXPECT_EQ(trail.found, "") << trail.words;
  EXPECT_EQ(verdict.verified, verdict.size);
  EXPECT_GT(verdict.erased, 20U);
  for (const std::string& one : receipts) EXPECT_TRUE(check_receipt(one, trust).has_value());
  for (const std::int64_t one : ids())
    EXPECT_TRUE(check_receipt(must(prove(trail.db(), one)), trust).has_value()) << one;
}

TEST_P(Erase, AnOlderTrailIsBroughtUpToDate) {
  if (trail.postgres()) {
    trail.attack("", "drop function vestige.erase_changes(bigint[], boolean, boolean)");
  } else {
    trail.attack("create trigger vestige_change_no_update before update on vestige_change begin"
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
