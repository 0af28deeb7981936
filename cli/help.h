// Help: everything that is made from the command table: help, docs/cli.md, the man page.
#pragma once

#include <string>

#include "cli/command.h"

namespace vestige::cli {

/// The verbs by group and a 60-second tour.
std::string short_help();
/// One verb.
std::string verb_help(const Command& command);
/// docs/cli.md.
std::string markdown_help();
/// share/man/vestige.1.
std::string man_page();

}  // namespace vestige::cli
