#include "vestige/audit/erase_archive.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "vestige/audit/archive.h"
#include "vestige/audit/archive_lock.h"
#include "vestige/audit/part_check.h"
#include "vestige/audit/read_back.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/record/taken.h"
#include "vestige/source/archive.h"
#include "vestige/source/archive_reading.h"
#include "vestige/source/archived_change.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

/// What ERASEs took from a change: by the part's name, which of them.
using TakenOf = std::map<std::string, std::int64_t, std::less<>>;

// What is taken of the changes of a part, by id.
Result<std::map<std::int64_t, TakenOf>> taken_of(Database& db, const Manifest& manifest) {
  std::map<std::int64_t, TakenOf> out;
  const Spelling trail = spelling_of(db);
  auto rows = TRY(db.query(
      fmt::format("select e.erased, e.change, e.parts from {} as e where e.erased >= ?1 and"
                  " e.erased <= ?2 and exists (select 1 from {} as c where c.id = e.change and"
                  " c.op = 'E') order by e.change",
                  trail.table("erased"), trail.table("change")),
      {manifest.first_id, manifest.last_id}));
  while (TRY(rows->next()) == Step::row) {
    const std::string parts = rows->text(2);
    for (const TakenPart& one : taken_parts(parts))
      out[rows->integer(0)].try_emplace(std::string(one.name), rows->integer(1));
  }
  return out;
}

// What a hold keeps is not taken: it was placed since, or somebody named it in an ERASE past the holds.
Result<std::uint64_t> without_held(const Holds& holds, const ArchivePart& part,
                                   std::map<std::int64_t, TakenOf>& taken) {
  if (holds.none() || taken.empty()) return std::uint64_t{0};
  Selection selection;
  for (const auto& [id, what] : taken) selection.ids.push_back(id);
  std::uint64_t held = 0;
  auto changes = TRY(archived_changes({part}, selection, true));
  while (const auto change = TRY(changes->next())) {
    const TakenOf& what = taken.at(change->id);
    const bool gone = std::all_of(what.begin(), what.end(), [&](const auto& one) {
      return change->erased_by(one.first).has_value();
    });
    if (gone || holds.held(*change) == nullptr) continue;
    taken.erase(change->id);
    ++held;
  }
  return held;
}

// A part of an archive, written anew.
class Rewriting {
 public:
  Rewriting(Database& db, ReadBack& trail, const ArchivePart& part,
            const std::map<std::int64_t, TakenOf>& taken, const Context& context)
      : db_(db), trail_(trail), part_(part), taken_(taken), context_(context) {}

  /// How many changes lost something; 0: there was nothing to take.
  Result<std::uint64_t> run() {
    TRY(clean());
    if (!TRY(look())) return std::uint64_t{0};
    Manifest manifest = part_.manifest;
    TRY(entries(manifest));
    TRY(changes(manifest));
    const std::string text = to_json(manifest);
    // Before it is replaced: whoever is killed leaves a part that is recorded.
    TRY(record_part(db_, {manifest.from, manifest.upto, to_hex(view(sha256(text)))}, context_));
    TRY(replace_file(path(kManifestFile), text));
    // What the manifest does not name any more goes: who is killed before it is through runs it again.
    for (const std::string& old : {part_.manifest.entries_file(), part_.manifest.changes_file()})
      TRY(remove(old));
    return count_;
  }

  std::uint64_t left() const { return left_; }

 private:
  std::string path(std::string_view name) const { return part_.folder + "/" + std::string(name); }

  Result<void> remove(const std::string& name) {
    std::error_code error;
    fs::remove(path(name), error);
    if (error) return fail(Fault::denied, "remove {}: {}", path(name), error.message());
    return {};
  }

  // What a run left that was cut off: files of lines that the manifest does not name.
  Result<void> clean() {
    std::error_code error;
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(part_.folder, error)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".ndjson.zst") && name != part_.manifest.entries_file() &&
          name != part_.manifest.changes_file())
        left.push_back(name);
    }
    for (const std::string& name : left) TRY(remove(name));
    left_ = left.size();
    return {};
  }

  const TakenOf* of(std::int64_t id) const {
    const auto found = taken_.find(id);
    return found == taken_.end() ? nullptr : &found->second;
  }

  // Takes what went out of the evidence; whether anything was there.
  bool take(Evidence& evidence) const {
    const auto entry = parse_entry(evidence.entry);
    const TakenOf* const taken = entry.has_value() ? of(entry->id) : nullptr;
    if (taken == nullptr) return false;
    bool any = false;
    for (const auto& [name, part] :
         {std::pair("key", &evidence.key), std::pair("context", &evidence.context),
          std::pair("values", &evidence.values)})
      if (taken->contains(name) && part->has_value()) {
        part->reset();
        any = true;
      }
    return any;
  }

  // Whether anything has to go, and that the part is what its manifest says.
  Result<bool> look() {
    if (taken_.empty()) return false;
    bool any = false;
    Result<void> own;  // another trail's archive has changes of the same ids
    ArchiveVerdict verdict;
    PartCheck check(part_, nullptr, verdict, [&](const Evidence& one) {
      if (own.has_value()) own = trail_.same(one);
      Evidence evidence = one;
      if (!any && take(evidence)) any = true;
    });
    check.run();
    if (!own.has_value() && own.error().fault != Fault::corrupt)
      return tl::unexpected<Error>(own.error());
    if (!own.has_value()) check.complain(part_.manifest.entries_file(), own.error().message);
    if (!verdict.complaints.empty())
      return hinted(fail(Fault::corrupt, "erase in {}: {}", verdict.complaints.front().file,
                         verdict.complaints.front().what),
                    "vestige archive verify DIR --vkey KEY names everything that is wrong with it");
    return any;
  }

  // "entries.ndjson.zst", "entries.1.ndjson.zst", …: the one that is not there.
  std::string next(std::string_view stem) const {
    for (int number = 1;; ++number)
      if (std::string name = fmt::format("{}.{}.ndjson.zst", stem, number);
          name != part_.manifest.entries_file() && name != part_.manifest.changes_file())
        return name;
  }

  static void put(Manifest& manifest, const std::string& old, const std::string& name,
                  const FileDigest& digest) {
    for (ArchivedFile& one : manifest.files)
      if (one.path == old) one = {name, digest.bytes, to_hex(view(digest.sha256))};
    std::sort(manifest.files.begin(), manifest.files.end(),
              [](const auto& left, const auto& right) { return left.path < right.path; });
  }

  Result<void> entries(Manifest& manifest) {
    const std::string old = part_.manifest.entries_file();
    const std::string name = next("entries");
    ZstdLines lines = TRY(ZstdLines::open(path(old), TRY(listed_digest(part_.manifest, old))));
    ZstdWriter out = TRY(ZstdWriter::make(path(name), kEntriesLevel));
    while (const auto line = TRY(lines.next())) {
      if (is_evidence_start(*line)) {
        TRY(out.line(*line));
        continue;
      }
      Evidence evidence = TRY(parse_evidence(*line));
      const bool less = take(evidence);
      count_ += less ? 1 : 0;
      TRY(out.line(less ? to_line(evidence) : *line));
    }
    put(manifest, old, name, TRY(out.finish()));
    return {};
  }

  // Of a change that lost something what is said of it then: as log says it of one that was erased in the database.
  Result<void> changes(Manifest& manifest) {
    const std::string old = part_.manifest.changes_file();
    const std::string name = next("changes");
    ZstdLines lines = TRY(ZstdLines::open(path(old), TRY(listed_digest(part_.manifest, old))));
    ZstdWriter out = TRY(ZstdWriter::make(path(name), kChangesLevel));
    manifest.tokens = false;  // it says what is there
    while (const auto line = TRY(lines.next())) {
      ArchivedChange one = TRY(archived_change(*line, part_.manifest.tokens));
      const TakenOf* const taken = of(one.change.id);
      Change& change = one.change;
      if (taken == nullptr || !one.shown) {
        manifest.tokens |= one.shown && has_tokens(change);
        TRY(out.line(*line));
        continue;
      }
      change.erased.clear();
      for (const std::string_view part : {"values", "key", "context"})
        if (const auto by = taken->find(part); by != taken->end())
          lose(change, {std::string(part), by->second});
      manifest.tokens |= has_tokens(change);
      TRY(out.line(archived_json(change, one.table_id, *change.index)));
    }
    put(manifest, old, name, TRY(out.finish()));
    return {};
  }

  Database& db_;
  ReadBack& trail_;
  const ArchivePart& part_;
  const std::map<std::int64_t, TakenOf>& taken_;
  const Context& context_;
  std::uint64_t count_ = 0;
  std::uint64_t left_ = 0;
};

// A part that is under way may have anything, and is made anew.
Result<std::uint64_t> clean(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.is_directory() && is_under_way(entry.path().filename().string()))
      left.push_back(entry.path());
  for (const fs::path& one : left) {
    fs::remove_all(one, error);
    if (error) return fail(Fault::denied, "remove {}: {}", one.string(), error.message());
  }
  return left.size();
}

}  // namespace

Result<void> require_recorded(Database& db, const std::vector<ArchivePart>& parts) {
  const auto known = TRY(recorded_parts(db));
  for (const ArchivePart& part : parts)
    if (std::find(known.begin(), known.end(), recorded(part)) == known.end())
      return hinted(
          fail(Fault::corrupt, "erase in {}: {} has no record of it", part.folder, db.where()),
          "it is another trail's, or was altered, or a run of vestige archive was cut "
          "off: the next one records what follows from the trail");
  return {};
}

Result<ArchiveErasing> erase_in_archive(Database& db, const std::string& directory,
                                        const Context& context) {
  ArchiveErasing out;
  if (TRY(not_there_yet(db, directory))) return out;
  const ArchiveLock lock = TRY(ArchiveLock::take(directory));
  const auto parts = TRY(archive_parts(directory));
  TRY(require_recorded(db, parts));
  out.left = TRY(clean(directory));
  ReadBack trail = TRY(ReadBack::open(db, ""));
  const Holds holds = TRY(Holds::in_force(db));
  for (const ArchivePart& part : parts) {
    auto taken = TRY(taken_of(db, part.manifest));
    out.held += TRY(without_held(holds, part, taken));
    Rewriting rewriting(db, trail, part, taken, context);
    const std::uint64_t changes = TRY(rewriting.run());
    out.left += rewriting.left();
    out.changes += changes;
    out.parts += changes > 0 ? 1 : 0;
  }
  return out;
}

}  // namespace vestige
