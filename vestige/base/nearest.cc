#include "vestige/base/nearest.h"

#include <algorithm>
#include <cstddef>

#include "vestige/base/letters.h"

namespace vestige {
namespace {

// Edits (insert, delete, replace, swap of neighbours) from one word to another.
std::size_t distance(const std::string& from, const std::string& to) {
  std::vector<std::vector<std::size_t>> best(from.size() + 1,
                                             std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) best[i][0] = i;
  for (std::size_t j = 0; j <= to.size(); ++j) best[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i)
    for (std::size_t j = 1; j <= to.size(); ++j) {
      best[i][j] = std::min({best[i - 1][j] + 1, best[i][j - 1] + 1,
                             best[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        best[i][j] = std::min(best[i][j], best[i - 2][j - 2] + 1);
    }
  return best[from.size()][to.size()];
}

}  // namespace

std::string nearest(const std::string& typed, const std::vector<std::string>& names) {
  std::string best;
  std::size_t least = typed.size() / 3 + 2;
  for (const std::string& name : names) {
    const std::size_t edits = distance(lower(typed), lower(name));
    if (edits >= least) continue;
    least = edits;
    best = name;
  }
  return best;
}

}  // namespace vestige
