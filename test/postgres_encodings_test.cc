// A trail in a database of every encoding that the server has, with values that only that encoding's characters spell.
#include <set>

#include "test/evidence.h"
#include "vestige/audit/cosign.h"

namespace vestige {
namespace {

// One of Latin, Cyrillic, Greek, Hebrew, Arabic, Thai, Kana, Han, Hangul, the euro, a globe: those that the encoding has.
constexpr std::string_view kSpelled = R"(
  create function spell(n int, given bytea) returns void language plpgsql as $$ begin
    perform convert_to(convert_from(given, 'UTF8'), getdatabaseencoding());
    insert into t values (n, convert_from(given, 'UTF8'));
  exception when untranslatable_character then null; end $$;
  select spell(1, '\xc3a9'), spell(2, '\xd0b6'), spell(3, '\xceb1'), spell(4, '\xd790'), spell(5, '\xd8a7'),
    spell(6, '\xe0b881'), spell(7, '\xe38182'), spell(8, '\xe6bca2'), spell(9, '\xed959c'), spell(10, '\xe282ac'),
    spell(11, '\xf09f8c8d'), spell(12, '\x61');
  begin; select set_config('vestige.context', json_build_object('actor', (select min(v) from t))::text, true);
  update t set v = v || v; commit)";

class PostgresEncodings : public testing::Test {
 protected:
  static void trail_in(const std::string& url) {
    PgSession application(url);
    const auto opened = must(Postgres::open(url));
    Database& db = *opened;
    must(install(db));
    application.run("create table t (id int primary key, v text)");
    auto transaction = must(Transaction::begin(db));
    must(track(db, "t", Policy()));
    must(transaction.commit());
    application.run(kSpelled);
    const auto changes = must(read_changes(db, Selection()));
    std::set<std::string> shown;
    while (const auto change = must(changes->next()))
      if (change->op == Op::update)
        shown.insert(std::get<Text>(*find(*change->new_values, "v")).bytes);
    std::set<std::string> standing;
    for (const auto& row : application.table("select v from t")) standing.insert(*row[0]);
    EXPECT_EQ(shown, standing);
    EXPECT_GT(shown.size(), 1U);
    const TemporaryDirectory directory;
    const auto sealer = must(Sealer::open(db, Evident::signer(), directory.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    const auto note = must(sealer->sign());
    EXPECT_TRUE(note.has_value());
    EXPECT_NE(must(TrailCheckpoint::newest(db)).note().find("\n\n\u2014 "), std::string::npos);
    EXPECT_EQ(application.error("select count(*) from vestige.audit_log; select vestige.doctor()"),
              "");
  }
};

TEST_F(PostgresEncodings, EveryOneThatTheServerHas) {
  PgSession admin(PostgresServer::shared().url());
  int tried = 0;
  for (const auto& row :
       admin.table("select pg_encoding_to_char(n) from generate_series(0, 60) n"
                   " where pg_encoding_to_char(n) not in ('', 'MULE_INTERNAL')")) {
    // MULE_INTERNAL: the server has no way from it to UTF-8. What only clients may use is refused.
    const std::string name = "encoded_" + *row[0];
    if (!admin
             .error("create database \"" + name +
                    "\" template template0 lc_collate 'C' lc_ctype"
                    " 'C' encoding '" +
                    *row[0] + "'")
             .empty())
      continue;
    ++tried;
    SCOPED_TRACE(*row[0]);
    trail_in(PostgresServer::shared().url(name));
    admin.run("drop database \"" + name + "\" with (force)");
  }
  EXPECT_GT(tried, 30);
}

}  // namespace
}  // namespace vestige
