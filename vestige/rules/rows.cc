// continuity, new: what a rule remembers of rows, and of values. Test: engine_test.cc.
#include <algorithm>

#include "vestige/base/decimal.h"
#include "vestige/rules/kind.h"

namespace vestige {
namespace {

// The old value of a change is the new value of the row's change before: otherwise somebody wrote past capture.
class Continuity final : public Kind {
 public:
  explicit Continuity(std::string column) : column_(std::move(column)) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    const Change& change = subject.change();
    if (change.op == Op::truncate) forget_table(change.table);
    if (!of_a_row(change.op)) return std::optional<Firing>();
    const std::string row = row_of(change, change.key);
    if (change.lost_values()) {  // what it left nobody knows
      last_.erase(row);
      return std::optional<Firing>();
    }
    auto firing = held(change, row);
    remember(change, row);
    return firing;
  }

  bool load(std::string_view name, std::string_view text) override {
    return last_.load(name, text);
  }
  void take(std::vector<StatePart>& out) override { last_.take(out); }

 private:
  static std::string row_of(const Change& change, const Row& key) {
    return text_json(change.table) + " " + to_json(key) +
           (change.row_id.has_value() ? fmt::format(" {}", *change.row_id) : "");
  }

  static bool same(const std::string& left, const std::string& right) {
    return left == right || compare_numbers(left, right).value_or(1) == 0;
  }

  std::optional<Firing> held(const Change& change, const std::string& row) const {
    if (change.op != Op::update && change.op != Op::remove) return std::nullopt;
    const Value* before = value_before(change, column_);
    const KeptText* known = last_.find(row);
    if (before == nullptr || known == nullptr || is_withheld(*before)) return std::nullopt;
    const std::string found = to_json(*before);
    if (same(known->value, found)) return std::nullopt;
    Firing firing = firing_of(change);
    firing.more = {{"expected", known->value}, {"found", found}};
    return firing;
  }

  void remember(const Change& change, const std::string& row) {
    const Value* after = value_after(change, column_);
    const KeptText* known = last_.find(row);
    const std::optional<std::string> left =
        after != nullptr && !is_withheld(*after) ? std::optional(to_json(*after))
        : after == nullptr && known != nullptr   ? std::optional(known->value)
                                                 : std::nullopt;
    const std::string then = change.new_key.has_value() ? row_of(change, *change.new_key) : row;
    if (then != row || change.op == Op::remove || !left.has_value()) last_.erase(row);
    if (change.op != Op::remove && left.has_value()) last_.at(then).value = *left;
  }

  void forget_table(const std::string& table) {
    const std::string prefix = text_json(table) + " ";
    std::vector<std::string> rows;
    for (const auto& [row, value] : last_.all())
      if (row.starts_with(prefix)) rows.push_back(row);
    for (const std::string& row : rows) last_.erase(row);
  }

  std::string column_;
  Kept<KeptText> last_{'w'};  // by the row, as JSON
};

// What never was before, once the time of learning is over.
class New final : public Kind {
 public:
  New(const Rule& rule, std::vector<Reference> of, std::vector<Reference> by)
      : learn_(rule.learn),
        of_names_(rule.of),
        by_names_(rule.by),
        of_(std::move(of)),
        by_(std::move(by)) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    const bool nothing = std::all_of(of_.begin(), of_.end(), [&](const Reference& one) {
      const Value* value = subject.value(one);
      return value == nullptr || std::holds_alternative<Null>(*value);
    });
    if (nothing) return std::optional<Firing>();
    const Change& change = subject.change();
    if (begun_.find("") == nullptr) begun_.at("").values = {change.at};
    const std::string what = subject.object(by_names_, by_) + " " + subject.object(of_names_, of_);
    if (known_.find(what) != nullptr) return std::optional<Firing>();
    known_.at(what).values = {change.at};
    if (change.at < begun_.find("")->values[0] + learn_) return std::optional<Firing>();
    Firing firing = firing_of(change);
    std::string& told = firing.more["what"];
    for (std::size_t i = 0; i < of_.size(); ++i) {
      const Value* value = subject.value(of_[i]);
      told += fmt::format("{}{} {}", i == 0 ? "" : ", ", of_names_[i],
                          value == nullptr ? "null" : to_display(*value));
    }
    return std::optional(std::move(firing));
  }

  bool load(std::string_view name, std::string_view text) override {
    return known_.load(name, text) || begun_.load(name, text);
  }
  void take(std::vector<StatePart>& out) override {
    known_.take(out);
    begun_.take(out);
  }

 private:
  std::int64_t learn_;
  std::vector<std::string> of_names_, by_names_;
  std::vector<Reference> of_, by_;
  Kept<KeptNumbers<1>> known_{'w'};  // since when
  Kept<KeptNumbers<1>> begun_{'c'};  // when learning did
};

}  // namespace

Result<std::unique_ptr<Kind>> row_kind(const Rule& rule) {
  if (rule.kind == RuleKind::continuity)
    return std::unique_ptr<Kind>(std::make_unique<Continuity>(rule.field));
  auto of = TRY(references_of(rule.of));
  return std::unique_ptr<Kind>(
      std::make_unique<New>(rule, std::move(of), TRY(references_of(rule.by))));
}

}  // namespace vestige
