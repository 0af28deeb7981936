// Consent: what is done only when the person at the terminal says so.
#pragma once

#include <string>

namespace vestige::cli {

/// True when there is a person at the terminal who was asked, and wrote yes.
bool agreed(const std::string& question);

}  // namespace vestige::cli
