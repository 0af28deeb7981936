// A trail in a database of every encoding that the server has, with values that only that encoding's characters spell.
#include <set>

#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/cosign.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/log.h"
#include "vestige/audit/revert.h"

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

// What the encoding allows and UTF-8 has no equivalent for, of up to three bytes: the first of each length, and the last.
// Everything in MULE_INTERNAL is odd: the server has no way to UTF-8. In SQL_ASCII, U+FFFD is, which marks the others.
constexpr std::string_view kOdd = R"(
  create function is_odd(given bytea) returns boolean language plpgsql as $$
  declare t text; begin
    t := convert_from(given, getdatabaseencoding());
    if char_length(t) > 1 and getdatabaseencoding() <> 'SQL_ASCII' then return false; end if;
    begin perform convert_to(t, 'UTF8'); exception when others then return true; end;
    return false;
  exception when others then return false; end $$;
  create function odd() returns setof bytea language sql as $$
    with byte as (select set_byte('\x00', 0, n) as b from generate_series(128, 255) n),
      tried as (select b from byte union all select l.b || r.b from byte l, byte r
                where pg_encoding_max_length(pg_char_to_encoding(getdatabaseencoding())) > 1
                union all select p.b || l.b || '\xb7' from byte l, (values ('\x8e'::bytea), ('\x8f')) p (b)
                where pg_encoding_max_length(pg_char_to_encoding(getdatabaseencoding())) > 2),
      odd as (select b, row_number() over (partition by length(b) order by b) as n,
                     row_number() over (order by b desc) as last from tried where is_odd(b))
    select b from odd where n <= 2 or last = 1 $$;
  create table o (id int primary key, v text, kept text);
  create table k (c text primary key);
  insert into o select row_number() over (order by b), concat('q', convert_from(b, getdatabaseencoding()), 'z'), encode(b, 'hex')
    from odd() b)";

class PostgresEncodings : public testing::Test {
 protected:
  // No listing ends at them, nor does the sealer; they are shown by their bytes, and put back as they were.
  static int odd_in(const std::string& url) {
    PgSession application(url);
    const auto opened = must(Postgres::open(url));
    Database& db = *opened;
    must(install(db));
    application.run(kOdd);
    const std::vector<std::vector<std::optional<std::string>>> odd =
        application.table("select kept, id::text from o order by id");
    application.run("select vestige.track('o', baseline => true), vestige.track('k')");
    application.run(R"(
      insert into k select v from o;
      begin;
      select set_config('vestige.context', json_build_object('actor', (select max(v) from o), 'reason', 'r')::text, true) is null;
      update o set v = 'plain';
      delete from k;
      commit;)");
    const auto shown = [&](const std::string& hex) { return "q\uFFFD<" + hex + ">z"; };
    std::set<std::string> all;
    std::set<std::string> values;
    std::set<std::string> keys;
    std::set<std::string> actors;
    for (const auto& row : odd) all.insert(shown(*row[0]));
    std::int64_t tx = 0;
    const auto changes = must(log(db, LogRequest()));
    while (const auto change = must(changes->next())) {
      if (change->op == Op::update) {
        values.insert(std::get<Text>(*find(*change->old_values, "v")).bytes);
        tx = change->tx;
        actors.insert(*change->context.get("actor"));
      } else if (change->op == Op::remove) {
        keys.insert(std::get<Text>(*find(change->key, "c")).bytes);
      }
    }
    EXPECT_EQ(keys, values);
    EXPECT_EQ(actors.size(), odd.empty() ? 0U : 1U);
    EXPECT_TRUE(odd.empty() || values.contains(*actors.begin()));
    EXPECT_EQ(values, all);
    // And back: what looks like the mark and is none, and in SQL_ASCII the mark itself.
    const std::string encoding = application.one("select getdatabaseencoding()::text");
    std::string more = "select E'\\\\357\\\\277\\\\275<41>' union all select ''";
    if (encoding == "SQL_ASCII")
      more += R"( union all select convert_from('\xefbfbd3c34313e', 'SQL_ASCII'))";
    EXPECT_EQ(application.one("select count(*)::text from (select v from o union all " + more +
                              ") x where vestige.from_utf8(vestige.utf8(v)) is distinct from v"),
              "0");
    if (encoding == "MULE_INTERNAL") {
      EXPECT_EQ(error_of(db.query("select ?1::text", {Text{"\u00e9"}})).message,
                "run sql: the server knows no way from UTF-8 to the encoding of the database, so"
                " only ASCII can be said to it");
    }
    if (odd.empty()) return 0;
    EXPECT_EQ(must(blame(db, "o", {"1"})).columns.size(), 3U);
    // A table's and a column's name, too, is what is shown of it.
    application.run(
        "create function odd_name() returns text language sql as $$ select concat('q',"
        " convert_from(decode(kept, 'hex'), getdatabaseencoding()), 'z') from o where id = 1 $$;"
        "do $$ begin execute format('create table %1$I (%1$I int primary key)', odd_name()); end "
        "$$");
    const std::string named = shown(*odd[0][0]);
    auto transaction = must(Transaction::begin(db));
    must(track(db, named, Policy()));
    must(transaction.commit());
    application.run(
        "do $$ begin execute format('insert into %I values (1)', odd_name());"
        " end $$");
    LogRequest of_it;
    of_it.table = named;
    const auto its = must(log(db, of_it));
    const auto first = must(its->next());
    EXPECT_TRUE(first.has_value());
    if (!first.has_value()) return 0;
    EXPECT_EQ(first->table, named);
    EXPECT_EQ(first->key[0].name, named);
    std::set<std::string> then;
    const auto states = must(at(db, "o", {Moment::Kind::change, tx - 1}));
    for (State state = must(states->next()); state.has_value(); state = must(states->next()))
      then.insert(std::get<Text>(*find(*state, "v")).bytes);
    EXPECT_EQ(then, values);
    sealed_and_verified(db, true);
    RevertRequest request;
    request.tx = tx;
    EXPECT_EQ(must(revert(db, request, ApplyOptions())).applied,
              static_cast<std::int64_t>(2 * odd.size()));
    EXPECT_EQ(application.one("select count(*)::text from o where v is distinct from concat('q',"
                              " convert_from(decode(kept, 'hex'), getdatabaseencoding()), 'z')"),
              "0");
    EXPECT_EQ(application.one("select count(*)::text from k join o on v = c"),
              std::to_string(odd.size()));
    EraseRequest person;
    person.tx = tx;
    person.keys = person.contexts = true;
    Context context;
    context.set("reason", "asked");
    EXPECT_EQ(must(erase(db, person, context)).keys, static_cast<std::int64_t>(2 * odd.size()));
    sealed_and_verified(db, false);  // the rows of erased keys are nobody's
    must(remove_trail(db));
    return static_cast<int>(odd.size());
  }

  static void sealed_and_verified(Database& db, bool live) {
    const TemporaryDirectory directory;
    const auto sealer = must(Sealer::open(db, Evident::signer(), directory.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    EXPECT_EQ(sealer->unreadable_count(), 0U);
    must(sealer->sign());
    VerifyOptions options;
    options.trust.keys = {Evident::signer().key()};
    options.live = live;
    Findings findings;
    must(verify(db, options, findings));
    EXPECT_EQ(findings.text, "");
  }

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
    // MULE_INTERNAL: the server has no way from UTF-8 to it. What only clients may use is refused.
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

TEST_F(PostgresEncodings, CharactersThatAreNoneInUtf8) {
  PgSession admin(PostgresServer::shared().url());
  int found = 0;
  for (const auto& row : admin.table("select pg_encoding_to_char(n) from generate_series(0, 60) n"
                                     " where pg_encoding_to_char(n) not in ('', 'UTF8')")) {
    const std::string name = "odd_" + *row[0];
    if (!admin
             .error("create database \"" + name +
                    "\" template template0 lc_collate 'C' lc_ctype"
                    " 'C' encoding '" +
                    *row[0] + "'")
             .empty())
      continue;
    SCOPED_TRACE(*row[0]);
    if (odd_in(PostgresServer::shared().url(name)) > 0) ++found;
    admin.run("drop database \"" + name + "\" with (force)");
  }
  EXPECT_GT(found, 15);
}

// As a trail is that a version before installed: what reads every text is not there.
TEST_F(PostgresEncodings, WhatEndsTheSealersQueryIsSealedAsNull) {
  PgSession admin(PostgresServer::shared().url());
  admin.run(
      "create database unreadable template template0 lc_collate 'C' lc_ctype 'C' encoding "
      "'EUC_JP'");
  const std::string url = PostgresServer::shared().url("unreadable");
  {
    PgSession application(url);
    const auto db = must(Postgres::open(url));
    must(install(*db));
    application.run(
        "create table t (id int primary key, v text); select vestige.track('t');"
        "insert into t values (1, 'a');"
        "insert into t values (2, convert_from('\\x8fa2b7', 'EUC_JP'));"
        "insert into t values (3, 'c');"
        "drop function vestige.from_utf8(bytea)");
    const std::string odd = application.one("select id::text from vestige.change where key = '2'");
    const TemporaryDirectory directory;
    const auto sealer = must(Sealer::open(*db, Evident::signer(), directory.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    EXPECT_EQ(sealer->unreadable_count(), 1U);
    const auto said = sealer->unreadable();
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(std::to_string(said[0].change), odd);
    EXPECT_EQ(said[0].why.substr(0, 28), "character with byte sequence");
    EXPECT_EQ(sealer->size(), 3U);
    must(sealer->sign());
    application.run("insert into t values (4, 'd')");
    sealer->again();
    EXPECT_EQ(must(sealer->batch()), 1U);
    must(sealer->sign());
    VerifyOptions options;
    options.trust.keys = {Evident::signer().key()};
    Findings findings;
    const Verdict verdict = must(verify(*db, options, findings));
    EXPECT_EQ(findings.text, "");
    EXPECT_EQ(verdict.verified, 3U);
    EXPECT_EQ(verdict.unreadable, 1U);
    // Nothing else that goes wrong is taken for a row.
    application.run("insert into t values (5, 'e')");
    application.run("alter table vestige.context rename to gone");
    sealer->again();
    EXPECT_FALSE(sealer->batch().has_value());
    EXPECT_EQ(sealer->size(), 4U);
  }
  admin.run("drop database unreadable with (force)");
}

}  // namespace
}  // namespace vestige
