// What restore and revert did, in words and as JSON.
#pragma once

#include <string>

#include "cli/session.h"
#include "vestige/audit/revert.h"

namespace vestige::cli {

/// Prints a patch while it is made.
class PatchPrinter final : public Sink {
 public:
  explicit PatchPrinter(Output& output) : output_(output) {}
  void statement(const std::string& sql) override;

 private:
  Output& output_;
};

struct Wording {
  std::string undone;  // "reverted"
  std::string noun;    // "change"
};

/// A table prints on stderr what was done; JSON is one object on stdout.
void print_outcome(Session& session, const Outcome& outcome, const Wording& wording);

}  // namespace vestige::cli
