// What stands in an archive's directory need not be what `vestige archive` wrote: nothing that is no file, is elsewhere, or has no end is
// read, by verify or by readers.
#include <sys/stat.h>

#include "test/archive_forged.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

class ArchiveFiles : public ForgedArchiveTest {
 protected:
  void SetUp() override {
    ErasingTest::SetUp();
    trail.seal();
    part = *write();
    whole = must(file_bytes(path(part, kManifestFile)));
  }
  ArchivePart part;
  std::string whole;
};

INSTANTIATE_TEST_SUITE_P(One, ArchiveFiles, testing::Values(Engine::sqlite), engine_name);

TEST_P(ArchiveFiles, ThatAreNoneAreNotRead) {
  for (const std::string_view name : {kManifestFile, kChangesFile, kEntriesFile, kCheckpointFile}) {
    const std::string file = path(part, name);
    const std::string aside = directory() + "/aside";
    fs::rename(file, aside);
    for (int kind = 0; kind < 4; ++kind) {
      if (kind == 0) {
        ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
      }
      if (kind == 1) fs::create_symlink("/dev/zero", file);
      if (kind == 2) fs::create_symlink(aside, file);
      if (kind == 3) fs::create_directory(file);
      EXPECT_NE(complaints().find("read " + file + ": it is no file"), std::string::npos)
          << kind << complaints();
      if (name == kManifestFile) {
        EXPECT_EQ(error_of(archive_alone(directory())).message, "read " + file + ": it is no file");
      }
      if (name == kChangesFile) {
        auto alone = must(archive_alone(directory()));
        const auto changes = vestige::log(*alone, {});
        const auto first =
            changes.has_value() ? (*changes)->next() : tl::unexpected<Error>(error_of(changes));
        EXPECT_EQ(error_of(first).message, "read " + file + ": it is no file");
      }
      fs::remove(file);
    }
    fs::rename(aside, file);
  }
  EXPECT_EQ(complaints(), "");
}

TEST_P(ArchiveFiles, OutsideOfItsFolderAreNotRead) {
  for (const std::string& name : {std::string("../../../../../dev/zero"), std::string("/dev/zero"),
                                  std::string("tile/../checkpoint"), std::string("checkpoint")}) {
    Manifest forged = part.manifest;
    forged.files.push_back({name, 1, std::string(64, '0')});
    must(replace_file(path(part, kManifestFile), to_json(forged)));
    EXPECT_EQ(complaints(), "manifest.json: it names a file that no part has: " + name + "\n");
  }
  fs::rename(part.folder, directory() + "/aside");
  fs::create_directory_symlink(directory() + "/aside", part.folder);
  EXPECT_EQ(complaints(), "archive: read " + part.folder + ": it is no directory\n");
}

TEST_P(ArchiveFiles, ThatTheManifestDoesNotKnowAreNotUnpacked) {
  std::string other = must(file_bytes(path(part, kChangesFile)));
  other.back() = static_cast<char>(other.back() ^ 1);
  must(replace_file(path(part, kChangesFile), other));
  auto alone = must(archive_alone(directory()));
  const auto changes = vestige::log(*alone, {});
  const Error error = changes.has_value() ? error_of((*changes)->next()) : error_of(changes);
  EXPECT_EQ(error.message, "read " + path(part, kChangesFile) +
                               ": its bytes are not those that the manifest names");
  Manifest forged = part.manifest;
  std::erase_if(forged.files, [](const ArchivedFile& one) { return one.path == kChangesFile; });
  must(replace_file(path(part, kManifestFile), to_json(forged)));
  EXPECT_NE(complaints().find("read a manifest: it does not say what changes.ndjson.zst is"),
            std::string::npos);
}

TEST_P(ArchiveFiles, HaveNoMoreChangesThanEntries) {
  bool once = false;
  rewrite(part, kChangesFile, [&](const std::string& line) {
    return std::exchange(once, true) ? line : line + "\n" + line;
  });
  auto alone = must(archive_alone(directory()));
  std::string said;
  const auto changes = vestige::log(*alone, {});
  if (!changes.has_value()) said = changes.error().message;
  else said = error_of((*changes)->next()).message;
  EXPECT_EQ(said, "read " + path(part, kChangesFile) + ": it has more changes than entries");
  EXPECT_NE(complaints().find("it has more changes than entries"), std::string::npos);
}

// A few bytes can unpack to more than there is memory for.
TEST(ZstdLines, AreNoLongerThanIsSaid) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("f.zst");
  ZstdWriter writer = must(ZstdWriter::make(file, 1));
  must(writer.line(std::string(std::size_t{1} << 22, 'x')));
  must(writer.finish());
  ZstdLines lines = must(ZstdLines::open(file));
  lines.longest(std::size_t{1} << 20);
  EXPECT_EQ(error_of(lines.next()).message,
            "unpack " + file + ": it has a line of more than 1048576 bytes");
}

TEST(RegularFile, IsNoLongerThanWasAskedFor) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("f");
  must(replace_file(file, "12345"));
  EXPECT_EQ(must(regular_bytes(file, 5)), "12345");
  EXPECT_EQ(error_of(regular_bytes(file, 4)).message,
            "read " + file + ": it is longer than 4 bytes");
  EXPECT_EQ(error_of(open_regular(directory.file("none"))).fault, Fault::missing);
}

}  // namespace
}  // namespace vestige
