// An archive beside the trail: both as one history. A step of verify.
#pragma once

#include "vestige/audit/verify.h"

namespace vestige {

/// Holds each part of the archive against itself, what was signed, and the trail's own entries; and looks there for what EXPIREs say is
/// archived.
Result<void> verify_both(Database& db, const VerifyOptions& options, VerifySink& sink,
                         Verdict& verdict);

}  // namespace vestige
