// Files of lines, packed by zstd, each frame with a checksum: written once, and read line by line. Test: test/zstd_file_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vestige/base/crypto.h"
#include "vestige/base/regular_file.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace vestige {

/// What a file turned out to be.
struct FileDigest {
  std::uint64_t bytes = 0;
  Hash sha256{};
  bool operator==(const FileDigest&) const = default;
};

class ZstdWriter {
 public:
  /// Makes a new file.
  ///
  /// faults   conflict (it is there), missing (no such directory), denied
  static Result<ZstdWriter> make(const std::string& path, int level);

  /// Appends a line; the line end is put behind it.
  Result<void> line(std::string_view line);
  /// Ends the file; once this returns, it is on the disk.
  Result<FileDigest> finish();

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  ZstdWriter() = default;
  Result<void> pack(std::string_view bytes, bool last);

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::string packed_;
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

class ZstdLines {
 public:
  /// faults   missing, denied, corrupt (it is no file)
  static Result<ZstdLines> open(const std::string& path);
  /// The same of a file whose bytes are known: nothing is unpacked of one that has others.
  ///
  /// faults   as open; corrupt: it has other bytes
  static Result<ZstdLines> open(const std::string& path, const FileDigest& known);

  /// No line is longer: a file of a few bytes can unpack to any number. A gigabyte, unless it is said otherwise.
  void longest(std::size_t bytes) { longest_ = bytes; }

  /// The next line, without its line end; nothing at the end.
  ///
  /// faults   corrupt: no zstd, cut off, a line that is too long, or other bytes than were packed; denied
  Result<std::optional<std::string>> next();

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  ZstdLines() = default;
  static ZstdLines over(const std::string& path, std::unique_ptr<std::FILE, CloseFile> file);
  Result<bool> fill();

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  std::string in_;
  std::size_t taken_ = 0;  // of in_
  std::string out_;
  std::size_t given_ = 0;  // of out_
  bool whole_ = true;      // no frame is open
  std::size_t longest_ = std::size_t{1} << 30;
};

/// faults   missing, denied, corrupt (it is no file)
Result<FileDigest> digest_of(const std::string& path);

}  // namespace vestige
