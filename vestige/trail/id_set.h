// A set of change ids: a bit for each, in pages that are made when they are needed.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>

namespace vestige {

class IdSet {
 public:
  /// False when it was there already.
  bool insert(std::int64_t id) {
    Page& page = pages_[id >> kBits];
    const auto bit = static_cast<std::size_t>(id & (kIds - 1));
    const bool is_new = !page.test(bit);
    page.set(bit);
    return is_new;
  }
  bool contains(std::int64_t id) const {
    const auto page = pages_.find(id >> kBits);
    return page != pages_.end() && page->second.test(static_cast<std::size_t>(id & (kIds - 1)));
  }

 private:
  static constexpr int kBits = 15;
  static constexpr std::int64_t kIds = std::int64_t{1} << kBits;
  using Page = std::bitset<kIds>;
  std::map<std::int64_t, Page> pages_;
};

}  // namespace vestige
