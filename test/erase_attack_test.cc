// Erasures that somebody forges, and random ones: nothing passes the guards, each lie is found, and what went is nowhere
// any more.
#include <set>

#include "test/capture_random.h"
#include "test/erase.h"
#include "vestige/audit/check.h"
#include "vestige/audit/prove.h"
#include "vestige/record/taken.h"
#include "vestige/trail/sqlite/eraser.h"

namespace vestige {
namespace {

class ErasureAttack : public ErasingTest {
 protected:
  // An ERASE of this very transaction, which names parts of change 5; its id.
  std::int64_t name_parts(const std::string& list) {
    const std::string p = trail.postgres() ? "vestige." : "vestige_";
    must(trail.db().script(
        trail.postgres() ? "select vestige.write_change(1, 1, 'E', null, null, null, null, 900)"
                         : "insert into vestige_change (tbl, shape, op, at, seq, tx) values"
                           " (1, 1, 'E', 0, 0, 6)"));
    must(trail.db().script(fmt::format(
        "insert into {}erased values ((select max(id) from {}change), 5, '{}')", p, p, list)));
    return must(scalar_integer(trail.db(), "select max(id) from " + p + "change"));
  }
  // Whether a write is let through.
  bool lets(const std::string& sql) {
    const auto done = trail.db().script(sql);
    if (!done.has_value()) {
      EXPECT_NE(done.error().message.find("append-only"), std::string::npos)
          << done.error().message;
    }
    return done.has_value();
  }
};

INSTANTIATE_TEST_SUITE_P(Both, ErasureAttack, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

std::string no_values(bool postgres) {
  if (postgres) return "old_row = null, new_row = null";
  std::string out = "v0 = null";
  for (int i = 1; i < 32; ++i) out += fmt::format(", v{} = null", i);
  return out;
}

// What somebody tries who may write the trail's tables, and goes by the guards.
TEST_P(ErasureAttack, TheGuardsLetNothingElseThrough) {
  trail.seal();
  trail.as("bob", "update p set id = 30 where id = 3");
  const bool pg = trail.postgres();
  const std::string p = pg ? "vestige." : "vestige_";
  const auto attempt = [&](const std::string& parts, const std::string& sql) {
    auto transaction = must(Transaction::begin(trail.db()));
    name_parts(parts);
    return error_of(trail.db().script(sql)).message;
  };
  const std::string nulls = ", " + no_values(false);
  const std::string values = pg ? "old_row = null, new_row = null" : "changed = -65536" + nulls;
  const std::string key = pg ? ", key = null, new_key = null, key_hash = null"
                             : ", key = null, new_key = null, row_id = null";
  const std::string all = (pg ? values : "changed = -196608" + nulls) + key;
  const std::vector<std::pair<std::string, std::string>> attempts = {
      {"values", "update {}change set " + values + " where id = 4"},
      {"values", "update {}change set " + all + " where id = 5"},
      {"values",
       "update {}change set " + values + ", at = " + (pg ? "now()" : "1") + " where id = 5"},
      {"values", "update {}change set " + values + ", id = 77 where id = 5"},
      {"values", "update {}change set " + values + ", op = 'D' where id = 5"},
      {"values",
       "update {}change set " + std::string(pg ? "old_row = '(9)'" : "v0 = 9") + " where id = 5"},
      {"values",
       "update {}change set " + std::string(pg ? "old_row = null" : "v0 = null") + " where id = 5"},
      {"values,key", "update {}change set " + values + " where id = 5"},
      {"context=abc", "update {}change set " + values + " where id = 5"},
      {"key", "update {}context set " + std::string(pg ? "fields" : "actor") + " = null"},
      {"values", "delete from {}change where id = 5"},
      {"context=abc", "update {}context set " +
                          std::string(pg ? "fields = '{\"actor\":\"eve\"}'" : "actor = 'eve'")},
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
    EXPECT_NE(attempt("values", "delete from vestige.moved").find("append-only"),
              std::string::npos);
  }
  EXPECT_EQ(verified(), "");
}

// What the guards, the salts and the reads take a list of parts for: each in its own language, all the same.
TEST_P(ErasureAttack, AListOfPartsIsReadAlikeEverywhere) {
  trail.as("bob", "update p set id = 30 where id = 3");
  trail.seal();
  const bool pg = trail.postgres();
  const std::string values =
      pg ? "update vestige.change set " + no_values(pg) + " where id = 5"
         : "update vestige_change set changed = -65536, " + no_values(pg) + " where id = 5";
  const std::string all =
      pg ? "update vestige.change set key = null, new_key = null, key_hash = null, " +
               no_values(pg) + " where id = 5"
         : "update vestige_change set changed = -196608, key = null, new_key = null, " +
               no_values(pg) + " where id = 5";
  const std::string context = fmt::format(
      "update {0}context set {1} = null where id = (select context from {0}change"
      " where id = 5)",
      pg ? "vestige." : "vestige_", pg ? "fields" : "actor");
  const std::string more = pg ? "delete from vestige.moved where change = 5"
                              : "insert into vestige_more (change, part) values (5, 1);"
                                "delete from vestige_more where change = 5";
  for (const std::string list : {"",
                                 "values",
                                 "key",
                                 "context=a=",
                                 "values,key",
                                 "values,context=a=",
                                 "key,context=a=",
                                 "values,key,context=a=",
                                 "context=a=,key,values",
                                 "valueskey",
                                 "values,keys",
                                 "key,valuess",
                                 "VALUES,KEY,CONTEXT=",
                                 " values, key",
                                 "context",
                                 "contexts=a",
                                 "values,context",
                                 "a,key,b",
                                 ",values",
                                 "values,",
                                 ",",
                                 "values,,key",
                                 "%",
                                 "context=values,key"}) {
    const auto in_transaction = [&](auto&& what) {
      auto transaction = must(Transaction::begin(trail.db()));
      return what(name_parts(list));
    };
    const auto let_through = [&](const std::string& sql) {
      return in_transaction([&](std::int64_t) { return lets(sql); });
    };
    const bool takes_values = takes(list, "values");
    const bool takes_key = takes(list, "key");
    const bool takes_context = takes(list, "context") && !takes_so(list, "context");
    EXPECT_EQ(let_through(values), takes_values && !takes_key) << list;
    EXPECT_EQ(let_through(all), takes_values && takes_key) << list;
    EXPECT_EQ(let_through(context), takes_context) << list;
    EXPECT_EQ(let_through(more), pg ? takes_key : takes_values) << list;
    const Salts salts = in_transaction([&](std::int64_t erase) {
      EvidenceStore store(trail.db());
      if (pg) must(trail.db().script(fmt::format("select vestige.forget_salts({})", erase)));
      else must(sqlite::forget_salts(trail.db(), erase));
      return salts_at(must(store.bundle(0))->salts, 4);
    });
    EXPECT_EQ(is_erased(salts.values), takes_values) << list;
    EXPECT_EQ(is_erased(salts.key), takes_key) << list;
    EXPECT_EQ(is_erased(salts.context), takes(list, "context")) << list;
    if (!pg) continue;
    std::string named;
    for (const TakenPart& part : taken_parts(list)) named += fmt::format("{};", part.name);
    EXPECT_EQ(in_transaction([&](std::int64_t) {
                return to_display(must(scalar(
                    trail.db(),
                    "select coalesce(string_agg(j.key || ';', '' order by j.place), '') from"
                    " json_each_text(vestige.erased_parts(5)) with ordinality as j(key, value,"
                    " place)")));
              }),
              named)
        << list;
  }
  EXPECT_EQ(verified(), "");
}

TEST_P(ErasureAttack, AnOlderNamingTakesNothing) {
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
  return fmt::format("update {} {} where id = {};",
                     postgres ? "vestige.change set" : "vestige_change set changed = -65536,",
                     no_values(postgres), change);
}

TEST_P(ErasureAttack, ForgedAndTamperedErasures) {
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
    return pg ? fmt::format(
                    "update vestige.bundle set salts = overlay(salts placing"
                    " '\\x00000000000000000000000000000000'::bytea from {});",
                    from + 1)
              : fmt::format(
                    "update vestige_bundle set salts = cast(substr(salts, 1, {}) ||"
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

// An erasure takes parts of a change; that there was one always stays.
TEST_P(ErasureAttack, NoErasureTakesAWholeChange) {
  trail.as("ann", "update p set price = 12 where id = 2");
  trail.seal();
  erase(changes({4}));
  const std::string p = trail.postgres() ? "vestige." : "vestige_";
  for (const std::string list : {"change", "values,key,change"}) {
    trail.attack(
        fmt::format("delete from {0}erased where erased = 2;"
                    "insert into {0}erased values (6, 2, '{1}');"
                    "delete from {0}change where id = 2",
                    p, list));
    EXPECT_EQ(verified(), "deleted 2\n6 took parts of 1: dpo, request 4711, not sealed\n") << list;
  }
  trail.seal();
  EXPECT_EQ(verified(), "deleted 2\n6 took parts of 1: dpo, request 4711\n")
      << "sealed with the lie";
}

TEST_P(ErasureAttack, ValuesThatWentBeforeTheyWereSealed) {
  trail.attack(without_values(false, 2), without_values(true, 2));
  trail.seal();
  EXPECT_EQ(verified(), "erased 2 values\n");
  EXPECT_NE(trail.words.find("its values went, and no ERASE says who took them and why"),
            std::string::npos);
}

TEST_P(ErasureAttack, ALieAboutAnErasedChange) {
  trail.seal();
  erase(row("1"));
  trail.seal();
  trail.attack("update vestige_change set changed = null, v1 = 'forged' where id = 1",
               "update vestige.change set new_row = '(1,forged,1)' where id = 1");
  EXPECT_EQ(verified(), "altered 1 values\n5 took parts of 1: dpo, request 4711\n");
}

// Random trails, of which random changes are erased: every proof holds, and what went is nowhere any more.
class RandomErasures : public ErasingTest {
 protected:
  std::string word() { return fmt::format("word{:06}end", ++words_); }
  std::string id() { return std::to_string(1 + dice_.below(5)); }

  void write() {
    switch (dice_.below(5)) {
      case 0:
        return trail.as(
            word(),
            fmt::format("insert into p values ({}, '{}', 1) on conflict do nothing", id(), word()));
      case 1: return trail.as(word(), "delete from p where id = " + id());
      case 2:
        return trail.as(word(), fmt::format("update p set id = id + 5 where id = {0} and not exists"
                                            " (select 1 from p where id = {0} + 5)",
                                            id()));
      case 3: return trail.as(word(), fmt::format("update p set name = '{}'", word()));
      default:
        return trail.as(word(),
                        fmt::format("update p set name = '{}' where id = {}", word(), id()));
    }
  }

  // The words that stand in a text.
  static std::set<std::string> words(const std::string& text) {
    std::set<std::string> out;
    for (std::size_t at = text.find("word"); at != std::string::npos;
         at = text.find("word", at + 1))
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
    for (const char* table : {"vestige.change", "vestige.context", "vestige.moved",
                              "vestige.erased", "vestige.note", "public.p"}) {
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
            ? "select name from public.p union all select fields from vestige.context where fields "
              "is"
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

}  // namespace
}  // namespace vestige
