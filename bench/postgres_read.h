// What answers cost: for one row in a long trail, a whole table as it was, and undoing.
#pragma once

#include <string>

namespace vestige::bench {

/// Installs a trail by `install`, and by `native` when that is not empty, gives it `changes` of `rows` accounts in random
/// order, and asks for `asked` rows.
void answers(const std::string& install, const std::string& native, int changes, int rows,
             int asked);

/// A table of `rows` as it was before a tenth of them changed, and that UPDATE undone; each `rounds` times.
void past(const std::string& install, int rows, int rounds);

}  // namespace vestige::bench
