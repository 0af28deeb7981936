#include "vestige/report/population.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/merkle/checkpoint.h"
#include "vestige/trail/install.h"
#include "vestige/trail/over_source.h"
#include "vestige/trail/source.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// What follows from the checkpoint, in a sentence.
std::string completeness(const ReportHead& head, std::uint64_t missing, std::uint64_t expired,
                         std::uint64_t archived) {
  if (!head.covered.has_value())
    return archived != 0
               ? "This is what the archive has: vestige archive verify holds it against what was "
                 "signed."
               : "There is no signed checkpoint: this is what the trail holds now, and nothing "
                 "proves that it is all.";
  std::string left = head.left_out == 0 ? std::string("no change is left out")
                                        : counted(head.left_out, "change") + " not under it " +
                                              (head.left_out == 1 ? "is" : "are") + " left out";
  if (expired != 0) {
    const std::string read =
        archived == 0 ? "" : fmt::format(", of which {} are read from the archive", archived);
    left =
        fmt::format("{} expired, which is recorded{}; {}", counted(expired, "change"), read, left);
  }
  const std::string entries =
      *head.covered == 1 ? "1 entry" : fmt::format("{} entries", *head.covered);
  if (missing != 0)
    return fmt::format(
        "Of the {} up to the checkpoint {} missing; {}.", entries,
        missing == 1 ? "the change of 1 is" : fmt::format("the changes of {} are", missing), left);
  return fmt::format("It covers all {} up to the checkpoint; {}.", entries, left);
}

std::string verdict(const Verified& verified) {
  std::string out;
  if (verified.found == 0)
    out = fmt::format("Every change is as it was sealed: {} verified", verified.verified);
  else
    out = fmt::format(
        "Not sound: verify found {}",
        verified.found == 1 ? "1 discrepancy" : fmt::format("{} discrepancies", verified.found));
  if (verified.erased != 0)
    out += fmt::format("; parts of {} were erased, which is recorded",
                       counted(verified.erased, "change"));
  out += verified.signature ? "; the checkpoint's signature holds."
                            : "; no key was given to check the checkpoint's signature.";
  return out;
}

}  // namespace

Result<std::optional<std::uint64_t>> stand_on(Database& db, const ReportRequest& request,
                                              ReportHead& head) {
  TRY(require_trail(db));
  head.since = request.selection.since;
  head.until = request.selection.until;
  head.filter = request.filter;
  head.database = db.where();
  std::optional<StoredCheckpoint> last;
  std::uint64_t expired = 0;
  if (TRY(has_evidence(db))) last = TRY(EvidenceStore(db).last_checkpoint());
  if (last.has_value()) {
    head.covered = last->size;
    head.checkpoint = json::is_utf8(last->note) ? last->note : "";
    if (const auto opened = merkle::open_appended(last->note, {}); opened.has_value())
      head.origin = opened->checkpoint.origin;
    expired = TRY(ExpiredEntries::of(db))->count();
    auto all = static_cast<std::uint64_t>(TRY(source_of(without_archive(db))->count())) + expired;
    head.left_out = all > last->size ? all - last->size : 0;
  }
  const std::uint64_t missing = request.verified.has_value() ? request.verified->missing : 0;
  if (request.verified.has_value()) {
    if (last.has_value()) head.left_out = request.verified->left_out;
    head.sound = request.verified->found == 0;
    if (last.has_value() || !head.sound) head.verified = verdict(*request.verified);
  } else if (last.has_value()) {
    head.verified = "Not verified: whether each change is as it was sealed was not looked into.";
  }
  const auto* over = dynamic_cast<OverSource*>(&db);
  head.complete = completeness(head, missing, expired, over == nullptr ? 0 : over->given());
  return head.covered;
}

Result<std::unique_ptr<Population>> Population::open(Database& db, const ReportRequest& request,
                                                     Report& report, bool whole) {
  Selection selection = request.selection;
  if (whole) selection.since = std::nullopt;
  return over(db, request, report, std::move(selection));
}

Result<std::unique_ptr<Population>> Population::of_own_table(Database& db,
                                                             const ReportRequest& request,
                                                             Report& report,
                                                             std::string_view name) {
  TRY(require_trail(db));
  const auto table = TRY(known_own_table(db, name));
  Selection selection = request.selection;
  selection.table = table.has_value() ? table->id : 0;  // that of none
  return over(db, request, report, std::move(selection));
}

Result<std::unique_ptr<Population>> Population::over(Database& db, const ReportRequest& request,
                                                     Report& report, Selection selection) {
  std::unique_ptr<Population> out(new Population(request));
  const auto covered = TRY(stand_on(db, request, report.head));
  selection.forgiving = true;
  if (covered.has_value()) {
    out->covered_ = *covered;
    out->feed_ = TRY(Feed::open(without_archive(db), selection, -1));
    out->expired_ = TRY(ExpiredEntries::of(db));
    if (auto* over = dynamic_cast<OverSource*>(&db); over != nullptr)
      out->let_go_ = TRY(over->let_go(selection));
  } else {
    selection.oldest_first = true;
    out->changes_ = TRY(read_changes(db, selection));
  }
  return out;
}

Result<std::optional<Change>> Population::next() {
  if (request_.step) request_.step();
  if (changes_ != nullptr) return changes_->next();
  if (let_go_ == nullptr) return next_own();
  if (!std::exchange(begun_, true)) {
    own_ = TRY(next_own());
    archived_ = TRY(let_go_->next());
  }
  const bool first =
      own_.has_value() && (!archived_.has_value() || *own_->index < *archived_->index);
  std::optional<Change> out = std::move(first ? own_ : archived_);
  if (first) own_ = TRY(next_own());
  else if (out.has_value()) archived_ = TRY(let_go_->next());
  return out;
}

Result<std::optional<Change>> Population::next_own() {
  while (true) {
    auto change = TRY(feed_->next());
    if (change.has_value() && *change->index >= covered_) change.reset();
    if (!change.has_value() || change->shape != 0 || !TRY(expired_->has(*change->index)))
      return change;
  }
}

Result<std::unique_ptr<ExpiredEntries>> ExpiredEntries::of(Database& db) {
  std::unique_ptr<ExpiredEntries> out(new ExpiredEntries(db));
  for (const Expiry& one : TRY(out->store_.all())) {
    out->by_.insert(one.change);
    out->count_ += one.changes;
  }
  return out;
}

Result<bool> ExpiredEntries::has(std::uint64_t index) {
  if (by_.empty()) return false;
  const std::uint64_t n = index / merkle::kTileWidth;
  if (bundle_ != n) {
    leaves_.clear();
    for (auto& [bundle, leaves_of] : TRY(store_.leaves(n, n + 1)))
      for (auto& [change, leaves] : leaves_of)
        if (by_.contains(change)) leaves_.push_back(leaves);
    bundle_ = n;
  }
  return std::any_of(leaves_.begin(), leaves_.end(),
                     [&](const Leaves& leaves) { return leaves.has(index % merkle::kTileWidth); });
}

}  // namespace vestige
