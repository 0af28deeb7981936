// What the answers for one row cost in a long trail.
#pragma once

#include <string>

namespace vestige::bench {

/// Installs a trail by `install`, gives it `changes` of `rows` accounts in random order, and asks for `asked` rows.
void answers(const std::string& install, int changes, int rows, int asked);

}  // namespace vestige::bench
