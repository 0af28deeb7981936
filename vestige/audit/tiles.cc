#include "vestige/audit/tiles.h"

#include <filesystem>

#include "vestige/base/file.h"
#include "vestige/merkle/checkpoint.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

// The entries of a bundle, as many as the tree of the checkpoint has.
Result<std::string> first_entries(const Bundle& bundle, unsigned width) {
  if (bundle.width == width) return bundle.entries;
  std::string out;
  for (const std::string_view entry : TRY(merkle::entries_of(bundle.entries, bundle.width))) {
    if (width-- == 0) break;
    TRY(merkle::append_entry(out, entry));
  }
  return out;
}

Result<void> write(const std::string& directory, const merkle::Tile& tile, std::string_view bytes) {
  const std::filesystem::path file = std::filesystem::path(directory) / path(tile);
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error)
    return fail(Fault::denied, "make {}: {}", file.parent_path().string(), error.message());
  return replace_file(file.string(), bytes);
}

// The size of the log that stands in a directory.
Result<std::uint64_t> size_in(const std::string& directory, const merkle::Checkpoint& now,
                              EvidenceStore& store) {
  const auto note = file_bytes((std::filesystem::path(directory) / "checkpoint").string());
  if (!note.has_value()) {
    if (note.error().fault == Fault::missing) return 0;
    return tl::unexpected<Error>(note.error());
  }
  const auto before = TRY(merkle::open_checkpoint(*note, {})).checkpoint;
  const bool same =
      before.origin == now.origin && before.size <= now.size &&
      TRY(merkle::root_of(before.size, merkle::nodes_of(store.tiles(), now.size))) == before.root;
  if (!same)
    return fail(Fault::corrupt, "write tiles to {}: the log there is not the beginning of this one",
                directory);
  return before.size;
}

}  // namespace

Result<TilesWritten> write_tiles(Database& db, const std::string& directory) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  EvidenceStore store(db);
  const auto last = TRY(store.last_checkpoint());
  if (!last.has_value())
    return hinted(fail(Fault::missing, "write tiles: nothing is sealed yet"),
                  "vestige seal --key FILE");
  const auto opened = TRY(merkle::open_appended(last->note, {}));
  const merkle::Checkpoint& now = opened.checkpoint;
  TilesWritten written;
  written.size = now.size;
  const std::uint64_t from = TRY(size_in(directory, now, store));
  const auto tiles = store.tiles();
  for (const merkle::Tile& tile : merkle::tiles_grown(from, now.size)) {
    if (tile.level == 0) {
      const auto bundle = TRY(store.bundle(tile.index));
      if (!bundle.has_value() || bundle->width < tile.width)
        return fail(Fault::corrupt, "write tiles: the entries of bundle {} are missing",
                    tile.index);
      const merkle::Tile entries{std::nullopt, tile.index, tile.width};
      TRY(write(directory, entries, TRY(first_entries(*bundle, tile.width))));
      ++written.files;
    }
    TRY(write(directory, tile, TRY(tiles(tile))));
    ++written.files;
  }
  if (from != now.size || written.files > 0)
    TRY(replace_file((std::filesystem::path(directory) / "checkpoint").string(),
                     merkle::to_text(opened.note)));
  return written;
}

}  // namespace vestige
