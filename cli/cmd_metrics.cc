// metrics: how the trail stands, in numbers for Prometheus and what reads its format.
#include <mutex>

#include "cli/session.h"
#include "server/http.h"
#include "vestige/audit/metrics.h"
#include "vestige/base/time.h"

namespace vestige::cli {
namespace {

constexpr const char* kType = "text/plain; version=0.0.4; charset=utf-8";

// Each question has a connection of its own: so a server that was started anew is found again.
Result<std::vector<Metric>> asked(Session& session) {
  const auto db = TRY(session.connect());
  return metrics(*db, clock_now());
}

// A page of a stranger's can have a browser on this machine ask here, under the stranger's name.
bool meant_for_here(std::string host) {
  if (host.empty()) return true;  // HTTP/1.0; no browser
  if (host.find(':') == std::string::npos || host.back() == ']') host += ":80";
  const auto here = server::is_loopback(host);
  return here.has_value() && *here;
}

server::HttpAnswer answer(Session& session, const server::HttpRequest& request) {
  if (!session.arguments().has("--public") && !meant_for_here(request.host))
    return {403, "asked under another name than this machine's\n"};
  if (request.method != "GET") return {405, "only GET\n"};
  if (request.path != "/metrics" && request.path != "/healthz")
    return {404, "/metrics or /healthz\n"};
  const auto found = asked(session);
  if (request.path == "/metrics") {
    return {200, to_prometheus(found.has_value() ? *found : metrics_of_none()), kType};
  }
  return found.has_value() ? server::HttpAnswer{200, "ok\n"}
                           : server::HttpAnswer{503, "the database or its trail cannot be asked\n"};
}

Result<int> listen(Session& session, const std::string& address) {
  if (!TRY(server::is_loopback(address)) && !session.arguments().has("--public"))
    return hinted(
        fail(Fault::invalid, "listen on {}: others than this machine could ask there", address),
        "--public says that they may");
  std::mutex one_at_a_time;
  TRY(server::serve_http(
      address,
      [&](const server::HttpRequest& request) {
        const std::lock_guard lock(one_at_a_time);
        return answer(session, request);
      },
      [&](int port) { session.say(fmt::format("listening on port {}", port)); }));
  return kDone;
}

Result<int> run_metrics(Session& session) {
  const auto address = session.arguments().value("--listen");
  if (address.has_value()) return listen(session, *address);
  if (session.arguments().has("--public"))
    return hinted(fail(Fault::invalid, "metrics: --public is for --listen"),
                  "vestige metrics --listen 0.0.0.0:9187 --public");
  Database& db = *TRY(session.database());
  session.output().text(to_prometheus(TRY(metrics(db, clock_now()))));
  return kDone;
}

}  // namespace

Command metrics_command() {
  return {
      .name = "metrics",
      .group = "set up",
      .summary = "how the trail stands, in numbers for a monitoring system",
      .about = {"Prints Prometheus' text format: how many changes there are and how many have no "
                "place in the tree yet, when the last checkpoint was signed, tracked tables with "
                "trouble, how far consumers of the feed are behind, open alerts, the room that the "
                "trail takes. docs/monitoring.md has the alerts and the dashboard that go with it.",
                "--listen answers /metrics, and /healthz: 200 where the trail can be asked. It "
                "listens to this machine only: another address must be said twice, with --public, "
                "since names of tables and consumers can be read there. It ends on SIGINT or "
                "SIGTERM."},
      .options = {{.names = "--listen",
                   .value = "ADDRESS",
                   .summary = "serve them: 127.0.0.1:9187; port 0 takes any that is free"},
                  {.names = "--public",
                   .value = "",
                   .summary = "also at an address that others can reach"}},
      .examples = {{"vestige metrics > /var/lib/node_exporter/vestige.prom.tmp",
                    "for the collector of files"},
                   {"vestige metrics --listen 127.0.0.1:9187", "for Prometheus"}},
      .run = run_metrics};
}

}  // namespace vestige::cli
