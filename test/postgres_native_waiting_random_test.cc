// Random transactions of the native engine, whose changes wait (docs/decisions/0008), beside the portable one.
// VESTIGE_SEED=… plays one again.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "test/capture_random.h"
#include "test/postgres_native.h"

namespace vestige {
namespace {

// What a session does at random to each of the twins.
class Transactions {
 public:
  Transactions(NativeTwins& twins, std::uint64_t number) : twins_(twins), dice_(number) {}

  // The tables are empty then; what is counted are changes after that one.
  void begin(std::string before) {
    before_ = std::move(before);
    step("delete from $; delete from seen_$");
  }
  void transaction() {
    step("begin");
    open_ = 0;
    const std::size_t length = 2 + dice_.below(25);
    for (std::size_t i = 0; i < length; ++i) one();
    const std::string name = "'$_" + std::to_string(dice_.bits()) + "'";
    switch (dice_.below(8)) {
      case 0: step("rollback"); break;
      case 1: step("prepare transaction " + name + "; commit prepared " + name); break;
      default: step("commit");
    }
  }
  void end() { step("insert into $ values (1000, 1)"); }

  std::string log;

 private:
  void step(const std::string& sql) {
    log += sql + ";\n";
    (void)twins_.both(sql);
  }
  std::string write() {
    const std::string id = std::to_string(dice_.below(12));
    const std::string v = std::to_string(dice_.below(100));
    switch (dice_.below(6)) {
      case 0:
        return "insert into $ select i, " + v + " from generate_series(" + id +
               ", 12) i on conflict do nothing";
      case 1: return "delete from $ where id = " + id;
      case 2:
        return "update $ set id = id + 100 where id = " + id +
               " and not exists (select from $ where id = " + id + " + 100)";
      case 3: return "update $ set v = v + 1 where id >= " + id;
      default:
        return "insert into $ values (" + id + ", " + v +
               ") on conflict (id) do update set v = excluded.v";
    }
  }
  // Counts what was recorded of this table.
  std::string read() const {
    return "insert into seen_$ select count(*) from vestige.change c where c.id > " + before_ +
           " and c.tracked = (select id from vestige.tracked where table_name = '$')";
  }
  void one() {
    switch (dice_.below(9)) {
      case 0: step("savepoint s" + std::to_string(++open_)); break;
      case 1:
        if (open_ > 0)
          step("rollback to s" + std::to_string(1 + dice_.below(static_cast<std::size_t>(open_))));
        break;
      case 2:
        if (open_ > 0) step("release s" + std::to_string(open_--));
        break;
      case 3: step(read()); break;
      case 4:
        step("select set_config('vestige.context', '{\"n\":" + std::to_string(dice_.below(3)) +
             "}', true)");
        break;
      case 5:
        step("do $do$ begin " + write() + "; " + (dice_.chance(50) ? read() + "; " : "") +
             "begin " + write() + "; " + (dice_.chance(50) ? read() + "; " : "") +
             (dice_.chance(50) ? "raise 'x'; " : "") +
             "exception when raise_exception then null; end; " +
             (dice_.chance(50) ? read() + "; " : "") + write() + "; end $do$");
        break;
      default: step(write());
    }
  }

  NativeTwins& twins_;
  Dice dice_;
  std::string before_;
  int open_ = 0;
};

TEST(PostgresNativeWaitingRandom, RandomTransactions) {
  PgShop own;
  if (!NativeTwins::there(own)) GTEST_SKIP() << "the server has no native engine";
  NativeTwins twins(own);
  twins.make("create table $ (id int primary key, v int); create table seen_$ (n bigint)");
  EXPECT_TRUE(rc::check("nobody can tell that changes waited", [&] {
    const std::uint64_t number = drawn_seed();
    const std::string before = own.admin.one("select last_value::text from vestige.change_id");
    Transactions play(twins, number);
    play.begin(before);
    for (int i = 0; i < 10; ++i) play.transaction();
    play.end();
    std::string wrong = twins.difference(before);
    const std::string seen = "select coalesce(string_agg(n::text, ' '), '') from seen_";
    const std::string p = own.admin.one(seen + "p");
    const std::string n = own.admin.one(seen + "n");
    if (p != n) wrong += "p saw " + p + "\nn saw " + n;
    if (!wrong.empty())
      throw std::runtime_error("seed " + std::to_string(number) + ": " + wrong + "\n" + play.log);
  }));
}

}  // namespace
}  // namespace vestige
