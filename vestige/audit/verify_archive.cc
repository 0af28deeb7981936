// An archive against itself: its parts, and each to the next.
#include <algorithm>

#include "vestige/audit/archive.h"
#include "vestige/audit/part_check.h"

namespace vestige {
namespace {

// What was written, and does not stand there.
void missing(const std::string& directory, const std::vector<ArchivePart>& parts,
             const ArchiveRecords& records, ArchiveVerdict& verdict) {
  for (const std::string& one : records.manifests)
    if (std::none_of(parts.begin(), parts.end(),
                     [&](const ArchivePart& part) { return part.sha256 == one; }))
      verdict.complaints.push_back({directory, "no part has the manifest " + one});
  std::uint64_t recorded = 0;
  if (records.of_trail.has_value())
    for (const RecordedPart& one : *records.of_trail) recorded = std::max(recorded, one.upto);
  if (!parts.empty() && recorded > parts.back().manifest.upto)
    verdict.complaints.push_back(
        {directory, fmt::format("the trail has recorded parts up to entry {}", recorded)});
}

}  // namespace

Result<ArchiveVerdict> verify_archive(const std::string& directory, const Trust& trust,
                                      const ArchiveRecords& records) {
  ArchiveVerdict verdict;
  const auto parts = archive_parts(directory);
  if (!parts.has_value()) {
    if (parts.error().fault != Fault::corrupt) return tl::unexpected<Error>(parts.error());
    verdict.complaints.push_back({directory, parts.error().message});
    return verdict;
  }
  if (parts->empty()) verdict.complaints.push_back({directory, "there is nothing in it"});
  missing(directory, *parts, records, verdict);
  verdict.parts = parts->size();
  std::optional<EvidenceStart> before;
  ArchiveWalk walk;
  std::vector<PartCheck> checks;
  for (const ArchivePart& part : *parts) {
    const bool first = &part == parts->data();
    if (first) verdict.from = part.manifest.from;
    else if (part.manifest.from != (&part - 1)->manifest.upto)
      verdict.complaints.push_back(
          {part.folder, fmt::format("entries {} to {} are missing before it",
                                    (&part - 1)->manifest.upto, part.manifest.from)});
    PartCheck& check = checks.emplace_back(part, &trust, verdict, nullptr, &walk);
    auto after = check.run();
    const auto start = check.start();
    if (!first && before.has_value() && start.has_value() && start->start == before->start &&
        start->peaks != before->peaks)
      verdict.complaints.push_back({part.folder, "it does not go on where the part before ends"});
    before = std::move(after);
  }
  for (PartCheck& check : checks) check.judge(records, walk);
  return verdict;
}

}  // namespace vestige
