// Classes of retention that are archived first, on both databases: nothing goes that only the database has.
#include <filesystem>

#include "test/expire.h"
#include "vestige/audit/archive.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/log.h"
#include "vestige/base/file.h"
#include "vestige/record/filter.h"
#include "vestige/source/archive.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

class ArchivedExpiry : public ExpiringTest {
 protected:
  void SetUp() override {
    ExpiringTest::SetUp();
    three_years(12);
    must(put_retention(trail.db(), {"normal", "2555 days", "365 days", true}));
    of_n = ids(of("n") + older(365));
    ASSERT_GT(of_n.size(), 5U);
  }
  ArchivePart write() {
    Context context;
    context.set("actor", "cron");
    return must(write_archive(trail.db(), {trail.file("archive"), {}}, context)).value();
  }
  static std::string all(Database& db, const std::string& table) {
    LogRequest request;
    request.table = table;
    std::string out;
    auto changes = must(vestige::log(db, request));
    while (const auto change = must(changes->next()))
      if (change->op != Op::expire) out += to_json(*change) + "\n";
    return out;
  }
  ClassExpiry normal(const Expiring& done) const {
    for (const ClassExpiry& one : done.classes)
      if (one.retention.name == "normal") return one;
    return {};
  }

  // What verify finds, a line each.
  std::string found(const VerifyOptions& options) {
    class Sink final : public VerifySink {
     public:
      Result<void> found(const Discrepancy& one) override {
        lines += one.code + " " + one.message + "\n";
        return {};
      }
      std::string lines;
    };
    Sink sink;
    seen = must(verify(trail.db(), options, sink));
    return sink.lines;
  }

  std::set<std::int64_t> of_n;
  Verdict seen;
};

INSTANTIATE_TEST_SUITE_P(Both, ArchivedExpiry, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ArchivedExpiry, WaitsForTheArchiveAndNamesIt) {
  const std::string before = all(trail.db(), "n");
  EXPECT_EQ(normal(expire()).unarchived, of_n.size());
  const std::set<std::int64_t> stand = ids();
  EXPECT_TRUE(std::includes(stand.begin(), stand.end(), of_n.begin(), of_n.end()));

  const ArchivePart part = write();
  EXPECT_EQ(normal(expire()).unarchived, of_n.size()) << "nobody said where it is";
  archive = trail.file("archive");
  const Expiring done = expire();
  EXPECT_EQ(normal(done).unarchived, 0U);
  EXPECT_EQ(normal(done).gone + normal(done).waiting, of_n.size());
  EXPECT_GT(normal(done).gone, 0U);
  EXPECT_TRUE(done.unread.empty());
  for (const Expiry& one : must(ExpiryStore(trail.db()).all())) {
    EXPECT_EQ(one.archive.value_or(""), one.retention == "normal" ? part.sha256 : "");
    EXPECT_EQ(one.keep, one.retention == "normal" ? "365 days" : "30 days");
  }
  trail.seal();
  const Verdict verdict = trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
  EXPECT_EQ(verdict.expiries.back().archive, part.sha256);

  VerifyOptions options;
  options.trust.keys = {Evident::signer().key()};
  options.archive = archive;
  EXPECT_EQ(found(options), "");
  EXPECT_EQ(seen.archived, normal(done).gone);
  EXPECT_EQ(seen.parts, 1U);
  const std::string entries = part.folder + "/" + std::string(kEntriesFile);
  const std::string good = must(file_bytes(entries));
  must(replace_file(entries, good.substr(0, good.size() - 9)));
  EXPECT_NE(found(options).find("archive " + entries + ": "), std::string::npos);
  must(replace_file(entries, good));
  options.archive = trail.file("empty");
  fs::create_directory(options.archive);
  EXPECT_EQ(found(options).substr(0, 16), "archive-missing ");
  EXPECT_NE(found(options).find(" (EXPIRE) says is archived, "), std::string::npos);

  auto both = must(with_archive(trail.connect(), archive));
  EXPECT_EQ(all(*both, "n"), before);
  const std::string elsewhere = trail.file("elsewhere");
  fs::copy(archive, elsewhere, fs::copy_options::recursive);
  auto alone = must(archive_alone(elsewhere));
  EXPECT_EQ(all(*alone, "n"), before);
}

TEST_P(ArchivedExpiry, BeforeItsFirstPartAnArchiveIsEmpty) {
  archive = trail.file("archive");
  EXPECT_EQ(all(*must(with_archive(trail.connect(), archive)), "n"), all(trail.db(), "n"));
  const Expiring done = expire();
  EXPECT_EQ(normal(done).unarchived, of_n.size());
  EXPECT_TRUE(done.unread.empty());
  Context context;
  context.set("actor", "dpo");
  context.set("reason", "request");
  EraseRequest request;
  request.table = "c";
  request.key = {"1"};
  request.archive = archive;
  EXPECT_EQ(must(vestige::erase(trail.db(), request, context)).values, 1);
  trail.seal();
  VerifyOptions options;
  options.trust.keys = {Evident::signer().key()};
  options.archive = archive;
  EXPECT_EQ(found(options), "");
  write();
  fs::remove_all(archive);
  EXPECT_EQ(error_of(with_archive(trail.connect(), archive)).message,
            "read the archive " + archive + ": No such file or directory");
  EXPECT_EQ(must(scalar_integer(trail.db(), "select count(*) from " + own("archived"))), 1);
  must(trail.db().run("delete from " + own("archived")));
  EXPECT_EQ(error_of(with_archive(trail.connect(), archive)).fault, Fault::missing);
}

TEST_P(ArchivedExpiry, WhatIsWrongWithAnArchiveIsNamedAndKeepsEverything) {
  const ArchivePart part = write();
  archive = trail.file("archive");
  for (const std::string_view name : {kEntriesFile, kChangesFile, kCheckpointFile}) {
    const std::string file = part.folder + "/" + std::string(name);
    const std::string good = must(file_bytes(file));
    std::string bad = good;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
    must(replace_file(file, bad));
    const Expiring done = expire(true);
    EXPECT_EQ(normal(done).unarchived, of_n.size()) << name;
    ASSERT_FALSE(done.unread.empty());
    EXPECT_EQ(done.unread.front().file, file);
    must(replace_file(file, good));
  }
  EXPECT_EQ(normal(expire(true)).unarchived, 0U);
  must(trail.db().run("update " + own("archived") + " set manifest = 'another'"));
  const Expiring done = expire();
  EXPECT_EQ(normal(done).unarchived, of_n.size());
  EXPECT_EQ(done.unread.front().what, "the trail has no record of it");
}

// What the trail has no more is erased in the archive, and an ERASE says so.
TEST_P(ArchivedExpiry, WhatExpiredIsErasedInTheArchive) {
  write();
  archive = trail.file("archive");
  expire();
  Context context;
  context.set("actor", "dpo");
  context.set("reason", "request 4711");
  EraseRequest row;
  row.table = "n";
  row.key = {"1"};
  row.contexts = true;
  row.archive = archive;
  EXPECT_EQ(error_of(erase(trail.db(), row, context)).message,
            "erase: of some of it only the archive has the contexts");
  row.contexts = false;
  Context counsel = context;
  counsel.set("actor", "counsel");
  must(place_hold(trail.db(), "Doe", must(parse_filter("table:n", Now(clock_now(), Zone::utc))),
                  false, counsel));
  EXPECT_NE(error_of(erase(trail.db(), row, context)).message.find("is held for"),
            std::string::npos);
  must(release_hold(trail.db(), "Doe", counsel));
  const Erasing done = must(erase(trail.db(), row, context));
  EXPECT_EQ(done.by.size(), 1U);
  EXPECT_EQ(done.archived, 1);
  trail.seal();
  VerifyOptions options;
  options.trust.keys = {Evident::signer().key()};
  options.archive = archive;
  EXPECT_EQ(found(options), "");
  LogRequest request;
  request.table = "n";
  request.key = {"1"};
  auto both = must(with_archive(trail.connect(), archive));
  const auto change = must(must(vestige::log(*both, request))->next());
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->erased_by("values"), done.by.front());
  EXPECT_EQ(must(erase(trail.db(), row, context)).archived, 0);
  if (trail.postgres()) {
    auto scope = must(ContextScope::begin(trail.db(), context));
    const auto named = scalar(trail.db(),
                              "select vestige.erase_archived((select id from vestige.tracked where"
                              " table_name = 'n'), array(select max(id) from vestige.change),"
                              " '{values}')");
    EXPECT_NE(error_of(named).message.find(
                  "erase: only what stands in an archive alone is named without being taken"),
              std::string::npos)
        << error_of(named).message;
  }
}

TEST_P(ArchivedExpiry, OfSeveralChangesEachIsErasedWhereItStands) {
  write();
  archive = trail.file("archive");
  expire();
  const std::int64_t gone = *of_n.begin();
  const std::int64_t stands = *ids(of("c")).begin();
  ASSERT_FALSE(ids().contains(gone));
  Context context;
  context.set("actor", "dpo");
  context.set("reason", "request 4711");
  EraseRequest request;
  request.archive = archive;
  request.changes = {stands, gone, 999999};
  EXPECT_EQ(error_of(erase(trail.db(), request, context)).message,
            "erase change 999999: there is no such change");
  const std::int64_t erased = number("select count(*) from {}erased");
  request.dry_run = true;
  request.changes = {gone};
  EXPECT_EQ(must(erase(trail.db(), request, context)).values, 1);
  request.changes = {stands, gone};
  EXPECT_EQ(must(erase(trail.db(), request, context)).values, 2);
  EXPECT_EQ(number("select count(*) from {}erased"), erased);
  request.dry_run = false;
  const Erasing done = must(erase(trail.db(), request, context));
  EXPECT_EQ(done.by.size(), 2U);
  EXPECT_EQ(done.values, 2);
  EXPECT_EQ(done.archived, 2);
  trail.seal();
  VerifyOptions options;
  options.trust.keys = {Evident::signer().key()};
  options.archive = archive;
  EXPECT_EQ(found(options), "");
}

// An archive of another trail, however whole, is none of this one.
TEST_P(ArchivedExpiry, AnotherTrailsArchiveCountsForNothing) {
  Evident other(GetParam());
  for (int i = 0; i < 40; ++i) other.as("ann", "update p set price = price + 1");
  other.seal();
  archive = other.file("archive");
  const ArchivePart part = must(write_archive(other.db(), {archive, {}}, Context())).value();
  const Expiring done = expire(true);
  EXPECT_EQ(normal(done).unarchived, of_n.size());
  bool named = false;
  for (const ArchiveComplaint& one : done.unread)
    named = named || one.what.ends_with(" is not the trail's");
  EXPECT_TRUE(named);
}

}  // namespace
}  // namespace vestige
