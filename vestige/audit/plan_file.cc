// vestige.toml: the file that says what should be tracked. Grammar: docs/cli.md, "vestige.toml".
// Test: plan_test.cc.
#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "vestige/audit/plan.h"
#include "vestige/base/letters.h"
#include "vestige/base/nearest.h"
#include "vestige/base/toml_file.h"
#include "vestige/privacy/signers_file.h"
#include "vestige/report/report_file.h"
#include "vestige/rules/notify_file.h"
#include "vestige/rules/rule_file.h"
#include "vestige/trail/recipient.h"

namespace vestige {
namespace {

const std::vector<std::string> kPlanKeys = {
    "access", "alerts", "archive", "console",   "context", "database", "evidence", "hold",
    "keys",   "notify", "report",  "retention", "review",  "rule",     "tables"};
const std::vector<std::string> kEvidenceKeys = {"policy", "vkey", "witnesses"};
const std::vector<std::string> kWitnessKeys = {"keys", "quorum"};
const std::vector<std::string> kTableKeys = {
    "include", "exclude", "redact",      "encrypt",   "subject",        "when", "require",
    "key",     "capture", "on_truncate", "retention", "classification", "tags"};

class PlanReader {
 public:
  Result<Plan> read(const Toml& root);

 private:
  /// The strings, each with its place in the plan.
  Result<std::vector<std::string>> list(const TomlMember& member, const std::string& path);
  Result<Policy> policy(const Toml& members, const std::string& path);
  Result<std::map<std::string, std::string>> encrypt(const TomlMember& member,
                                                     const std::string& path);
  Result<void> console(const Toml& members);
  Result<void> check_retention() const;
  Result<PlanEvidence> evidence(const Toml& members);
  Result<void> log_keys(const TomlMember& member, Trust& trust);
  Result<merkle::Quorum> quorum(const Toml& members);
  Result<merkle::Quorum::Witness> witness(std::string_view written, const std::string& at) const;

  Plan plan_;
};

// What is wrong with what stands at a place.
template <class T>
Result<void> checked(const std::string& place, const Result<T>& result) {
  if (result.has_value()) return {};
  return hinted(misread(place, result.error().message), result.error().hint);
}

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

Result<std::vector<std::string>> PlanReader::list(const TomlMember& member,
                                                  const std::string& path) {
  std::vector<std::string> out = TRY(member.as_texts());
  for (std::size_t i = 0; i < out.size(); ++i)
    plan_.places[fmt::format("{}.{}", path, i)] = member.value.items[i].place;
  return out;
}

// encrypt = { ssn = "phi" }: for which class of keys each column is encrypted.
Result<std::map<std::string, std::string>> PlanReader::encrypt(const TomlMember& member,
                                                               const std::string& path) {
  std::map<std::string, std::string> out;
  for (const TomlMember& one : TRY(member.as_table())->members) {
    plan_.places[fmt::format("{}.{}", path, one.name)] = one.place;
    std::string of = TRY(one.as_text());
    TRY(checked(one.value.place, check_class(of)));
    out[one.name] = std::move(of);
  }
  return out;
}

// [console.users] ann = "vestige_auditor"
Result<void> PlanReader::console(const Toml& members) {
  TRY(members.check_names({"users"}));
  const TomlMember* users = members.find("users");
  if (users == nullptr) return {};
  auto& roles = plan_.console_users.emplace();
  for (const TomlMember& one : TRY(users->as_table())->members) {
    roles[one.name] = TRY(one.as_text());
    if (roles[one.name].empty())
      return hinted(misread(one.value.place, fmt::format("the role of '{}' is empty", one.name)),
                    "name the role of the database whose rights they have");
    // SET ROLE reads it as no role: the rights would be those of the login.
    if (lower(roles[one.name]) == "none")
      return hinted(
          misread(one.value.place,
                  fmt::format("the role of '{}' is 'none', which no role can be called", one.name)),
          "leave the user out: who is not named may nothing");
  }
  return {};
}

Result<Policy> PlanReader::policy(const Toml& members, const std::string& path) {
  TRY(members.check_names(kTableKeys));
  Policy policy;
  for (const TomlMember& member : members.members) {
    const std::string& name = member.name;
    const std::string own = path + "." + name;
    plan_.places[own] = member.value.place;
    if (name == "include") policy.include = TRY(list(member, own));
    else if (name == "exclude") policy.exclude = TRY(list(member, own));
    else if (name == "redact") policy.redact = TRY(list(member, own));
    else if (name == "encrypt") policy.encrypt = TRY(encrypt(member, own));
    else if (name == "require") policy.require = TRY(list(member, own));
    else if (name == "key") policy.key = TRY(list(member, own));
    else if (name == "tags") policy.tags = TRY(list(member, own));
    else if (name == "subject") policy.subject = TRY(member.as_text());
    else if (name == "when") policy.when = TRY(member.as_text());
    else if (name == "on_truncate") policy.on_truncate = TRY(member.as_text());
    else if (name == "retention") policy.retention = TRY(member.as_text());
    else if (name == "classification") policy.classification = TRY(member.as_text());
    else {
      const std::string capture = TRY(member.as_text());
      if (capture != "changes" && capture != "full")
        return suggested(
            misread(member.value.place, fmt::format("'{}' is no way to capture", capture)), capture,
            {"changes", "full"});
      policy.full = capture == "full";
    }
  }
  if (!policy.include.empty() && !policy.exclude.empty())
    return hinted(misread(members.place, "include and exclude exclude each other"),
                  "keep one of them: include names the recorded columns, exclude all others");
  return policy;
}

Result<std::string> period_of(const TomlMember& one) {
  std::string period = TRY(one.as_text());
  if (is_period(period)) return period;
  return hinted(misread(one.value.place, fmt::format("'{}' is no period", period)),
                "write it as \"90 days\", \"18 months\", \"7 years\" or \"forever\"");
}

// critical = "2555 days", or critical = { keep = "2555 days", hot = "90 days", archive = true }.
Result<RetentionClass> class_of(const TomlMember& one) {
  RetentionClass out;
  out.name = one.name;
  if (one.value.kind != Toml::Kind::table) {
    out.keep = TRY(period_of(one));
    return out;
  }
  TRY(one.value.check_names({"archive", "hot", "keep"}));
  const TomlMember* keep = one.value.find("keep");
  if (keep == nullptr)
    return hinted(misread(one.value.place, fmt::format("class '{}' has no 'keep'", one.name)),
                  "keep = \"7 years\"");
  out.keep = TRY(period_of(*keep));
  if (const TomlMember* archive = one.value.find("archive"); archive != nullptr)
    out.archive = TRY(archive->as_boolean());
  if (const TomlMember* hot = one.value.find("hot"); hot != nullptr) {
    out.hot = TRY(period_of(*hot));
    if (!out.archive)
      return hinted(misread(hot->value.place, "what is not archived is kept in the database alone"),
                    "archive = true");
  }
  return out;
}

Result<void> PlanReader::check_retention() const {
  std::vector<std::string> names;
  for (const auto& [name, keep] : plan_.retention) names.push_back(name);
  for (const auto& [table, policy] : plan_.tables) {
    if (policy.retention.empty() || plan_.retention.contains(policy.retention)) continue;
    auto unknown = misread(plan_.places.at("tables." + table + ".retention"),
                           fmt::format("no retention is named '{}'", policy.retention));
    const std::string near = nearest(policy.retention, names);
    return hinted(std::move(unknown),
                  near.empty() ? "name it under [retention]" : "did you mean " + near + "?");
  }
  return {};
}

// The keys of the log: one string, or more of them.
Result<void> PlanReader::log_keys(const TomlMember& member, Trust& trust) {
  std::vector<std::string> written;
  if (member.value.kind == Toml::Kind::text) written.push_back(TRY(member.as_text()));
  else written = TRY(list(member, "evidence.vkey"));
  const std::string& place = member.value.place;
  for (const std::string& one : written) {
    auto key = merkle::parse_vkey(one);
    if (!key.has_value()) return misread(place, key.error().message);
    if (key->kind != merkle::KeyKind::log)
      return hinted(
          misread(place, fmt::format("{} is the key of a witness, not of a log", key->name)),
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
  if (!key.has_value()) return misread(at, key.error().message);
  if (key->kind != merkle::KeyKind::cosignature)
    return hinted(misread(at, fmt::format("{} is the key of a log, not of a witness", key->name)),
                  "the log's key is `vkey` of [evidence]");
  one.key = std::move(*key);
  return one;
}

Result<merkle::Quorum> PlanReader::quorum(const Toml& members) {
  TRY(members.check_names(kWitnessKeys));
  const TomlMember* keys = members.find("keys");
  const TomlMember* needed = members.find("quorum");
  if (keys == nullptr || needed == nullptr)
    return hinted(misread(members.place, fmt::format("[evidence.witnesses] has no '{}'",
                                                     keys == nullptr ? "keys" : "quorum")),
                  "keys = [\"VKEY\", …] are the witnesses, and quorum = 2 is how many must cosign");
  const std::string path = "evidence.witnesses.keys";
  std::vector<merkle::Quorum::Witness> witnesses;
  for (const std::string& written : TRY(list(*keys, path))) {
    const std::string& at = plan_.places.at(fmt::format("{}.{}", path, witnesses.size()));
    merkle::Quorum::Witness one = TRY(witness(written, at));
    if (std::any_of(witnesses.begin(), witnesses.end(),
                    [&](const merkle::Quorum::Witness& other) { return other.name == one.name; }))
      return hinted(misread(at, fmt::format("the key of {} stands twice", one.key.name)),
                    "a witness counts once: take one of them away");
    witnesses.push_back(std::move(one));
  }
  const std::int64_t wanted = TRY(needed->as_integer());
  if (wanted < 1 || wanted > static_cast<std::int64_t>(witnesses.size()))
    return hinted(
        misread(needed->value.place, fmt::format("a quorum of {} cannot be reached by {} witnesses",
                                                 wanted, witnesses.size())),
        "it is a number from 1 up to the number of keys");
  return merkle::quorum_of(static_cast<std::size_t>(wanted), std::move(witnesses));
}

Result<PlanEvidence> PlanReader::evidence(const Toml& members) {
  TRY(members.check_names(kEvidenceKeys));
  PlanEvidence out;
  for (const TomlMember& member : members.members) {
    if (member.name == "vkey") TRY(log_keys(member, out.trust));
    else if (member.name == "policy") out.policy = TRY(member.as_text());
    else out.trust.quorum = TRY(quorum(*TRY(member.as_table())));
  }
  if (!out.policy.empty() && out.trust.quorum.has_value())
    return hinted(misread(members.place, "policy and witnesses exclude each other"),
                  "keep one of them: a policy file has the witnesses and their quorum");
  if (out.policy.empty() && out.trust.keys.empty())
    return hinted(misread(members.place, "[evidence] names no key of the log"),
                  "vkey = \"…\", as vestige keygen printed it, or policy = \"FILE\"");
  return out;
}

Result<Plan> PlanReader::read(const Toml& root) {
  TRY(root.check_names(kPlanKeys));
  for (const TomlMember& member : root.members) {
    if (member.name == "database") {
      plan_.database = TRY(member.as_text());
    } else if (member.name == "evidence") {
      plan_.evidence = TRY(evidence(*TRY(member.as_table())));
    } else if (member.name == "report") {
      plan_.report = TRY(read_report_settings(*TRY(member.as_table())));
    } else if (member.name == "archive") {
      const Toml& archive = *TRY(member.as_table());
      TRY(archive.check_names({"directory"}));
      if (const TomlMember* directory = archive.find("directory"); directory != nullptr)
        plan_.archive = TRY(directory->as_text());
    } else if (member.name == "access") {
      const Toml& access = *TRY(member.as_table());
      TRY(access.check_names({"record"}));
      if (const TomlMember* record = access.find("record"); record != nullptr)
        plan_.records_access = TRY(record->as_boolean());
    } else if (member.name == "hold") {
      const Toml& hold = *TRY(member.as_table());
      TRY(hold.check_names({"two_persons"}));
      if (const TomlMember* two = hold.find("two_persons"); two != nullptr)
        plan_.two_persons = TRY(two->as_boolean());
    } else if (member.name == "console") {
      TRY(console(*TRY(member.as_table())));
    } else if (member.name == "keys") {
      for (const TomlMember& one : TRY(member.as_table())->members)
        plan_.keys[one.name] = TRY(read_planned_keys(one));
    } else if (member.name == "retention") {
      for (const TomlMember& one : TRY(member.as_table())->members)
        plan_.retention[one.name] = TRY(class_of(one));
    } else if (member.name == "tables") {
      for (const TomlMember& one : TRY(member.as_table())->members) {
        const std::string path = "tables." + one.name;
        plan_.places[path] = one.place;
        plan_.tables[one.name] = TRY(policy(*TRY(one.as_table()), path));
      }
    }
  }
  TRY(check_retention());
  return std::move(plan_);
}

}  // namespace

Result<Plan> read_plan(const std::string& path) {
  const Toml root = TRY(read_toml(path));
  TRY(read_notify(root));
  TRY(read_context_signers(root));
  Plan plan = TRY(PlanReader().read(root));
  plan.reviews = TRY(read_reviews(root, plan.report));
  TRY(read_rules(root, std::filesystem::path(path).parent_path().string()));
  return plan;
}

}  // namespace vestige
