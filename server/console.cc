#include "server/console.h"

#include "server/auth.h"
#include "server/http.h"
#include "vestige/audit/metrics.h"
#include "vestige/base/time.h"

namespace vestige::server {
namespace {

Answer text_answer(int status, std::string body, std::string type = "text/plain; charset=utf-8") {
  return {.status = status, .type = std::move(type), .body = std::move(body)};
}

// For a monitoring system: nothing of it is recorded.
Answer health(Shared& shared, const std::string& role, bool numbers) {
  const auto lease = shared.readers.take(role, std::chrono::seconds(5));
  auto found = lease.has_value() ? metrics((*lease)->db(), clock_now())
                                 : Result<std::vector<Metric>>(fail(Fault::offline, "-"));
  if (numbers)
    return text_answer(200, to_prometheus(found.has_value() ? *found : metrics_of_none()),
                       "text/plain; version=0.0.4; charset=utf-8");
  return found.has_value() ? text_answer(200, "ok\n")
                           : text_answer(503, "the database or its trail cannot be asked\n");
}

bool is_api(const Request& request) { return request.segments.front() == "api"; }

// Reading is offline or late, not in conflict with anything.
Answer answer_of(const Error& error, bool reads) {
  if (reads && error.fault == Fault::conflict) {
    Answer late = problem(503, "conflict", error.message, error.hint);
    return late;
  }
  return problem(error);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> headers_of_all() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
           "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
           "require-trusted-types-for 'script'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"X-Frame-Options", "DENY"},
          {"Cache-Control", "no-store"}};
}

Answer Console::answer(const Request& request) {
  if (auto refusal = refused_host(shared_.settings, request)) return *std::move(refusal);
  if (request.path == "/healthz") return health(shared_, "", false);
  if (shared_.settings.auth == Auth::token && request.path == "/login")
    return request.method == "POST" ? sign_in(shared_.settings, request)
                                    : login_page(request.asked("next").value_or(""), false);
  auto user = user_of(shared_.settings, request);
  if (!user.has_value()) {
    if (!is_api(request) && request.method == "GET" && shared_.settings.auth == Auth::token) {
      Answer answer = text_answer(303, "");
      const std::string asked =
          request.path + (request.raw_query.empty() ? "" : "?" + request.raw_query);
      answer.headers.emplace_back(
          "Location", asked == "/" ? "/login" : "/login?next=" + percent_encoded(asked));
      return answer;
    }
    Answer answer = problem(401, "denied", user.error().message, user.error().hint);
    if (shared_.settings.auth == Auth::token)
      answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
  }
  if (request.method == "POST")
    if (auto refusal = refused_origin(request, false)) return *std::move(refusal);
  auto role = role_of(shared_.settings, *user);
  if (request.path == "/metrics")
    return role.has_value() ? health(shared_, *role, true) : problem(role.error());
  Routed found = find_route(request);
  if (found.route == nullptr) {
    if (found.other_method) return problem(405, "invalid", "it is not asked by " + request.method);
    if (request.method == "GET")
      if (auto page = pages_.answer(request)) return *std::move(page);
    return problem(404, "missing", "there is nothing at this address",
                   "GET /api/v1/openapi.json lists what there is");
  }
  if (!role.has_value()) return problem(role.error());
  const auto call = std::make_shared<Call>(shared_, request, std::move(found), *std::move(user),
                                           *std::move(role));
  const bool reads = request.method == "GET";
  constexpr auto kToSend = std::chrono::seconds(60);
  if (call->format() != Format::json) (void)call->take_time(kToSend);
  if (!call->route().reads.empty())
    if (auto recorded = call->record(); !recorded.has_value())
      return answer_of(recorded.error(), reads);
  auto answer = call->route().run(call);
  if (answer.has_value()) return *std::move(answer);
  return answer_of(call->explained(answer.error()), reads);
}

Result<void> serve_console(Settings settings, const std::function<void(int port)>& listening) {
  if (!TRY(is_loopback(settings.listen)) && settings.auth == Auth::none)
    return hinted(fail(Fault::invalid, "serve on {}: others than this machine could ask there",
                       settings.listen),
                  "--auth token or --auth header says who they are");
  const std::string address = settings.listen;
  Console console(std::move(settings));
  return listen(
      address, [&](const Request& request) { return console.answer(request); }, headers_of_all(),
      listening);
}

}  // namespace vestige::server
