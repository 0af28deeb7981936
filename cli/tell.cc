#include "cli/tell.h"

#include <unistd.h>

#include <charconv>

#include "server/http.h"
#include "vestige/base/json.h"
#include "vestige/rules/syslog.h"
#include "vestige/rules/webhook.h"

namespace vestige::cli {
namespace {

constexpr std::size_t kLargestPayload = 7999;  // bytes that PostgreSQL's NOTIFY takes

// Seconds; a date means as little as none.
std::optional<std::int64_t> wait_of(const std::string& retry_after) {
  std::int64_t seconds = 0;
  const char* end = retry_after.data() + retry_after.size();
  const auto read = std::from_chars(retry_after.data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end || seconds < 0) return std::nullopt;
  return seconds;
}

Attempt call(const NotifyTarget& target, const std::vector<Secret>& secrets, const Notice& notice,
             std::int64_t now) {
  const WebhookRequest request = webhook_request(notice, secrets, now);
  const auto answer = server::call_http(target.address, request.body, request.headers);
  if (!answer.has_value()) return {.error = answer.error().message};
  constexpr int kGone = 410;
  if (answer->status / 100 == 2) return {.delivered = true};
  return {.gone = answer->status == kGone,
          .error = fmt::format("it answers {}", answer->status),
          .wait = wait_of(answer->retry_after)};
}

// What is too long for a NOTIFY is asked for by its id.
Attempt notify(Database& db, const std::string& channel, const Notice& notice) {
  const std::string payload =
      notice.json.size() <= kLargestPayload
          ? notice.json
          : fmt::format(R"({{"id":{},"severity":{}}})", json::quote(notice.id),
                        json::quote(notice.severity));
  const auto done =
      scalar(db, "select pg_catalog.pg_notify(?1, ?2)", {Text{channel}, Text{payload}});
  if (done.has_value()) return {.delivered = true};
  return {.error = "NOTIFY, which is PostgreSQL's, failed: " + done.error().message};
}

std::string host_name() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) return "-";
  return name;
}

}  // namespace

Attempt tell(const NotifyTarget& target, const std::vector<Secret>& secrets, const Notice& notice,
             Database& db, std::int64_t now) {
  switch (target.kind) {
    case NotifyTarget::Kind::webhook: return call(target, secrets, notice, now);
    case NotifyTarget::Kind::syslog:
      return send_syslog(target.address, syslog_frame(notice, host_name()));
    case NotifyTarget::Kind::exec: return run_program(target.words, notice.json + "\n");
    case NotifyTarget::Kind::channel: break;
  }
  return notify(db, target.address, notice);
}

}  // namespace vestige::cli
