// Data keys on both databases: what is destroyed stays so, whatever else is done with keys meanwhile.
#include "vestige/audit/keys.h"
#include "test/evidence.h"
#include "vestige/base/cipher.h"
#include "vestige/base/time.h"
#include "vestige/db/sql.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/token.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/install.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/opener.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/sqlite/fit.h"
#include "vestige/trail/subject.h"
#include "vestige/trail/track.h"
#include "vestige/trail/tracking.h"

namespace vestige {
namespace {

const std::string kDataKey(32, 'k');

// Has opened the data key before, and does something before each transaction.
class Meanwhile final : public Opener {
 public:
  using Opener::Opener;
  std::optional<std::string> opened(const Value&, std::int64_t, std::int64_t) override {
    return std::nullopt;
  }
  const Secret* data_key(const std::string& id) override {
    return id == data_key_id(key_.bytes()) ? &key_ : nullptr;
  }
  Result<void> begin() override {
    if (auto first = std::exchange(before, nullptr); first != nullptr) first(inner());
    return inner().begin();
  }
  std::function<void(Database&)> before;

 private:
  Secret key_{std::string(kDataKey)};
};

class DataKeys : public testing::TestWithParam<Engine> {
 protected:
  // Two recipients of a class, of whom the first has a wrap of the data key.
  DataKeys() {
    for (const char* name : {"recipient", "destroyed"}) {
      auto transaction = must(Transaction::begin(db()));
      must(own_table(db(), name));
      must(kept_table(db(), "encrypted_key"));
      must(transaction.commit());
    }
    const std::string age = age_recipient(must(x25519_public(std::string(32, 'p'))));
    for (int id = 1; id <= 2; ++id)
      must(db().run("insert into " + table("recipient") + " (class, public) values ('phi', ?1)",
                    {Text{age}}));
    wrap(kDataKey, 1);
  }
  Database& db() { return trail.db(); }
  std::string table(std::string_view name) { return spelling_of(db()).table(name); }
  Result<std::int64_t> put(const std::string& key, std::int64_t first_change) {
    return db().run("insert into " + table("encrypted_key") +
                        " (id, class, recipient, wrapped, first_change) values (?1, 'phi', 1, ?2,"
                        " ?3)",
                    {Blob{data_key_id(key)}, Blob{"wrapped"}, first_change});
  }
  void wrap(const std::string& key, std::int64_t first_change) { must(put(key, first_change)); }
  std::int64_t wraps() {
    return must(scalar_integer(db(), "select count(*) from " + table("encrypted_key")));
  }
  static Context because() {
    Context context;
    context.set("actor", "dpo");
    context.set("reason", "two years");
    return context;
  }
  static DestroyRequest upto(std::int64_t change) { return {.of = "phi", .upto = change}; }

  Evident trail{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Both, DataKeys, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(DataKeys, AreWrappedAnewOnlyWhileTheyStand) {
  Meanwhile other(trail.connect());
  other.before = [](Database& inner) { must(destroy_keys(inner, upto(4), because())); };
  const Rewrapped none = must(rewrap(other, "phi", nullptr));
  EXPECT_EQ(none.wraps, 0);
  EXPECT_EQ(none.data_keys, 0);
  EXPECT_EQ(none.closed, 0);
  EXPECT_EQ(wraps(), 0);
  // Nor does one come back by SQL; a later one is let in, and wrapped anew.
  EXPECT_NE(error_of(put(kDataKey, 4))
                .message.find("vestige: a wrap of a data key that was destroyed is refused"),
            std::string::npos);
  wrap(kDataKey, 1000);
  EXPECT_EQ(must(rewrap(other, "phi", nullptr)).wraps, 1);
  EXPECT_EQ(wraps(), 2);
}

// Of two months ahead one is ended and then the other: there is always somebody.
TEST_P(DataKeys, EndBeforeTheyBeginAndLeaveNoTimeWithoutAny) {
  const std::string all = table("recipient");
  must(db().script("update " + all +
                   " set until = '2199-02-01T00:00:00.000Z' where id = 1; update " + all +
                   " set since = '2199-02-01T00:00:00.000Z', until ="
                   " '2199-03-01T00:00:00.000Z' where id = 2; insert into " +
                   all +
                   " (class, public, since) select class, public,"
                   " '2199-03-01T00:00:00.000Z' from " +
                   all + " where id = 2"));
  const auto those = [&](const char* moment) {
    std::string out;
    for (const Recipient& one :
         standing(must(all_recipients(db(), "phi")), must(parse_time(moment, Now(0)))))
      out += std::to_string(one.id);
    return out;
  };
  const auto whenever = [&] {
    return those("2199-01-01T00:00:00Z") + " " + those("2199-02-01T00:00:00Z") + " " +
           those("2199-03-01T00:00:00Z");
  };
  EXPECT_EQ(whenever(), "1 2 3");
  must(tracking_of(db())->end_recipient(2));
  EXPECT_EQ(whenever(), "1 1 3");
  must(tracking_of(db())->end_recipient(3));
  EXPECT_EQ(whenever(), "1 1 1");
}

// What an earlier vestige installed knows neither: whoever asks is told what helps.
TEST_P(DataKeys, OfAnOlderTrailAskForInit) {
  if (!trail.postgres()) GTEST_SKIP() << "SQLite's trail has no functions";
  must(db().script(
      "drop function vestige.add_recipient(text, text, timestamptz); do $$ begin execute"
      " replace(pg_get_functiondef('vestige.own_columns(text)'::regprocedure), 'destroyed',"
      " 'unknown'); end $$"));
  const auto told = [](const Error& error) { return error.message + "; " + error.hint; };
  const std::string age = age_recipient(must(x25519_public(std::string(32, 'q'))));
  EXPECT_EQ(told(error_of(add_recipient(db(), "phi", age))),
            "this trail is older and knows no key that begins at a time; vestige init brings it up"
            " to date");
  EXPECT_EQ(told(error_of(destroy_keys(db(), upto(4), because()))),
            "this trail is older and has no table destroyed of its own; vestige init brings it up"
            " to date");
  EXPECT_EQ(wraps(), 1);
}

// One that is prepared has no session any more, and may be there for days.
TEST_P(DataKeys, ThatAPreparedTransactionWroteAreNamed) {
  if (!trail.postgres()) GTEST_SKIP() << "SQLite has none";
  if (to_display(must(scalar(db(), "show max_prepared_transactions"))) == "0") GTEST_SKIP();
  const std::string name = "'" + to_display(must(scalar(db(), "select current_database()"))) + "'";
  const auto other = trail.connect();
  must(other->script(
      "begin; insert into vestige.encrypted_key (id, class, recipient, wrapped, first_change) "
      "values"
      " (decode(repeat('0a', 16), 'hex'), 'phi', 1, decode('00', 'hex'), 2); prepare transaction " +
      name));
  const Destroyed first = must(destroy_keys(db(), upto(4), because()));
  EXPECT_EQ(first.data_keys, 1);
  EXPECT_EQ(fmt::format("{}", fmt::join(first.left, "; ")),
            "transactions are open that may write under a data key of before then: a prepared"
            " transaction; run this again when they have ended");
  must(other->script("commit prepared " + name));
  const Destroyed second = must(destroy_keys(db(), upto(4), because()));
  EXPECT_EQ(second.data_keys, 1);
  EXPECT_TRUE(second.left.empty());
  EXPECT_EQ(wraps(), 0);
}

// A file's log of writes is not begun anew while somebody reads.
TEST_P(DataKeys, AreDestroyedThoughALogHasThemStill) {
  std::unique_ptr<Rows> reading;
  if (!trail.postgres()) {
    reading = must(db().query("select name from sqlite_schema"));
    must(reading->next());
  }
  const Destroyed done = must(destroy_keys(db(), upto(4), because()));
  EXPECT_EQ(done.data_keys, 1);
  EXPECT_EQ(done.left.empty(), trail.postgres()) << fmt::format("{}", fmt::join(done.left, "; "));
  reading.reset();
  EXPECT_EQ(wraps(), 0);
}

// In WAL mode SQLite reports no error where a reader keeps the former pages.
TEST_P(DataKeys, StandInALogThatSomebodyReadsAndItIsRemembered) {
  if (trail.postgres()) GTEST_SKIP() << "its log of writes is the server's";
  must(db().script("pragma journal_mode = wal"));
  wrap(std::string(32, 'l'), 4);
  const auto other = trail.connect();
  must(other->script("begin"));
  must(scalar_integer(*other, "select count(*) from vestige_encrypted_key"));
  const Destroyed done = must(destroy_keys(db(), upto(4), because()));
  EXPECT_EQ(fmt::format("{}", fmt::join(done.left, "; ")),
            "the wraps stand in the database's log of writes and in its file until nobody reads it"
            " any more: vestige seal then begins it anew");
  EXPECT_TRUE(must(tracking_of(db())->log_has_more()));
  must(other->script("commit"));
  EXPECT_TRUE(must(tracking_of(db())->left_of_wraps()).empty());
  EXPECT_FALSE(must(tracking_of(db())->log_has_more()));
}

// Whose it is, each table says for itself; what is destroyed of one is everybody else's still.
TEST_P(DataKeys, OfOneSubjectAreDestroyedAlone) {
  trail.application("create table q (id integer primary key, name text)");
  const Tracked table = [&] {
    auto transaction = must(Transaction::begin(db()));
    Tracked tracked = must(track(db(), "q", Policy()));
    EXPECT_EQ(error_of(subject_digest(db(), 1, "17")).message,
              "nothing was ever encrypted for a subject here");
    must(keep_subject_salt(db()));
    must(transaction.commit());
    return tracked;
  }();
  const std::string name = GetParam() == Engine::sqlite ? "q" : table.name;
  const auto digest = [&](std::int64_t id, const char* subject) {
    return must(subject_digest(db(), id, subject));
  };
  EXPECT_EQ(digest(table.id, "17").size(), 16U);
  EXPECT_NE(digest(table.id, "17"), digest(table.id + 1, "17"));
  EXPECT_NE(digest(table.id, "17"), digest(table.id, "18"));
  const auto put_of = [&](char key, const std::string& subject, std::int64_t first) {
    return db().run(
        "insert into " + this->table("encrypted_key") +
            " (id, class, recipient, wrapped, first_change, subject) values (?1,"
            " 'phi', 1, ?2, ?3, ?4)",
        {Blob{data_key_id(std::string(32, key))}, Blob{"wrapped"}, first, Blob{subject}});
  };
  must(put_of('a', digest(table.id, "17"), 5));
  must(put_of('b', digest(table.id, "17"), 9));
  must(put_of('c', digest(table.id, "18"), 5));
  const DestroySubjectRequest request{.tables = {name}, .subject = "17"};
  const Destroyed done = must(destroy_keys(db(), request, because()));
  EXPECT_EQ(done.data_keys, 2);
  EXPECT_EQ(fmt::format("{}", fmt::join(done.of, " ")), "phi");
  EXPECT_EQ(wraps(), 2);
  EXPECT_EQ(error_of(destroy_keys(db(), request, because())).message,
            "keys destroy: nothing is encrypted for subject 17 of " + name);
  // Not by SQL either: none of theirs comes back, and no other one goes.
  EXPECT_NE(error_of(put_of('a', digest(table.id, "17"), 9))
                .message.find("vestige: a wrap of a data key that was destroyed is refused"),
            std::string::npos);
  EXPECT_FALSE(db().run("delete from " + this->table("encrypted_key")).has_value());
  must(put_of('d', digest(table.id, "17"), 1000));
  must(put_of('e', digest(table.id, "18"), 6));
  EXPECT_EQ(wraps(), 4);
}

// What is equal to 17 and spelled otherwise would be left, and nobody would notice.
TEST_P(DataKeys, AreOfSubjectsThatAreWrittenInOneWay) {
  if (trail.postgres()) GTEST_SKIP() << "test/postgres_subjects_test.cc";
  trail.application(
      "create table q (id integer primary key, i int, n decimal(10,2), t text, v varchar(9)"
      " check (v <> 'A' collate nocase), u uuid, \"collate\" text collate 'BINARY', bare, b blob,"
      " r real, d double precision, f text not null collate nocase, g varchar (9, 9) default 'x'"
      " collate \"rtrim\", j integer collate nocase, name text, unique (t collate nocase, v))");
  for (const std::string subject :
       {"id", "i", "n", "t", "v", "u", "collate", "bare", "b", "r", "d", "f", "g", "j"}) {
    SCOPED_TRACE(subject);
    Policy policy;
    policy.encrypt["name"] = "phi";
    policy.subject = subject;
    auto transaction = must(Transaction::begin(db()));
    const auto tracked = track(db(), "q", policy);
    if (subject.size() == 1 ? std::string("bdrfgj").find(subject) == std::string::npos
                            : subject != "bare") {
      EXPECT_TRUE(tracked.has_value()) << tracked.error().message;
      continue;
    }
    EXPECT_EQ(error_of(tracked).message,
              "track q: " + subject +
                  " says whose a row is, and values of it that are equal are written in several"
                  " ways");
  }
}

// Before subjects had keys SQLite's trail had no place for them: init makes one, and a guard that knows it.
TEST_P(DataKeys, OfAnOlderTrailGetSubjectsByInit) {
  if (trail.postgres()) GTEST_SKIP() << "postgres installs the columns whatever stands";
  const Tracked own = *must(known_own_table(db(), "destroyed"));
  trail.attack("select 1");
  std::string drops;
  {
    auto rows =
        must(db().query("select name from sqlite_schema where type = 'trigger' and tbl_name ="
                        " 'vestige_destroyed'"));
    while (must(rows->next()) == Step::row) drops += "drop trigger " + rows->text(0) + ";";
  }
  must(db().script(drops +
                   "alter table vestige_encrypted_key drop column subject;"
                   "alter table vestige_destroyed drop column subject;"
                   "create trigger vestige_encrypted_key_no_return before insert on"
                   " vestige_encrypted_key when exists (select 1 from vestige_destroyed where class"
                   " = NEW.class and upto_change >= NEW.first_change) begin select raise(abort,"
                   " 'vestige: a wrap of a data key that was destroyed is refused'); end"));
  {
    auto transaction = must(Transaction::begin(db()));
    must(refit(db(), own, own.name, {}, ""));
    must(transaction.commit());
  }
  EXPECT_TRUE(must(install(db())));
  EXPECT_FALSE(must(install(db())));
  EXPECT_EQ(must(scalar_integer(db(),
                                "select count(*) from sqlite_schema where type = 'trigger'"
                                " and name like 'vestige_encrypted_key_no_%' and sql like"
                                " '%.subject%'")),
            2);
  must(
      db().script("insert into vestige_destroyed (class, upto_change, data_keys, subject) values"
                  " ('phi', 9, 1, '0a')"));
  const auto put_of = [&](char key, const char* subject) {
    return db().run(
        "insert into vestige_encrypted_key (id, class, recipient, wrapped, first_change, subject)"
        " values (?1, 'phi', 1, x'00', 5, ?2)",
        {Blob{data_key_id(std::string(32, key))}, Blob{subject}});
  };
  EXPECT_FALSE(put_of('a', "\x0a").has_value());
  must(put_of('b', "\x0b"));
  EXPECT_EQ(wraps(), 2);
  EXPECT_EQ(must(scalar_integer(db(),
                                "select count(*) from pragma_table_info('vestige_destroyed')"
                                " where name = 'subject'")),
            1);
  {
    Selection selection;
    selection.table = own.id;
    auto changes = must(read_changes(db(), selection));
    const auto change = must(changes->next());
    ASSERT_TRUE(change.has_value());
    EXPECT_NE(to_json(*change).find("\"subject\":\"0a\""), std::string::npos) << "it is recorded";
  }
  trail.seal();
  EXPECT_EQ(trail.verify().unsealed, 0U);
}

// The native engine writes into no part of an index: one of a part, as there was, is made anew of all.
TEST_P(DataKeys, AreFoundBySubjectWithoutPartOfAnIndex) {
  if (!trail.postgres()) GTEST_SKIP() << "SQLite's trail has no such index";
  must(
      db().script("drop index vestige.encrypted_key_subject; create index encrypted_key_subject on"
                  " vestige.encrypted_key (subject) where subject is not null"));
  const auto index = [&] {
    return to_display(must(scalar(db(),
                                  "select indexrelid || ' ' || (indpred is null) from"
                                  " pg_catalog.pg_index where indexrelid ="
                                  " 'vestige.encrypted_key_subject'::pg_catalog.regclass")));
  };
  const auto again = [&] {
    must(db().script("begin; " + std::string(sql::postgres::install) + "; commit"));
    return index();
  };
  const std::string part = index();
  EXPECT_NE(part.find(" false"), std::string::npos);
  const std::string whole = again();
  EXPECT_NE(whole.find(" true"), std::string::npos);
  EXPECT_EQ(again(), whole) << "and only once";
}

// What is written while nobody has the database yet is no longer overlooked.
TEST_P(DataKeys, StayWhileAnythingWaitsForThem) {
  if (trail.postgres()) GTEST_SKIP() << "what is written there is encrypted at once";
  Policy policy;
  policy.encrypt["name"] = "phi";
  trail.application("create table q (id integer primary key, name text)");
  auto transaction = must(Transaction::begin(db()));
  must(track(db(), "q", policy));
  must(transaction.commit());
  Meanwhile other(trail.connect());
  other.before = [&](Database&) { trail.application("insert into q values (1, 'waits')"); };
  EXPECT_EQ(error_of(destroy_keys(other, upto(4), because())).message,
            "keys destroy: of q there is what waits for being encrypted, and would be under a new"
            " key");
  EXPECT_EQ(wraps(), 1);
}

}  // namespace
}  // namespace vestige
