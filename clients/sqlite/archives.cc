// What the extension has not: archives. vestige_erase names none, so that none of this is reached.
#include "vestige/audit/archive.h"
#include "vestige/audit/erase_archive.h"
#include "vestige/audit/read_back.h"
#include "vestige/source/archive.h"

namespace vestige {
namespace {

tl::unexpected<Error> none() { return fail(Fault::invalid, "the extension reads no archives"); }

}  // namespace

Result<std::vector<ArchivePart>> archive_parts(const std::string&) { return none(); }
Result<std::unique_ptr<Database>> archive_alone(const std::string&) { return none(); }
Result<bool> not_there_yet(Database&, const std::string&) { return none(); }
Result<void> require_recorded(Database&, const std::vector<ArchivePart>&) { return none(); }
Result<ArchiveErasing> erase_in_archive(Database&, const std::string&, const Context&) {
  return none();
}

// doctor asks what is due, of the trail alone.
Result<ReadBack> ReadBack::open(Database& db, const std::string& directory, const Trust* trust) {
  if (!directory.empty()) return none();
  return ReadBack(db, trust);
}
Result<std::optional<std::string>> ReadBack::keeps(std::uint64_t) {
  return std::optional<std::string>();
}

}  // namespace vestige
