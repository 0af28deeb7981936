// A trail with evidence, on either database: what the tests of seal, verify and prove begin with.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "test/postgres_capture.h"
#include "test/tracked_shop.h"
#include "vestige/audit/seal.h"
#include "vestige/audit/verify.h"
#include "vestige/base/file.h"
#include "vestige/trail/context.h"

namespace vestige {

/// The findings of verify, a line each: "altered 3 values,time".
class Findings final : public VerifySink {
 public:
  Result<void> found(const Discrepancy& one) override {
    std::string parts;
    for (const std::string& part : one.parts) parts += (parts.empty() ? " " : ",") + part;
    text +=
        one.code + (one.change.has_value() ? fmt::format(" {}", *one.change) : "") + parts + "\n";
    messages += one.message + "\n";
    return {};
  }
  std::string text;
  std::string messages;
};

/// A database with a tracked table p (id, name, price), in which changes 1 to 4 are made: three INSERTs and an
/// UPDATE, each by ann in a transaction of its own.
class Evident {
 public:
  explicit Evident(Engine engine) : engine_(engine) {
    if (engine == Engine::sqlite) {
      shop_ = std::make_unique<Shop>();
      must(install(shop_->db()));
      db_ = shop_->connect();
    } else {
      pg_ = std::make_unique<PgShop>();
      db_ = must(open_database(pg_->database.url()));
    }
    application("create table p (id integer primary key, name text, price integer)");
    auto transaction = must(Transaction::begin(*db_));
    must(track(*db_, "p", Policy()));
    must(transaction.commit());
    for (const std::string id : {"1", "2", "3"})
      as("ann", "insert into p values (" + id + ", 'x', 10)");
    as("ann", "update p set price = 11 where id = 1");
    if (postgres()) number_anew();
  }

  Database& db() { return *db_; }
  bool postgres() const { return engine_ == Engine::postgres; }
  std::string file(const std::string& name) const { return directory_.file(name); }

  /// A session of the application.
  std::unique_ptr<Database> connect() {
    if (!postgres()) return shop_->connect();
    auto other = must(Postgres::open(pg_->database.url()));
    other->names_of_caller(true);
    return other;
  }

  /// What the application does: it finds names by its own search path.
  void application(const std::string& sql) {
    auto* server = dynamic_cast<Postgres*>(db_.get());
    if (server != nullptr) server->names_of_caller(true);
    must(db_->script(sql));
    if (server != nullptr) server->names_of_caller(false);
  }

  void as(const std::string& actor, const std::string& sql) {
    Context context;
    context.set("actor", actor);
    auto scope = must(ContextScope::begin(*db_, context));
    application(sql);
    must(scope.commit());
  }

  /// As somebody who may do everything: the guards are taken away first.
  void attack(const std::string& sqlite, const std::string& on_postgres) {
    if (postgres()) {
      for (const char* table :
           {"change", "change_default", "context", "checkpoint", "shape", "erased"})
        must(db_->script(fmt::format("alter table vestige.{} disable trigger user", table)));
      must(db_->script(on_postgres));
      return;
    }
    auto rows = must(db_->query(
        "select name from sqlite_schema where type = 'trigger' and name like 'vestige%\\_no\\_%'"
        " escape '\\'"));
    std::string drops;
    while (must(rows->next()) == Step::row) drops += "drop trigger " + rows->text(0) + ";";
    rows.reset();
    must(db_->script(drops + sqlite));
  }
  /// The same for both, with {} before each of the trail's tables: "delete from {}change".
  void attack(const std::string& sql) {
    std::string text = sql;
    for (std::size_t at = 0; (at = text.find("{}")) != std::string::npos;)
      text.replace(at, 2, postgres() ? "vestige." : "vestige_");
    attack(text, text);
  }

  static merkle::NoteSigner signer(char seed = 's', const std::string& name = "log.example/p") {
    return must(merkle::NoteSigner::make(name, merkle::KeyKind::log, std::string(32, seed)));
  }

  /// Seals everything; the checkpoint.
  std::string seal() { return seal_in(*db_); }
  std::string seal_in(Database& db) {
    const auto sealer = must(Sealer::open(db, signer(), file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    return must(sealer->sign()).value_or("");
  }
  Error seal_error(merkle::NoteSigner with) {
    return error_of(Sealer::open(*db_, std::move(with), file("key.state")));
  }
  Error seal_error() { return seal_error(signer()); }

  Verdict verify(const std::vector<std::string>& kept = {}, bool trusting = true) {
    VerifyOptions options;
    options.live = live;
    if (trusting) options.trust.keys = {signer().key()};
    for (std::size_t i = 0; i < kept.size(); ++i)
      options.kept.push_back({fmt::format("kept{}", i), kept[i]});
    Findings findings;
    const Verdict verdict = must(vestige::verify(*db_, options, findings));
    found = findings.text;
    words = findings.messages;
    return verdict;
  }

  bool live = false;  // verify --live
  std::string found;  // by the last verify
  std::string words;

 private:
  // PostgreSQL leaves ids free for contexts: the tests name changes by numbers that both databases give.
  void number_anew() {
    for (const char* table : {"change", "context"})
      must(db_->script(fmt::format("alter table vestige.{} disable trigger user", table)));
    must(db_->script(
        "create temp table ids as select id as was, row_number() over (order by id) as now"
        " from vestige.change;"
        "update vestige.change c set id = i.now, context = i.now from ids i where i.was = c.id;"
        "update vestige.context x set id = -c.id, tx = c.id from vestige.change c where c.xid = "
        "x.xid;"
        "update vestige.context set id = -id; drop table ids; select setval('vestige.change_id', "
        "4)"));
    for (const char* table : {"change", "context"})
      must(
          db_->script(fmt::format("alter table vestige.{0} enable always trigger append_only;"
                                  "alter table vestige.{0} enable always trigger never_truncate",
                                  table)));
  }

  Engine engine_;
  TemporaryDirectory directory_;
  std::unique_ptr<Shop> shop_;
  std::unique_ptr<PgShop> pg_;
  std::unique_ptr<Database> db_;
};

class EvidenceTest : public testing::TestWithParam<Engine> {
 protected:
  Evident trail{GetParam()};
};

inline std::string engine_name(const testing::TestParamInfo<Engine>& info) {
  return info.param == Engine::postgres ? "PostgreSQL" : "SQLite";
}

}  // namespace vestige
