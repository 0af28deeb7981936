#include "vestige/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/temporary_directory.h"

namespace vestige {
namespace {

unsigned mode(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777;
}

TEST(File, APrivateFileIsMadeOnce) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("key");
  ASSERT_TRUE(make_private_file(path, "secret").has_value());
  EXPECT_EQ(mode(path), 0600U);
  EXPECT_EQ(file_bytes(path).value(), "secret");
  const auto again = make_private_file(path, "other");
  EXPECT_EQ(again.error().fault, Fault::conflict);
  EXPECT_EQ(again.error().message, "make " + path + ": File exists");
  EXPECT_EQ(file_bytes(path).value(), "secret");
  EXPECT_EQ(make_private_file(directory.file("no/key"), "").error().fault, Fault::missing);
}

TEST(File, IsReplacedWhole) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state");
  const std::string large(300000, 'x');
  for (const std::string& bytes : {std::string("one"), large, std::string()}) {
    ASSERT_TRUE(replace_file(path, bytes).has_value());
    EXPECT_EQ(file_bytes(path).value(), bytes);
  }
  EXPECT_EQ(replace_file(directory.file("no/state"), "").error().fault, Fault::missing);
  ASSERT_EQ(::mkdir(directory.file("taken").c_str(), 0755), 0);
  const auto taken = replace_file(directory.file("taken"), "x");
  EXPECT_EQ(taken.error().message, "replace " + directory.file("taken") + ": Is a directory");
}

TEST(File, NothingIsWrittenThroughALinkThatWasPutInItsPlace) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("key.state");
  const std::string mine = directory.file("mine");
  ASSERT_TRUE(replace_file(mine, "precious").has_value());
  for (const std::string& link : {path + ".new", path}) {
    ASSERT_EQ(::symlink(mine.c_str(), link.c_str()), 0);
    ASSERT_TRUE(replace_file(path, "state").has_value());
    EXPECT_EQ(file_bytes(mine).value(), "precious");
    EXPECT_EQ(file_bytes(path).value(), "state");
    ASSERT_EQ(::unlink(path.c_str()), 0);
  }
  ASSERT_EQ(::mkdir((path + ".new").c_str(), 0755), 0);
  EXPECT_EQ(replace_file(path, "x").error().message, "write " + path + ".new: Is a directory");
}

TEST(File, ASecretThatOthersMayReadIsRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("key");
  ASSERT_TRUE(make_private_file(path, "secret").has_value());
  EXPECT_EQ(secret_bytes(directory.file("no")).error().fault, Fault::missing);
  for (unsigned bits = 0; bits < 0100; ++bits) {
    ASSERT_EQ(::chmod(path.c_str(), 0600 | bits), 0);
    const auto bytes = secret_bytes(path);
    ASSERT_EQ(bytes.has_value(), bits == 0) << bits;
    if (bits == 0) continue;
    EXPECT_EQ(bytes.error().fault, Fault::denied);
    EXPECT_EQ(bytes.error().message,
              fmt::format("read {}: others may read it, too (mode {:04o})", path, 0600 | bits));
  }
  // One that another gave to a group of ours is not ours to mend.
  if (::geteuid() == 0 && ::chown(path.c_str(), 12345, 0) == 0) {
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(secret_bytes(path).value(), "secret");
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    EXPECT_FALSE(secret_bytes(path).has_value());
  }
}

TEST(File, ASecretEnds) {
  EXPECT_EQ(secret_bytes("/dev/zero").error().message,
            "read /dev/zero: a secret is not longer than 65536 bytes");
}

TEST(File, ThatIsNotThereIsMissing) {
  const auto bytes = file_bytes("/no/such/file");
  EXPECT_EQ(bytes.error().fault, Fault::missing);
  EXPECT_EQ(bytes.error().message, "read /no/such/file: No such file or directory");
  EXPECT_EQ(file_bytes("/").error().fault, Fault::denied);
}

}  // namespace
}  // namespace vestige
