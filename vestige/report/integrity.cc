// integrity: whether the record is what was sealed, since when, and what is known to be missing.
#include <limits>

#include "vestige/merkle/checkpoint.h"
#include "vestige/report/fields.h"
#include "vestige/report/reports.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"

namespace vestige {
namespace {

Result<void> add_verdict(const ReportRequest& request, Report& report) {
  const std::size_t section =
      report.add({.name = "verdict",
                  .title = "Verdict",
                  .columns = {{"what", "what"}, {"count", "count", CellKind::number}}});
  if (!request.verified.has_value()) {
    report.section(section).text = "The trail was not verified.";
    return {};
  }
  const Verified& said = *request.verified;
  report.section(section).bad = said.found != 0;
  report.section(section).text =
      said.found == 0 ? "Every change that is sealed is as it was sealed, and none is missing."
                      : "The record is not what was sealed.";
  const std::pair<const char*, std::uint64_t> lines[] = {
      {"entries that the last checkpoint covers", said.covered},
      {"changes that are as they were sealed", said.verified},
      {"changes of which a recorded erasure took parts", said.erased},
      {"changes that the checkpoint does not cover", said.left_out},
      {"changes that could not be read when they were sealed", said.unreadable},
      {"discrepancies", said.found},
      {"witnesses that cosigned", said.witnesses.size()}};
  for (const auto& [what, count] : lines)
    TRY(report.row(section, {text_cell(what), std::to_string(count)}));
  return {};
}

Result<void> add_checkpoints(Database& db, Report& report) {
  const std::size_t section =
      report.add({.name = "checkpoints",
                  .title = "Checkpoints",
                  .text = "Each covers all entries before it; signatures as they claim to be.",
                  .columns = {{"time", "time", CellKind::time},
                              {"entries", "entries", CellKind::number},
                              {"origin", "origin"},
                              {"signatures", "signatures"}}});
  if (!TRY(has_evidence(db))) return {};
  for (const StoredCheckpoint& stored : TRY(EvidenceStore(db).checkpoints())) {
    const auto opened = merkle::open_appended(stored.note, {});
    std::string names;
    if (opened.has_value())
      for (const merkle::NoteSignature& one : opened->note.signatures)
        names += (names.empty() ? "" : ", ") + one.name;
    TRY(report.row(section,
                   {time_cell(stored.at), std::to_string(stored.size),
                    text_cell(opened.has_value() ? opened->checkpoint.origin : "(cannot be read)"),
                    text_cell(names)}));
  }
  return {};
}

Result<void> add_gaps(Database& db, Report& report) {
  const std::size_t section = report.add({.name = "gaps",
                                          .title = "Known gaps",
                                          .text = "What the trail itself knows to be missing.",
                                          .columns = {{"table", "table"}, {"gap", "gap"}}});
  for (const Tracked& table : TRY(tracked_tables(db)))
    for (const std::string& gap : TRY(gaps(db, table.id, std::numeric_limits<std::int64_t>::max())))
      TRY(report.row(section, {text_cell(table.name), text_cell(gap)}));
  return {};
}

}  // namespace

Result<void> report_integrity(Database& db, const ReportRequest& request, Report& report) {
  ReportRequest erasures = request;
  erasures.selection.ops = {Op::erase, Op::expire};
  const auto population = TRY(Population::open(db, erasures, report));
  TRY(add_verdict(request, report));
  TRY(add_checkpoints(db, report));
  TRY(add_gaps(db, report));
  const std::size_t section =
      report.add({.name = "erasures",
                  .title = "Erasures",
                  .text = "Changes by which parts of others were taken out, in the period.",
                  .columns = {{"time", "time", CellKind::time},
                              {"change", "change", CellKind::number},
                              {"table", "table"},
                              {"changes", "changes", CellKind::number},
                              {"who", "who"},
                              {"reason", "reason"}}});
  while (const auto change = TRY(population->next()))
    TRY(report.row(section, {time_cell(change->at), number_cell(change->id),
                             text_cell(change->table), number_cell(change->erases),
                             text_cell(change->who()), text_cell(change->context.get("reason"))}));
  return {};
}

}  // namespace vestige
