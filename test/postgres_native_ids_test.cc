// Ids of the native engine's changes, of which a command takes some at once (docs/decisions/0008).
#include <gtest/gtest.h>

#include <thread>

#include "test/capture_random.h"
#include "test/postgres_native.h"

namespace vestige {
namespace {

class PostgresNativeIds : public NativeTable {};

TEST_F(PostgresNativeIds, TheIdsOfARowRiseWhoeverWrites) {
  // Many change many rows at once; a row's changes by id must lead from one value to the next.
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w] {
      PgSession own = shop.connect();
      Dice dice(static_cast<std::uint64_t>(w));
      for (int i = 0; i < 60; ++i) {
        const std::size_t from = dice.below(900);
        own.run("begin; update t set v = v + 1 where id in (select id from t where id between " +
                std::to_string(from) + " and " + std::to_string(from + 100) +
                " order by id for update); update t set v = v + 1 where id = " +
                std::to_string(from + 50) + (dice.chance(20) ? "; rollback" : "; commit"));
      }
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(s.one("select count(*)::text from (select old_row, lag(new_row) over (partition by key "
                  "order by id) as before from "
                  "vestige.change) c where before <> old_row"),
            "0");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change c where op = 'U'"),
            s.one("select sum(v)::text from t"));
  EXPECT_EQ(s.one("select (count(*) = count(distinct id))::text from vestige.change"), "true");
}

TEST_F(PostgresNativeIds, IdsOfOneCommandAreTakenTogether) {
  s.run("update t set v = 1 where id <= 200");
  EXPECT_EQ(s.one("select max(id)::text from vestige.change"), "200");
  EXPECT_EQ(s.one("select last_value::text from vestige.change_id"), "255")
      << "1, 2, 4, … 64 at once, and 64 again";
  // What is left over is nobody's.
  s.run("update t set v = 2 where id <= 2");
  EXPECT_EQ(s.one("select max(id)::text from vestige.change"), "257");
  // A sequence that somebody altered is left to the server.
  s.run("alter sequence vestige.change_id increment by 10; update t set v = 3 where id <= 3");
  EXPECT_EQ(
      s.one("select string_agg(id::text, ' ' order by id) from vestige.change where id > 257"),
      "268 278 288");
  s.run(
      "alter sequence vestige.change_id increment by 1 maxvalue 300; update t set v = 4 where id "
      "<= 5");
  EXPECT_NE(s.error("update t set v = 5 where id <= 100").find("reached maximum value"),
            std::string::npos);
  s.run("alter sequence vestige.change_id no maxvalue; update t set v = 6 where id <= 5");
  EXPECT_EQ(s.one("select (count(*) = count(distinct id))::text from vestige.change"), "true");
}

TEST_F(PostgresNativeIds, IdsFollowWhatTriggersWriteBetween) {
  s.run(
      "create table u (id int primary key, v int); insert into u values (1, 0); select "
      "vestige.track('u'); select "
      "vestige.set_engine('u', 'native'); create function app() returns trigger language plpgsql "
      "as 'begin if new.id % 4 = 0 then "
      "update u set v = new.id; end if; return null; end'; create trigger app after update on t "
      "for each row execute function app()");
  s.run("begin; update t set v = 1 where id <= 40; update t set v = 2 where id <= 3; commit");
  EXPECT_EQ(s.one("select count(*)::text from (select at, lag(at) over (order by id) as before "
                  "from vestige.change) c where at < before"),
            "0");
  EXPECT_EQ(s.one("select count(*)::text from vestige.change"), "53");
}

}  // namespace
}  // namespace vestige
