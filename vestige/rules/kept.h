// Kept: what a rule remembers, in parts that are written each for itself when they have changed (docs/decisions/0026-rules.md).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vestige {

/// A part of what a rule remembers, as it is stored; nothing: it is gone.
struct StatePart {
  std::string name;
  std::optional<std::string> text;
};

/// Parts by their names. T has `std::string write() const` and `static std::optional<T> read(std::string_view)`.
template <class T>
class Kept {
 public:
  /// prefix   of the names under which they are stored: what else the rule remembers has others
  explicit Kept(char prefix) : prefix_(prefix) {}

  const T* find(const std::string& name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : &found->second;
  }
  /// To be changed.
  T& at(const std::string& name) {
    changed_.insert(name);
    return all_[name];
  }
  void erase(const std::string& name) {
    if (all_.erase(name) > 0) changed_.insert(name);
  }
  const std::map<std::string, T>& all() const { return all_; }

  /// False: the name has another prefix, or the text is none of its.
  bool load(std::string_view name, std::string_view text) {
    if (name.empty() || name.front() != prefix_) return false;
    auto read = T::read(text);
    if (read.has_value()) all_.insert_or_assign(std::string(name.substr(1)), std::move(*read));
    return read.has_value();
  }
  /// What changed since it was asked last.
  void take(std::vector<StatePart>& out) {
    for (const std::string& name : std::exchange(changed_, {})) {
      const T* one = find(name);
      out.push_back({prefix_ + name, one == nullptr ? std::nullopt : std::optional(one->write())});
    }
  }

 private:
  char prefix_;
  std::map<std::string, T> all_;
  std::set<std::string> changed_;
};

/// Numbers with spaces between them.
std::string write_numbers(std::span<const std::int64_t> numbers);
std::optional<std::vector<std::int64_t>> read_numbers(std::string_view text);

/// As many numbers.
template <std::size_t N>
struct KeptNumbers {
  std::array<std::int64_t, N> values{};
  std::string write() const { return write_numbers(values); }
  static std::optional<KeptNumbers> read(std::string_view text) {
    KeptNumbers out;
    const auto numbers = read_numbers(text);
    if (!numbers.has_value() || numbers->size() != N) return std::nullopt;
    std::copy(numbers->begin(), numbers->end(), out.values.begin());
    return out;
  }
};

/// A text.
struct KeptText {
  std::string value;
  std::string write() const { return value; }
  static std::optional<KeptText> read(std::string_view text) { return KeptText{std::string(text)}; }
};

}  // namespace vestige
