// The time and the id of a change that the native engine records are taken together, when everything that it had to wait
// for is there: otherwise as_of tells of a moment what came after it.
#include <gtest/gtest.h>

#include <thread>

#include "test/postgres_native.h"

namespace vestige {
namespace {

class PostgresNativeMoment : public NativeTable {
 protected:
  // Until so many sessions wait for a lock.
  void await_waiters(const char* some) {
    while (s.one("select count(*)::text from pg_locks where not granted") != some)
      s.run("select pg_sleep(0.005)");
  }
};

TEST_F(PostgresNativeMoment, WhateverItWaitsForIsBeforeIt) {
  // Everything that recording a change locks, and a lock of others that it has to wait for.
  const std::string part = current_part();
  s.run("update t set v = 1 where id = 3");
  for (const std::string& lock :
       {std::string("lock table only vestige.change in share mode"),
        "lock table " + part + " in share mode",
        std::string("lock table vestige.context in share mode"),
        std::string("alter sequence vestige.change_id owned by none"),
        std::string("lock table vestige.tracked in access exclusive mode")}) {
    SCOPED_TRACE(lock);
    for (const bool known : {false, true}) {
      PgSession holder = shop.connect();
      PgSession writer = shop.connect();
      if (known) writer.run("update t set v = v + 1 where id = 1");
      holder.run("begin; " + lock);
      if (known && lock.find("tracked") != std::string::npos) continue;  // nothing to look up
      std::thread waits([&] { writer.run("update t set v = v + 1 where id = 2"); });
      await_waiters("1");
      const std::string moment = holder.one("select clock_timestamp()::text");
      const std::string last = holder.one("select last_value::text from vestige.change_id");
      holder.run("commit");
      waits.join();
      EXPECT_EQ(s.one("select (at > '" + moment + "' and id > " + last +
                      ")::text from vestige.change order by id desc limit 1"),
                "true");
    }
  }
}

TEST_F(PostgresNativeMoment, ThePastHasNothingThatCameAfter) {
  s.run("delete from t where id > 2");
  PgSession first = shop.connect();
  PgSession waiter = shop.connect();
  PgSession locker = shop.connect();
  first.run("begin; update t set v = 1 where id = 1");
  // Somebody waits for the partition, and who comes after that one waits, too.
  const std::string part = current_part();
  std::thread locks([&] { locker.run("begin; lock table " + part + " in share mode; commit"); });
  await_waiters("1");
  std::thread waits([&] { waiter.run("update t set v = 2 where id = 2"); });
  await_waiters("2");
  const std::string moment = first.one("select clock_timestamp()::text");
  first.run("update t set v = 2 where id = 1; commit");
  locks.join();
  waits.join();
  EXPECT_EQ(s.one("select string_agg(v::text, ' ' order by id) from vestige.as_of(null::t, '" +
                  moment + "')"),
            "1 0");
}

}  // namespace
}  // namespace vestige
