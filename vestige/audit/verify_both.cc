#include "vestige/audit/verify_both.h"

#include <limits>
#include <map>

#include "vestige/audit/read_back.h"
#include "vestige/merkle/tile.h"
#include "vestige/trail/expiry.h"

namespace vestige {

Result<void> verify_both(Database& db, const VerifyOptions& options, VerifySink& sink,
                         Verdict& verdict) {
  const Trust& trust = options.trust;
  const bool trusting = !trust.keys.empty() || trust.quorum.has_value();
  ReadBack archive = TRY(ReadBack::open(db, options.archive, trusting ? &trust : nullptr));
  verdict.parts = TRY(archive.all());
  for (const ArchiveComplaint& one : archive.complaints()) {
    ++verdict.discrepancies;
    TRY(sink.found({.code = "archive", .message = fmt::format("{}: {}", one.file, one.what)}));
  }
  ExpiryStore store(db);
  if (!TRY(store.stands())) return {};
  std::map<std::int64_t, std::uint64_t> missing;  // by EXPIRE
  for (const Expiry& one : TRY(store.all()))
    if (one.archive.has_value()) missing[one.change] = 0;
  if (missing.empty()) return {};
  for (const auto& [n, named] : TRY(store.leaves(0, std::numeric_limits<std::int64_t>::max())))
    for (const auto& [change, which] : named) {
      const auto of = missing.find(change);
      for (std::size_t i = 0; of != missing.end() && i < merkle::kTileWidth; ++i) {
        if (!which.has(i)) continue;
        const bool there = TRY(archive.keeps(n * merkle::kTileWidth + i)).has_value();
        ++(there ? verdict.archived : of->second);
      }
    }
  for (const auto& [change, count] : missing) {
    if (count == 0) continue;
    ++verdict.discrepancies;
    TRY(sink.found({.code = "archive-missing",
                    .change = change,
                    .message = fmt::format(
                        "of what change {} (EXPIRE) says is archived, {} {} not in {}", change,
                        count, count == 1 ? "change is" : "changes are", options.archive)}));
  }
  return {};
}

}  // namespace vestige
