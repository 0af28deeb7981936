#include "vestige/audit/part_check.h"

#include <algorithm>
#include <filesystem>

#include "vestige/base/bytes.h"
#include "vestige/merkle/tile.h"
#include "vestige/source/archived_change.h"

namespace vestige {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNamed = 100;  // of each part

bool may_be_listed(const Manifest& manifest, const std::string& path) {
  return path == manifest.entries_file() || path == manifest.changes_file() ||
         path == kCheckpointFile || merkle::parse_tile_path(path).has_value();
}

}  // namespace

std::optional<EvidenceStart> PartCheck::run() {
  files();
  const std::string checkpoint(kCheckpointFile);
  const auto note = note_of(part_);
  if (!note.has_value()) {
    complain(checkpoint, note.error().message);
    return std::nullopt;
  }
  auto opened =
      trust_ == nullptr ? merkle::open_checkpoint(*note, {}) : open_trusted(*note, *trust_);
  if (!opened.has_value()) {
    complain(checkpoint, opened.error().message);
    return std::nullopt;
  }
  if (opened->checkpoint.size != part_.manifest.upto)
    complain(checkpoint, "it is of another size than the part");
  if (opened->checkpoint.origin != part_.manifest.origin)
    complain(std::string(kManifestFile), "it names another log than the checkpoint");
  return entries(std::move(*opened));
}

void PartCheck::judge(const ArchiveRecords& records, const ArchiveWalk& walk) {
  const RecordedPart own = recorded(part_);
  const auto among = [&](const auto& all, const auto& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  const bool named = among(records.manifests, own.manifest);
  const bool known = records.of_trail.has_value() && among(*records.of_trail, own);
  if (records.of_trail.has_value() && !known)
    complain(std::string(kManifestFile), "the trail has not recorded it");
  if (named || known || walk.records(own)) {
    verdict_.expired += gone_;
    return;
  }
  if (!walk.records_instead(own).empty())
    complain(std::string(kManifestFile), "the trail has recorded another one for this range");
  verdict_.unrecorded.push_back(part_.name);
  for (const TakenAway& one : taken_)
    if (one.parts.empty() && !walk.expired(one.index)) rest("that it is gone", one.index);
    else if (!one.parts.empty() && !walk.erased(one))
      rest("which erasure took what is not there", one.index);
  verdict_.expired += gone_;
  for (const auto& [what, found] : resting_)
    complain(
        part_.manifest.changes_file(),
        fmt::format("entry {}{}: {} does not follow from what was sealed", found.second,
                    found.first == 1 ? "" : fmt::format(" and {} more", found.first - 1), what));
}

void PartCheck::rest(const std::string& what, std::uint64_t index) {
  ++resting_.try_emplace(what, 0, index).first->second.first;
}

void PartCheck::complain(const std::string& file, const std::string& what) {
  if (++complaints_ <= kNamed) verdict_.complaints.push_back({part_.folder + "/" + file, what});
  else if (complaints_ == kNamed + 1)
    verdict_.complaints.push_back({part_.folder, "there is more that is wrong"});
}

void PartCheck::files() {
  listed_ = {std::string(kManifestFile)};
  for (const ArchivedFile& one : part_.manifest.files) {
    if (!may_be_listed(part_.manifest, one.path) || !listed_.insert(one.path).second) {
      complain(std::string(kManifestFile), "it names a file that no part has: " + one.path);
      continue;
    }
    const auto digest = digest_of(part_.folder + "/" + one.path);
    if (!digest.has_value()) complain(one.path, digest.error().message);
    else if (digest->bytes != one.bytes || to_hex(view(digest->sha256)) != one.sha256)
      complain(one.path, "its bytes are not those that the manifest names");
  }
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(part_.folder, error)) {
    const std::string path = fs::relative(entry.path(), part_.folder, error).string();
    if (entry.symlink_status().type() == fs::file_type::directory) continue;
    if (!listed_.contains(path)) complain(path, "the manifest does not name it");
  }
}

// Which tiles there must be follows from the range, once it is proved that there is one.
void PartCheck::tiles() {
  for (const merkle::Tile& one : merkle::tiles_grown(part_.manifest.from, part_.manifest.upto))
    if (listed_.erase(merkle::path(one)) == 0)
      complain(merkle::path(one), "the manifest does not name it, and a part has it");
  for (const std::string& path : listed_)
    if (path.starts_with("tile/")) complain(path, "a part of this range does not have it");
}

std::optional<ZstdLines> PartCheck::open(std::string_view name) {
  const std::string path = part_.folder + "/" + std::string(name);
  const auto digest = listed_digest(part_.manifest, name);
  if (!digest.has_value()) {
    complain(std::string(kManifestFile), digest.error().message);
    return std::nullopt;
  }
  auto lines = ZstdLines::open(path, *digest);
  if (lines.has_value()) return std::move(*lines);
  return std::nullopt;  // it was named above
}

// Each entry up to the checkpoint, and what is read against what is proved.
std::optional<EvidenceStart> PartCheck::entries(merkle::OpenedCheckpoint opened) {
  TrailCheck check(std::move(opened));
  merkle::Frontier tree;
  auto proved = open(part_.manifest.entries_file());
  auto said = open(part_.manifest.changes_file());
  if (!proved.has_value() || !said.has_value()) return std::nullopt;
  ManifestCheck manifest(part_.manifest);
  if (!each_entry(*proved, *said, check, tree, manifest)) return std::nullopt;
  const auto rest = said->next();
  if (!rest.has_value()) complain(part_.manifest.changes_file(), rest.error().message);
  else if (rest->has_value())
    complain(part_.manifest.changes_file(), "it has more changes than entries");
  const auto verdict = check.finish();
  for (const std::string& one : verdict.complaints) complain(part_.manifest.entries_file(), one);
  if (verdict.first != part_.manifest.from)
    complain(part_.manifest.entries_file(), "it begins with another entry than the part");
  else if (verdict.complaints.empty()) tiles();
  for (const std::string& one : manifest.finish()) complain(std::string(kManifestFile), one);
  verdict_.changes += verdict.entries;
  return EvidenceStart{tree.size(), tree.peaks()};
}

// False where there is no going on.
bool PartCheck::each_entry(ZstdLines& proved, ZstdLines& said, TrailCheck& check,
                           merkle::Frontier& tree, ManifestCheck& manifest) {
  while (true) {
    const auto line = proved.next();
    if (!line.has_value()) {
      complain(part_.manifest.entries_file(), line.error().message);
      return false;
    }
    if (!line->has_value()) return true;
    check.line(**line);
    if (is_evidence_start(**line)) {
      if (auto start = parse_evidence_start(**line); start.has_value()) {
        start_ = *start;
        if (auto at = merkle::Frontier::at(start->start, start->peaks); at.has_value())
          tree = std::move(*at);
      }
      continue;
    }
    if (tree.size() >= part_.manifest.upto) {
      complain(part_.manifest.entries_file(), "it has more entries than the part");
      return false;
    }
    const auto evidence = parse_evidence(**line);
    if (!evidence.has_value()) continue;  // the check has named it
    tree.append(merkle::leaf_hash(evidence->entry));
    if (each_) each_(*evidence);
    if (!same(*evidence, said, manifest)) return false;
  }
}

bool PartCheck::same(const Evidence& evidence, ZstdLines& said, ManifestCheck& manifest) {
  const auto line = said.next();
  if (!line.has_value()) {
    complain(part_.manifest.changes_file(), line.error().message);
    return false;
  }
  if (!line->has_value()) {
    complain(part_.manifest.changes_file(), "it has fewer changes than entries");
    return false;
  }
  const auto change = archived_change(**line, part_.manifest.tokens);
  if (!change.has_value()) {
    complain(part_.manifest.changes_file(),
             fmt::format("entry {}: {}", evidence.index, change.error().message));
    return false;
  }
  const auto entry = parse_entry(evidence.entry);
  if (!entry.has_value()) return true;  // the check has named it
  if (walk_ != nullptr) walk_->learn(*entry, evidence);
  ArchivedProof proof = proof_of(**line, *change, evidence);
  manifest.add(*entry, *change, proof);
  take(std::move(proof), evidence.index);
  return true;
}

void PartCheck::take(ArchivedProof proof, std::uint64_t index) {
  for (const std::string& one : proof.against)
    complain(part_.manifest.changes_file(), fmt::format("entry {}: {}", index, one));
  const std::set<std::string> resting(proof.resting.begin(), proof.resting.end());
  for (const std::string& one : resting) rest(one, index);
  for (TakenAway& one : proof.taken) {
    gone_ += one.parts.empty() ? 1 : 0;
    taken_.push_back(std::move(one));
  }
}

}  // namespace vestige
