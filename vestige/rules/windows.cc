// frequency, sum, distinct: what comes together within a time. A window slides by the times of the changes; one that was committed
// late counts where its time is. Test: windows_test.cc.
#include <algorithm>
#include <cstdlib>

#include "vestige/base/decimal.h"
#include "vestige/rules/kind.h"
#include "vestige/rules/numbers.h"

namespace vestige {
namespace {

constexpr std::size_t kMostSeen = 4096;  // of a group; more are taken together
constexpr std::size_t kMostNamed = 100;  // changes of an alert
constexpr std::int64_t kForgetEvery = 1024;

struct Seen {
  std::int64_t at = 0;
  std::int64_t index = 0;
  std::int64_t id = 0;
  std::string value;  // sum: a number; distinct: what is told apart

  bool operator<(const Seen& other) const {
    return std::pair(at, index) < std::pair(other.at, other.index);
  }
};

struct Window {
  std::vector<Seen> seen;  // by their times

  // A line each; what is in `value` is JSON, and has no line ends.
  std::string write() const {
    std::string out;
    for (const Seen& one : seen)
      out += fmt::format("{} {} {}|{}\n", one.at, one.index, one.id, one.value);
    return out;
  }
  static std::optional<Window> read(std::string_view text) {
    Window out;
    while (!text.empty()) {
      const std::size_t bar = text.find('|');
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos || bar > end) return std::nullopt;
      const auto numbers = read_numbers(text.substr(0, bar));
      if (!numbers.has_value() || numbers->size() != 3) return std::nullopt;
      out.seen.push_back({(*numbers)[0], (*numbers)[1], (*numbers)[2],
                          std::string(text.substr(bar + 1, end - bar - 1))});
      text.remove_prefix(end + 1);
    }
    return out;
  }
};

using Place = std::vector<Seen>::const_iterator;

// The first at a time or later.
template <class Iterator>
Iterator first_from(Iterator from, Iterator end, std::int64_t at) {
  return std::partition_point(from, end, [&](const Seen& one) { return one.at < at; });
}

class Windows : public Kind {
 public:
  explicit Windows(std::int64_t within) : within_(within) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& group) override {
    const auto value = TRY(value_of(subject));
    if (!value.has_value()) return std::optional<Firing>();
    const Change& change = subject.change();
    forget(change.at, place_of(change));
    Window& window = windows_.at(group);
    const Seen seen{change.at, place_of(change), change.id, *value};
    insert(window.seen, seen);
    const std::int64_t oldest = window.seen.back().at - 2 * within_;
    window.seen.erase(window.seen.begin(),
                      first_from(window.seen.begin(), window.seen.end(), oldest));
    return look(window.seen, seen);
  }

  bool load(std::string_view name, std::string_view text) override {
    return windows_.load(name, text) || clock_.load(name, text);
  }
  void take(std::vector<StatePart>& out) override {
    windows_.take(out);
    clock_.take(out);
  }

 protected:
  /// What of a change counts; nothing: it does not.
  virtual Result<std::optional<std::string>> value_of(Subject& subject) = 0;
  virtual void insert(std::vector<Seen>& seen, const Seen& one) const {
    seen.insert(std::upper_bound(seen.begin(), seen.end(), one), one);
  }
  /// Whether what stands within a window is enough, and what messages can say of it.
  virtual bool is_enough(Place from, Place end, Message::More& more) const = 0;

 private:
  // Of the windows that have the change in them, the first that is enough; what was in it counts no more.
  std::optional<Firing> look(std::vector<Seen>& seen, const Seen& one) const {
    auto from = first_from(seen.begin(), seen.end(), one.at - within_ + 1);
    for (; from != seen.end() && !(one < *from); ++from) {
      const auto end = first_from(from, seen.end(), from->at + within_);
      Firing firing;
      if (is_enough(from, end, firing.more)) {
        firing.first_index = firing.last_index = from->index;
        firing.at = std::prev(end)->at;
        for (auto other = from; other != end; ++other) {
          firing.first_index = std::min(firing.first_index, other->index);
          firing.last_index = std::max(firing.last_index, other->index);
          if (firing.changes.size() < kMostNamed) firing.changes.push_back(other->id);
        }
        // Of many, always the one that the message is about.
        if (std::find(firing.changes.begin(), firing.changes.end(), one.id) == firing.changes.end())
          firing.changes.back() = one.id;
        seen.erase(seen.begin(), end);
        return firing;
      }
      if (end == seen.end()) break;  // a later beginning has less in it
    }
    return std::nullopt;
  }

  // Groups in which nothing can come together any more, at places of the feed that are the same for everybody.
  void forget(std::int64_t at, std::int64_t index) {
    auto& [newest, forgotten] = clock_.at("").values;
    newest = std::max(newest, at);
    if (index / kForgetEvery == forgotten) return;
    forgotten = index / kForgetEvery;
    std::vector<std::string> old;
    for (const auto& [group, window] : windows_.all())
      if (window.seen.empty() || window.seen.back().at < newest - 2 * within_) old.push_back(group);
    for (const std::string& group : old) windows_.erase(group);
  }

  std::int64_t within_;
  Kept<Window> windows_{'w'};
  Kept<KeptNumbers<2>> clock_{'c'};  // the latest time, and where it was forgotten last
};

class Frequency final : public Windows {
 public:
  explicit Frequency(const Rule& rule) : Windows(rule.within), count_(rule.count) {}

 protected:
  Result<std::optional<std::string>> value_of(Subject& /*subject*/) override {
    return std::optional(std::string());
  }
  bool is_enough(Place from, Place end, Message::More& more) const override {
    if (end - from < count_) return false;
    more = {{"count", std::to_string(end - from)}};
    return true;
  }

 private:
  std::int64_t count_;
};

class Total final : public Windows {
 public:
  Total(const Rule& rule, Expression value)
      : Windows(rule.within), value_(std::move(value)), above_(rule.above) {}

 protected:
  Result<std::optional<std::string>> value_of(Subject& subject) override {
    const Value value = TRY(value_.value(subject.values(value_.references())));
    if (std::holds_alternative<Null>(value)) return std::optional<std::string>();
    if (!number_of(&value).has_value())
      return fail(Fault::invalid, "evaluate: {} is no number", to_display(value));
    return std::optional(to_json(value));
  }
  // The oldest two become one, at the time of the later one.
  void insert(std::vector<Seen>& seen, const Seen& one) const override {
    Windows::insert(seen, one);
    if (seen.size() <= kMostSeen) return;
    seen[1].value = fmt::format("{}", number(seen[0]) + number(seen[1]));
    seen.erase(seen.begin());
  }
  bool is_enough(Place from, Place end, Message::More& more) const override {
    double sum = 0;
    for (auto one = from; one != end; ++one) sum += number(*one);
    if (compare_numbers(fmt::format("{}", sum), above_).value_or(-1) <= 0) return false;
    more = {{"count", std::to_string(end - from)}, {"sum", fmt::format("{:.15g}", sum)}};
    return true;
  }

 private:
  static double number(const Seen& one) { return std::strtod(one.value.c_str(), nullptr); }

  Expression value_;
  std::string above_;
};

class Distinct final : public Windows {
 public:
  Distinct(const Rule& rule, std::vector<Reference> of)
      : Windows(rule.within), count_(rule.count), names_(rule.of), of_(std::move(of)) {}

 protected:
  Result<std::optional<std::string>> value_of(Subject& subject) override {
    return std::optional(subject.object(names_, of_));
  }
  // Of what comes again the latest counts: so a window never holds more than the rule waits for.
  void insert(std::vector<Seen>& seen, const Seen& one) const override {
    const auto same = std::find_if(seen.begin(), seen.end(),
                                   [&](const Seen& other) { return other.value == one.value; });
    if (same != seen.end()) {
      if (one < *same) return;
      seen.erase(same);
    }
    Windows::insert(seen, one);
  }
  bool is_enough(Place from, Place end, Message::More& more) const override {
    if (end - from < count_) return false;
    more = {{"count", std::to_string(end - from)}};
    return true;
  }

 private:
  std::int64_t count_;
  std::vector<std::string> names_;
  std::vector<Reference> of_;
};

}  // namespace

Result<std::unique_ptr<Kind>> window_kind(const Rule& rule, Expressions& expressions) {
  switch (rule.kind) {
    case RuleKind::sum:
      return std::unique_ptr<Kind>(
          std::make_unique<Total>(rule, TRY(expressions.compile(rule.value, false))));
    case RuleKind::distinct:
      return std::unique_ptr<Kind>(std::make_unique<Distinct>(rule, TRY(references_of(rule.of))));
    default: return std::unique_ptr<Kind>(std::make_unique<Frequency>(rule));
  }
}

}  // namespace vestige
