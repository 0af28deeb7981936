#include "vestige/audit/read_back.h"

#include <algorithm>
#include <array>

#include "vestige/audit/part_check.h"
#include "vestige/record/taken.h"
#include "vestige/source/archive.h"

namespace vestige {

Result<ReadBack> ReadBack::open(Database& db, const std::string& directory, const Trust* trust) {
  ReadBack out(db, trust);
  if (directory.empty() || TRY(not_there_yet(db, directory))) return out;
  out.parts_ = TRY(archive_parts(directory));
  out.recorded_ = TRY(recorded_parts(db));
  return out;
}

Result<std::optional<std::string>> ReadBack::keeps(std::uint64_t index) {
  const auto part = std::find_if(parts_.begin(), parts_.end(), [&](const ArchivePart& one) {
    return one.manifest.from <= index && index < one.manifest.upto;
  });
  if (part == parts_.end()) return std::optional<std::string>();
  auto checked = checked_.find(part->name);
  if (checked == checked_.end()) checked = checked_.emplace(part->name, TRY(check(*part))).first;
  if (!checked->second.good || checked->second.lacking.contains(index))
    return std::optional<std::string>();
  return std::optional(part->sha256);
}

Result<std::size_t> ReadBack::all() {
  for (const ArchivePart& part : parts_) {
    if (&part != parts_.data() && part.manifest.from != (&part - 1)->manifest.upto)
      complaints_.push_back(
          {part.folder, fmt::format("entries {} to {} are missing before it",
                                    (&part - 1)->manifest.upto, part.manifest.from)});
    TRY(keeps(part.manifest.from));
  }
  return parts_.size();
}

// Against itself, and each entry against the trail's own: so it needs no key to be relied on.
Result<ReadBack::Checked> ReadBack::check(const ArchivePart& part) {
  Checked out;
  ArchiveVerdict verdict;
  std::optional<Error> error;
  PartCheck check(part, trust_, verdict, [&](const Evidence& evidence) {
    if (error.has_value()) return;
    if (auto looked = look(evidence, out); !looked.has_value()) error = looked.error();
  });
  check.run();
  if (std::find(recorded_.begin(), recorded_.end(), recorded(part)) == recorded_.end())
    check.complain(std::string(kManifestFile), "the trail has no record of it");
  if (error.has_value() && error->fault != Fault::corrupt) return tl::unexpected<Error>(*error);
  if (error.has_value()) check.complain(part.manifest.entries_file(), error->message);
  out.good = verdict.complaints.empty();
  complaints_.insert(complaints_.end(), verdict.complaints.begin(), verdict.complaints.end());
  return out;
}

Result<void> ReadBack::look(const Evidence& evidence, Checked& checked) {
  TRY(same(evidence));
  if (TRY(lacks(evidence))) checked.lacking.insert(evidence.index);
  return {};
}

Result<void> ReadBack::same(const Evidence& evidence) {
  const std::uint64_t n = evidence.index / merkle::kTileWidth;
  const std::size_t place = evidence.index % merkle::kTileWidth;
  if (!bundle_.has_value() || bundle_->n != n) {
    bundle_ = TRY(store_.bundle(n));
    lines_.clear();
    if (bundle_.has_value())
      for (const std::string_view line : TRY(merkle::entries_of(bundle_->entries, bundle_->width)))
        lines_.emplace_back(line);
  }
  if (place >= lines_.size() || lines_[place] != evidence.entry)
    return fail(Fault::corrupt, "entry {} is not the trail's", evidence.index);
  return {};
}

// Whether a part that was sealed is not there, and no ERASE says that it took it.
Result<bool> ReadBack::lacks(const Evidence& evidence) {
  const Entry entry = TRY(parse_entry(evidence.entry));
  const std::array<std::pair<std::string_view, bool>, 3> parts = {
      std::pair("key", entry.key.has_value() && !evidence.key.has_value()),
      std::pair("context", entry.context.has_value() && !evidence.context.has_value()),
      std::pair("values", entry.values.has_value() && !evidence.values.has_value())};
  const auto missing = [](const auto& one) { return one.second; };
  if (std::none_of(parts.begin(), parts.end(), missing)) return false;
  std::vector<std::string> erased;
  auto rows = TRY(store_.db().query(
      "select parts from " + store_.table("erased") + " where erased = ?1", {entry.id}));
  while (TRY(rows->next()) == Step::row) erased.push_back(rows->text(0));
  return std::any_of(parts.begin(), parts.end(), [&](const auto& one) {
    return one.second && std::none_of(erased.begin(), erased.end(), [&](const std::string& taken) {
             return takes(taken, one.first);
           });
  });
}

}  // namespace vestige
