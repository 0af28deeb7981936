// An erasure that reaches into an archive, on both databases: the files are written anew without what went, and still prove the rest.
#include "vestige/audit/erase_archive.h"

#include <filesystem>

#include "test/erase.h"
#include "vestige/audit/archive.h"
#include "vestige/audit/doctor.h"
#include "vestige/base/file.h"
#include "vestige/base/zstd_file.h"
#include "vestige/record/filter.h"
#include "vestige/source/archive.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/held_names.h"
#include "vestige/trail/hold.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

class ErasedArchive : public ErasingTest {
 protected:
  void SetUp() override {
    ErasingTest::SetUp();
    trail.as("bob", "update p set name = 'a secret' where id = 2");
    trail.seal();
    part = must(write_archive(trail.db(), {directory, {}}, because("monthly"))).value();
    row.table = "p";
    row.key = {"2"};
    row.keys = row.contexts = true;
    row.archive = directory;
  }
  std::string complaints() {
    Trust trust;
    trust.keys = {Evident::signer().key()};
    // Which ERASE it was, and that the part was written anew, stands in the next part.
    ArchiveRecords records;
    records.of_trail = must(recorded_parts(trail.db()));
    std::string out;
    for (const ArchiveComplaint& one : must(verify_archive(directory, trust, records)).complaints)
      out += one.file + ": " + one.what + "\n";
    return out;
  }
  // Whether any file says a text.
  bool says(const std::string& text) const {
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file()) continue;
      if (must(file_bytes(entry.path().string())).find(text) != std::string::npos) return true;
      if (entry.path().extension() != ".zst") continue;
      ZstdLines lines = must(ZstdLines::open(entry.path().string()));
      while (const auto line = must(lines.next()))
        if (line->find(text) != std::string::npos) return true;
    }
    return false;
  }
  static std::string all(Database& db, std::int64_t upto) {
    LogRequest request;
    std::string out;
    auto changes = must(vestige::log(db, request));
    while (const auto change = must(changes->next()))
      if (change->id <= upto) out += to_json(*change) + "\n";
    return out;
  }
  static std::set<std::string> names(const std::string& folder) {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder))
      out.insert(entry.path().filename().string());
    return out;
  }

  const std::string directory = trail.file("archive");
  ArchivePart part;
  EraseRequest row;
};

INSTANTIATE_TEST_SUITE_P(Both, ErasedArchive, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ErasedArchive, HasNothingOfItAndProvesTheRest) {
  ASSERT_TRUE(says("a secret"));
  EraseRequest here = row;
  here.archive.clear();
  EXPECT_EQ(erase(here).archived, 0);
  EXPECT_TRUE(says("a secret"));
  const Erasing done = erase(row);
  EXPECT_TRUE(done.by.empty()) << "the trail has lost it already";
  EXPECT_EQ(done.archived, 2);
  EXPECT_EQ(done.parts, 1);
  EXPECT_FALSE(says("a secret"));
  EXPECT_EQ(complaints(), "");
  EXPECT_FALSE(fs::exists(part.folder + "/" + std::string(kEntriesFile)));
  auto alone = must(archive_alone(directory));
  EXPECT_EQ(all(*alone, part.manifest.last_id), all(trail.db(), part.manifest.last_id));
  EXPECT_NE(refused(row).find("has no change of such a row"), std::string::npos);
  // And once more, into the names that it had at first.
  row.key = {"1"};
  EXPECT_EQ(erase(row).archived, 2);
  EXPECT_EQ(complaints(), "");
  EXPECT_EQ(all(*must(archive_alone(directory)), part.manifest.last_id),
            all(trail.db(), part.manifest.last_id));
  trail.seal();
  trail.verify();
  EXPECT_EQ(trail.found, "") << trail.words;
}

// The archive says what the table was called then, and another one is called so now.
TEST_P(ErasedArchive, KeepsWhatIsHeldUnderALaterNameOfItsTable) {
  trail.application("alter table p rename to q");
  must(doctor(trail.db(), true));  // on SQLite it is seen by this
  trail.application("create table p (id integer primary key)");
  auto transaction = must(Transaction::begin(trail.db()));
  must(track(trail.db(), "p", Policy()));
  must(transaction.commit());
  const Filter later = must(parse_filter("table:q", Now(0)));
  const HeldNames names = must(HeldNames::of(trail.db()));
  const auto alone = must(archive_alone(directory));
  const auto changes = must(read_changes(*alone, {}));
  const auto change = must(changes->next());
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->table, "p");
  EXPECT_TRUE(names.may_meet(later.conditions.front(), *change));
  must(place_hold(trail.db(), "m", later, false, because()));
  row.table = "q";
  EXPECT_NE(refused(row).find("is held for \"m\""), std::string::npos);
  EXPECT_TRUE(says("a secret"));
}

// At whichever step it was killed, the next run makes the same of it.
TEST_P(ErasedArchive, IsFinishedByTheNextRun) {
  const std::string before = trail.file("before");
  const std::string after = trail.file("after");
  fs::copy(directory, before, fs::copy_options::recursive);
  erase(row);
  fs::copy(directory, after, fs::copy_options::recursive);
  const auto good = names(after + "/" + part.name);
  const auto again = [&](const std::string& from, const std::string& beside, bool half) {
    fs::remove_all(directory);
    fs::copy(from, directory, fs::copy_options::recursive);
    for (const std::string& name : names(beside + "/" + part.name)) {
      const std::string file = part.folder + "/" + name;
      if (fs::exists(file)) continue;
      fs::copy(beside + "/" + part.name + "/" + name, file);
      if (half) fs::resize_file(file, fs::file_size(file) / 2);
    }
    fs::create_directory(directory + "/.000000000006-000000000009");
    must(replace_file(directory + "/.000000000006-000000000009/x", "a secret"));
    erase(row);
    EXPECT_EQ(names(part.folder), good);
    EXPECT_EQ(names(directory), names(after));
    EXPECT_FALSE(says("a secret"));
    EXPECT_EQ(complaints(), "");
  };
  again(before, after, true);   // while the new files were written
  again(before, after, false);  // before the manifest named them
  again(after, before, false);  // before the old ones went
}

TEST_P(ErasedArchive, IsGoneOnWithAndProvedByTheNextPart) {
  erase(row);
  trail.seal();
  const auto next = must(write_archive(trail.db(), {directory, {}}, because("monthly")));
  ASSERT_TRUE(next.has_value());
  Trust trust;
  trust.keys = {Evident::signer().key()};
  ArchiveRecords records;
  records.manifests = {next->sha256};
  const ArchiveVerdict verdict = must(verify_archive(directory, trust, records));
  EXPECT_TRUE(verdict.complaints.empty()) << verdict.complaints.front().what;
  EXPECT_TRUE(verdict.unrecorded.empty());
  EXPECT_TRUE(with_archive(trail.connect(), directory).has_value());
}

// Nor does the trail vouch for what somebody put there: nothing is erased, and nothing recorded.
TEST_P(ErasedArchive, ThatTheTrailHasNotRecordedIsRefused) {
  Manifest forged = part.manifest;
  forged.first_at = 0;
  must(replace_file(part.folder + "/" + std::string(kManifestFile), to_json(forged)));
  EXPECT_NE(refused(row).find(" has no record of it"), std::string::npos);
  EXPECT_EQ(must(recorded_parts(trail.db())).size(), 1U);
  EXPECT_TRUE(must(show(trail.db(), part.manifest.last_id)).erased.empty());
}

TEST_P(ErasedArchive, OfAnotherTrailIsLeftAlone) {
  Evident other(GetParam());
  other.as("ann", "update p set name = 'theirs' where id = 2");
  other.seal();
  const std::string theirs = other.file("archive");
  must(write_archive(other.db(), {theirs, {}}, Context()));
  row.archive = theirs;
  const std::string why = refused(row);
  EXPECT_EQ(why.substr(0, 9), "erase in ");
  EXPECT_NE(why.find(" has no record of it"), std::string::npos) << why;
  Trust trust;
  trust.keys = {Evident::signer().key()};
  EXPECT_TRUE(must(verify_archive(theirs, trust)).complaints.empty());
}

}  // namespace
}  // namespace vestige
