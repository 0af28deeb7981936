// Postgres::open: the URL, the connection, and what every session is set to.
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "vestige/db/postgres.h"
#include "vestige/db/postgres_error.h"
#include "vestige/db/postgres_rows.h"

namespace vestige {
namespace {

constexpr int kOldest = 130'000;

// Values read from the server stay exact, and mean the same in every session that reads them back. No query here runs
// long enough to be worth compiling: over sixty partitions that takes half a second.
constexpr std::string_view kSettings = R"(
  select set_config(name, wanted, false)
    from (values ('extra_float_digits', '1'), ('bytea_output', 'hex'),
                 ('standard_conforming_strings', 'on'), ('datestyle', 'ISO'),
                 ('intervalstyle', 'postgres'), ('jit', 'off'),
                 ('quote_all_identifiers', 'off')) as setting (name, wanted)
   where split_part(current_setting(name), ',', 1) <> wanted)";

using Option = std::pair<std::string, std::string>;
using Options = std::vector<Option>;

std::string option(const Options& options, std::string_view name) {
  for (const Option& one : options)
    if (one.first == name) return one.second;
  return {};
}

// libpq quotes what it stumbles over, which may be a password: nothing from the first quote to the last is kept.
std::string without_quotations(std::string text) {
  text.erase(std::min(text.find('\n'), text.size()));
  const std::size_t first = text.find('"');
  if (first == std::string::npos) return text;
  const std::size_t last = text.rfind('"');
  return text.substr(0, first) + "…" + (last == first ? "" : text.substr(last + 1));
}

Result<Options> parse(const std::string& url) {
  char* problem = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(url.c_str(), &problem);
  if (parsed == nullptr) {
    std::string text = problem == nullptr ? "out of memory" : problem;
    PQfreemem(problem);
    return hinted(
        fail(Fault::invalid, "read the PostgreSQL URL: {}", without_quotations(text)),
        "it reads postgresql://user@host:port/dbname, percent-encoded where it is special,"
        " or host=db user=ann dbname=shop");
  }
  Options options;
  for (const PQconninfoOption* one = parsed; one->keyword != nullptr; ++one)
    if (one->val != nullptr) options.emplace_back(one->keyword, one->val);
  PQconninfoFree(parsed);
  if (option(options, "host").find('@') != std::string::npos)  // it may be half a password
    return hinted(fail(Fault::invalid, "read the PostgreSQL URL: an @ stands in the host's name"),
                  "write %40 for an @ in the password");
  if (option(options, "port").find_first_not_of("0123456789,") != std::string::npos)
    return fail(Fault::invalid, "read the PostgreSQL URL: the port is no number");
  const std::string database = option(options, "dbname");
  if (database.find("://") != std::string::npos || database.find('=') != std::string::npos)
    return fail(Fault::invalid, "read the PostgreSQL URL: the database's name is a URL itself");
  return options;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~,").find(c) != std::string_view::npos;
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// A URL that leads here again, without the password.
std::string place(std::string_view user, std::string_view host, std::string_view port,
                  std::string_view database) {
  std::string out = "postgresql://";
  if (!user.empty()) out += percent_encoded(user) + "@";
  const bool ipv6 = host.find(':') != std::string_view::npos;
  out += ipv6 ? fmt::format("[{}]", host) : percent_encoded(host);
  if (!port.empty()) out += fmt::format(":{}", port);
  if (!database.empty()) out += "/" + percent_encoded(database);
  return out;
}

// The seconds that libpq would give one host; 0: no end.
int patience(PGconn* connection) {
  int seconds = 0;
  PQconninfoOption* options = PQconninfo(connection);
  for (const PQconninfoOption* one = options; one != nullptr && one->keyword != nullptr; ++one)
    if (std::string_view(one->keyword) == "connect_timeout" && one->val != nullptr)
      seconds = std::atoi(one->val);
  PQconninfoFree(options);
  return std::max(seconds, 0);
}

// Connects in steps: only so the messages can be asked to carry their SQLSTATE.
Result<void> connect(PGconn* connection, const std::string& attempt) {
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  const int seconds = patience(connection);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  if (PQstatus(connection) == CONNECTION_BAD) wanted = PGRES_POLLING_FAILED;
  while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING) {
    pollfd descriptor = {PQsocket(connection), POLLIN, 0};
    if (wanted == PGRES_POLLING_WRITING) descriptor.events = POLLOUT;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    const int wait = seconds == 0 ? -1 : static_cast<int>(std::max<long>(0, left.count()));
    if (poll(&descriptor, 1, wait) == 0)
      return fail(Fault::offline, "{}: no answer within {} s (connect_timeout)", attempt, seconds);
    wanted = PQconnectPoll(connection);
  }
  if (wanted != PGRES_POLLING_OK)
    return tl::unexpected<Error>(postgres::connect_error(PQerrorMessage(connection), attempt));
  return {};
}

Result<std::unique_ptr<postgres::Session>> session_of(const Options& options,
                                                      const std::string& attempt) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : options) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  auto session = std::make_unique<postgres::Session>();
  session->connection = PQconnectStartParams(names.data(), values.data(), 0);
  if (session->connection == nullptr) return fail(Fault::internal, "{}: out of memory", attempt);
  return session;
}

// The server knows no way between UTF-8 and the encoding of the database.
bool no_way_from_utf8(PGconn* connection) {
  return std::string_view(PQerrorMessage(connection)).find(" 0A000: ") != std::string_view::npos;
}

void drop_notice(void* /*unused*/, const PGresult* /*notice*/) {}

}  // namespace

// The first statement of a session: nothing in it is looked up anywhere but in pg_catalog.
Result<void> Postgres::pin() {
  const Value path = TRY(scalar(*this, "select pg_catalog.current_setting('search_path')"));
  callers_path_ = std::get<Text>(path).bytes;
  return look_up(Names::pinned);
}

Result<std::unique_ptr<Postgres>> Postgres::open(const std::string& url) {
  Options options = TRY(parse(url));
  const std::string attempt = "open " + place(option(options, "user"), option(options, "host"),
                                              option(options, "port"), option(options, "dbname"));
  std::erase_if(options, [](const Option& one) { return one.first == "client_encoding"; });
  options.emplace_back("client_encoding", "UTF8");
  options.emplace_back("fallback_application_name", "vestige");
  auto session = TRY(session_of(options, attempt));
  auto connected = connect(session->connection, attempt);
  const bool ascii = !connected.has_value() && no_way_from_utf8(session->connection);
  if (ascii) {
    // What is ASCII, as nearly all of what this program says and asks, needs no way.
    for (auto& [name, value] : options)
      if (name == "client_encoding") value = "SQL_ASCII";
    session = TRY(session_of(options, attempt));
    connected = connect(session->connection, attempt);
  }
  TRY(std::move(connected));
  PGconn* connection = session->connection;
  PQsetNoticeReceiver(connection, drop_notice, nullptr);  // they are for the application
  const int version = PQserverVersion(connection);
  if (version < kOldest)
    return fail(Fault::invalid, "{}: PostgreSQL {} is too old, 13 or newer is needed", attempt,
                version / 10'000);
  std::unique_ptr<Postgres> db(new Postgres(
      std::move(session),
      place(PQuser(connection), PQhost(connection), PQport(connection), PQdb(connection))));
  db->ascii_ = ascii;
  TRY(db->pin());
  TRY(db->run(kSettings));
  // Names of months have no way into such a database either, and to_char looks them up whether it needs them or not.
  if (ascii) TRY(db->run("select pg_catalog.set_config('lc_time', 'C', false)"));
  return db;
}

}  // namespace vestige
