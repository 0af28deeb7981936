#include "server/pages.h"

#include <algorithm>
#include <array>

namespace vestige::server {
namespace {

struct Ending {
  std::string_view of_page;
  std::string_view of_list;  // what the list has instead
};
constexpr std::array<Ending, 3> kEndings = {
    {{".json", ""}, {".csv", ".csv"}, {".ndjson", ".ndjson"}}};

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  if (name.ends_with(".png")) return "image/png";
  if (name.ends_with(".ico")) return "image/vnd.microsoft.icon";
  if (name.ends_with(".woff2")) return "font/woff2";
  if (name.ends_with(".json") || name.ends_with(".map")) return "application/json";
  return "text/plain; charset=utf-8";
}

bool is_word(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_page(const std::vector<std::string>& path) {
  if (path.size() == 1)
    return path[0].empty() ||
           is_word(path[0], {"verify", "alerts", "reports", "holds", "retention", "status"});
  if (path.size() > 3 ||
      std::any_of(path.begin(), path.end(), [](const std::string& one) { return one.empty(); }))
    return false;
  if (path[0] == "t") return true;
  return path.size() == 2 && is_word(path[0], {"c", "tx", "alerts", "reports"});
}

// Where the API has what a page shows.
std::string resource(const std::vector<std::string>& path, const Ending& ending,
                     std::string query) {
  const auto and_query = [&](std::string word) {
    query = query.empty() ? std::move(word) : std::move(word) + "&" + query;
  };
  const std::string tail(ending.of_list);
  std::string to = "/api/v1/";
  if (path[0].empty()) to += "changes" + tail;
  else if (path[0] == "t" && path.size() == 2) to += "tables/" + path[1] + "/rows" + tail;
  else if (path[0] == "t")
    to += "tables/" + path[1] + "/rows/" + path[2] + (tail.empty() ? "" : "/history" + tail);
  else if (is_word(path[0], {"c", "tx"}) && !tail.empty()) {
    to += "changes" + tail;
    and_query((path[0] == "c" ? "q=id:" : "q=tx:") + path[1]);
  } else if (path[0] == "c") to += "changes/" + path[1];
  else to += path[0] + (path.size() == 2 ? "/" + path[1] : tail);
  return query.empty() ? to : to + "?" + query;
}

constexpr const char* kNoPage =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>vestige</title>"
    "<h1>vestige</h1><p>This program was built without the page. The API is at "
    "<a href=\"/api/v1/openapi.json\">/api/v1</a>.</p></html>\n";

// "gzip, br;q=0.5"; "gzip;q=0" says no.
bool takes_gzip(std::string_view accepted) {
  const std::size_t at = accepted.find("gzip");
  if (at == std::string_view::npos) return false;
  std::string_view rest = accepted.substr(at + 4);
  rest = rest.substr(0, rest.find(','));
  const std::size_t weight = rest.find("q=");
  return weight == std::string_view::npos ||
         rest.find_first_of("123456789", weight) != std::string_view::npos;
}

}  // namespace

Pages::Pages() {
  for (Asset& one : embedded_assets()) files_.emplace(one.name, std::move(one));
}

Answer Pages::file(const Asset& asset, const Request& request, bool forever) const {
  const std::string tag = "\"" + asset.sha256 + "\"";
  Answer answer{.type = std::string(type_of(asset.name))};
  answer.headers = {
      {"ETag", tag},
      {"Vary", "Accept-Encoding"},
      {"Cache-Control", forever ? "public, max-age=31536000, immutable" : "no-cache"}};
  if (request.header("if-none-match").value_or("").find(tag) != std::string::npos) {
    answer.status = 304;
    return answer;
  }
  const bool zipped = takes_gzip(request.header("accept-encoding").value_or(""));
  if (zipped) answer.headers.emplace_back("Content-Encoding", "gzip");
  answer.body = zipped ? asset.gzip : asset.bytes;
  return answer;
}

std::optional<Answer> Pages::answer(const Request& request) const {
  const auto& path = request.segments;
  if (path.size() == 2 && path[0] == "assets") {
    const auto found = files_.find("assets/" + path[1]);
    if (found != files_.end()) return file(found->second, request, true);
    return problem(404, "missing", "the page has no such file");
  }
  if (is_page(path)) {
    std::vector<std::string> without = path;
    for (const Ending& ending : kEndings)
      if (without.back().ends_with(ending.of_page)) {
        without.back().resize(without.back().size() - ending.of_page.size());
        if (!is_page(without)) break;
        Answer answer{.status = 308, .type = "text/plain; charset=utf-8"};
        answer.headers.emplace_back("Location", resource(without, ending, request.raw_query));
        return answer;
      }
  }
  for (const Ending& ending :
       kEndings) {  // "/.json", "/alerts.csv": one word, and no page without its ending
    if (path.size() != 1 || !path[0].ends_with(ending.of_page)) continue;
    const std::vector<std::string> without = {
        path[0].substr(0, path[0].size() - ending.of_page.size())};
    if (!is_page(without)) continue;
    Answer answer{.status = 308, .type = "text/plain; charset=utf-8"};
    answer.headers.emplace_back("Location", resource(without, ending, request.raw_query));
    return answer;
  }
  if (!is_page(path)) return std::nullopt;
  if (const auto index = files_.find("index.html"); index != files_.end())
    return file(index->second, request, false);
  return Answer{.type = "text/html; charset=utf-8", .body = kNoPage};
}

}  // namespace vestige::server
