#include "vestige/rules/kind.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "vestige/base/time.h"

namespace vestige {
namespace {

class Match final : public Kind {
 public:
  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    return std::optional(firing_of(subject.change()));
  }
};

class Missing final : public Kind {
 public:
  explicit Missing(std::vector<std::string> fields) : fields_(std::move(fields)) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    std::string lacking;
    for (const std::string& field : fields_) {
      const std::string* given = subject.change().context.get(field);
      if (given == nullptr || given->empty()) lacking += (lacking.empty() ? "" : ", ") + field;
    }
    if (lacking.empty()) return std::optional<Firing>();
    Firing firing = firing_of(subject.change());
    firing.more = {{"missing", lacking}};
    return std::optional(std::move(firing));
  }

 private:
  std::vector<std::string> fields_;
};

class Unsigned final : public Kind {
 public:
  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    const std::string& word = subject.change().signed_word;
    if (word.empty() || word == "erased" || is_well_signed(word)) return std::optional<Firing>();
    Firing firing = firing_of(subject.change());
    firing.more = {{"signed", word}};
    return std::optional(std::move(firing));
  }
};

// No such change for a time. Who finds out, another change or somebody with a clock, finds the same: it is about the last one.
class Silent final : public Kind {
 public:
  explicit Silent(std::int64_t within) : within_(within) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    const Change& change = subject.change();
    auto firing = pass(change.at);
    last_.at("").values = {change.at, place_of(change), change.id, 0};
    return firing;
  }

  std::optional<Firing> pass(std::int64_t at) override {
    const auto* last = last_.find("");
    if (last == nullptr || last->values[3] != 0 || at - last->values[0] <= within_)
      return std::nullopt;
    last_.at("").values[3] = 1;
    const auto [when, index, id, told] = last->values;
    return Firing{index, index, when + within_, {id}, {{"since", format_time(when)}}};
  }

  bool load(std::string_view name, std::string_view text) override {
    return last_.load(name, text);
  }
  void take(std::vector<StatePart>& out) override { last_.take(out); }

 private:
  std::int64_t within_;
  Kept<KeptNumbers<4>> last_{'w'};  // its time, index and id; 1: it was told
};

// As many rows in one transaction. Of transactions that are older than some it is forgotten: their changes stand together.
class Bulk final : public Kind {
 public:
  explicit Bulk(std::int64_t rows) : rows_(rows) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& group) override {
    const Change& change = subject.change();
    const std::string name = fmt::format("{} {}", change.tx, group);
    const std::int64_t index = place_of(change);
    const bool first = seen_.find(name) == nullptr;
    if (first) forget();
    auto& seen = seen_.at(name).values;
    if (first) seen = {0, index, change.id};
    if (++seen[0] != rows_) return std::optional<Firing>();
    Firing firing{seen[1], index, change.at, {seen[2]}, {}};
    if (change.id != seen[2]) firing.changes.push_back(change.id);
    firing.more = {{"rows", std::to_string(rows_)}};
    return std::optional(std::move(firing));
  }

  bool load(std::string_view name, std::string_view text) override {
    return seen_.load(name, text);
  }
  void take(std::vector<StatePart>& out) override { seen_.take(out); }

 private:
  static constexpr std::size_t kMost = 64;

  void forget() {
    if (seen_.all().size() < kMost) return;
    const auto oldest = std::min_element(
        seen_.all().begin(), seen_.all().end(),
        [](const auto& a, const auto& b) { return a.second.values[1] < b.second.values[1]; });
    seen_.erase(std::string(oldest->first));
  }

  std::int64_t rows_;
  Kept<KeptNumbers<3>> seen_{'w'};  // how many, the first one's index and id
};

// As messages have it: brackets are doubled.
std::string in_message(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '{' || c == '}' ? 2 : 1, c);
  return out;
}

// As parse_period reads it.
std::string period_text(std::int64_t micros) {
  std::int64_t number = micros / 1'000'000;
  char unit = 's';
  for (const auto& [size, larger] : {std::pair(60, 'm'), {60, 'h'}, {24, 'd'}}) {
    if (number % size != 0) break;
    number /= size;
    unit = larger;
  }
  return fmt::format("{}{}", number, unit);
}

}  // namespace

std::int64_t place_of(const Change& change) {
  return static_cast<std::int64_t>(change.index.value_or(0));
}

Firing firing_of(const Change& change) {
  return {place_of(change), place_of(change), change.at, {change.id}, {}};
}

Result<std::vector<Reference>> references_of(const std::vector<std::string>& names) {
  std::vector<Reference> out;
  for (const std::string& name : names) out.push_back(TRY(parse_reference(name)));
  return out;
}

std::vector<std::string> more_names(RuleKind kind) {
  switch (kind) {
    case RuleKind::frequency:
    case RuleKind::distinct: return {"count"};
    case RuleKind::sum: return {"count", "sum"};
    case RuleKind::bulk: return {"rows"};
    case RuleKind::continuity: return {"expected", "found"};
    case RuleKind::missing: return {"missing"};
    case RuleKind::not_signed: return {"signed"};
    case RuleKind::silent: return {"since"};
    case RuleKind::newcomer: return {"what"};
    case RuleKind::off_hours: return {"clock"};
    default: return {};
  }
}

std::string default_message(const Rule& rule) {
  switch (rule.kind) {
    case RuleKind::frequency: return "{table}: {count} changes within the time, by {who} at last";
    case RuleKind::sum: return "{table}: {sum} within the time, in {count} changes";
    case RuleKind::distinct:
      return fmt::format("{{table}}: {{count}} different {} within {}{}",
                         in_message(fmt::format("{}", fmt::join(rule.of, ", "))),
                         period_text(rule.within), rule.group_by.empty() ? "" : " of {group}");
    case RuleKind::bulk: return "{table}: {rows} rows or more in transaction {tx} by {who}";
    case RuleKind::newcomer: return "{table}: never seen before: {what}, by {who}";
    case RuleKind::off_hours:
      return "{op} of {table} {key} by {who} at {clock}, outside of the hours";
    case RuleKind::continuity:
      return "{table} {key}: the old value is {found}, and the last change left {expected}";
    case RuleKind::missing: return "{op} of {table} {key} by {who} without {missing}";
    case RuleKind::not_signed: return "{op} of {table} {key} by {who}: {signed}";
    case RuleKind::silent: return "nothing of it since {since}";
    case RuleKind::health:
      return "what is recorded of {new.table_name} is not what it was: {new.verb}, by {who}";
    default: return "{op} of {table} {key} by {who}";
  }
}

Result<std::unique_ptr<Kind>> kind_of(const Rule& rule, Expressions& expressions,
                                      const TimeZone& zone) {
  switch (rule.kind) {
    // What a change says of the trail itself: that a policy is another. The rest is found by looking: see health.h.
    case RuleKind::health:
    case RuleKind::match: return std::unique_ptr<Kind>(std::make_unique<Match>());
    case RuleKind::missing: return std::unique_ptr<Kind>(std::make_unique<Missing>(rule.require));
    case RuleKind::not_signed: return std::unique_ptr<Kind>(std::make_unique<Unsigned>());
    case RuleKind::bulk: return std::unique_ptr<Kind>(std::make_unique<Bulk>(rule.rows));
    case RuleKind::silent: return std::unique_ptr<Kind>(std::make_unique<Silent>(rule.within));
    case RuleKind::frequency:
    case RuleKind::sum:
    case RuleKind::distinct: return window_kind(rule, expressions);
    case RuleKind::newcomer:
    case RuleKind::continuity: return row_kind(rule);
    case RuleKind::off_hours: return hours_kind(rule, zone);
  }
  return fail(Fault::internal, "a rule of no kind");
}

}  // namespace vestige
