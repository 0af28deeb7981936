#include "vestige/base/zstd_file.h"

#include <gtest/gtest.h>

#include "test/tracked_shop.h"
#include "vestige/base/file.h"

namespace vestige {
namespace {

std::string read(const std::string& path) {
  auto lines = ZstdLines::open(path);
  if (!lines.has_value()) return lines.error().message;
  std::string out;
  while (true) {
    const auto line = lines->next();
    if (!line.has_value()) return "corrupt";
    if (!line->has_value()) return out;
    out += **line + "\n";
  }
}

TEST(ZstdFile, GivesTheLinesThatWereWritten) {
  TemporaryDirectory directory;
  std::string all;
  auto writer = must(ZstdWriter::make(directory.file("a.zst"), 1));
  for (int i = 0; i < 20000; ++i) {
    const std::string line = i % 7 == 0 ? "" : fmt::format("{{\"n\":{}}}", i * 7919);
    must(writer.line(line));
    all += line + "\n";
  }
  const std::string long_one(300000, 'x');
  must(writer.line(long_one));
  const FileDigest digest = must(writer.finish());
  EXPECT_EQ(read(directory.file("a.zst")), all + long_one + "\n");
  const FileDigest again = must(digest_of(directory.file("a.zst")));
  EXPECT_EQ(again.bytes, digest.bytes);
  EXPECT_EQ(again.sha256, digest.sha256);
  EXPECT_EQ(error_of(ZstdWriter::make(directory.file("a.zst"), 1)).fault, Fault::conflict);
}

TEST(ZstdFile, EachFlippedBitAndEachCutIsFound) {
  TemporaryDirectory directory;
  auto writer = must(ZstdWriter::make(directory.file("a.zst"), 1));
  for (const char* line : {"{\"id\":1}", "{\"id\":2}", "{\"id\":3}"}) must(writer.line(line));
  must(writer.finish());
  const std::string whole = must(file_bytes(directory.file("a.zst")));
  const std::string said = read(directory.file("a.zst"));
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    must(replace_file(directory.file("b.zst"), flipped));
    // Of the head some bits say nothing of the lines; then they are these.
    const std::string got = read(directory.file("b.zst"));
    EXPECT_TRUE(got == "corrupt" || got == said) << bit;
  }
  for (std::size_t end = 1; end < whole.size(); ++end) {
    must(replace_file(directory.file("b.zst"), whole.substr(0, end)));
    EXPECT_EQ(read(directory.file("b.zst")), "corrupt") << end;
  }
}

}  // namespace
}  // namespace vestige
