#include "vestige/rules/syslog.h"

#include <fmt/format.h>

#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr int kFacility = 13;  // log audit
constexpr std::size_t kHost = 255;

int level_of(std::string_view severity) {
  if (severity == "critical") return 2;
  if (severity == "high") return 3;
  if (severity == "medium") return 4;
  return severity == "low" ? 5 : 6;
}

std::string host_name(std::string_view host) {
  std::string out;
  for (const char c : host.substr(0, kHost))
    if (c > ' ' && c < '\x7f') out += c;
  return out.empty() ? "-" : out;
}

}  // namespace

std::string syslog_frame(const Notice& notice, std::string_view host) {
  const std::string message = fmt::format("<{}>1 {} {} vestige - alert - \xef\xbb\xbf{}",
                                          kFacility * 8 + level_of(notice.severity),
                                          format_time(notice.at), host_name(host), notice.json);
  return fmt::format("{} {}", message.size(), message);
}

}  // namespace vestige
