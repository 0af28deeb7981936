// The signatures of contexts: a step of verify. Test: test/signed_context_test.cc.
#pragma once

#include "vestige/audit/verify.h"

namespace vestige {

/// Counts what the signatures of the changes' contexts are worth, and reports each transaction that has none which counts, of a
/// table whose policy requires one.
///
/// cost     one pass over the changes
Result<void> verify_contexts(Database& db, const ContextSigners& signers, VerifySink& sink,
                             Verdict& verdict);

}  // namespace vestige
