#include "cli/undone.h"

#include <regex>

namespace vestige::cli {

Option lock_timeout_option() {
  return {
      .names = "--lock-timeout",
      .value = "TIME",
      .summary = fmt::format("on PostgreSQL, how long each attempt waits for a table that others "
                             "write: {} (the default), 10s; writers wait meanwhile",
                             kLockTimeout)};
}

Result<std::string> lock_timeout(const Arguments& arguments) {
  const std::string given = arguments.value("--lock-timeout").value_or(std::string(kLockTimeout));
  static const std::regex period("[0-9]{1,6}(ms|s|min)");
  if (!std::regex_match(given, period))
    return hinted(fail(Fault::invalid, "--lock-timeout: '{}' is no such time", given),
                  "write it as 500ms, 10s or 2min");
  return given;
}

Result<void> left_undone(Session& session, std::string_view verb, const std::vector<Undone>& undone,
                         std::size_t of) {
  if (undone.empty()) return {};
  if (of == 1) return tl::unexpected<Error>(undone.front().error);
  for (const Undone& one : undone) {
    session.say("not done: " + one.error.message);
    if (!one.error.hint.empty()) session.say("  " + one.error.hint);
  }
  const Error& first = undone.front().error;
  return hinted(
      fail(first.fault == Fault::invalid ? Fault::denied : first.fault,
           "{}: {} of {} tables are left undone; the others are done", verb, undone.size(), of),
      "run it again for those: what is done is not undone by it");
}

}  // namespace vestige::cli
