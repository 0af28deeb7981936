// The private keys that open encrypted values: the verb that makes them, and the option of those that use them.
#pragma once

#include "cli/command.h"

namespace vestige::cli {

/// The verb reads values: with --identity also those that are encrypted, which is recorded before one is shown.
Command opened(Command command);

Command keys_command();

}  // namespace vestige::cli
