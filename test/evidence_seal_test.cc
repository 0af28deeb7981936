// seal on both databases: what is sealed, in which order, and what is refused.
#include "test/evidence.h"
#include "vestige/audit/prove.h"
#include "vestige/audit/tiles.h"

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
  auto second = Sealer::open(*other, Evident::signer(), trail.file("key.state"));
  if (trail.postgres()) {
    EXPECT_EQ(error_of(second).message, "seal: another sealer is at work on this trail");
    return;
  }
  must(first->batch());
  EXPECT_EQ(error_of(must(std::move(second))->batch()).message, "seal: another sealer was faster");
}

TEST_P(Seal, ADamagedTrailIsNotSealed) {
  trail.attack("update {}change set op = 'X' where id = 2");
  const auto sealer = must(Sealer::open(trail.db(), Evident::signer(), trail.file("key.state")));
  const Error error = error_of(sealer->batch());
  EXPECT_NE(error.message.find("seal change 2: "), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("unknown operation 'X'"), std::string::npos) << error.message;
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
