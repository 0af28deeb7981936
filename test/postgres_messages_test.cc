// What is made of a message of the server's: it is whatever somebody's trigger raises, in any length.
#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/base/json.h"
#include "vestige/db/postgres_error.h"
#include "vestige/trail/denied.h"

namespace vestige {
namespace {

constexpr std::size_t kMegabyte = 1 << 20;

TEST(PostgresMessages, OfATriggerAreCutShortAndReadWithoutRecursion) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(
      "create table t (id int primary key, said text); create function loud() returns trigger"
      " language plpgsql as 'begin raise exception ''%'', new.said using hint = new.said; end';"
      " create trigger loud before insert on t for each row execute function loud()");
  const auto db = must(open_database(shop.database.url()));
  const std::string long_one = "permission denied for table ";
  for (const std::string& beginning :
       {std::string(), long_one, std::string("must be owner of "),
        std::string("query would be affected by row-level security policy for table \"")})
    for (const char* filler : {"x", "é", "xé", "語"}) {
      const Error error = error_of(db->run(
          fmt::format("insert into public.t values (1, cast(?1 as text) || repeat('{}', {}))",
                      filler, kMegabyte),
          {Text{beginning}}));
      EXPECT_EQ(error.fault, Fault::denied);
      EXPECT_TRUE(error.message.starts_with("run sql: " + beginning + filler)) << beginning;
      for (const std::string& text : {error.message, error.hint}) {
        EXPECT_LE(text.size(), 8300U);
        EXPECT_GT(text.size(), 8100U);
        EXPECT_TRUE(json::is_utf8(text));
        EXPECT_TRUE(text.ends_with("…"));
      }
      EXPECT_EQ(explained(*db, error, {}).fault, Fault::denied);
    }
  // Even one that nobody cut.
  for (const char* beginning :
       {"run sql: permission denied for table ", "run sql: must be owner of ",
        "run sql: query would be affected by row-level security policy for"
        " table \"",
        "run sql: "})
    EXPECT_EQ(explained(*db, {Fault::denied, beginning + std::string(kMegabyte, 'x')}, {}).fault,
              Fault::denied);
  EXPECT_EQ(explained(*db,
                      {Fault::denied,
                       "run sql: query would be affected by row-level security policy for table"
                       " \"t\""},
                      {})
                .message,
            "read table t: its row-level security may hide rows");
  for (const char* said : {"run sql: permission denied for table ", "run sql: must be owner of ",
                           "run sql: permission denied for tables t"})
    EXPECT_EQ(explained(*db, {Fault::denied, said}, {}).message, said);
}

TEST(PostgresMessages, OfAConnectionCarryTheirState) {
  const std::string head = "connection to server at \"h\" failed: ";
  const auto told = [&](const std::string& text) {
    return postgres::connect_error(text, "connect");
  };
  const Error missing = told(head + "FATAL:  3D000: database \"x\" does not exist\nLOCATION:  y\n");
  EXPECT_EQ(missing.fault, Fault::missing);
  EXPECT_EQ(missing.message, "connect: database \"x\" does not exist");
  EXPECT_EQ(missing.hint, "vestige does not create databases: createdb does");
  EXPECT_EQ(told("X:  a:  FATAL:  28000: no").message, "connect: no");
  // None that is not written so.
  for (const char* text : {"FATAL:  3D00: x", "FATAL:  3d000: x", "fatal:  3D000: x", ":  3D000: x",
                           "FATAL:  3D000", "FATAL:  3D000:", "FATAL: 3D000: x"}) {
    EXPECT_EQ(told(text).fault, Fault::offline) << text;
    EXPECT_EQ(told(text).message, std::string("connect: ") + text);
  }
  for (const std::string& text :
       {std::string(kMegabyte, 'A'), head + "FATAL:  28000: " + std::string(kMegabyte, 'A')})
    EXPECT_LE(told(text).message.size(), 8300U);
}

}  // namespace
}  // namespace vestige
