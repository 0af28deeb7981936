#include "vestige/audit/archive_part.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "vestige/audit/prove.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/merkle/checkpoint.h"
#include "vestige/source/archived_change.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/evidence_store.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtOnce = 512;

// Writes one part into a folder that is under way.
class PartWriter {
 public:
  PartWriter(Database& db, std::string folder) : db_(db), store_(db), folder_(std::move(folder)) {}

  Result<Manifest> write(std::uint64_t from, std::uint64_t upto, const std::string& note,
                         const Told& told) {
    const std::string signed_note = merkle::to_text(TRY(merkle::open_appended(note, {})).note);
    manifest_.origin = signed_note.substr(0, signed_note.find('\n'));
    manifest_.from = from;
    manifest_.upto = upto;
    TRY(lines(signed_note, told));
    TRY(tiles());
    TRY(whole_file(std::string(kCheckpointFile), signed_note));
    TRY(tables());
    std::sort(manifest_.files.begin(), manifest_.files.end(),
              [](const auto& left, const auto& right) { return left.path < right.path; });
    TRY(replace_file(folder_ + "/" + std::string(kManifestFile), to_json(manifest_)));
    return manifest_;
  }

 private:
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  void listed(const std::string& name, const FileDigest& digest) {
    manifest_.files.push_back({name, digest.bytes, to_hex(view(digest.sha256))});
  }

  Result<void> whole_file(const std::string& name, std::string_view bytes) {
    std::error_code error;
    fs::create_directories(fs::path(path(name)).parent_path(), error);
    TRY(replace_file(path(name), bytes));
    listed(name, {bytes.size(), sha256(bytes)});
    return {};
  }

  Result<void> lines(const std::string& note, const Told& told) {
    const auto entries = TRY(Export::of_range(db_, manifest_.from, note));
    ZstdWriter proved = TRY(ZstdWriter::make(path(kEntriesFile), kEntriesLevel));
    ZstdWriter said = TRY(ZstdWriter::make(path(kChangesFile), kChangesLevel));
    std::vector<Proved> batch;
    std::uint64_t done = manifest_.from;
    while (const auto line = TRY(entries->next())) {
      TRY(proved.line(*line));
      if (is_evidence_start(*line)) continue;
      const Evidence evidence = TRY(parse_evidence(*line));
      batch.push_back({TRY(parse_entry(evidence.entry)), evidence.values.has_value()});
      if (batch.size() < kAtOnce) continue;
      TRY(changes(said, batch, done));
      if (told) told(done - manifest_.from, manifest_.upto - manifest_.from);
    }
    TRY(changes(said, batch, done));
    listed(std::string(kEntriesFile), TRY(proved.finish()));
    listed(std::string(kChangesFile), TRY(said.finish()));
    return {};
  }

  struct Proved {
    Entry entry;
    bool disclosed = false;  // its values are in the evidence
  };

  Result<void> changes(ZstdWriter& said, std::vector<Proved>& batch, std::uint64_t& index) {
    if (batch.empty()) return {};
    Selection selection;
    for (const Proved& one : batch) selection.ids.push_back(one.entry.id);
    selection.forgiving = true;
    std::map<std::int64_t, Change> known;
    auto all = TRY(read_changes(db_, selection));
    while (auto change = TRY(all->next())) {
      const std::int64_t id = change->id;
      known[id] = *std::move(change);
    }
    for (const auto& [entry, disclosed] : batch) {
      const auto found = known.find(entry.id);
      // An UPDATE in which nothing differs is recorded, sealed, and shown to nobody; of what expired nothing is there to be shown.
      const bool shown = found != known.end();
      TRY(said.line(shown ? archived_json(found->second, entry.table_id, index)
                          : unshown_json(entry, index)));
      ++index;
      if (shown) manifest_.tokens |= has_tokens(found->second);
      if (!shown && !disclosed) ++manifest_.expired;
      manifest_.cover(entry, counts_.empty());
      ++counts_[entry.table_id];
    }
    batch.clear();
    return {};
  }

  // The hashes: what grew with this part.
  Result<void> tiles() {
    const auto tiles = store_.tiles();
    for (const merkle::Tile& tile : merkle::tiles_grown(manifest_.from, manifest_.upto))
      TRY(whole_file(merkle::path(tile), TRY(tiles(tile))));
    return {};
  }

  Result<void> tables() {
    for (const Tracked& table : TRY(tracked_tables(db_))) {
      const auto count = counts_.find(table.id);
      if (count == counts_.end()) continue;
      auto all = TRY(shapes(db_, table.id));
      manifest_.tables.push_back({table, std::move(all), count->second});
    }
    std::sort(manifest_.tables.begin(), manifest_.tables.end(),
              [](const auto& left, const auto& right) { return left.table.id < right.table.id; });
    return {};
  }

  Database& db_;
  EvidenceStore store_;
  std::string folder_;
  Manifest manifest_;
  std::map<std::int64_t, std::uint64_t> counts_;  // changes, by table
};

}  // namespace

Result<Manifest> write_part(Database& db, const std::string& folder, std::uint64_t from,
                            std::uint64_t upto, const std::string& note, const Told& told) {
  return PartWriter(db, folder).write(from, upto, note, told);
}

}  // namespace vestige
