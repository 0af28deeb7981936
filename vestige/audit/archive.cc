#include "vestige/audit/archive.h"

#include <algorithm>
#include <filesystem>

#include "vestige/audit/archive_lock.h"
#include "vestige/audit/archive_part.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/base/time.h"
#include "vestige/merkle/checkpoint.h"
#include "vestige/merkle/tile.h"
#include "vestige/trail/context.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/install.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

std::string hash_of(const Manifest& manifest) { return to_hex(view(sha256(to_json(manifest)))); }

// Where the changes begin that are not of before a moment, from an entry on.
Result<std::uint64_t> end_before(EvidenceStore& store, std::uint64_t from, std::uint64_t end,
                                 std::int64_t before) {
  std::uint64_t index = from / merkle::kTileWidth * merkle::kTileWidth;
  while (index < end) {
    const auto bundle = TRY(store.bundle(index / merkle::kTileWidth));
    if (!bundle.has_value())
      return fail(Fault::corrupt, "archive: entry {} is missing from the evidence", index);
    for (const std::string_view line : TRY(merkle::entries_of(bundle->entries, bundle->width))) {
      if (index >= end || (index >= from && TRY(parse_entry(line)).at >= before)) return index;
      ++index;
    }
  }
  return end;
}

// The checkpoint that a part ends with: the last one that covers no change of `before` or later.
Result<std::optional<StoredCheckpoint>> last_of(EvidenceStore& store, std::uint64_t from,
                                                std::optional<std::int64_t> before) {
  const auto all = TRY(store.checkpoints());
  if (all.empty())
    return hinted(fail(Fault::missing, "archive: nothing is sealed yet"),
                  "vestige seal --key FILE");
  std::uint64_t end = all.back().size;
  if (before.has_value()) end = TRY(end_before(store, from, end, *before));
  std::optional<StoredCheckpoint> out;
  for (const StoredCheckpoint& one : all)
    if (one.size > from && one.size <= end) out = one;
  return out;
}

Result<void> insert(Database& db, const RecordedPart& part) {
  TRY(db.run("insert into " + spelling_of(db).table("archived") +
                 " (from_index, upto_index, manifest) values (?1, ?2, ?3)",
             {static_cast<std::int64_t>(part.from), static_cast<std::int64_t>(part.upto),
              Text{part.manifest}}));
  return {};
}

// Whether it could be recorded, before anything is written: it is, and taken back.
Result<void> may_record(Database& db, const RecordedPart& part, const Context& context) {
  const auto scope = TRY(ContextScope::begin(db, context));
  TRY(own_table(db, "archived"));
  return insert(db, part);
}

Result<void> sync_folder(const std::string& folder) {
  // The name of a file that lasts makes its folder last: what stands there is renamed onto itself.
  return replace_file(folder + "/.written", "");
}

tl::unexpected<Error> not_gone_on_with(const std::string& why) {
  return hinted(fail(Fault::corrupt, "archive: {}", why),
                "nothing is written or recorded; `vestige archive verify` says what is wrong");
}

class Writing {
 public:
  Writing(Database& db, const ArchiveRequest& request, const Context& context, const Told& told)
      : db_(db), request_(request), context_(context), told_(told), store_(db) {}

  Result<std::optional<ArchivePart>> run() {
    std::error_code error;
    fs::create_directories(request_.directory, error);
    if (error) return fail(Fault::denied, "make {}: {}", request_.directory, error.message());
    const ArchiveLock lock = TRY(ArchiveLock::take(request_.directory));
    const auto before = TRY(archive_parts(request_.directory));
    const std::uint64_t from = TRY(next_of(before));
    TRY(same_tree(before));
    TRY(record_left(before));
    const auto last = TRY(last_of(store_, from, request_.before));
    if (!last.has_value()) return std::optional<ArchivePart>();
    TRY(may_record(db_, {from, last->size, ""}, context_));
    ArchivePart part;
    part.name = part_name(from, last->size);
    part.folder = (fs::path(request_.directory) / part.name).string();
    part.manifest = TRY(make(part.name, from, last->size, last->note));
    part.sha256 = hash_of(part.manifest);
    fs::rename(under_way(part.name), part.folder, error);
    if (error) return fail(Fault::denied, "rename {}: {}", under_way(part.name), error.message());
    TRY(sync_folder(request_.directory));
    TRY(record_part(db_, recorded(part), context_));
    return std::optional(std::move(part));
  }

 private:
  static Result<std::uint64_t> next_of(const std::vector<ArchivePart>& parts) {
    std::uint64_t next = parts.empty() ? 0 : parts.front().manifest.from;
    for (const ArchivePart& one : parts) {
      if (one.manifest.from != next)
        return fail(Fault::corrupt, "archive: between entries {} and {} a part is missing", next,
                    one.manifest.from);
      next = one.manifest.upto;
    }
    return next;
  }

  std::string under_way(const std::string& name) const { return request_.directory + "/." + name; }

  Result<Manifest> make(const std::string& name, std::uint64_t from, std::uint64_t upto,
                        const std::string& note) {
    std::error_code error;
    fs::remove_all(under_way(name), error);
    fs::create_directory(under_way(name), error);
    if (error) return fail(Fault::denied, "make {}: {}", under_way(name), error.message());
    return write_part(db_, under_way(name), from, upto, note, told_);
  }

  // A part of another log, or of a trail that was put back to an earlier day and went on otherwise, is not gone on with.
  Result<void> same_tree(const std::vector<ArchivePart>& parts) {
    if (parts.empty()) return {};
    const auto last = TRY(store_.last_checkpoint());
    if (!last.has_value())
      return not_gone_on_with(request_.directory + " has parts, and nothing is sealed here");
    const std::string origin = last->note.substr(0, last->note.find('\n'));
    for (const ArchivePart& one : parts) {
      if (one.manifest.origin != origin)
        return not_gone_on_with(
            fmt::format("{} is of the log {}", request_.directory, one.manifest.origin));
      const std::uint64_t upto = one.manifest.upto;
      if (upto > TRY(store_.size()))
        return not_gone_on_with(fmt::format("{} goes beyond this trail", one.folder));
      const auto opened = merkle::open_appended(TRY(note_of(one)), {});
      const auto root = merkle::root_of(upto, merkle::nodes_of(store_.tiles(), upto));
      if (!opened.has_value() || opened->checkpoint.size != upto ||
          opened->checkpoint.root != TRY(root))
        return not_gone_on_with(
            fmt::format("{} is of another history than this trail", one.folder));
    }
    return {};
  }

  // A run that ended behind the rename has not recorded its part. What is recorded is what the trail gives: somebody else may have
  // put the folder there.
  Result<void> record_left(const std::vector<ArchivePart>& parts) {
    if (parts.empty()) return {};
    const auto known = TRY(recorded_parts(db_));
    for (const ArchivePart& one : parts) {
      const RecordedPart own = recorded(one);
      if (std::find(known.begin(), known.end(), own) != known.end()) continue;
      const bool other = std::any_of(known.begin(), known.end(), [&](const RecordedPart& part) {
        return part.from == own.from && part.upto == own.upto;
      });
      TRY(may_record(db_, own, context_));
      const Manifest made = TRY(make(one.name, own.from, own.upto, TRY(note_of(one))));
      std::error_code error;
      fs::remove_all(under_way(one.name), error);
      if (hash_of(made) != own.manifest)
        return not_gone_on_with(
            fmt::format("{} is not what the trail gives{}", one.folder,
                        other ? ", and another one was recorded for its range" : ""));
      TRY(record_part(db_, own, context_));
    }
    return {};
  }

  Database& db_;
  const ArchiveRequest& request_;
  const Context& context_;
  const Told& told_;
  EvidenceStore store_;
};

}  // namespace

Result<void> record_part(Database& db, const RecordedPart& part, const Context& context) {
  const auto known = TRY(recorded_parts(db));
  if (std::find(known.begin(), known.end(), part) != known.end()) return {};
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(own_table(db, "archived"));
  TRY(insert(db, part));
  return scope.commit();
}

Result<std::optional<ArchivePart>> write_archive(
    Database& db, const ArchiveRequest& request, const Context& context,
    const std::function<void(std::uint64_t, std::uint64_t)>& told) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  return Writing(db, request, context, told).run();
}

Result<std::string> why_nothing_to_archive(Database& db, const ArchiveRequest& request) {
  const auto parts = TRY(archive_parts(request.directory));
  const std::uint64_t from = parts.empty() ? 0 : parts.back().manifest.upto;
  EvidenceStore store(db);
  const auto all = TRY(store.checkpoints());
  const auto next = std::find_if(all.begin(), all.end(),
                                 [&](const StoredCheckpoint& one) { return one.size > from; });
  if (next == all.end() || !request.before.has_value())
    return "nothing to archive: what is sealed stands there already";
  const std::uint64_t end = TRY(end_before(store, from, next->size, *request.before));
  if (end == from) return "nothing to archive: no change that is not there yet is old enough";
  return fmt::format(
      "nothing to archive: no checkpoint covers only changes before {}; the next one reaches to "
      "entry"
      " {}, and {} of those are newer\nhint: seal more often, or leave --before out",
      format_time(*request.before), next->size, next->size - end);
}

}  // namespace vestige
