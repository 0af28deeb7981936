// [context] of vestige.toml: whose signatures of contexts count (docs/signed-context.md).
//
//   [context]
//   origin = "audit.example.com/shop"        # of this trail; otherwise the name of its log
//   since = 2026-12-01                       # verify demands no signature of what was changed before
//   [context.signers]
//   shop-web = { key = "shop-web+…", actors = ["*"], not_after = 2027-06-01 }
//
// Test: signers_file_test.cc.
#pragma once

#include <optional>

#include "vestige/base/toml_file.h"
#include "vestige/privacy/signed_context.h"

namespace vestige {

/// Nothing where the file names no signers. The origin may be empty.
///
/// faults   invalid, with its place
Result<std::optional<ContextSigners>> read_context_signers(const Toml& file);

}  // namespace vestige
