// What of an archive holds today, where the database beside it let changes go and erased some since. For vestige/source/archive.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "vestige/merkle/tile.h"
#include "vestige/source/manifest.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/source.h"

namespace vestige {

/// What of an archive is asked for: all of it where there is no database, otherwise what the database let go and nothing else, so that
/// what it says of a change, or that it was erased, is what holds.
struct ArchiveView {
  std::vector<ArchivePart> parts;
  bool alone = true;
  std::map<std::uint64_t, std::map<std::int64_t, Leaves>> expired;  // by bundle and EXPIRE
  std::map<std::int64_t, std::vector<ErasedPart>> erased;           // by change
  std::shared_ptr<Source> opening =
      {};  // of the database, where somebody has an identity: it has the wraps

  bool let_go(std::uint64_t index) const {
    const auto found = expired.find(index / merkle::kTileWidth);
    return found != expired.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [&](const auto& one) { return one.second.has(index % merkle::kTileWidth); });
  }

  /// How many of the entries from <= index < upto.
  std::uint64_t let_go_in(std::uint64_t from, std::uint64_t upto) const;
};

/// What a database let go, and what was erased of it since.
///
/// faults   corrupt: a part that it did not record when it was written
Result<ArchiveView> kept_for(Database& db, std::vector<ArchivePart> parts);

/// The parts that are asked at all: where nothing was let go, no file is opened.
std::vector<ArchivePart> asked_parts(const ArchiveView& kept);

/// Of changes of an archive those that the database let go, as they hold today. What is kept must outlive them.
///
/// by_key, by_who  they were chosen by their keys, or by who made them
/// placed          they are read in the order of the feed, not by id as a database's
std::unique_ptr<Changes> holding(std::unique_ptr<Changes> archived, const ArchiveView& kept,
                                 bool by_key, bool by_who, bool placed = false);

}  // namespace vestige
