// vestige.toml: the file that says what should be tracked. Grammar: docs/cli.md, "vestige.toml".
// The only file that includes toml++, header-only, so that nobody who links the library needs it.
// Test: plan_test.cc.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "vestige/audit/plan.h"
#include "vestige/trail/catalog.h"

namespace vestige {
namespace {

const std::vector<std::string> kPlanKeys = {"database", "evidence", "retention", "tables"};
const std::vector<std::string> kEvidenceKeys = {"policy", "vkey", "witnesses"};
const std::vector<std::string> kWitnessKeys = {"keys", "quorum"};
const std::vector<std::string> kTableKeys = {
    "include", "exclude",     "when",      "require",        "key",
    "capture", "on_truncate", "retention", "classification", "tags"};

class PlanReader {
 public:
  explicit PlanReader(std::string file) : file_(std::move(file)) {}

  Result<Plan> read(const toml::table& root);

 private:
  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}:{}", file_, source.begin.line, source.begin.column);
  }
  std::string place(const toml::node& node) const { return place(node.source()); }

  /// A key must be one of `known`.
  Result<void> check_key(const toml::key& key, const std::vector<std::string>& known) const;
  Result<std::string> text(const toml::node& node, std::string_view key) const;
  Result<std::vector<std::string>> list(const toml::node& node, std::string_view key,
                                        const std::string& path);
  Result<const toml::table*> table(const toml::node& node, std::string_view key) const;
  Result<Policy> policy(const toml::table& members, const std::string& path);
  Result<void> check_retention() const;
  Result<PlanEvidence> evidence(const toml::table& members);
  Result<void> log_keys(const toml::node& node, Trust& trust);
  Result<merkle::Quorum> quorum(const toml::table& members);
  Result<merkle::Quorum::Witness> witness(std::string_view written, const std::string& at) const;

  std::string file_;
  Plan plan_;
};

bool is_period(std::string_view keep) {
  if (keep == "forever") return true;
  const std::size_t space = keep.find(' ');
  if (space == 0 || space > 6) return false;
  const std::string_view number = keep.substr(0, space);
  if (number[0] == '0' || !std::all_of(number.begin(), number.end(),
                                       [](unsigned char c) { return std::isdigit(c) != 0; }))
    return false;
  std::string_view unit = keep.substr(space + 1);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  constexpr std::array<std::string_view, 4> kUnits = {"day", "week", "month", "year"};
  return std::find(kUnits.begin(), kUnits.end(), unit) != kUnits.end();
}

tl::unexpected<Error> suggest(tl::unexpected<Error> error, const std::string& typed,
                              const std::vector<std::string>& known) {
  const std::string near = nearest(typed, known);
  return near.empty()
             ? hinted(std::move(error), fmt::format("known are {}", fmt::join(known, ", ")))
             : hinted(std::move(error), "did you mean " + near + "?");
}

Result<void> PlanReader::check_key(const toml::key& key,
                                   const std::vector<std::string>& known) const {
  const std::string typed(key.str());
  if (std::find(known.begin(), known.end(), typed) != known.end()) return {};
  return suggest(fail(Fault::invalid, "read {}: unknown key '{}'", place(key.source()), typed),
                 typed, known);
}

Result<std::string> PlanReader::text(const toml::node& node, std::string_view key) const {
  if (const auto* value = node.as_string()) return value->get();
  return fail(Fault::invalid, "read {}: '{}' must be a string", place(node), key);
}

Result<std::vector<std::string>> PlanReader::list(const toml::node& node, std::string_view key,
                                                  const std::string& path) {
  const toml::array* array = node.as_array();
  if (array == nullptr)
    return fail(Fault::invalid, "read {}: '{}' must be an array of strings", place(node), key);
  std::vector<std::string> out;
  for (const toml::node& item : *array) {
    plan_.places[fmt::format("{}.{}", path, out.size())] = place(item);
    out.push_back(TRY(text(item, key)));
  }
  return out;
}

Result<const toml::table*> PlanReader::table(const toml::node& node, std::string_view key) const {
  if (const toml::table* members = node.as_table()) return members;
  return fail(Fault::invalid, "read {}: '{}' must be a table", place(node), key);
}

Result<Policy> PlanReader::policy(const toml::table& members, const std::string& path) {
  Policy policy;
  for (auto&& [key, node] : members) {
    TRY(check_key(key, kTableKeys));
    const std::string name(key.str());
    const std::string own = path + "." + name;
    plan_.places[own] = place(node);
    if (name == "include") policy.include = TRY(list(node, name, own));
    else if (name == "exclude") policy.exclude = TRY(list(node, name, own));
    else if (name == "require") policy.require = TRY(list(node, name, own));
    else if (name == "key") policy.key = TRY(list(node, name, own));
    else if (name == "tags") policy.tags = TRY(list(node, name, own));
    else if (name == "when") policy.when = TRY(text(node, name));
    else if (name == "on_truncate") policy.on_truncate = TRY(text(node, name));
    else if (name == "retention") policy.retention = TRY(text(node, name));
    else if (name == "classification") policy.classification = TRY(text(node, name));
    else {
      const std::string capture = TRY(text(node, name));
      if (capture != "changes" && capture != "full")
        return suggest(
            fail(Fault::invalid, "read {}: '{}' is no way to capture", place(node), capture),
            capture, {"changes", "full"});
      policy.full = capture == "full";
    }
  }
  if (!policy.include.empty() && !policy.exclude.empty())
    return hinted(
        fail(Fault::invalid, "read {}: include and exclude exclude each other", place(members)),
        "keep one of them: include names the recorded columns, exclude all others");
  return policy;
}

Result<void> PlanReader::check_retention() const {
  std::vector<std::string> names;
  for (const auto& [name, keep] : plan_.retention) names.push_back(name);
  for (const auto& [table, policy] : plan_.tables) {
    if (policy.retention.empty() || plan_.retention.contains(policy.retention)) continue;
    auto unknown = fail(Fault::invalid, "read {}: no retention is named '{}'",
                        plan_.places.at("tables." + table + ".retention"), policy.retention);
    const std::string near = nearest(policy.retention, names);
    return hinted(std::move(unknown),
                  near.empty() ? "name it under [retention]" : "did you mean " + near + "?");
  }
  return {};
}

// The keys of the log: one string, or more of them.
Result<void> PlanReader::log_keys(const toml::node& node, Trust& trust) {
  std::vector<std::string> written;
  if (node.is_string()) written.push_back(TRY(text(node, "vkey")));
  else written = TRY(list(node, "vkey", "evidence.vkey"));
  for (const std::string& one : written) {
    auto key = merkle::parse_vkey(one);
    if (!key.has_value())
      return fail(Fault::invalid, "read {}: {}", place(node), key.error().message);
    if (key->kind != merkle::KeyKind::log)
      return hinted(fail(Fault::invalid, "read {}: {} is the key of a witness, not of a log",
                         place(node), key->name),
                    "it belongs to `keys` of [evidence.witnesses]");
    trust.keys.push_back(std::move(*key));
  }
  return {};
}

// "VKEY" or "VKEY URL".
Result<merkle::Quorum::Witness> PlanReader::witness(std::string_view written,
                                                    const std::string& at) const {
  const std::size_t space = std::min(written.find(' '), written.size());
  merkle::Quorum::Witness one;
  one.name = written.substr(0, space);
  one.url = written.substr(std::min(space + 1, written.size()));
  auto key = merkle::parse_vkey(one.name);
  if (!key.has_value()) return fail(Fault::invalid, "read {}: {}", at, key.error().message);
  if (key->kind != merkle::KeyKind::cosignature)
    return hinted(
        fail(Fault::invalid, "read {}: {} is the key of a log, not of a witness", at, key->name),
        "the log's key is `vkey` of [evidence]");
  one.key = std::move(*key);
  return one;
}

Result<merkle::Quorum> PlanReader::quorum(const toml::table& members) {
  for (auto&& [key, node] : members) TRY(check_key(key, kWitnessKeys));
  const toml::node* keys = members.get("keys");
  const toml::node* needed = members.get("quorum");
  if (keys == nullptr || needed == nullptr)
    return hinted(fail(Fault::invalid, "read {}: [evidence.witnesses] has no '{}'", place(members),
                       keys == nullptr ? "keys" : "quorum"),
                  "keys = [\"VKEY\", …] are the witnesses, and quorum = 2 is how many must cosign");
  const std::string path = "evidence.witnesses.keys";
  std::vector<merkle::Quorum::Witness> witnesses;
  for (const std::string& written : TRY(list(*keys, "keys", path))) {
    const std::string& at = plan_.places.at(fmt::format("{}.{}", path, witnesses.size()));
    merkle::Quorum::Witness one = TRY(witness(written, at));
    if (std::any_of(witnesses.begin(), witnesses.end(),
                    [&](const merkle::Quorum::Witness& other) { return other.name == one.name; }))
      return hinted(fail(Fault::invalid, "read {}: the key of {} stands twice", at, one.key.name),
                    "a witness counts once: take one of them away");
    witnesses.push_back(std::move(one));
  }
  const auto* count = needed->as_integer();
  if (count == nullptr)
    return fail(Fault::invalid, "read {}: 'quorum' must be a number", place(*needed));
  const std::int64_t wanted = count->get();
  if (wanted < 1 || wanted > static_cast<std::int64_t>(witnesses.size()))
    return hinted(fail(Fault::invalid, "read {}: a quorum of {} cannot be reached by {} witnesses",
                       place(*needed), wanted, witnesses.size()),
                  "it is a number from 1 up to the number of keys");
  return merkle::quorum_of(static_cast<std::size_t>(wanted), std::move(witnesses));
}

Result<PlanEvidence> PlanReader::evidence(const toml::table& members) {
  PlanEvidence out;
  for (auto&& [key, node] : members) {
    TRY(check_key(key, kEvidenceKeys));
    if (key.str() == "vkey") TRY(log_keys(node, out.trust));
    else if (key.str() == "policy") out.policy = TRY(text(node, key.str()));
    else out.trust.quorum = TRY(quorum(*TRY(table(node, key.str()))));
  }
  if (!out.policy.empty() && out.trust.quorum.has_value())
    return hinted(
        fail(Fault::invalid, "read {}: policy and witnesses exclude each other", place(members)),
        "keep one of them: a policy file has the witnesses and their quorum");
  if (out.policy.empty() && out.trust.keys.empty())
    return hinted(
        fail(Fault::invalid, "read {}: [evidence] names no key of the log", place(members)),
        "vkey = \"…\", as vestige keygen printed it, or policy = \"FILE\"");
  return out;
}

Result<Plan> PlanReader::read(const toml::table& root) {
  for (auto&& [key, node] : root) {
    TRY(check_key(key, kPlanKeys));
    if (key.str() == "database") {
      plan_.database = TRY(text(node, key.str()));
    } else if (key.str() == "evidence") {
      plan_.evidence = TRY(evidence(*TRY(table(node, key.str()))));
    } else if (key.str() == "retention") {
      for (auto&& [name, keep] : *TRY(table(node, key.str()))) {
        const std::string period = TRY(text(keep, name.str()));
        if (!is_period(period))
          return hinted(fail(Fault::invalid, "read {}: '{}' is no period", place(keep), period),
                        "write it as \"90 days\", \"18 months\", \"7 years\" or \"forever\"");
        plan_.retention[std::string(name.str())] = period;
      }
    } else {
      for (auto&& [name, members] : *TRY(table(node, key.str()))) {
        const std::string path = "tables." + std::string(name.str());
        plan_.places[path] = place(name.source());
        plan_.tables[std::string(name.str())] = TRY(policy(*TRY(table(members, name.str())), path));
      }
    }
  }
  TRY(check_retention());
  return std::move(plan_);
}

// toml++ reads the first name of a [header] without looking, and ends the program when there is none. Such a
// line, from 1; 0: none.
int line_without_name(std::istream& text) {
  constexpr std::string_view kSpace = " \t";
  bool quoted = false;  // within """ or '''
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    std::size_t at = line.find_first_not_of(kSpace);
    if (!quoted && at != std::string::npos && line[at] == '[') {
      at = line.find_first_not_of(kSpace, at + 1);
      if (at != std::string::npos && line[at] == '[') at = line.find_first_not_of(kSpace, at + 1);
      const char first = at == std::string::npos ? ' ' : line[at];
      const bool plain = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                         (first >= '0' && first <= '9');
      if (!plain && std::string_view("_-\"'").find(first) == std::string_view::npos) return number;
    }
    for (const std::string_view fence : {R"(""")", "'''"})
      for (at = line.find(fence); at != std::string::npos; at = line.find(fence, at + fence.size()))
        quoted = !quoted;
  }
  return 0;
}

}  // namespace

Result<Plan> read_plan(const std::string& path) {
  const std::filesystem::path file(path);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return hinted(fail(Fault::missing, "read {}: no such file", path),
                  "write a vestige.toml, or give another with --file");
  if (!std::filesystem::is_regular_file(file, ignored))
    return fail(Fault::invalid, "read {}: not a file", path);
  const std::string name = file.filename().string();
  std::ifstream text(file);
  if (const int line = line_without_name(text); line != 0)
    return hinted(fail(Fault::invalid, "read {}:{}: a [header] without a name", name, line),
                  "write [tables.NAME]; a name that is not of letters, digits, _ and - is quoted");
  const toml::parse_result parsed = toml::parse_file(path);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(Fault::invalid, "read {}:{}:{}: {}", name, error.source().begin.line,
                error.source().begin.column, error.description());
  }
  return PlanReader(name).read(parsed.table());
}

}  // namespace vestige
