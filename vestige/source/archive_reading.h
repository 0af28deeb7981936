// Which changes of an archive a selection means, read part by part. For vestige/source/archive.cc.
#pragma once

#include <memory>
#include <vector>

#include "vestige/source/manifest.h"
#include "vestige/trail/changes.h"

namespace vestige {

/// The changes of some parts that a selection means, by id; memory for those of parts whose ids overlap.
///
/// selection  its columns, filter and limit are the caller's
/// every      also UPDATEs in which nothing differs
Result<std::unique_ptr<Changes>> archived_changes(std::vector<ArchivePart> parts,
                                                  const Selection& selection, bool every);

/// The same in the order of the feed, each with its place; memory for one.
Result<std::unique_ptr<Changes>> archived_in_order(std::vector<ArchivePart> parts,
                                                   const Selection& selection, bool every);

/// Those under one key, whichever row had it.
Result<std::unique_ptr<Changes>> archived_under(std::vector<ArchivePart> parts, std::int64_t table,
                                                const RowName& name, std::int64_t after,
                                                std::int64_t upto, bool oldest_first);

/// The id of the last change at or before a moment; 0: none.
Result<std::int64_t> archived_last_at(const std::vector<ArchivePart>& parts, std::int64_t micros);

}  // namespace vestige
