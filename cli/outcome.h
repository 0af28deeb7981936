// What restore and revert did, in words and as JSON.
#pragma once

#include <string>

#include "cli/session.h"
#include "vestige/audit/revert.h"

namespace vestige::cli {

/// Prints a patch while it is made: one transaction, which a patch that breaks off does not commit.
class PatchPrinter final : public Sink {
 public:
  explicit PatchPrinter(Output& output) : output_(output) {}
  void statement(const std::string& sql) override;
  /// The patch is whole.
  void end();

 private:
  Output& output_;
  bool begun_ = false;
};

struct Wording {
  std::string undone;  // "reverted"
  std::string noun;    // "change"
};

/// A table prints on stderr what was done; JSON is one object on stdout.
void print_outcome(Session& session, const Outcome& outcome, const Wording& wording);

}  // namespace vestige::cli
