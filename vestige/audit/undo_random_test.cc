// Undoing random transactions of random schemas with foreign keys, derived indexes and tables without a key: whatever was
// done, what stood before stands again, and to undo the undoing gives what was done.
#include <random>

#include "test/tracked_shop.h"
#include "vestige/audit/exec.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

class RandomWork {
 public:
  explicit RandomWork(unsigned seed) : random_(seed), tables_(2 + pick(3)) {
    for (int t = 0; t < tables_; ++t) keyless_.push_back(pick(5) == 0);
  }

  std::string schema() {
    std::string sql;
    for (int t = 0; t < tables_; ++t) {
      const bool rowid_free = !keyless_[t] && pick(4) == 0;
      sql += "create table " + table(t) + " (id int" + choice({"", "eger"}) +
             (keyless_[t] ? "" : " primary key") + ", v text, n " + choice({"int", "real", ""}) +
             (pick(3) == 0 ? " unique" : "") + reference("r1") + reference("r2") +
             (pick(3) == 0 ? ", g as (v || n)" : "") + ")" + (rowid_free ? " without rowid" : "") +
             ";\n";
    }
    const std::string t0 = table(0);
    if (!keyless_[0]) {
      indexed_ =
          true;  // REPLACE fires the application's DELETE triggers only when they are recursive
      sql +=
          "pragma recursive_triggers = on; create virtual table found using fts5 (v, k unindexed);"
          "create trigger f_i after insert on " +
          t0 +
          " begin insert into found (v, k) values (new.v, new.id); end;"
          "create trigger f_d after delete on " +
          t0 +
          " begin delete from found where k is old.id; end;"
          "create trigger f_u after update on " +
          t0 +
          " begin delete from found where k is old.id; insert into found (v, k) values (new.v, "
          "new.id); end;";
    }
    return sql;
  }
  std::vector<std::string> tables() const {
    std::vector<std::string> names;
    for (int t = 0; t < tables_; ++t) names.push_back("T " + std::to_string(t));
    return names;
  }
  std::string contents(Shop& shop) const {
    std::string out;
    for (int t = 0; t < tables_; ++t)
      out += shop.rows("select id, v, n, r1, r2, typeof(n) from " + table(t) +
                       " order by 1, 2, 3, 4, 5, 6") +
             "--\n";
    if (indexed_) out += shop.rows("select v, k from found order by k, v");
    return out;
  }

  std::string statement() {
    const std::string t = table(pick(tables_));
    const std::string id = std::to_string(pick(12));
    const std::string other = std::to_string(pick(12));
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return "insert or " + choice({"ignore", "replace"}) + " into " + t +
               " (id, v, n, r1) values (" + id + ", 'v" + other + "', " + std::to_string(pick(40)) +
               ".5, " + (pick(2) == 0 ? "null" : other) + ")";
      case 3:
        return "update or ignore " + t + " set v = 'u" + other + "', r1 = null where id = " + id;
      case 4:
        return "update or ignore " + t + " set r1 = (select max(id) from " + table(pick(tables_)) +
               ") where id < " + other;
      case 5: return "update or replace " + t + " set id = " + other + " where id = " + id;
      case 6: return "update or ignore " + t + " set n = n + 1 where id > " + id;
      case 7: return "update or ignore " + t + " set v = v || 'x', n = null";
      case 8: return "delete from " + t + " where id = " + id;
      default: return "delete from " + t + " where id > " + other;
    }
  }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

 private:
  static std::string table(int t) { return "\"T " + std::to_string(t) + "\""; }
  std::string choice(const std::vector<std::string>& of) {
    return of[static_cast<std::size_t>(pick(static_cast<int>(of.size())))];
  }
  std::string reference(const std::string& column) {
    const int to = pick(tables_);
    const std::string plain = ", " + column + " int";
    if (keyless_[static_cast<std::size_t>(to)] || pick(4) == 0) return plain;
    return plain + " references " + table(to) + " (id) on delete " +
           choice({"cascade", "set null", "set default", "no action"}) + " on update " +
           choice({"cascade", "set null", "no action"}) +
           choice({"", " deferrable initially deferred"});
  }

  std::mt19937 random_;
  int tables_;
  std::vector<bool> keyless_;
  bool indexed_ = false;
};

TEST(UndoRandom, WhatStoodBeforeStandsAgain) {
  int undone = 0;
  const char* given = std::getenv("VESTIGE_SEED");
  const unsigned first = given == nullptr ? 1 : static_cast<unsigned>(std::atoi(given));
  for (unsigned seed = first; seed < first + (given == nullptr ? 25 : 1); ++seed) {
    SCOPED_TRACE(fmt::format("VESTIGE_SEED={}", seed));
    Shop shop;
    shop.run("pragma synchronous = off; pragma journal_mode = memory");
    RandomWork work(seed);
    const std::string made = work.schema();
    shop.run(made);
    shop.with_trail();
    for (const std::string& table : work.tables()) shop.track(table);
    for (int i = 0; i < 50; ++i) (void)shop.db().script(work.statement());
    for (int round = 0; round < 15; ++round) {
      const std::string before = work.contents(shop);
      const std::int64_t last = shop.last_change();
      std::string did;
      for (int n = 1 + work.pick(5); n > 0; --n) did += work.statement() + ";\n";
      if (!exec(shop.db(), did, {}, nullptr).has_value() || shop.last_change() == last) continue;
      // SQLite 3.40 lets a REPLACE leave a reference to nothing behind where the key is deferrable.
      if (must(scalar_integer(shop.db(), "select count(*) from pragma_foreign_key_check")) > 0)
        break;
      const std::string after = work.contents(shop);
      ++undone;
      RevertRequest request;
      request.tx = must(scalar_integer(shop.db(), "select max(tx) from vestige_change"));
      const auto done = revert(shop.db(), request, {});
      ASSERT_TRUE(done.has_value()) << done.error().message << "\n" << made << did << before;
      EXPECT_TRUE(done->conflicts.empty());
      ASSERT_EQ(work.contents(shop), before) << made << did;
      if (!done->tx.has_value()) continue;
      request.tx = done->tx;
      const auto redone = revert(shop.db(), request, {});
      ASSERT_TRUE(redone.has_value()) << redone.error().message << "\n" << made << did << before;
      ASSERT_EQ(work.contents(shop), after) << made << did;
    }
  }
  EXPECT_GT(undone, given == nullptr ? 100 : 0);
}

}  // namespace
}  // namespace vestige
