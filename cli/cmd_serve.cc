// serve: the console, and the HTTP API.
#include <algorithm>
#include <filesystem>

#include "cli/login.h"
#include "cli/plan_file.h"
#include "cli/report_names.h"
#include "cli/session.h"
#include "cli/signers.h"
#include "cli/trust.h"
#include "server/console.h"
#include "vestige/audit/plan.h"
#include "vestige/base/letters.h"

namespace vestige::cli {
namespace {

constexpr const char* kListen = "127.0.0.1:8470";

// "shop" of "sqlite:/srv/shop.db" and "postgresql://ann@db/shop".
std::string name_of_database(const std::string& where) {
  std::string name = where.substr(where.find_last_of("/:") + 1);
  if (where.starts_with("sqlite:")) name = std::filesystem::path(name).stem().string();
  return name.empty() ? where : name;
}

Result<void> choose_auth(const Arguments& arguments, server::Settings& settings) {
  const std::string auth = arguments.text("--auth");
  if (auth == "token") settings.auth = server::Auth::token;
  if (auth == "header") settings.auth = server::Auth::header;
  const auto tokens = arguments.value("--tokens");
  if ((auth == "token") != tokens.has_value())
    return hinted(fail(Fault::invalid, "serve: --auth token and --tokens go together"),
                  "--auth token --tokens FILE");
  if (tokens.has_value()) settings.tokens = TRY(server::read_tokens(*tokens));
  const auto proxies = arguments.values("--proxy");
  if ((auth == "header") != !proxies.empty())
    return hinted(fail(Fault::invalid, "serve: --auth header and --proxy go together"),
                  "--auth header --proxy 127.0.0.1/32: who may say who somebody is");
  for (const std::string& one : proxies) settings.proxies.push_back(TRY(server::read_network(one)));
  settings.user_header = lower(arguments.value("--user-header").value_or("X-Forwarded-User"));
  return {};
}

Result<server::Settings> console_settings(Session& session) {
  const Arguments& arguments = session.arguments();
  server::Settings settings;
  settings.listen = arguments.value("--listen").value_or(kListen);
  TRY(choose_auth(arguments, settings));
  for (const std::string& host : arguments.values("--host")) settings.hosts.insert(lower(host));
  settings.version = VESTIGE_VERSION;
  settings.login = login();
  settings.signers = TRY(planned_signers());
  settings.trust = TRY(planned_trust());
  settings.reports = TRY(planned_reports());
  const std::string plan = plan_file();
  if (std::filesystem::exists(plan))
    if (const auto users = TRY(read_plan(plan)).console_users; users.has_value()) {
      settings.roles = *users;
      settings.roles_named = true;
    }
  settings.database = TRY(session.url());
  settings.name = name_of_database(TRY(session.connect())->where());
  return settings;
}

Result<int> run_serve(Session& session) {
  server::Settings settings = TRY(console_settings(session));
  const std::string host = settings.listen.substr(0, settings.listen.rfind(':'));
  TRY(server::serve_console(std::move(settings), [&](int port) {
    session.say(fmt::format("the console is at http://{}:{}/", host, port));
  }));
  return kDone;
}

}  // namespace

Command serve_command() {
  return {
      .name = "serve",
      .group = "look",
      .summary = "the console: the trail in a browser, and over HTTP",
      .about =
          {"Serves a page, and under /api/v1 what it asks (docs/api.md), until SIGINT or SIGTERM. "
           "It listens to this machine only, and asks nobody who they are: they have the rights "
           "of the database's login. Nothing can be changed by it but what becomes of alerts, and "
           "silences; reads are recorded where reads are (see access).",
           "An address that others can reach needs --auth. With token they sign in by a token: "
           "--tokens is a file of lines, each the SHA-256 of a token and the user who has it. With "
           "header a proxy that has found out who they are says so, in X-Forwarded-User; it counts "
           "from the addresses of --proxy only. TLS is the proxy's. [console.users] of "
           "vestige.toml says which role of the database each user has, as ann = "
           "\"vestige_auditor\": the connection has its rights and no others, and who is not named "
           "has none (docs/console.md).",
           "It answers to the names of this machine, to that of --listen, and to those of --host: "
           "otherwise a stranger's page could ask through somebody's browser. /healthz and "
           "/metrics are as those of vestige metrics."},
      .options =
          {{.names = "--listen",
            .value = "ADDRESS",
            .summary = "where: 127.0.0.1:8470 unless said; port 0 takes any that is free"},
           {.names = "--auth",
            .value = "HOW",
            .summary = "who may ask: none (the default; this machine), token, header",
            .choices = {"none", "token", "header"}},
           {.names = "--tokens", .value = "FILE", .summary = "with --auth token: hashes and users"},
           {.names = "--proxy",
            .value = "NETWORK",
            .summary = "with --auth header: who may say who somebody is, 10.0.0.0/8",
            .repeated = true},
           {.names = "--user-header",
            .value = "NAME",
            .summary = "with --auth header: where they say it, X-Forwarded-User unless said"},
           {.names = "--host",
            .value = "NAME",
            .summary = "another name under which it is asked",
            .repeated = true}},
      .examples = {{"vestige serve", "http://127.0.0.1:8470/"},
                   {"vestige serve --auth header --proxy 127.0.0.1 --host audit.example.com",
                    "behind a proxy that signs people in"}},
      .run = run_serve};
}

}  // namespace vestige::cli
