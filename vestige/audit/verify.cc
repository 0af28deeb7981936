#include "vestige/audit/verify.h"

#include <algorithm>

#include "vestige/audit/verify_both.h"
#include "vestige/audit/verify_contexts.h"
#include "vestige/audit/verify_expiries.h"
#include "vestige/audit/verify_holds.h"
#include "vestige/audit/verify_live.h"
#include "vestige/audit/verify_time.h"
#include "vestige/audit/verify_tree.h"
#include "vestige/base/time.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sealing.h"

namespace vestige {
namespace {

class Verification {
 public:
  Verification(Database& db, const VerifyOptions& options, VerifySink& sink)
      : db_(db), options_(options), sink_(sink), store_(db) {}

  Result<Verdict> run() {
    const auto sealing = sealing_of(db_);
    const std::optional<ReadTransaction> still = TRY(sealing->still());
    TRY(own_checkpoints());
    TRY(kept_checkpoints());
    const std::uint64_t sealed = TRY(store_.size());
    TreeCheck tree(store_, sink_, verdict_, milestones_);
    ChangeCheck changes(db_, sink_, verdict_, still.has_value());
    TimeCheck times(verdict_);
    HoldCheck holds(db_, sink_, verdict_);
    TRY(holds.load());
    ExpiryCheck expiries(db_, sink_, verdict_, holds);
    TRY(expiries.load());
    for (;;) {
      std::vector<StoredEntry> entries = TRY(tree.next());
      if (entries.empty()) break;
      for (StoredEntry& entry : entries) times.look(entry);
      TRY(expiries.mark(entries));
      TRY(changes.check(std::move(entries), verdict_.size));
    }
    TRY(tree.finish());
    verdict_.unsigned_entries = tree.size() - std::min(tree.size(), verdict_.size);
    if (tree.size() != sealed)
      TRY(report({.code = "position-altered",
                  .message = fmt::format("the sealer counted {} entries, and there are {}", sealed,
                                         tree.size())}));
    TRY(set_back(tree));
    TRY(uncosigned());
    // Who names a key asks for something that it signed: a trail without checkpoints is no answer to that.
    if (trusting() && milestones_.empty())
      TRY(report({.code = "signature",
                  .message = "the trail has no checkpoint that is signed by a key that you trust:"
                             " nothing in it is proved"}));
    if (tree.whole()) TRY(not_sealed(tree, *sealing));
    TRY(erasures(changes, tree));
    for (const Hold& one : TRY(unheeded_releases(db_)))
      TRY(report({.code = "hold-release",
                  .change = one.unheeded->change,
                  .table = store_.table("hold"),
                  .message = about_unheeded(one)}));
    TRY(expiries.finish(changes.expired(),
                        [&](std::int64_t change) { return tree.sealed(change); }));
    TRY(holds.finish(times));
    if (options_.signers.has_value()) TRY(verify_contexts(db_, *options_.signers, sink_, verdict_));
    return verdict_;
  }

 private:
  // A checkpoint, and who signed it.
  struct Cosigned {
    std::string name;
    std::string text;
    std::vector<merkle::Signed> by;
  };

  Result<void> report(const Discrepancy& discrepancy) {
    ++verdict_.discrepancies;
    return sink_.found(discrepancy);
  }

  // What the trail itself says was signed.
  Result<void> own_checkpoints() {
    for (const StoredCheckpoint& stored : TRY(store_.checkpoints())) {
      const std::string name = fmt::format("the trail's checkpoint of {} entries", stored.size);
      const auto opened = merkle::open_appended(stored.note, options_.trust.all_keys());
      if (!opened.has_value() || opened->checkpoint.size != stored.size ||
          view(opened->checkpoint.root) != stored.root) {
        TRY(report(
            {.code = "checkpoint-altered",
             .message = fmt::format("{} was altered{}", name,
                                    opened.has_value() ? "" : ": " + opened.error().message)}));
        continue;
      }
      TRY(signature(*opened, name));
      for (const std::string& of : opened->passed_over)
        verdict_.passed_over.push_back(
            of.empty()
                ? fmt::format("a line behind {} is no signature", name)
                : fmt::format("a line behind {} bears the name of {} and is not its signature",
                              name, of));
      milestones_.push_back({stored.size, opened->checkpoint.root, name, false});
      verdict_.size = stored.size;
      verdict_.origin = opened->checkpoint.origin;
      newest_ = Cosigned{name, opened->note.text, opened->signatures};
    }
    return {};
  }

  Result<merkle::OpenedCheckpoint> open(std::string_view note) const {
    return merkle::open_checkpoint(note, options_.trust.all_keys());
  }

  bool trusting() const {
    return !options_.trust.keys.empty() || options_.trust.quorum.has_value();
  }

  Result<void> signature(const merkle::OpenedCheckpoint& opened, const std::string& name) {
    verdict_.signature = false;
    if (!trusting()) return {};
    if (opened.log() != nullptr) {
      verdict_.signature = true;
      return {};
    }
    return report({.code = "signature",
                   .message = fmt::format("{} is not signed by a key that you trust", name)});
  }

  Result<void> kept_checkpoints() {
    for (const KeptCheckpoint& one : options_.kept) {
      auto opened = trusting() ? open_signed(one.text, options_.trust) : open(one.text);
      if (!opened.has_value()) {
        Error error = std::move(opened).error();
        error.message = fmt::format("{}: {}", one.name, error.message);
        return tl::unexpected<Error>(std::move(error));
      }
      for (const Milestone& own : milestones_) {
        if (own.size != opened->checkpoint.size || own.root == opened->checkpoint.root) continue;
        TRY(report(
            {.code = "forked",
             .message = fmt::format("{} and {} are of one size and differ: two histories were"
                                    " signed",
                                    one.name, own.name)}));
      }
      if (!verdict_.origin.empty() && opened->checkpoint.origin != verdict_.origin)
        TRY(report({.code = "rewritten",
                    .message = fmt::format("{} is of {}, and the trail is sealed as {}", one.name,
                                           opened->checkpoint.origin, verdict_.origin)}));
      milestones_.push_back({opened->checkpoint.size, opened->checkpoint.root, one.name, true});
      kept_.push_back({one.name, opened->note.text, opened->signatures});
    }
    return {};
  }

  // The trail's newest checkpoint and each kept one must have the cosignatures that are demanded. Those of the
  // newest may stand in the trail, or in a kept copy of it.
  Result<void> uncosigned() {
    if (newest_.has_value()) {
      for (const Cosigned& one : kept_)
        if (one.text == newest_->text)
          newest_->by.insert(newest_->by.end(), one.by.begin(), one.by.end());
      TRY(demand(*newest_));
      for (const merkle::Signed& one : newest_->by)
        if (one.key.kind == merkle::KeyKind::cosignature) verdict_.witnesses.insert(one.key.name);
    }
    for (const Cosigned& one : kept_)
      if (!newest_.has_value() || one.text != newest_->text) TRY(demand(one));
    return {};
  }

  Result<void> demand(const Cosigned& one) {
    const auto enough = require_cosigned(one.by, options_.trust);
    if (enough.has_value()) return {};
    return report(
        {.code = "uncosigned", .message = fmt::format("{}: {}", one.name, enough.error().message)});
  }

  // Checkpoints of a larger tree than there is.
  Result<void> set_back(const TreeCheck& tree) {
    const bool older = verdict_.discrepancies == 0 && verdict_.size == tree.size();
    for (const Milestone& one : milestones_) {
      if (one.size <= tree.size()) continue;
      const std::uint64_t lost = one.size - tree.size();
      if (older)
        TRY(report(
            {.code = "rolled-back",
             .message = fmt::format("the trail is an older state of itself: {} has {} entries,"
                                    " the trail {}; what is there is as it was signed, the"
                                    " last {} are gone, as after the restore of a backup",
                                    one.name, one.size, tree.size(), lost)}));
      else
        TRY(report({.code = "truncated",
                    .message = fmt::format("the trail was cut off: {} has {} entries, the trail {}",
                                           one.name, one.size, tree.size())}));
    }
    return {};
  }

  // Changes without an entry: not sealed yet, or put in.
  Result<void> not_sealed(const TreeCheck& tree, Sealing& sealing) {
    if (const auto last = TRY(sealing.last()); last.has_value() && *last != tree.last_id())
      TRY(report({.code = "position-altered",
                  .message = fmt::format("the sealer says that change {} was its last, and the"
                                         " entries say {}",
                                         *last, tree.last_id())}));
    std::vector<std::int64_t> inserted;
    {
      auto rows = TRY(sealing.waiting(tree.last_id()));
      while (TRY(rows->next()) == Step::row) {
        if (tree.sealed(rows->integer(0))) continue;
        if (rows->integer(1) != 0) ++verdict_.unsealed;
        else inserted.push_back(rows->integer(0));
      }
    }
    for (const std::int64_t id : inserted) TRY(report_inserted(id));
    return {};
  }

  // Who erased, and why.
  Result<void> erasures(const ChangeCheck& changes, const TreeCheck& tree) {
    for (const auto& [id, count] : changes.erasures()) {
      Erasure& one = verdict_.erasures.emplace_back(Erasure{.change = id, .erased = count});
      one.sealed = tree.sealed(id);
      Selection selection;
      selection.ids = {id};
      const auto change = TRY(TRY(read_changes(db_, selection))->next());
      if (!change.has_value()) continue;
      const std::string* reason = change->context.get("reason");
      if (const std::string* who = change->who(); who != nullptr) one.actor = *who;
      if (reason != nullptr) one.reason = *reason;
    }
    return {};
  }

  Result<void> report_inserted(std::int64_t id) {
    SealingRange range;
    range.after = id - 1;
    range.upto = id;
    const auto changes = TRY(read_sealables(db_, range));
    const Sealable* change = TRY(changes->next());
    const bool readable = change != nullptr && change->broken.empty();
    return report({.code = "inserted",
                   .change = id,
                   .table = readable ? change->entry.table : "",
                   .message = fmt::format(
                       "{} was put in: the tree has no entry of it",
                       readable ? described(change->entry) : fmt::format("change {}", id))});
  }

  Database& db_;
  const VerifyOptions& options_;
  VerifySink& sink_;
  EvidenceStore store_;
  std::vector<Milestone> milestones_;
  std::optional<Cosigned> newest_;  // of the trail's own
  std::vector<Cosigned> kept_;
  Verdict verdict_;
};

}  // namespace

Result<Verdict> verify(Database& db, const VerifyOptions& options, VerifySink& sink) {
  TRY(require_trail(db));
  TRY(require_evidence(db));
  Verdict verdict = TRY(Verification(db, options, sink).run());
  if (!options.archive.empty()) TRY(verify_both(db, options, sink, verdict));
  if (options.live) TRY(verify_live(db, sink, verdict));
  return verdict;
}

}  // namespace vestige
