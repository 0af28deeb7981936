// archive on both databases: what it writes, what verify says of it, and that it reads as the database does, also where there is none.
#include <filesystem>

#include "test/erase.h"
#include "vestige/audit/archive.h"
#include "vestige/audit/blame.h"
#include "vestige/source/archive.h"
#include "vestige/source/archived_change.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

class Archive : public ErasingTest {
 protected:
  std::string directory() const { return trail.file("archive"); }
  std::optional<ArchivePart> write(std::optional<std::int64_t> before = {}) {
    return must(write_archive(trail.db(), {directory(), before}, because("monthly")));
  }
  ArchiveVerdict verdict() const {
    Trust trust;
    trust.keys = {Evident::signer().key()};
    return must(verify_archive(directory(), trust));
  }
  std::string complaints() const {
    std::string out;
    for (const ArchiveComplaint& one : verdict().complaints)
      out += fs::path(one.file).filename().string() + ": " + one.what + "\n";
    return out;
  }
  static std::string all(Database& db, const LogRequest& request = {}) {
    std::string out;
    auto changes = must(vestige::log(db, request));
    while (const auto change = must(changes->next())) out += to_json(*change) + "\n";
    return out;
  }
  static std::vector<std::string> files(const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) out.push_back(entry.path().string());
    std::sort(out.begin(), out.end());
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Both, Archive, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(Archive, ReadsAsTheDatabaseDoesWithoutIt) {
  trail.as("bob", "update p set id = 30, name = 'y\"' where id = 3");
  trail.as("bob", "delete from p where id = 30");
  trail.seal();
  LogRequest row;
  row.table = "p";
  row.key = {"3"};
  LogRequest who;
  who.filter.filter = must(parse_filter("who:bob new.name:*", Now(0)));
  LogRequest few;
  few.filter.limit = 2;
  few.filter.oldest_first = true;
  std::vector<std::string> before;
  for (const LogRequest& request : {LogRequest(), row, who, few})
    before.push_back(all(trail.db(), request));
  const auto part = write();
  EXPECT_EQ(part->manifest.upto, 6U);
  auto alone = must(archive_alone(directory()));
  std::vector<std::string> after;
  for (const LogRequest& request : {LogRequest(), row, who, few})
    after.push_back(all(*alone, request));
  EXPECT_EQ(after, before);
  EXPECT_EQ(to_json(must(show(*alone, 4))), to_json(must(show(trail.db(), 4))));
  EXPECT_EQ(must(last_change_at(*alone, std::numeric_limits<std::int64_t>::max())), 6);
}

TEST_P(Archive, AndTheDatabaseAreOneHistory) {
  trail.seal();
  write();
  trail.as("bob", "update p set price = 12 where id = 1");
  const std::string before = all(trail.db());
  auto both = must(with_archive(trail.connect(), directory()));
  EXPECT_EQ(all(*both), before);
  const Blame blamed = must(blame(*both, "p", {"1"}, {}));
  EXPECT_EQ(blamed.columns.size(), 3U);
}

TEST_P(Archive, GoesOnWhereItEndedAndIsRecorded) {
  const std::int64_t first = must(show(trail.db(), 2)).at;
  EXPECT_EQ(error_of(write_archive(trail.db(), {directory(), {}}, because())).message,
            "archive: nothing is sealed yet");
  trail.seal();
  EXPECT_FALSE(write(first).has_value()) << "no checkpoint covers only what is older";
  EXPECT_EQ(write()->name, "000000000000-000000000004");
  EXPECT_FALSE(write().has_value());
  trail.as("bob", "delete from p where id = 2");
  trail.seal();
  EXPECT_EQ(write()->manifest.from, 4U);
  const ArchiveVerdict found = verdict();
  EXPECT_EQ(complaints(), "");
  EXPECT_EQ(found.parts, 2U);
  LogRequest own;
  own.table = spelling_of(trail.db()).table("archived");
  const std::string recorded = all(trail.db(), own);
  EXPECT_EQ(std::count(recorded.begin(), recorded.end(), '\n'), 2);
  EXPECT_NE(recorded.find(archive_parts(directory())->back().sha256), std::string::npos);
}

// A run that was killed left a folder that is under way, or one that is not recorded: the next one makes the same bytes.
TEST_P(Archive, IsFinishedByTheNextRun) {
  trail.seal();
  const auto part = write();
  std::vector<std::string> bytes;
  for (const std::string& file : files(part->folder)) bytes.push_back(must(file_bytes(file)));
  const std::string under_way = directory() + "/." + part->name;
  for (std::size_t left = 0; left <= bytes.size(); ++left) {
    fs::rename(part->folder, under_way);
    const auto there = files(under_way);
    for (std::size_t i = left; i < there.size(); ++i) fs::remove(there[i]);
    if (left > 0) fs::resize_file(there[left - 1], fs::file_size(there[left - 1]) / 2);
    EXPECT_EQ(must(archive_parts(directory())).size(), 0U);
    write();
    std::vector<std::string> again;
    for (const std::string& file : files(part->folder)) again.push_back(must(file_bytes(file)));
    EXPECT_EQ(again, bytes) << left;
    EXPECT_FALSE(fs::exists(under_way));
  }
  LogRequest own;
  own.table = spelling_of(trail.db()).table("archived");
  const std::string recorded = all(trail.db(), own);
  EXPECT_EQ(std::count(recorded.begin(), recorded.end(), '\n'), 1);
}

TEST_P(Archive, EachFlippedBitIsNamedByItsFile) {
  trail.seal();
  const auto part = write();
  for (const std::string& file : files(part->folder)) {
    const std::string whole = must(file_bytes(file));
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
      must(replace_file(file, flipped));
      bool named = false;
      for (const ArchiveComplaint& one : verdict().complaints)
        named = named || one.file == file || one.what.find(file) != std::string::npos;
      EXPECT_TRUE(named) << file << " at " << at << "\n" << complaints();
    }
    must(replace_file(file, whole));
  }
  EXPECT_EQ(complaints(), "");
  must(replace_file(part->folder + "/more", "x"));
  EXPECT_EQ(complaints(), "more: the manifest does not name it\n");
}

// Whoever writes a manifest anew, with the hashes of what he altered, is found by what is proved.
TEST_P(Archive, AnAlteredOneWithAManifestOfItsOwnIsFound) {
  trail.seal();
  const auto part = write();
  const std::string path = part->folder + "/" + std::string(kChangesFile);
  ZstdLines lines = must(ZstdLines::open(path));
  std::vector<std::string> said;
  while (auto line = must(lines.next())) said.push_back(*line);
  fs::remove(path);
  ZstdWriter writer = must(ZstdWriter::make(path, 1));
  for (std::string& line : said) {
    if (const auto at = line.find("\"op\":\"UPDATE\""); at != std::string::npos)
      line.replace(at, 13, "\"op\":\"DELETE\"");
    must(writer.line(line));
  }
  const FileDigest digest = must(writer.finish());
  Manifest forged = part->manifest;
  for (ArchivedFile& file : forged.files)
    if (file.path == kChangesFile) {
      file.bytes = digest.bytes;
      file.sha256.clear();
      for (const unsigned char byte : digest.sha256) file.sha256 += fmt::format("{:02x}", byte);
    }
  must(replace_file(part->folder + "/" + std::string(kManifestFile), to_json(forged)));
  EXPECT_EQ(complaints(),
            "changes.ndjson.zst: entry 3: its operation is not the one that is proved\n");
}

TEST_P(Archive, OfAnotherLogOrWithAGapIsNotGoneOnWith) {
  trail.seal();
  const auto first = write();
  trail.as("bob", "delete from p where id = 2");
  trail.seal();
  const auto second = write();
  const auto refused = [&] {
    return error_of(write_archive(trail.db(), {directory(), {}}, because())).message;
  };
  const std::string elsewhere = trail.file("elsewhere");
  fs::rename(first->folder, elsewhere);
  const std::string after = directory() + "/" + part_name(second->manifest.upto + 3, 99);
  Manifest later = second->manifest;
  later.from = second->manifest.upto + 3;
  later.upto = 99;
  fs::create_directory(after);
  must(replace_file(after + "/manifest.json", to_json(later)));
  EXPECT_NE(refused().find("archive: between entries "), std::string::npos) << refused();
  fs::remove_all(after);
  Manifest foreign = second->manifest;
  foreign.origin = "another.example.com/log";
  must(replace_file(second->folder + "/manifest.json", to_json(foreign)));
  trail.as("bob", "delete from p where id = 3");
  trail.seal();
  EXPECT_EQ(refused(), "archive: " + directory() + " is of the log another.example.com/log");
  foreign.from = 1;
  must(replace_file(second->folder + "/manifest.json", to_json(foreign)));
  EXPECT_NE(refused().find("manifest.json: it is of the range 000000000001-"), std::string::npos);
}

TEST_P(Archive, NeedsItsEvidence) {
  trail.seal();
  Database& db = trail.db();
  if (trail.postgres()) must(db.script("delete from vestige.bundle"));
  else must(db.script("delete from vestige_bundle"));
  EXPECT_EQ(error_of(write_archive(db, {directory(), 0}, because())).message,
            "archive: entry 0 is missing from the evidence");
}

TEST(ArchivedChange, IsAChange) {
  EXPECT_EQ(error_of(archived_change("{}", false)).message,
            "read an archived change: it is no change");
}

TEST(Manifest, IsReadAsItIsWritten) {
  Manifest manifest;
  manifest.origin = "a/b";
  manifest.upto = 3;
  manifest.first_id = 7;
  manifest.files = {{"a", 3, "00"}};
  ArchivedTable table;
  table.table.name = "t\"";
  table.table.policy.tags = {"SOX"};
  table.shapes = {{.id = 0, .name = "t", .columns = {{.id = 1, .name = "k", .key = 1}}}};
  manifest.tables = {table};
  const std::string text = to_json(manifest);
  EXPECT_EQ(to_json(must(manifest_from_json(text))), text);
  for (std::size_t end = 0; end + 1 < text.size(); ++end)
    EXPECT_FALSE(manifest_from_json(text.substr(0, end)).has_value()) << end;
  EXPECT_EQ(error_of(manifest_from_json("{}")).message,
            "read a manifest: it does not end with the hash of what it says");
  const std::string newer = "{\"v\":2";
  std::string hash;
  for (const unsigned char byte : sha256(newer)) hash += fmt::format("{:02x}", byte);
  EXPECT_EQ(error_of(manifest_from_json(newer + ",\"sha256\":\"" + hash + "\"}\n")).message,
            "read a manifest: it has a version that this vestige does not know");
}

}  // namespace
}  // namespace vestige
