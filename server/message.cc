#include "server/message.h"

#include <algorithm>

#include "vestige/base/json.h"

namespace vestige::server {
namespace {

constexpr std::size_t kMostWords = 64;  // of a query, and of a path

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string_view> parts(std::string_view text, char between) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t end = std::min(text.find(between), text.size());
    out.push_back(text.substr(0, end));
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

std::string_view title_of(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 503: return "Service Unavailable";
    default: return status < 500 ? "Bad Request" : "Internal Server Error";
  }
}

std::string_view name_of(Fault fault) {
  switch (fault) {
    case Fault::invalid: return "invalid";
    case Fault::missing: return "missing";
    case Fault::denied: return "denied";
    case Fault::conflict: return "conflict";
    case Fault::offline: return "offline";
    case Fault::corrupt: return "corrupt";
    case Fault::internal: return "internal";
  }
  return "internal";
}

// A text of JSON, whatever its bytes are.
std::string said(std::string text) {
  if (!json::is_utf8(text))
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c >= 128; }, '?');
  return json::quote(text);
}

}  // namespace

std::optional<std::string> Request::header(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [one, value] : headers) {
    if (one != name) continue;
    if (found.has_value()) return std::nullopt;
    found = value;
  }
  return found;
}

std::optional<std::string> Request::asked(std::string_view name) const {
  for (const auto& [one, value] : query)
    if (one == name) return value;
  return std::nullopt;
}

Result<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return hinted(fail(Fault::invalid, "read the address: a % without two digits of hex"),
                      "a percent sign is written %25");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<void> read_target(std::string_view target, Request& request) {
  target = target.substr(0, target.find('#'));
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.raw_query = target.substr(std::min(mark + 1, target.size()));
  if (!request.path.starts_with('/'))
    return hinted(fail(Fault::invalid, "read the address: it is no path"), "it begins with /");
  const auto segments = parts(std::string_view(request.path).substr(1), '/');
  const auto words = parts(request.raw_query, '&');
  if (segments.size() > kMostWords || words.size() > kMostWords)
    return fail(Fault::invalid, "read the address: more than {} words", kMostWords);
  request.segments.assign(segments.begin(), segments.end());
  for (const std::string_view word : words) {
    if (word.empty()) continue;
    const std::size_t sign = std::min(word.find('='), word.size());
    std::string name = TRY(percent_decoded(word.substr(0, sign), true));
    request.query.emplace_back(
        std::move(name), TRY(percent_decoded(word.substr(std::min(sign + 1, word.size())), true)));
  }
  return {};
}

int status_of(Fault fault) {
  switch (fault) {
    case Fault::invalid: return 400;
    case Fault::missing: return 404;
    case Fault::denied: return 403;
    case Fault::conflict: return 409;
    case Fault::offline: return 503;
    default: return 500;
  }
}

Answer problem(int status, std::string_view kind, const std::string& detail,
               const std::string& hint) {
  std::string type = "about:blank";
  if (!kind.empty()) type = fmt::format("urn:vestige:{}", kind);
  std::string body = fmt::format(R"({{"type":"{}","title":"{}","status":{},"detail":{})", type,
                                 title_of(status), status, said(detail));
  if (!hint.empty()) body += ",\"hint\":" + said(hint);
  Answer answer{.status = status, .type = "application/problem+json", .body = body + "}\n"};
  if (status == 503) answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

Answer problem(const Error& error) {
  return problem(status_of(error.fault), name_of(error.fault), error.message, error.hint);
}

}  // namespace vestige::server
