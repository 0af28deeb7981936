// Undoing random transactions of random schemas with foreign keys: whatever was done, what stood before stands again, by the
// library and by vestige.revert, set-wise and change by change; and to undo the undoing gives what was done.
#include <random>

#include "test/postgres_capture.h"
#include "vestige/audit/revert.h"

namespace vestige {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

class RandomWork {
 public:
  explicit RandomWork(unsigned seed) : random_(seed), tables_(2 + pick(3)) {
    for (int t = 0; t < tables_; ++t) keyless_.push_back(pick(6) == 0);
  }

  std::vector<std::string> schema() {
    std::vector<std::string> sql;
    for (int t = 0; t < tables_; ++t)
      sql.push_back("create table " + table(t) + " (id int" + (keyless_[t] ? "" : " primary key") +
                    ", v text, n int" + (pick(3) == 0 ? " unique" : "") + ", r1 int, r2 int" +
                    (pick(3) == 0 ? ", g int generated always as (id * 2) stored" : "") + ")");
    for (int t = 0; t < tables_; ++t)
      for (const char* column : {"r1", "r2"}) {
        const int to = pick(tables_);
        if (keyless_[to] || pick(4) == 0) continue;
        sql.push_back("alter table " + table(t) + " add foreign key (" + column + ") references " +
                      table(to) + " (id) on delete " +
                      choice({"cascade", "set null", "no action", "restrict", "set default"}) +
                      " on update " + choice({"cascade", "cascade", "no action", "set null"}) +
                      choice({"", " deferrable", " deferrable initially deferred"}));
      }
    if (pick(3) == 0) {
      // A counter that a trigger keeps, and rows that a trigger adds, by names that the session's path finds.
      sql.push_back("create table total (id int primary key, n bigint)");
      sql.push_back(
          "create function counts() returns trigger language plpgsql as $f$ begin update total set "
          "n "
          "= n + case tg_op when 'INSERT' then 1 else -1 end; return null; end $f$");
      sql.push_back("create trigger counts after insert or delete on " + table(0) +
                    " for each row execute function counts()");
      extra_ = true;
    }
    return sql;
  }
  std::vector<std::string> tables() const {
    std::vector<std::string> names;
    for (int t = 0; t < tables_; ++t) names.push_back(table(t));
    if (extra_) names.emplace_back("total");
    return names;
  }

  std::string statement() {
    const std::string t = table(pick(tables_));
    const std::string id = std::to_string(pick(12));
    const std::string other = std::to_string(pick(12));
    const std::string reference = pick(3) == 0 ? "null" : other;
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
        return "insert into " + t + " (id, v, n, r1, r2) values (" + id + ", 'v" + other + "', " +
               std::to_string(pick(40)) + ", " + reference + ", null)";
      case 3:
        return "insert into " + t + " (id, v) select i, 'many' from generate_series(20, 23) i";
      case 4: return "update " + t + " set v = 'u" + other + "' where id = " + id;
      case 5:
        return "update " + t + " set r1 = " + reference + ", r2 = " + id + " where id < " + other;
      case 6: return "update " + t + " set id = " + other + " where id = " + id;
      case 7: return "update " + t + " set n = n + 1 where id > " + id;
      case 8: return "update " + t + " set v = v || 'x', n = null";
      case 9: return "delete from " + t + " where id = " + id;
      case 10: return "delete from " + t + " where id > " + other;
      default:
        return pick(4) == 0 && !extra_ ? "truncate " + t : "delete from " + t + " where r1 is null";
    }
  }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

 private:
  static std::string table(int t) { return "\"T " + std::to_string(t) + "\""; }
  std::string choice(const std::vector<std::string>& of) {
    return of[static_cast<std::size_t>(pick(static_cast<int>(of.size())))];
  }

  std::mt19937 random_;
  int tables_;
  std::vector<bool> keyless_;
  bool extra_ = false;  // with a trigger, which a TRUNCATE does not fire
};

std::string contents(PgSession& s, const std::vector<std::string>& tables) {
  std::string out;
  for (const std::string& table : tables)
    out += table + ":\n" +
           s.one("select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from " + table +
                 " t") +
           "\n";
  return out;
}

TEST(PostgresUndoRandom, WhatStoodBeforeStandsAgain) {
  int undone = 0;
  const char* given = std::getenv("VESTIGE_SEED");
  const unsigned first = given == nullptr ? 1 : static_cast<unsigned>(std::atoi(given));
  for (unsigned seed = first; seed < first + (given == nullptr ? 8 : 1); ++seed) {
    SCOPED_TRACE(fmt::format("VESTIGE_SEED={}", seed));
    PgShop shop;
    PgSession& s = shop.admin;
    RandomWork work(seed);
    std::string made;
    for (const std::string& sql : work.schema()) {
      s.run(sql);
      made += sql + ";\n";
    }
    const auto tables = work.tables();
    for (const std::string& table : tables) s.run("select vestige.track('" + table + "')");
    if (tables.back() == "total") s.run("insert into total values (0, 0)");
    for (int i = 0; i < 60; ++i) s.error(work.statement());
    for (int round = 0; round < 15; ++round) {
      const std::string before = contents(s, tables);
      const std::string last = s.one("select coalesce(max(id), 0)::text from vestige.change");
      std::string did;
      s.run("begin");
      for (int n = 1 + work.pick(6); n > 0; --n) {
        const std::string sql = work.statement();
        s.run("savepoint a");
        if (s.error(sql).empty()) did += sql + ";\n";
        else s.run("rollback to a");
      }
      if (!s.error("commit").empty()) {
        s.error("rollback");
        continue;
      }
      const std::string after = contents(s, tables);
      const std::string tx = s.one(
          "select max(x.tx)::text from vestige.change c join vestige.context x on x.id = c.context "
          "where c.id > " +
          last);
      if (tx.empty()) continue;
      ++undone;
      for (const std::string& undo : std::initializer_list<std::string>{
               "select vestige.revert(" + tx + ")",
               "select count(*) from vestige.undo_one_by_one(vestige.changes_of(" + tx +
                   "), 'refuse', null, false, 'public')"}) {
        if (undo.find("one_by_one") != std::string::npos &&
            after.find("total") != std::string::npos)
          continue;  // a counter's own changes are undone beside what changes it
        s.run("begin");
        ASSERT_EQ(s.error(undo + "; set constraints all immediate"), "")
            << undo << "\n"
            << made << "\nbefore " << before << did;
        ASSERT_EQ(contents(s, tables), before) << undo << "\n" << made << "\n" << did << after;
        s.run("rollback");
      }
      RevertRequest request;
      request.tx = std::stoll(tx);
      const auto done = revert(s.db(), request, {});
      ASSERT_TRUE(done.has_value()) << done.error().message << made << did;
      ASSERT_EQ(contents(s, tables), before) << made << did;
      EXPECT_TRUE(done->conflicts.empty());
      if (before == after || !done->tx.has_value()) continue;
      request.tx = done->tx;
      const auto redone = revert(s.db(), request, {});
      ASSERT_TRUE(redone.has_value()) << redone.error().message << made << did;
      ASSERT_EQ(contents(s, tables), after) << made << did;
    }
    for (const std::string& table : tables) EXPECT_EQ(shop.replayed("public." + table), "");
  }
  EXPECT_GT(undone, given == nullptr ? 40 : 0);
}

}  // namespace
}  // namespace vestige
