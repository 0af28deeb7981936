// What restore and revert did, in words and as JSON.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "cli/session.h"
#include "vestige/audit/revert.h"

namespace vestige::cli {

/// Prints what restore and revert do, once it is certain that they can, and before it is committed: the
/// patch of a dry run, kept in a temporary file until then, and the outcome as JSON. Each statement is a
/// step of progress.
class PatchPrinter final : public Sink {
 public:
  explicit PatchPrinter(Session& session) : session_(session) {}
  Result<void> statement(const std::string& sql) override;
  Result<void> outcome(const Outcome& outcome) override;
  void refused(const Outcome& outcome) override;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
  };
  Result<void> print_patch(const Outcome& outcome);

  Session& session_;
  std::unique_ptr<std::FILE, Close> spool_;
  std::int64_t statements_ = 0;
};

/// --dry-run, and --patch that goes with it.
Option dry_run_option();
Option patch_option();

/// The options of a verb that puts rows back: its own, who does it, and --format.
std::vector<Option> undo_options(std::vector<Option> first);

/// What of them says how.
///
/// faults   invalid
Result<ApplyOptions> apply_options(Session& session, Sink& patch);

struct Wording {
  std::string undone;  // "reverted"
  std::string noun;    // "change"
};

/// Says on stderr what was done; JSON has said it on stdout.
void print_outcome(Session& session, const Outcome& outcome, const Wording& wording);

}  // namespace vestige::cli
