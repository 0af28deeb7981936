// An archive whose files somebody writes anew, with a manifest that says their hashes: what the tests of forgeries begin with.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "test/erase.h"
#include "vestige/audit/archive.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/source/archive.h"

namespace vestige {

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  std::size_t at = 0;
  while ((at = text.find(from, at)) != std::string::npos) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

class ForgedArchiveTest : public ErasingTest {
 protected:
  std::string directory() const { return trail.file("archive"); }
  std::optional<ArchivePart> write(std::optional<std::int64_t> before = {}) {
    return must(write_archive(trail.db(), {directory(), before}, because("monthly")));
  }
  std::string refused() {
    return error_of(write_archive(trail.db(), {directory(), {}}, because())).message;
  }
  ArchiveVerdict verdict(const ArchiveRecords& records = {}) const {
    Trust trust;
    trust.keys = {Evident::signer().key()};
    return must(verify_archive(directory(), trust, records));
  }
  std::string complaints(const ArchiveRecords& records = {}) const {
    std::string out;
    for (const ArchiveComplaint& one : verdict(records).complaints)
      out += std::filesystem::path(one.file).filename().string() + ": " + one.what + "\n";
    return out;
  }
  static std::string path(const ArchivePart& part, std::string_view name) {
    return part.folder + "/" + std::string(name);
  }

  // The manifest as it would be with the files as they are.
  static void sign_anew(const ArchivePart& part, Manifest forged) {
    for (ArchivedFile& file : forged.files) {
      const FileDigest digest = must(digest_of(part.folder + "/" + file.path));
      file.bytes = digest.bytes;
      file.sha256 = to_hex(view(digest.sha256));
    }
    must(replace_file(path(part, kManifestFile), to_json(forged)));
  }
  static void sign_anew(const ArchivePart& part) { sign_anew(part, part.manifest); }

  static void rewrite(const ArchivePart& part, std::string_view name,
                      const std::function<std::string(const std::string&)>& made) {
    std::vector<std::string> lines;
    ZstdLines all = must(ZstdLines::open(path(part, name)));
    while (auto line = must(all.next())) lines.push_back(*line);
    std::filesystem::remove(path(part, name));
    ZstdWriter writer = must(ZstdWriter::make(path(part, name), 1));
    for (const std::string& line : lines) must(writer.line(made(line)));
    must(writer.finish());
    sign_anew(part);
  }
  static void forge(const ArchivePart& part, const std::string& from, const std::string& to) {
    bool any = false;
    rewrite(part, kChangesFile, [&](const std::string& line) {
      const std::string made = replaced(line, from, to);
      any = any || made != line;
      return made;
    });
    EXPECT_TRUE(any) << from;
  }

  std::string everything() const {
    std::string out;
    auto alone = must(archive_alone(directory()));
    auto changes = must(vestige::log(*alone, {}));
    while (const auto change = must(changes->next())) out += to_json(*change) + "\n";
    return out;
  }
};

}  // namespace vestige
