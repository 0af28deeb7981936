// Runs of archive on both databases: one at a time, only what follows from the trail, and what it says where there is nothing to do.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "test/archive_forged.h"
#include "test/expire.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

class ArchiveRuns : public ForgedArchiveTest {
 protected:
  std::size_t recorded() { return must(recorded_parts(trail.db())).size(); }
};

INSTANTIATE_TEST_SUITE_P(Both, ArchiveRuns, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ArchiveRuns, AreOneAtATime) {
  trail.seal();
  fs::create_directory(directory());
  const int lock = ::open((directory() + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  EXPECT_EQ(refused(), "archive: another run is writing into " + directory());
  (void)::close(lock);
  EXPECT_TRUE(write().has_value());
}

// Whoever can write the directory does not make the trail vouch for what he put there.
TEST_P(ArchiveRuns, RecordNothingThatTheTrailDoesNotGive) {
  trail.seal();
  const auto part = write();
  const std::string honest = must(file_bytes(path(*part, kManifestFile)));
  forge(*part, "\"ann\"", "\"eve\"");
  EXPECT_EQ(refused(),
            "archive: " + part->folder +
                " is not what the trail gives, and another one was recorded for its range");
  trail.attack("delete from {}archived");
  EXPECT_EQ(recorded(), 0U);
  EXPECT_EQ(refused(), "archive: " + part->folder + " is not what the trail gives");
  EXPECT_EQ(recorded(), 0U);
  fs::remove_all(part->folder);
  write();
  EXPECT_EQ(must(file_bytes(path(*part, kManifestFile))), honest);
  EXPECT_EQ(recorded(), 1U);
}

TEST_P(ArchiveRuns, DoNotGoOnWithAnotherHistory) {
  trail.seal();
  const auto part = write();
  const std::string own = must(file_bytes(path(*part, kCheckpointFile)));
  // Of the same log and the same size, signed by the same key.
  std::string root(44, 'A');
  root.back() = '=';
  const std::size_t end = own.find('\n', own.find('\n') + 1) + 1;
  std::string other = own;
  other.replace(end, 44, root);
  must(replace_file(path(*part, kCheckpointFile), other));
  sign_anew(*part);
  EXPECT_EQ(refused(), "archive: " + part->folder + " is of another history than this trail");
  must(replace_file(path(*part, kCheckpointFile), own));
  const std::string beyond = directory() + "/" + part_name(part->manifest.upto, 999999);
  Manifest invented = part->manifest;
  invented.from = part->manifest.upto;
  invented.upto = 999999;
  sign_anew(*part);
  fs::create_directory(beyond);
  must(replace_file(beyond + "/manifest.json", to_json(invented)));
  EXPECT_EQ(refused(), "archive: " + beyond + " goes beyond this trail");
  EXPECT_EQ(recorded(), 1U);
}

TEST_P(ArchiveRuns, SayWhyThereIsNothing) {
  const std::int64_t second = must(show(trail.db(), 2)).at;
  const auto why = [&](std::optional<std::int64_t> before) {
    return must(why_nothing_to_archive(trail.db(), {directory(), before}));
  };
  trail.seal();
  EXPECT_FALSE(write(second).has_value());
  EXPECT_EQ(why(second), "nothing to archive: no checkpoint covers only changes before " +
                             format_time(second) +
                             "; the next one reaches to entry 4, and 3 of those are newer\n"
                             "hint: seal more often, or leave --before out");
  EXPECT_EQ(why(0), "nothing to archive: no change that is not there yet is old enough");
  write();
  EXPECT_EQ(why({}), "nothing to archive: what is sealed stands there already");
}

TEST(ArchiveRights, AreAskedForFirst) {
  Evident trail(Engine::postgres);
  trail.seal();
  const std::string directory = trail.file("archive");
  must(trail.db().script("create role archive_reads in role vestige_reader"));
  must(trail.db().script("set role archive_reads"));
  const Error error = error_of(write_archive(trail.db(), {directory, {}}, because()));
  must(trail.db().script("reset role; drop role archive_reads"));
  EXPECT_EQ(error.fault, Fault::denied) << error.message;
  EXPECT_TRUE(must(archive_parts(directory)).empty());
}

}  // namespace
}  // namespace vestige
