#include "server/auth.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <tuple>

#include "vestige/base/bytes.h"
#include "vestige/base/host.h"
#include "vestige/base/json.h"
#include "vestige/base/letters.h"
#include "vestige/report/html.h"

namespace vestige::server {
namespace {

constexpr std::string_view kCookie = "vestige";
constexpr std::size_t kLongestToken = 512;
constexpr std::size_t kLongestUser = 256;

std::string bytes_of(const std::string& address) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return {};
  const std::string six(bytes.data(), 16);
  // An address of IPv4 as a socket of IPv6 shows it.
  const std::string mapped = std::string(10, '\0') + "\xff\xff";
  return six.starts_with(mapped) ? six.substr(12) : six;
}

std::string cookie_of(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view one = rest.substr(0, end);
      while (one.starts_with(' ')) one.remove_prefix(1);
      const std::size_t sign = one.find('=');
      if (sign != std::string_view::npos && one.substr(0, sign) == kCookie)
        return std::string(one.substr(sign + 1));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return {};
}

std::string bearer_of(const Request& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string said = request.header("authorization").value_or("");
  return said.starts_with(kBearer) ? said.substr(kBearer.size()) : "";
}

// Every one of them is compared, to the last byte, whichever it is.
const TokenHash* token_of(const Settings& settings, const std::string& token) {
  if (token.empty() || token.size() > kLongestToken) return nullptr;
  const Hash hash = sha256(token);
  const TokenHash* found = nullptr;
  for (const TokenHash& one : settings.tokens) {
    unsigned differs = 0;
    for (std::size_t i = 0; i < hash.size(); ++i) differs |= hash[i] ^ one.hash[i];
    if (differs == 0) found = &one;
  }
  return found;
}

bool is_name(const std::string& user) {
  return !user.empty() && user.size() <= kLongestUser && json::is_utf8(user) &&
         std::none_of(user.begin(), user.end(),
                      [](unsigned char c) { return c < ' ' || c == 127; });
}

// Without the port; "" where it is no name and port.
std::string name_part(const std::string& host) {
  const bool six = host.starts_with('[');
  const std::size_t end = std::min(six ? host.find(']') : host.find(':'), host.size());
  std::string_view rest = std::string_view(host).substr(std::min(six ? end + 1 : end, host.size()));
  if (rest.starts_with(':')) rest.remove_prefix(1);
  else if (!rest.empty()) return {};
  if (rest.find_first_not_of("0123456789") != std::string_view::npos) return {};
  return six ? host.substr(1, end - 1) : host.substr(0, end);
}

constexpr std::string_view kLoginStyle =
    "body{font:16px system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1a1d23}main{max-width:"
    "20rem;margin:15vh auto;padding:2rem;background:#fff;border:1px solid "
    "#d9dde3;border-radius:8px}h1{font-size:1.25rem;margin:0 0 1rem}input,button{display:block;"
    "width:100%;box-sizing:border-box;margin:.5rem 0 1rem;padding:.5rem;font:inherit}[role=alert]{"
    "color:#a11}@media(prefers-color-scheme:dark){body{background:#0f1216;color:#e6e8eb}main{"
    "background:#171b21;border-color:#2c323b}[role=alert]{color:#ff8a8a}}";

// A path here, and nothing that leads elsewhere: "//evil.example", "/\\evil.example".
std::string own_path(const std::string& next) {
  const bool plain = next.size() < 4096 && next.starts_with('/') && !next.starts_with("//") &&
                     std::all_of(next.begin(), next.end(),
                                 [](unsigned char c) { return c > ' ' && c < 127 && c != '\\'; });
  return plain ? next : "/";
}

}  // namespace

bool Network::has(const std::string& address) const {
  const std::string other = bytes_of(address);
  if (other.size() != bytes.size()) return false;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const unsigned shift = 7 - bit % 8;
    if (((static_cast<unsigned char>(bytes[bit / 8]) ^
          static_cast<unsigned char>(other[bit / 8])) >>
             shift &
         1U) != 0)
      return false;
  }
  return true;
}

Result<Network> read_network(const std::string& text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  Network out;
  out.bytes = bytes_of(text.substr(0, slash));
  out.bits = static_cast<unsigned>(out.bytes.size() * 8);
  const unsigned most = out.bits;
  bool good = !out.bytes.empty();
  if (slash != text.size()) {
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + slash + 1, last, out.bits);
    good = good && error == std::errc() && end == last && out.bits <= most;
  }
  if (good) return out;
  return hinted(fail(Fault::invalid, "read the network '{}': no addresses", text),
                "write 10.1.2.3, 10.0.0.0/8 or fd00::/8");
}

Result<std::vector<TokenHash>> read_tokens(const std::string& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0)
    return hinted(fail(Fault::missing, "read the tokens {}: no such file", path),
                  "a line for each: the SHA-256 of the token in hex, a space, the user");
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return hinted(fail(Fault::denied, "read the tokens {}: others may write to it", path),
                  "chmod 600 takes that from them");
  std::ifstream file(path);
  std::vector<TokenHash> out;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto bytes = json::from_hex(line.substr(0, space));
    const std::string user = line.substr(std::min(space + 1, line.size()));
    if (!bytes.has_value() || bytes->size() != std::tuple_size_v<Hash> || !is_name(user))
      return hinted(
          fail(Fault::invalid, "read the tokens {}: line {} is no hash and user", path, number),
          "printf %s \"$TOKEN\" | sha256sum gives the hash; then a space, and the user");
    out.push_back({to_array<32>(*bytes), user});
  }
  if (out.empty())
    return hinted(fail(Fault::invalid, "read the tokens {}: there are none", path),
                  "a line for each: the SHA-256 of the token in hex, a space, the user");
  return out;
}

std::optional<Answer> refused_host(const Settings& settings, const Request& request) {
  const auto host = request.header("host");
  // What is meant for another name was sent here by a page of a stranger's, whose name was made to lead to this machine.
  const std::string name = host.has_value() ? lower(name_part(*host)) : "";
  std::string own = settings.listen.substr(0, settings.listen.rfind(':'));
  if (own.starts_with('[') && own.ends_with(']')) own = own.substr(1, own.size() - 2);
  if (is_this_machine(name) || settings.hosts.contains(name) ||
      (!own.empty() && name == lower(own)))
    return std::nullopt;
  return problem(403, "denied", "the console is asked under a name that is not its own",
                 "--host NAME says under which names it may be asked");
}

std::optional<Answer> refused_origin(const Request& request, bool form) {
  const auto origin = request.header("origin");
  const std::string host = request.header("host").value_or("");
  const bool several =
      !origin.has_value() && std::any_of(request.headers.begin(), request.headers.end(),
                                         [](const auto& one) { return one.first == "origin"; });
  if (several ||
      (origin.has_value() && *origin != "http://" + host && *origin != "https://" + host))
    return problem(403, "denied", "this was sent by a page of another place");
  if (form) return std::nullopt;
  if (request.header("x-vestige") != "1")
    return problem(403, "denied", "the header X-Vestige is missing",
                   "send X-Vestige: 1 with everything that is to be written");
  const std::string type = request.header("content-type").value_or("");
  if (type.substr(0, type.find(';')) != "application/json")
    return problem(415, "invalid", "what is sent is not application/json",
                   "send Content-Type: application/json");
  return std::nullopt;
}

Result<std::string> user_of(const Settings& settings, const Request& request) {
  if (settings.auth == Auth::none) return std::string();
  if (settings.auth == Auth::token) {
    const std::string bearer = bearer_of(request);
    const TokenHash* found = token_of(settings, bearer.empty() ? cookie_of(request) : bearer);
    if (found != nullptr) return found->user;
    return hinted(fail(Fault::denied, "the console wants a token"),
                  "Authorization: Bearer TOKEN, or sign in at /login");
  }
  const bool proxy = std::any_of(settings.proxies.begin(), settings.proxies.end(),
                                 [&](const Network& one) { return one.has(request.peer); });
  const auto said = request.header(settings.user_header);
  if (proxy && said.has_value() && is_name(*said)) return *said;
  return hinted(fail(Fault::denied, "the console is asked past its proxy"),
                "--proxy says which addresses may say who somebody is");
}

Answer login_page(const std::string& next, bool wrong) {
  const std::string style(kLoginStyle);
  const Hash hash = sha256(style);
  Answer page{.status = wrong ? 401 : 200, .type = "text/html; charset=utf-8"};
  page.headers.emplace_back(
      "Content-Security-Policy",
      fmt::format("default-src 'none'; style-src 'sha256-{}'; form-action 'self'; frame-ancestors "
                  "'none'; base-uri 'none'",
                  to_base64(view(hash))));
  // Without a referrer browsers do not say where a form was sent from.
  page.headers.emplace_back("Referrer-Policy", "same-origin");
  page.body = fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>Sign in · vestige</title>"
      "<style>{}</style><main><h1>vestige</h1>{}<form method=\"post\" action=\"/login\"><input "
      "type=\"hidden\" name=\"next\" value=\"{}\"><label>Token <input name=\"token\" "
      "type=\"password\" autocomplete=\"current-password\" autofocus required></label>"
      "<button>Sign in</button></form></main></html>\n",
      style, wrong ? "<p role=\"alert\">There is no such token.</p>" : "",
      html_text(own_path(next)));
  return page;
}

Answer sign_in(const Settings& settings, const Request& request) {
  if (settings.auth != Auth::token) return problem(404, "missing", "nobody signs in here");
  if (auto refusal = refused_origin(request, true)) return *std::move(refusal);
  Request form;
  const auto read = read_target("/?" + request.body, form);
  const std::string token = read.has_value() ? form.asked("token").value_or("") : "";
  const std::string next = read.has_value() ? form.asked("next").value_or("") : "";
  const bool plain = std::all_of(token.begin(), token.end(), [](unsigned char c) {
    return c > ' ' && c < 127 && c != ';' && c != ',' && c != '"' && c != '\\';
  });
  if (!plain || token_of(settings, token) == nullptr) return login_page(next, true);
  // Sent in the open only on this machine.
  const bool here = is_this_machine(name_part(request.header("host").value_or("")));
  Answer answer{.status = 303, .type = "text/plain; charset=utf-8"};
  answer.headers.emplace_back("Location", own_path(next));
  answer.headers.emplace_back(
      "Set-Cookie", fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200{}",
                                kCookie, token, here ? "" : "; Secure"));
  return answer;
}

}  // namespace vestige::server
