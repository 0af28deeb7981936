// The tree once more, as RFC 6962, section 2.1, writes it: recursive, slow, obviously right.
#pragma once

#include <string>
#include <vector>

#include "vestige/merkle/proof.h"

namespace vestige::merkle::twin {

using Entries = std::vector<std::string>;

inline Entries part(const Entries& d, std::size_t begin, std::size_t end) {
  return {d.begin() + static_cast<std::ptrdiff_t>(begin),
          d.begin() + static_cast<std::ptrdiff_t>(end)};
}

// The largest power of two smaller than n.
inline std::size_t split(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline Proof operator+(Proof left, const Hash& right) {
  left.push_back(right);
  return left;
}

inline Hash mth(const Entries& d) {
  if (d.empty()) return sha256("");
  if (d.size() == 1) return sha256(std::string(1, '\0') + d[0]);
  const std::size_t k = split(d.size());
  const Hash left = mth(part(d, 0, k));
  const Hash right = mth(part(d, k, d.size()));
  return sha256({"\1", view(left), view(right)});
}

inline Proof path(std::size_t m, const Entries& d) {
  if (d.size() == 1) return {};
  const std::size_t k = split(d.size());
  if (m < k) return path(m, part(d, 0, k)) + mth(part(d, k, d.size()));
  return path(m - k, part(d, k, d.size())) + mth(part(d, 0, k));
}

inline Proof subproof(std::size_t m, const Entries& d, bool whole) {
  if (m == d.size()) return whole ? Proof{} : Proof{mth(d)};
  const std::size_t k = split(d.size());
  if (m <= k) return subproof(m, part(d, 0, k), whole) + mth(part(d, k, d.size()));
  return subproof(m - k, part(d, k, d.size()), false) + mth(part(d, 0, k));
}

inline Proof consistency(std::size_t m, const Entries& d) { return subproof(m, d, true); }

}  // namespace vestige::merkle::twin
