// Whose signatures of contexts count, as the vestige.toml that holds here says.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "vestige/db/database.h"
#include "vestige/privacy/signed_context.h"
#include "vestige/trail/judge.h"

namespace vestige::cli {

/// The signers of a trail; nothing where none are named. The origin is what [context] says, otherwise the name of the log's
/// key in [evidence]: nothing that the database says, for those who could write it.
///
/// file     another vestige.toml than the one that holds here
/// faults   invalid (also: nothing says what the origin is)
Result<std::optional<ContextSigners>> planned_signers(const std::optional<std::string>& file = {});

/// A judge by them; nullptr where none are named.
Result<std::shared_ptr<SignatureJudge>> planned_judge(Database& db,
                                                      const std::optional<std::string>& file = {});

}  // namespace vestige::cli
