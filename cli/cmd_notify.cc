// notify: whether those who are told of alerts can be reached.
#include <algorithm>
#include <filesystem>

#include "cli/plan_file.h"
#include "cli/session.h"
#include "cli/tell.h"
#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/rules/finding.h"

namespace vestige::cli {
namespace {

Result<Notice> test_notice(const NotifyTarget& target) {
  Notice notice;
  notice.id = "test-" + to_hex(TRY(random_bytes(8)));
  notice.severity = "info";
  notice.title = "a test: nothing happened";
  notice.at = clock_now();
  notice.json =
      fmt::format(R"({{"id":{},"severity":"info","title":{},"at":"{}","test":true}})",
                  json::quote(notice.id), json::quote(notice.title), format_time(notice.at));
  Alert alert;
  alert.id = notice.id;
  alert.rule = alert.rule_hash = alert.kind = "test";
  alert.severity = notice.severity;
  alert.group = "{}";
  alert.title = notice.title;
  alert.at = notice.at;
  if (target.ocsf) notice.json = ocsf_finding(alert);
  return notice;
}

tl::unexpected<Error> nobody(const std::string& name, const std::string& plan,
                             const std::vector<std::string>& names) {
  auto error = fail(Fault::missing, "notify: there is no [notify.{}] in {}", name, plan);
  return names.empty() ? error : suggested(std::move(error), name, names);
}

Result<int> run_notify(Session& session) {
  const std::string plan = session.arguments().value("--file").value_or(plan_file());
  const auto targets = TRY(read_notify(TRY(read_toml(plan))));
  std::vector<std::string> names;
  for (const NotifyTarget& target : targets) names.push_back(target.name);
  const auto& words = session.arguments().words();
  for (const std::string& word : words)
    if (std::find(names.begin(), names.end(), word) == names.end())
      return nobody(word, plan, names);
  Database& db = *TRY(session.database());
  bool all = true;
  for (const NotifyTarget& target : targets) {
    if (!words.empty() && std::find(words.begin(), words.end(), target.name) == words.end())
      continue;
    const auto secrets =
        TRY(secrets_of(target, std::filesystem::path(plan).parent_path().string()));
    const Attempt attempt = tell(target, secrets, TRY(test_notice(target)), db, clock_now());
    all = all && attempt.delivered;
    session.output().line({{Label::name, target.name},
                           {attempt.delivered ? Label::good : Label::bad,
                            attempt.delivered ? ": told" : ": not told: " + attempt.error}});
  }
  if (targets.empty()) session.say(plan + " has no [notify.NAME]");
  return all ? kDone : kNo;
}

}  // namespace

Command notify_command() {
  return {
      .name = "notify",
      .group = "watch",
      .summary = "tell those who are told of alerts that this is a test",
      .arguments = "[NAME…]",
      .least = 0,
      .most = kAny,
      .about = {"Sends a test to each [notify.NAME] of vestige.toml, or to those that are named: a "
                "webhook, syslog, a program, a channel of PostgreSQL's NOTIFY (docs/delivery.md). "
                "Exit 1 when one could not be told."},
      .options = {{.names = "-f, --file",
                   .value = "FILE",
                   .summary = "otherwise vestige.toml, here or in a folder above"}},
      .examples = {{"vestige notify ops", "does it arrive?"}},
      .all_or_nothing = true,
      .run = run_notify};
}

}  // namespace vestige::cli
