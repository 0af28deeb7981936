// What somebody has to deal with: alerts, reviews, holds, retention, and what doctor finds.
#include "server/api.h"
#include "server/lists.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/expire.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/rules/alerts.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/retention.h"
#include "vestige/trail/review.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostAlerts = 1000;
constexpr std::int64_t kLongestSilence = 366LL * 24 * 3600 * 1'000'000;  // microseconds

template <class All>
std::vector<std::string> json_of(const All& all) {
  std::vector<std::string> out;
  for (const auto& one : all) out.push_back(to_json(one));
  return out;
}

// The members of a body that are texts.
Result<std::map<std::string, std::string>> body_of(const Call& call) {
  std::map<std::string, std::string> out;
  json::Reader reader(call.request().body);
  if (call.request().body.empty()) return out;
  const auto wrong = [] {
    return hinted(fail(Fault::invalid, "read what was sent: it is no object of texts"),
                  R"({"note":"looked into it"})");
  };
  if (!reader.open('{').has_value()) return wrong();
  while (true) {
    const auto more = reader.more('{');
    if (!more.has_value()) return wrong();
    if (*more != 'y') break;
    auto name = reader.key();
    if (!name.has_value()) return wrong();
    const auto value = reader.value();
    if (!value.has_value() || value->kind != json::Kind::string) return wrong();
    out[*std::move(name)] = TRY(json::unquote(value->text));
  }
  if (!reader.end().has_value()) return wrong();
  return out;
}

std::string said(const std::map<std::string, std::string>& body, const std::string& name) {
  const auto found = body.find(name);
  return found == body.end() ? "" : found->second;
}

// Who does it: the console's user, or where nobody says who that is the user of this system.
Context by_whom(const Call& call, const std::string& reason) {
  Context context;
  context.set("actor", call.user().empty() ? call.settings().login : call.user());
  if (!reason.empty()) context.set("reason", reason);
  return context;
}

Result<Answer> set_state(Call& call, AlertState state) {
  const auto body = TRY(body_of(call));
  const std::string note = said(body, "note");
  const Context context = by_whom(call, note);
  const auto writer = TRY(call.writer());
  return json_answer(to_json(TRY(
      set_alert(writer->db(), TRY(call.word(0)), state, *context.get("actor"), note, context))));
}

}  // namespace

Result<Answer> get_alerts(Asked call) {
  AlertSelection selection;
  selection.limit = kMostAlerts;
  selection.rule = call->asked("rule").value_or("");
  if (const auto text = call->asked("state"); text.has_value() && !text->empty()) {
    for (const AlertState one :
         {AlertState::open, AlertState::acknowledged, AlertState::closed, AlertState::silenced})
      if (name(one) == *text) selection.state = one;
    if (!selection.state.has_value())
      return hinted(fail(Fault::invalid, "alerts: '{}' is no state of an alert", *text),
                    "open, acknowledged, closed or silenced");
  }
  return list_answer(call, json_of(TRY(kept_alerts(*TRY(call->db()), selection))));
}

Result<Answer> get_alert(Asked call) {
  return json_answer(to_json(TRY(kept_alert(*TRY(call->db()), TRY(call->word(0))))));
}

Result<Answer> post_alert_ack(Asked call) { return set_state(*call, AlertState::acknowledged); }
Result<Answer> post_alert_close(Asked call) { return set_state(*call, AlertState::closed); }

Result<Answer> post_silence(Asked call) {
  const auto body = TRY(body_of(*call));
  const std::string words = said(body, "words");
  const std::string reason = said(body, "reason");
  if (words.empty() || reason.empty())
    return hinted(fail(Fault::invalid, "silence: what is meant, and why, are not both said"),
                  R"({"words":"rule:night-work actor:ann","until":"2026-12-24","reason":"…"})");
  const std::int64_t now = clock_now();
  const std::int64_t until = TRY(parse_time(said(body, "until"), Now(now, Zone::local)));
  if (until <= now || until - now > kLongestSilence)
    return hinted(fail(Fault::invalid, "silence: its end is not within a year from now"),
                  R"("until":"2026-12-24")");
  const Context context = by_whom(*call, reason);
  const auto writer = TRY(call->writer());
  return json_answer(to_json(
      TRY(silence(writer->db(), words, now, until, *context.get("actor"), reason, context))));
}

Result<Answer> get_holds(Asked call) {
  return list_answer(call, json_of(TRY(holds(*TRY(call->db())))));
}

Result<Answer> get_retention(Asked call) {
  Database& db = *TRY(call->db());
  std::vector<std::string> items;
  for (const RetentionClass& one : TRY(retention_classes(db)))
    items.push_back(fmt::format(R"({{"class":{},"keep":{},"hot":{},"archive":{},"described":{}}})",
                                text_json(one.name), text_json(one.keep),
                                one.hot.empty() ? "null" : text_json(one.hot), one.archive,
                                text_json(described(one))));
  return list_answer(call, std::move(items),
                     fmt::format(R"(,"due":{})", TRY(anything_due(db, clock_now()))));
}

Result<Answer> get_reviews(Asked call) {
  return list_answer(call, json_of(TRY(reviews(*TRY(call->db())))));
}

Result<Answer> get_status(Asked call) {
  return list_answer(call, json_of(TRY(doctor(*TRY(call->db()), false))));
}

}  // namespace vestige::server
