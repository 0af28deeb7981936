// open_database: which back end a URL names.
#include <algorithm>
#include <filesystem>

#include "vestige/db/database.h"
#include "vestige/db/lent.h"
#include "vestige/db/postgres.h"
#include "vestige/db/sqlite.h"
#include "vestige/db/url.h"

namespace vestige {
namespace {

constexpr std::string_view kForms = "give shop.db, sqlite:shop.db or postgresql://user@host/shop";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// "host=db dbname=shop": a word and an equals sign, and no file of that name.
bool is_key_and_value(const std::string& text) {
  const auto word = std::find_if_not(text.begin(), text.end(), [](char c) { return c == ' '; });
  const auto end =
      std::find_if_not(word, text.end(), [](char c) { return is_letter(c) || c == '_'; });
  const auto sign = std::find_if_not(end, text.end(), [](char c) { return c == ' '; });
  return word != end && sign != text.end() && *sign == '=' && !is_file(text);
}

// What others write before the same URL: the driver of SQLAlchemy (postgresql+psycopg2://), and Java's jdbc.
std::string without_driver(std::string url) {
  if (url.starts_with("jdbc:")) url.erase(0, 5);
  const std::size_t colon = url.find(':');
  const std::size_t plus = url.find('+');
  if (colon == std::string::npos || plus > colon) return url;
  for (const std::string_view kind : {"postgresql", "postgres", "sqlite"})
    if (url.substr(0, plus) == kind) url.erase(plus, colon - plus);
  return url;
}

// A path, of "shop.db", "sqlite:shop.db", "sqlite:///shop.db" (here) and "sqlite:////srv/shop.db" (from the root).
std::string path_of(const std::string& url) {
  if (url.starts_with("sqlite:///")) return url.substr(10);
  for (const std::string_view scheme : {"sqlite://", "sqlite:", "file:"})
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  return url;
}

// What looks like the URL of a server, whoever's; it may hold a password, and is not repeated.
bool names_a_server(const std::string& path) {
  if (path.find("://") != std::string::npos) return true;
  const std::size_t at = path.find('@');
  const bool user = at != std::string::npos && path.find(':') < at;
  return (user || path.starts_with("postgres:") || path.starts_with("postgresql:")) &&
         !is_file(path);
}

bool is_postgres(const std::string& url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://") ||
         is_key_and_value(url);
}

}  // namespace

std::string url_from(const std::string& folder, const std::string& given) {
  const std::string url = without_driver(given);
  const std::string path = path_of(url);
  const bool relative = !path.empty() && path.front() != '/' && path.front() != ':';
  if (is_postgres(url) || !relative || names_a_server(path)) return given;
  return url.substr(0, url.size() - path.size()) + folder + "/" + path;
}

namespace {

Result<std::unique_ptr<Sqlite>> open_file(const std::string& url, Sqlite::Mode mode) {
  const std::string path = path_of(url);
  if (names_a_server(path))
    return hinted(fail(Fault::invalid, "open the database: unknown kind of URL"),
                  std::string(kForms));
  if (path.empty())
    return hinted(fail(Fault::invalid, "open the database: '{}' names no file", url),
                  std::string(kForms));
  auto opened = Sqlite::open(path, mode);
  if (!opened.has_value() && url.starts_with("sqlite:///") && !is_file(path) && is_file("/" + path))
    return hinted(tl::unexpected<Error>(std::move(opened).error()),
                  "three slashes name a file below this folder; it is there as sqlite:////" + path);
  return opened;
}

}  // namespace

Result<std::unique_ptr<Database>> open_database(const std::string& given) {
  const std::string url = without_driver(given);
  if (is_postgres(url)) return std::unique_ptr<Database>(TRY(Postgres::open(url)));
  return std::unique_ptr<Database>(TRY(open_file(url, Sqlite::Mode::existing)));
}

Result<Lent> lend_database(const std::string& given, const std::string& role, bool reads_only) {
  const std::string url = without_driver(given);
  Lent lent;
  if (is_postgres(url)) {
    auto db = TRY(Postgres::open(url));
    TRY(db->act_for(role, reads_only));
    // What ran on it before may have left the role.
    lent.at_most = [&postgres = *db, role,
                    reads_only](std::chrono::milliseconds time) -> Result<void> {
      TRY(postgres.act_for(role, reads_only));
      return postgres.at_most(time);
    };
    lent.db = std::move(db);
    return lent;
  }
  auto db = TRY(open_file(url, reads_only ? Sqlite::Mode::reading : Sqlite::Mode::existing));
  lent.at_most = [&sqlite = *db](std::chrono::milliseconds time) { return sqlite.at_most(time); };
  lent.db = std::move(db);
  return lent;
}

}  // namespace vestige
