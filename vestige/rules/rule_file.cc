#include "vestige/rules/rule_file.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <span>

#include "vestige/base/decimal.h"
#include "vestige/base/file.h"
#include "vestige/privacy/signers_file.h"
#include "vestige/rules/engine.h"
#include "vestige/rules/hours.h"

namespace vestige {
namespace {

const std::vector<std::string> kAlertKeys = {"timezone", "follow"};

// What every rule may say, and what those of a kind must say besides, or may: these end in '?'.
const std::vector<std::string> kCommon = {"id",      "kind",     "select",  "when",   "severity",
                                          "message", "group_by", "realert", "notify", "inhibit"};

std::vector<std::string> own_keys(RuleKind kind) {
  switch (kind) {
    case RuleKind::frequency: return {"count", "within"};
    case RuleKind::sum: return {"value", "above", "within"};
    case RuleKind::distinct: return {"of", "count", "within"};
    case RuleKind::bulk: return {"rows"};
    case RuleKind::newcomer: return {"of", "by?", "learn?"};
    case RuleKind::off_hours: return {"hours", "holidays?"};
    case RuleKind::continuity: return {"field"};
    case RuleKind::missing: return {"require"};
    case RuleKind::silent: return {"within"};
    case RuleKind::health: return {"what"};
    case RuleKind::not_signed:
    case RuleKind::match: return {};
  }
  return {};
}

const std::vector<std::string>& health_words() {
  static const std::vector<std::string> words = {"capture-disabled", "sealer-lag", "verify-failed",
                                                 "policy-changed"};
  return words;
}

constexpr std::uintmax_t kLongestFile = 1 << 20;  // bytes, of holidays

// A device or a pipe would be read for ever.
Result<std::string> file_of_dates(const std::string& path) {
  std::error_code none;
  if (std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none))
    return fail(Fault::invalid, "read {}: it is no file", path);
  if (const auto size = std::filesystem::file_size(path, none); !none && size > kLongestFile)
    return fail(Fault::invalid, "read {}: more than {} bytes are no list of dates", path,
                kLongestFile);
  return file_bytes(path);
}

std::vector<std::string> texts_of(std::span<const std::string_view> views) {
  return {views.begin(), views.end()};
}

class RuleReader {
 public:
  RuleReader(const Toml& node, std::string zone, std::string folder)
      : node_(node), folder_(std::move(folder)) {
    rule_.zone = std::move(zone);
    rule_.places[""] = node.place;
    for (const TomlMember& member : node.members) rule_.places[member.name] = member.value.place;
  }

  Result<Rule> read() {
    TRY(read_kind());
    TRY(check_keys());
    for (const TomlMember& member : node_.members) TRY(read_member(member));
    if (rule_.kind == RuleKind::silent && !rule_.group_by.empty())
      return misread(rule_.places["group_by"], "silent has no groups: a rule for each");
    return std::move(rule_);
  }

 private:
  Result<void> read_kind() {
    const TomlMember* id = node_.find("id");
    if (id == nullptr) return misread(node_.place, "a rule without an id");
    rule_.id = TRY(id->as_text());
    const bool plain = !rule_.id.empty() && rule_.id.size() <= 100 &&
                       std::all_of(rule_.id.begin(), rule_.id.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                       });
    if (!plain)
      return misread(id->value.place, "an id has letters, digits, '-', '_' and '.', at most 100");
    const TomlMember* kind = node_.find("kind");
    if (kind == nullptr) return {};
    const std::string name = TRY(kind->as_text());
    const auto found = std::find(kRuleKinds.begin(), kRuleKinds.end(), name);
    if (found == kRuleKinds.end())
      return suggested(misread(kind->value.place, fmt::format("'{}' is no kind of rule", name)),
                       name, texts_of(kRuleKinds));
    rule_.kind = static_cast<RuleKind>(found - kRuleKinds.begin());
    return {};
  }

  Result<void> check_keys() const {
    std::vector<std::string> known = kCommon;
    for (std::string key : own_keys(rule_.kind)) {
      const bool optional = key.ends_with('?');
      if (optional) key.pop_back();
      known.push_back(key);
      if (!optional && node_.find(key) == nullptr)
        return misread(node_.place, fmt::format("rule '{}': a rule of kind {} has '{}'", rule_.id,
                                                name(rule_.kind), key));
    }
    return node_.check_names(known);
  }

  template <class T>
  Result<T> placed(const TomlMember& member, Result<T> result) const {
    if (result.has_value()) return result;
    return hinted(misread(member.value.place, result.error().message), result.error().hint);
  }

  Result<void> read_member(const TomlMember& member) {
    const std::string& key = member.name;
    if (key == "select") return read_select(member);
    if (key == "severity") return read_severity(member);
    if (key == "holidays") return read_holidays(member);
    if (key == "what") return read_what(member);
    if (key == "above") return read_above(member);
    struct TextKey {
      std::string_view name;
      std::string Rule::*member;
    };
    for (const TextKey& one : {TextKey{"when", &Rule::when},
                               {"message", &Rule::message},
                               {"value", &Rule::value},
                               {"field", &Rule::field},
                               {"hours", &Rule::hours}})
      if (key == one.name) rule_.*one.member = TRY(member.as_text());
    struct ListKey {
      std::string_view name;
      std::vector<std::string> Rule::*member;
    };
    for (const ListKey& one : {ListKey{"group_by", &Rule::group_by},
                               {"notify", &Rule::notify},
                               {"inhibit", &Rule::inhibit},
                               {"of", &Rule::of},
                               {"by", &Rule::by},
                               {"require", &Rule::require}}) {
      if (key != one.name) continue;
      rule_.*one.member = TRY(member.as_texts());
      if ((rule_.*one.member).empty() && (key == "of" || key == "require"))
        return misread(member.value.place, fmt::format("'{}' names nothing", key));
    }
    struct NumberKey {
      std::string_view name;
      std::int64_t Rule::*member;
    };
    for (const NumberKey& one : {NumberKey{"count", &Rule::count}, {"rows", &Rule::rows}})
      if (key == one.name) {
        rule_.*one.member = TRY(member.as_integer());
        if (rule_.*one.member < 1 || rule_.*one.member > 1'000'000)
          return misread(member.value.place, fmt::format("'{}' is from 1 to 1000000", key));
      }
    for (const NumberKey& one :
         {NumberKey{"within", &Rule::within}, {"learn", &Rule::learn}, {"realert", &Rule::realert}})
      if (key == one.name)
        rule_.*one.member = TRY(placed(member, parse_period(TRY(member.as_text()))));
    return {};
  }

  // What is selected does not hang on when it is asked.
  Result<void> read_select(const TomlMember& member) {
    rule_.select = TRY(member.as_text());
    rule_.filter = TRY(placed(member, parse_filter(rule_.select, Now(0))));
    for (const Condition& one : rule_.filter.conditions)
      if (one.field == "since" || one.field == "until")
        return misread(member.value.place,
                       fmt::format("{}: is not for rules, which go on for ever", one.field));
    return {};
  }

  Result<void> read_severity(const TomlMember& member) {
    rule_.severity = TRY(member.as_text());
    if (std::find(kSeverities.begin(), kSeverities.end(), rule_.severity) != kSeverities.end())
      return {};
    return suggested(
        misread(member.value.place, fmt::format("'{}' is no severity", rule_.severity)),
        rule_.severity, texts_of(kSeverities));
  }

  Result<void> read_above(const TomlMember& member) {
    if (member.value.kind == Toml::Kind::text) rule_.above = member.value.text;
    else rule_.above = fmt::format("{}", TRY(member.as_number()));
    if (!compare_numbers(rule_.above, "0").has_value())
      return misread(member.value.place, fmt::format("'{}' is no number", rule_.above));
    return {};
  }

  // Dates, or a file with one on each line.
  Result<void> read_holidays(const TomlMember& member) {
    if (member.value.kind == Toml::Kind::array) rule_.holidays = TRY(member.as_texts());
    else {
      const std::string path =
          (std::filesystem::path(folder_) / TRY(member.as_text())).lexically_normal().string();
      const std::string text = TRY(placed(member, file_of_dates(path)));
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, std::min(text.find('#', at), end) - at);
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first != std::string::npos)
          rule_.holidays.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
        at = end + 1;
      }
    }
    for (const std::string& date : rule_.holidays) TRY(placed(member, parse_date(date)));
    return {};
  }

  Result<void> read_what(const TomlMember& member) {
    rule_.what = TRY(member.as_texts());
    for (const std::string& one : rule_.what) {
      const std::size_t colon = one.find(':');
      const std::string word = one.substr(0, colon);
      const auto& known = health_words();
      if (std::find(known.begin(), known.end(), word) == known.end())
        return suggested(
            misread(member.value.place, fmt::format("'{}' is nothing that is watched", one)), word,
            known);
      const bool timed = word == "sealer-lag" || word == "verify-failed";
      if ((colon != std::string::npos) != timed)
        return misread(member.value.place,
                       "sealer-lag and verify-failed have a time, and the others have none: "
                       "sealer-lag:60s, verify-failed:1d");
      if (colon != std::string::npos) TRY(placed(member, parse_period(one.substr(colon + 1))));
    }
    return {};
  }

  const Toml& node_;
  std::string folder_;
  Rule rule_;
};

Result<std::string> read_zone(const Toml& file) {
  const TomlMember* found = file.find("alerts");
  if (found == nullptr) return std::string("UTC");
  const Toml* alerts = TRY(found->as_table());
  TRY(alerts->check_names(kAlertKeys));
  if (const TomlMember* follow = alerts->find("follow");
      follow != nullptr && TRY(follow->as_text()) != "seal")
    return misread(follow->value.place, "what is followed is the order of the seal: \"seal\"");
  const TomlMember* zone = alerts->find("timezone");
  if (zone == nullptr) return std::string("UTC");
  const std::string name = TRY(zone->as_text());
  const auto known = TimeZone::named(name);
  if (!known.has_value())
    return hinted(misread(zone->value.place, known.error().message), known.error().hint);
  return name;
}

// Other rules, and places that are told, by names that are there.
Result<void> check_names(const std::vector<Rule>& rules, const Toml& file) {
  std::vector<std::string> ids;
  for (const Rule& rule : rules) {
    if (std::find(ids.begin(), ids.end(), rule.id) != ids.end())
      return misread(rule.places.at(""), fmt::format("two rules are called '{}'", rule.id));
    ids.push_back(rule.id);
  }
  std::vector<std::string> told;
  if (const TomlMember* notify = file.find("notify"); notify != nullptr)
    for (const TomlMember& one : TRY(notify->as_table())->members) told.push_back(one.name);
  for (const Rule& rule : rules) {
    for (const std::string& one : rule.notify)
      if (std::find(told.begin(), told.end(), one) == told.end())
        return suggested(
            misread(rule.places.at("notify"), fmt::format("there is no [notify.{}]", one)), one,
            told);
    for (const std::string& one : rule.inhibit)
      if (std::find(ids.begin(), ids.end(), one) == ids.end())
        return suggested(
            misread(rule.places.at("inhibit"), fmt::format("no rule is called '{}'", one)), one,
            ids);
  }
  return {};
}

// Who asks what signatures are worth says whose count.
Result<void> check_signers(const std::vector<Rule>& rules, const Toml& file) {
  if (TRY(read_context_signers(file)).has_value()) return {};
  for (const Rule& rule : rules)
    if (asks_signed(rule))
      return hinted(
          misread(rule.places.at(""),
                  fmt::format("rule '{}' asks for signatures, and no signers are named", rule.id)),
          "[context.signers]: shop-web = { key = \"…\" }");
  return {};
}

}  // namespace

Result<std::int64_t> parse_period(std::string_view text) {
  constexpr std::int64_t kSecond = 1'000'000;
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(read.ptr - text.data()));
  for (const auto& [name, seconds] : {std::pair<std::string_view, std::int64_t>{"s", 1},
                                      {"m", 60},
                                      {"h", 3600},
                                      {"d", 86400},
                                      {"w", 604800}})
    if (read.ec == std::errc() && unit == name && number > 0 && number < 100'000)
      return number * seconds * kSecond;
  return hinted(fail(Fault::invalid, "'{}' is no period", text), "90s, 15m, 1h, 30d, 2w");
}

Result<std::vector<Rule>> read_rules(const Toml& file, const std::string& folder) {
  const std::string zone = TRY(read_zone(file));
  std::vector<Rule> rules;
  if (const TomlMember* found = file.find("rule"); found != nullptr)
    for (const Toml* node : TRY(found->as_tables()))
      rules.push_back(TRY(RuleReader(*node, zone, folder).read()));
  TRY(check_names(rules, file));
  TRY(check_signers(rules, file));
  TRY(check_rules(rules));
  return rules;
}

}  // namespace vestige
