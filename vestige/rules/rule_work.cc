#include "vestige/rules/rule_work.h"

#include <algorithm>
#include <set>

namespace vestige {
namespace {

constexpr std::int64_t kDay = 24LL * 3600 * 1'000'000;
constexpr std::size_t kMany = 50;  // alerts of a rule within a day; more are a flood

// The one column that a rule's select names: what {delta} and {pct} are of.
std::string meant_column(const Rule& rule) {
  if (!rule.field.empty()) return rule.field;
  for (const Condition& condition : rule.filter.conditions)
    if (condition.field == "column" && !condition.negated && condition.plain() &&
        condition.words.size() == 1)
      return condition.words.front().text;
  return "";
}

tl::unexpected<Error> at_place(const Rule& rule, std::string_view member, const Error& error) {
  auto found = rule.places.find(member);
  if (found == rule.places.end()) found = rule.places.find("");
  const std::string place = found == rule.places.end() ? "rule" : found->second;
  return hinted(fail(Fault::invalid, "read {}: rule '{}': {}: {}", place, rule.id,
                     member.empty() ? "kind" : member, error.message),
                error.hint);
}

template <class T>
Result<T> placed(const Rule& rule, std::string_view member, Result<T> result) {
  if (!result.has_value()) return at_place(rule, member, result.error());
  return result;
}

// A glob has no say in which tables a rule is about: it is asked of each change.
bool names_table(const Condition& condition) {
  return condition.field == "table" && !condition.negated && condition.plain();
}

bool is_own(const std::string& table) {
  return table.starts_with("vestige.") || table.starts_with("vestige_");
}

std::string_view main_member(RuleKind kind) {
  switch (kind) {
    case RuleKind::sum: return "value";
    case RuleKind::off_hours: return "hours";
    case RuleKind::distinct:
    case RuleKind::newcomer: return "of";
    default: return "kind";
  }
}

}  // namespace

Result<std::unique_ptr<RuleWork>> RuleWork::make(const Rule& rule, Expressions& expressions,
                                                 const TimeZone& zone) {
  const std::string text = rule.message.empty() ? default_message(rule) : rule.message;
  std::vector<std::string> more = more_names(rule.kind);
  more.emplace_back("group");
  auto message = TRY(placed(rule, "message", Message::parse(text, meant_column(rule), more)));
  std::unique_ptr<RuleWork> work(new RuleWork(rule, std::move(message)));
  if (!rule.when.empty())
    work->when_.emplace(TRY(placed(rule, "when", expressions.compile(rule.when))));
  work->group_by_ = TRY(placed(rule, "group_by", references_of(rule.group_by)));
  work->kind_ = TRY(placed(rule, main_member(rule.kind), kind_of(rule, expressions, zone)));
  return work;
}

// What is of the trail itself is for a rule that names it.
bool RuleWork::is_about(const std::string& table) const {
  if (rule_.kind == RuleKind::health)
    return is_own(table) && table.ends_with("policy_change") &&
           std::find(rule_.what.begin(), rule_.what.end(), "policy-changed") != rule_.what.end();
  const auto& conditions = rule_.filter.conditions;
  const bool named = std::any_of(conditions.begin(), conditions.end(), names_table);
  if (!named) return !is_own(table);
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& one) {
    return !names_table(one) ||
           std::any_of(one.words.begin(), one.words.end(),
                       [&](const FilterWord& word) { return word.text == table; });
  });
}

Result<std::optional<Firing>> RuleWork::decide(Subject& subject, std::string& group) {
  if (when_.has_value()) {
    const Value held = TRY(when_->value(subject.values(when_->references())));
    if (held != Value(std::int64_t{1})) return std::optional<Firing>();
  }
  ++cost.matches;
  group = subject.object(rule_.group_by, group_by_);
  return kind_->see(subject, group);
}

void RuleWork::see(Subject& subject, const std::map<std::string, TableFacts>& tables,
                   std::vector<Alert>& out) {
  const Change& change = subject.change();
  if (place_of(change) <= after) return;
  if (!matches(rule_.filter, change, tables)) return;
  ++cost.evaluations;
  std::string group;
  const auto firing = decide(subject, group);
  if (!firing.has_value()) fail_once(change, firing.error().message, out);
  else if (firing->has_value()) raise(subject, group, **firing, out);
}

void RuleWork::pass(std::int64_t at, std::vector<Alert>& out) {
  const auto firing = kind_->pass(at);
  if (!firing.has_value()) return;
  const Change nothing;
  Subject subject(nothing, nullptr);
  raise(subject, "{}", *firing, out);
}

// Once, until it is over and comes again.
void RuleWork::look(const std::vector<Trouble>& troubles, std::int64_t index, std::int64_t now,
                    std::vector<Alert>& out) {
  std::set<std::string> standing;
  for (const Trouble& one : troubles) {
    const std::string group =
        fmt::format(R"({{"what":{},"table":{}}})", text_json(one.what), text_json(one.table));
    standing.insert(group);
    if (troubled_.find(group) != nullptr) continue;
    troubled_.at(group).values = {index};
    Alert alert = alert_of(std::string(name(rule_.kind)), group, {index, index, now, {}, {}});
    alert.title = one.text;
    alert.table = one.table;
    ++cost.alerts;
    out.push_back(std::move(alert));
  }
  std::vector<std::string> over;
  for (const auto& [group, since] : troubled_.all())
    if (!standing.contains(group)) over.push_back(group);
  for (const std::string& group : over) troubled_.erase(group);
}

Alert RuleWork::alert_of(std::string kind, std::string group, const Firing& firing) const {
  Alert alert;
  alert.id = alert_id(rule_.id, hash_, kind, group, firing.first_index);
  alert.rule = rule_.id;
  alert.rule_hash = hash_;
  alert.kind = std::move(kind);
  alert.severity = rule_.severity;
  alert.group = std::move(group);
  alert.first_index = firing.first_index;
  alert.last_index = firing.last_index;
  alert.at = firing.at;
  alert.changes = firing.changes;
  alert.notify = rule_.notify;
  return alert;
}

// "who ann, table products"
std::string RuleWork::group_text(Subject& subject) const {
  std::string out;
  for (std::size_t i = 0; i < group_by_.size(); ++i) {
    const Value* value = subject.value(group_by_[i]);
    out += fmt::format("{}{} {}", i == 0 ? "" : ", ", rule_.group_by[i],
                       value == nullptr ? "null" : to_display(*value));
  }
  return out;
}

bool RuleWork::is_too_soon(const std::string& group, std::int64_t at) {
  if (rule_.realert == 0) return false;
  const auto* last = raised_.find(group);
  const bool soon = last != nullptr && at < last->values[0] + rule_.realert;
  if (!soon) raised_.at(group).values = {at};
  return soon;
}

// Of a flood the first alert too many says so, and the others are recorded and not delivered, until it is over.
bool RuleWork::is_noisy(const Alert& alert, std::vector<Alert>& out) {
  std::string& text = recent_.at("").value;
  auto times = read_numbers(text).value_or(std::vector<std::int64_t>());
  const bool told = !times.empty() && times.front() == 1;
  if (!times.empty()) times.erase(times.begin());
  times.push_back(alert.at);
  if (times.size() > kMany + 1) times.erase(times.begin());
  const bool flood = times.size() > kMany && alert.at - times.front() < kDay;
  times.insert(times.begin(), flood ? 1 : 0);
  text = write_numbers(times);
  if (flood && !told) {
    Alert notice = alert;
    notice.kind = "noisy";
    notice.group = "{}";
    notice.id = alert_id(rule_.id, hash_, notice.kind, notice.group, alert.first_index);
    notice.title = fmt::format(
        "rule {} raised more than {} alerts within a day: it is noisy, and what it raises from here"
        " on is recorded and not delivered",
        rule_.id, kMany);
    out.push_back(std::move(notice));
  }
  return flood;
}

void RuleWork::raise(Subject& subject, const std::string& group, const Firing& firing,
                     std::vector<Alert>& out) {
  const Change& change = subject.change();
  last_.at("").values = {firing.first_index, firing.last_index, change.tx};
  if (is_too_soon(group, firing.at)) return;
  Alert alert = alert_of(std::string(name(rule_.kind)), group, firing);
  Message::More more = firing.more;
  more["group"] = group_text(subject);
  alert.title = message_.text(subject, more);
  alert.table = change.table;
  if (change.who() != nullptr) alert.who = *change.who();
  ++cost.alerts;
  std::vector<Alert> notices;
  alert.quiet = is_noisy(alert, notices);
  out.push_back(std::move(alert));
  out.insert(out.end(), notices.begin(), notices.end());
}

// Once a day for each error: what fails for one change may fail for all.
void RuleWork::fail_once(const Change& change, const std::string& why, std::vector<Alert>& out) {
  ++cost.errors;
  const auto* last = failed_.find(why);
  if (last != nullptr && change.at < last->values[0] + kDay) return;
  failed_.at(why).values = {change.at};
  Alert alert = alert_of("broken", "{}", firing_of(change));
  alert.title = fmt::format("rule {} failed: {}", rule_.id, why);
  alert.severity = "high";
  alert.why = why;
  alert.table = change.table;
  out.push_back(std::move(alert));
}

bool RuleWork::has_told(const Change& change) const {
  const auto* last = last_.find("");
  if (last == nullptr) return false;
  const auto& [first, end, tx] = last->values;
  return tx == change.tx || (first <= place_of(change) && place_of(change) <= end);
}

bool RuleWork::load(std::string_view name, std::string_view text) {
  return raised_.load(name, text) || failed_.load(name, text) || recent_.load(name, text) ||
         troubled_.load(name, text) || last_.load(name, text) || kind_->load(name, text);
}

std::vector<StatePart> RuleWork::take() {
  std::vector<StatePart> out;
  raised_.take(out);
  failed_.take(out);
  recent_.take(out);
  troubled_.take(out);
  last_.take(out);
  kind_->take(out);
  return out;
}

}  // namespace vestige
