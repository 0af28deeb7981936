// seal on both databases: what is sealed, in which order, and what is refused.
#include "test/evidence.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/prove.h"
#include "vestige/audit/tiles.h"
#include "vestige/trail/evidence_store.h"

namespace vestige {
namespace {

using Seal = EvidenceTest;

INSTANTIATE_TEST_SUITE_P(Both, Seal, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Seal, WhatIsSealedIsVerified) {
  const std::string first = trail.seal();
  EXPECT_EQ(first.substr(0, 16), "log.example/p\n4\n");
  Verdict verdict = trail.verify({first});
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.verified, 4U);
  EXPECT_EQ(verdict.size, 4U);
  EXPECT_TRUE(verdict.signature);
  EXPECT_EQ(verdict.kept, std::vector<std::string>{"kept0"});
  EXPECT_EQ(verdict.unsealed, 0U);
  EvidenceStore store(trail.db());
  EXPECT_EQ(must(store.last_checkpoint())->at, must(store.checkpoints()).back().at);

  EXPECT_EQ(trail.seal(), first) << "nothing new: the same checkpoint again";
  trail.as("bob", "delete from p where id = 2");
  verdict = trail.verify();
  EXPECT_EQ(verdict.unsealed, 1U) << "not sealed yet, and not verified";
  EXPECT_EQ(verdict.verified, 4U);
  const std::string second = trail.seal();
  verdict = trail.verify({first, second});
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.verified, 5U);
  EXPECT_EQ(verdict.kept.size(), 2U);
}

TEST_P(Seal, ManyRunsMakeOneTree) {
  std::vector<std::string> kept;
  for (int run = 0; run < 6; ++run) {
    std::string sql;
    for (int i = 0; i < 100; ++i)
      sql += fmt::format("insert into p values ({}, 'y', {});", 1000 + run * 100 + i, i);
    trail.as("bulk", sql);
    kept.push_back(trail.seal());
  }
  const Verdict verdict = trail.verify(kept);
  EXPECT_EQ(trail.found, "");
  EXPECT_EQ(verdict.verified, 604U);
  EXPECT_EQ(verdict.kept.size(), 6U);
}

TEST_P(Seal, NothingToSeal) {
  Evident empty(GetParam());
  empty.attack("delete from {}change");
  EXPECT_EQ(empty.seal(), "");
  EXPECT_EQ(empty.verify().origin, "");
  EXPECT_EQ(empty.found, "signature\n") << "a key was named, and it signed nothing";
  EXPECT_EQ(error_of(prove(empty.db(), 1)).message, "prove change 1: nothing is sealed yet");
  EXPECT_EQ(error_of(Export::open(empty.db(), std::nullopt)).message,
            "export the trail: nothing is sealed yet");
  EXPECT_EQ(error_of(write_tiles(empty.db(), empty.file("log"))).message,
            "write tiles: nothing is sealed yet");
}

TEST_P(Seal, TheKeyIsTheTrails) {
  trail.seal();
  EXPECT_EQ(trail.seal_error(Evident::signer('o')).message,
            "seal: the trail is sealed by another key of the name log.example/p");
  EXPECT_NE(trail.seal_error(Evident::signer('s', "other.example"))
                .message.find("is of log.example/p, and the key is other.example's"),
            std::string::npos);
}

TEST_P(Seal, ATreeThatDoesNotExtendTheStateIsNotSigned) {
  trail.seal();
  const std::string state = must(file_bytes(trail.file("key.state")));
  must(replace_file(trail.file("key.state"), "log.example/p\n9" + state.substr(15)));
  EXPECT_EQ(trail.seal_error().message,
            "seal: the trail has 4 entries, and 9 were signed: it was set back to an older state;"
            " nothing is signed");
  must(replace_file(trail.file("key.state"),
                    "log.example/p\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
  EXPECT_NE(trail.seal_error().message.find("the trail was rewritten, or is another one"),
            std::string::npos);
}

TEST_P(Seal, AStoppedSealerIsGoneOnWith) {
  {
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    must(sealer->batch());  // the tree is written, and stopped before it is signed
  }
  EXPECT_EQ(trail.verify().unsigned_entries, 4U);
  EXPECT_EQ(trail.found, "signature\n");
  EXPECT_EQ(trail.seal().substr(0, 16), "log.example/p\n4\n");
  EXPECT_EQ(trail.verify().verified, 4U);
}

TEST_P(Seal, TwoSealers) {
  const auto other = trail.connect();
  const auto first = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  const auto second = must(Sealer::open(*other, Evident::signer(), trail.file("key.state")));
  must(first->batch());
  EXPECT_EQ(must(second->batch()), 0U) << "the other was faster, and this one sees that";
  EXPECT_EQ(second->size(), 4U);
  while (!second->done()) EXPECT_EQ(must(second->batch()), 0U);
  must(first->sign());
  const std::string state = must(file_bytes(trail.file("key.state")));
  trail.as("bob", "insert into p values (9, 'x', 1)");
  second->again();
  while (!second->done()) must(second->batch());
  EXPECT_EQ(must(first->sign()).value_or("").substr(0, 16), "log.example/p\n4\n") << "kept already";
  const std::string newer = must(second->sign()).value_or("");
  EXPECT_EQ(newer.substr(0, 16), "log.example/p\n5\n");
  must(replace_file(trail.file("key.state"), state));
  const auto late = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  trail.as("bob", "insert into p values (10, 'x', 1)");
  while (!second->done()) must(second->batch());
  second->again();
  while (!second->done()) must(second->batch());
  EXPECT_EQ(must(late->sign()).value_or("").substr(0, 16), "log.example/p\n6\n")
      << "never a smaller state, and the tree that stands is signed";
  EXPECT_EQ(must(file_bytes(trail.file("key.state"))).substr(0, 16), "log.example/p\n6\n");
  EXPECT_EQ(trail.verify().verified, 6U);
  EXPECT_EQ(trail.found, "");
}

// What somebody wrote past capture, one after another: each is sealed with a null, said and counted, and what is
// repaired afterwards is altered.
TEST_P(Seal, NoRowEndsTheSealing) {
  struct Damage {
    std::string sqlite, postgres, said;
  };
  const std::vector<Damage> damages = {
      {"update vestige_change set op = 'Y'", "update vestige.change set op = 'Y'", "operation 'Y'"},
      {"update vestige_change set shape = 99", "update vestige.change set shape = 99", "shape"},
      {"update vestige_change set shape = -1, tbl = -5",
       "update vestige.change set shape = -1, tracked = -5", "shape"},
      {"update vestige_change set at = 9223372036854775807",
       "update vestige.change set at = '294276-12-31 23:59:59.999999+00'", "its time is none"},
      {"update vestige_change set at = -9223372036854775807",
       "update vestige.change set at = '4713-01-01 BC'", "its time is none"},
      {"update vestige_change set at = -62135596800001",
       "update vestige.change set at = 'infinity'", "its time is none"},
      {"update vestige_change set context = 77", "update vestige.change set context = 77",
       "context"},
      {"update vestige_change set tx = -7", "update vestige.context set tx = -7",
       "its transaction is none"},
      {"", "update vestige.context set at = '-infinity'", "the time of its context is none"},
      {"", "update vestige.context set xid = '1'", "its context is missing"},
      {"", "update vestige.change set new_row = '(1'", "its values do not fit"},
      {"", "update vestige.change set new_row = '(1,2,3,4,5)', old_row = ''",
       "its values do not fit"},
  };
  trail.seal();
  std::uint64_t count = 0;
  for (const Damage& damage : damages) {
    const std::string& sql = trail.postgres() ? damage.postgres : damage.sqlite;
    if (sql.empty()) continue;
    trail.as("eve", fmt::format("insert into p values ({}, 'x', 1)", 100 + count));
    const std::string changes = trail.postgres() ? "vestige.change" : "vestige_change";
    const std::int64_t id = must(scalar_integer(trail.db(), "select max(id) from " + changes));
    const std::string where =
        sql.find("context set") == std::string::npos
            ? fmt::format(" where id = {}", id)
            : fmt::format(" where id = (select context from {} where id = {})", changes, id);
    trail.attack(sql + where, sql + where);
    trail.as("bob", fmt::format("insert into p values ({}, 'after', 1)", 200 + count));
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    must(sealer->sign());
    ++count;
    EXPECT_EQ(sealer->unreadable_count(), 1U) << sql;
    const auto said = sealer->unreadable();
    ASSERT_EQ(said.size(), 1U) << sql;
    EXPECT_EQ(said[0].change, id);
    EXPECT_NE(said[0].why.find(damage.said), std::string::npos) << said[0].why;
    EXPECT_TRUE(sealer->unreadable().empty());
    const Verdict verdict = trail.verify();
    EXPECT_EQ(trail.found, "") << sql;
    EXPECT_EQ(verdict.unreadable, count) << sql;
    EXPECT_EQ(verdict.size, 4 + 2 * count);
    EXPECT_EQ(verdict.verified, 4 + count);
    EXPECT_EQ(verdict.unsealed, 0U) << sql;
    EXPECT_EQ(verdict.early, 0U) << sql;
    ASSERT_GE(verdict.unreadable_changes.size(), std::min<std::uint64_t>(count, 10));
    // Receipts and exports of it hold like any other.
    Trust trust;
    trust.keys = {Evident::signer().key()};
    EXPECT_EQ(must(check_receipt(must(prove(trail.db(), id)), trust)).entry.id, id);
  }
  bool counted = false;
  for (const Finding& one : must(doctor(trail.db(), false)))
    counted = counted || (one.code == "unreadable" &&
                          one.message.find(std::to_string(count)) != std::string::npos);
  EXPECT_TRUE(counted);
  // It can be repaired, and that is found: nobody knows what was there.
  trail.attack("update {}change set op = 'I' where op = 'Y'");
  trail.verify();
  EXPECT_TRUE(trail.found.starts_with("altered ")) << trail.found;
}

// A sealed change that cannot be read any more is altered, not unreadable.
TEST_P(Seal, WhatCouldBeReadOnceIsAltered) {
  trail.seal();
  trail.attack("update {}change set op = 'Y' where id = 2");
  EXPECT_EQ(trail.verify().unreadable, 0U);
  EXPECT_EQ(trail.found, "altered 2 record\n");
}

// Whoever may write checkpoints puts false ones there, before and behind the true ones.
TEST_P(Seal, FalseCheckpointsArePassedOver) {
  const std::string kept = trail.seal();
  const std::string note = kept.substr(kept.find("\n\n"));
  trail.as("bob", "insert into p values (10, 'x', 1)");
  trail.as("bob", "insert into p values (11, 'x', 1)");
  const std::string table = trail.postgres() ? "vestige.checkpoint" : "vestige_checkpoint";
  {
    const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
    while (!sealer->done()) must(sealer->batch());
    // Between the batch and the signature, and of the very size; a copy of a true one, and one of another key.
    must(trail.db().run("insert into " + table + " select 6, at, root, note from " + table));
    must(trail.db().run(
        "insert into " + table + " select 5, at, root, ?1 from " + table + " where size = 4",
        {Text{must(merkle::sign_checkpoint(Evident::signer('o'), 5, Hash{}))}}));
    EXPECT_EQ(must(sealer->sign()).value_or("").substr(0, 16), "log.example/p\n6\n");
  }
  EXPECT_EQ(trail.seal().substr(0, 16), "log.example/p\n6\n") << "the state knows it";
  trail.as("bob", "insert into p values (12, 'x', 1)");
  EXPECT_EQ(trail.seal().substr(0, 16), "log.example/p\n7\n");
  EXPECT_EQ(trail.verify({kept}).verified, 7U);
  EXPECT_NE(trail.found.find("checkpoint-altered"), std::string::npos) << "they are named";
  if (!trail.postgres()) return;
  const Error error = error_of(
      trail.db().run("insert into " + table + " select 999, at, root, note from " + table));
  EXPECT_EQ(error.fault, Fault::denied);
  EXPECT_NE(
      error.message.find("vestige: a checkpoint of 999 entries is refused: not so many are sealed"),
      std::string::npos)
      << error.message;
}

TEST_P(Seal, ADamagedBundleIsNotGoneOnWith) {
  trail.seal();
  trail.attack("update {}bundle set width = 3");
  EXPECT_NE(trail.seal_error().message.find("the last bundle of entries is not as it was written"),
            std::string::npos);
}

TEST_P(Seal, AnOlderTrailGetsItsPlaceByInit) {
  trail.attack(
      "drop table {}erased; drop table {}sealer; drop table {}checkpoint; drop table {}tile;"
      "drop table {}bundle");
  EXPECT_EQ(trail.seal_error().message,
            "find the evidence: this trail is older and has no place for it");
  EXPECT_TRUE(must(install(trail.db())));
  EXPECT_FALSE(must(install(trail.db())));
  EXPECT_EQ(trail.seal().substr(0, 16), "log.example/p\n4\n");
  must(remove_trail(trail.db()));
  EXPECT_EQ(must(installed_version(trail.db())), 0);
}

TEST_P(Seal, AnOlderSealerCountsByInit) {
  if (trail.postgres()) return;  // postgres_seal_test.cc
  trail.attack("alter table {}sealer drop column unreadable");
  EXPECT_EQ(trail.seal_error().message, "seal: this trail is older, and its sealer counts less");
  EXPECT_EQ(trail.verify().unsealed, 4U) << "who only looks does not need it";
  EXPECT_TRUE(must(install(trail.db())));
  EXPECT_FALSE(must(install(trail.db())));
  EXPECT_EQ(trail.seal().substr(0, 16), "log.example/p\n4\n");
}

TEST_P(Seal, ReceiptsAndExports) {
  const std::string checkpoint = trail.seal();
  Trust trust;
  trust.keys = {Evident::signer().key()};
  const auto receipt = must(check_receipt(must(prove(trail.db(), 4)), trust));
  EXPECT_EQ(receipt.entry.op, "UPDATE");
  EXPECT_EQ(receipt.evidence.values->canonical,
            trail.postgres() ? R"({"old":{"price":"10"},"new":{"price":"11"}})"
                             : R"({"old":{"price":10},"new":{"price":11}})");
  trail.as("bob", "delete from p where id = 3");
  EXPECT_EQ(error_of(prove(trail.db(), 5)).message, "prove change 5: it is not sealed");
  for (int i = 0; i < 600; ++i) trail.as("c", "update p set price = price + 1 where id = 1");
  const std::string later = trail.seal();
  const auto check = [&](std::optional<std::int64_t> since, std::uint64_t first) {
    const auto all = must(Export::open(trail.db(), since));
    EXPECT_EQ(all->checkpoint(), later);
    TrailCheck trail_check(must(open_trusted(later, trust)));
    while (const auto line = must(all->next())) trail_check.line(*line);
    const auto verdict = trail_check.finish();
    EXPECT_EQ(verdict.wrong, 0U) << (verdict.complaints.empty() ? "" : verdict.complaints[0]);
    EXPECT_EQ(verdict.first, first);
    EXPECT_EQ(verdict.first + verdict.entries, 605U);
  };
  check(std::nullopt, 0);
  const auto entry = must(EvidenceStore(trail.db()).find(300));
  check(must(parse_entry(entry->entry)).at, entry->index);

  trail.attack("update vestige_change set v5 = 12 where id = 4",
               "update vestige.change set new_row = '(,,12)' where id = 4");
  EXPECT_EQ(error_of(prove(trail.db(), 4)).message,
            "prove change 4: what stands there as its values is not what was sealed");
  trail.attack(
      "update {}tile set hashes = (select salts from {}bundle where n = 0) where level = 0 and n = "
      "0");
  EXPECT_EQ(error_of(prove(trail.db(), 3)).message,
            "prove change 3: the tree is not the one that was signed");
  trail.attack("delete from {}bundle where n = 1");
  const auto cut = must(Export::open(trail.db(), std::nullopt));
  std::string message;
  for (;;) {
    const auto line = cut->next();
    if (!line.has_value()) message = line.error().message;
    if (!line.has_value() || !line->has_value()) break;
  }
  EXPECT_EQ(message, "export the trail: entry 256 is missing");
}

TEST_P(Seal, TilesGrow) {
  trail.seal();
  const std::string log = trail.file("log");
  EXPECT_EQ(must(write_tiles(trail.db(), log)).files, 2U);
  EXPECT_EQ(must(write_tiles(trail.db(), log)).files, 0U);
  EXPECT_EQ(must(file_bytes(log + "/tile/0/000.p/4")).size(), 128U);
  for (int i = 0; i < 300; ++i) trail.as("c", "update p set price = price + 1 where id = 1");
  const std::string checkpoint = trail.seal();
  EXPECT_EQ(must(write_tiles(trail.db(), log)).files, 5U)
      << "0/000, 0/001.p/48, two bundles, 1/000.p/1";
  EXPECT_EQ(must(file_bytes(log + "/checkpoint")), checkpoint);
  EXPECT_EQ(must(file_bytes(log + "/tile/0/000")).size(), 8192U);
  EXPECT_EQ(must(merkle::entries_of(must(file_bytes(log + "/tile/entries/001.p/48")), 48)).size(),
            48U);

  Evident other(GetParam());
  other.seal();
  EXPECT_EQ(error_of(write_tiles(other.db(), log)).message,
            "write tiles to " + log + ": the log there is not the beginning of this one");
  must(replace_file(trail.file("file"), "no directory"));
  EXPECT_NE(error_of(write_tiles(trail.db(), trail.file("file"))).message.find("Not a directory"),
            std::string::npos);
  trail.attack("delete from {}bundle where n = 0");
  EXPECT_EQ(error_of(write_tiles(trail.db(), trail.file("anew"))).message,
            "write tiles: the entries of bundle 0 are missing");
}

}  // namespace
}  // namespace vestige
