#include "vestige/rules/alerts.h"

#include <algorithm>
#include <array>

#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/rules/kept.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::array<std::string_view, 4> kStates = {"open", "acknowledged", "closed", "silenced"};
constexpr const char* kSilences = "rule_hash = '' and rule = 'silence'";
constexpr std::string_view kSilence = "silence";  // the kind of what is no alert, and silences some

// What has no column of its own.
std::string detail_of(const KeptAlert& kept) {
  const Alert& alert = kept.alert;
  return fmt::format(
      R"({{"kind":{},"at":"{}","table":{},"who":{},"notify":{},"quiet":{},"why":{},"until":{}}})",
      text_json(alert.kind), format_time(alert.at), to_json(text_or_null(alert.table)),
      to_json(text_or_null(alert.who)), list_json(alert.notify), alert.quiet ? "true" : "false",
      to_json(text_or_null(alert.why)),
      kept.until == 0 ? "null" : text_json(format_time(kept.until)));
}

Result<void> read_detail(std::string_view text, KeptAlert& kept) {
  json::Reader reader(text);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    const std::string key = TRY(reader.key());
    const json::Span value = TRY(reader.value());
    const std::string word =
        value.kind == json::Kind::string ? TRY(json::unquote(value.text)) : std::string();
    if (key == "kind") kept.alert.kind = word;
    else if (key == "at") kept.alert.at = TRY(read_time(word));
    else if (key == "table") kept.alert.table = word;
    else if (key == "who") kept.alert.who = word;
    else if (key == "why") kept.alert.why = word;
    else if (key == "until" && !word.empty()) kept.until = TRY(read_time(word));
    else if (key == "quiet") kept.alert.quiet = value.text == "true";
    else if (key == "notify") kept.alert.notify = TRY(list_from_json(value.text));
  }
  return {};
}

Result<std::vector<std::int64_t>> ids_from(std::string_view array) {
  std::vector<std::int64_t> out;
  json::Reader reader(array);
  TRY(reader.open('['));
  while (TRY(reader.more('[')) == 'y') {
    const auto number = read_numbers(TRY(reader.value()).text);
    if (number.has_value() && number->size() == 1) out.push_back(number->front());
  }
  return out;
}

// What anybody who may write the table can have put there; what is read is checked, as it goes into JSON as it is.
Result<void> read_written(const Rows& rows, KeptAlert& kept) {
  const auto state = std::find(kStates.begin(), kStates.end(), rows.text(4));
  if (state == kStates.end())
    return fail(Fault::corrupt, "'{}' is no state of an alert", rows.text(4));
  kept.state = static_cast<AlertState>(state - kStates.begin());
  if (kept.alert.id.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fail(Fault::corrupt, "its id is none that a rule gives");
  std::string group = rows.text(5);
  json::Reader reader(group);
  if (TRY(reader.value()).kind != json::Kind::object)
    return fail(Fault::corrupt, "its group is no object");
  TRY(reader.end());
  kept.alert.group = std::move(group);
  kept.alert.changes = TRY(ids_from(rows.text(9)));
  return read_detail(rows.text(10), kept);
}

KeptAlert from_row(const Rows& rows) {
  KeptAlert kept;
  Alert& alert = kept.alert;
  alert.group = "{}";
  alert.id = rows.text(0);
  alert.rule = rows.text(1);
  alert.rule_hash = rows.text(2);
  alert.severity = rows.text(3);
  alert.title = rows.text(6);
  alert.first_index = rows.integer(7);
  alert.last_index = rows.integer(8);
  kept.owner = rows.text(11);
  kept.comment = rows.text(12);
  kept.backfilled = rows.integer(13) != 0;
  if (const auto read = read_written(rows, kept); !read.has_value())
    kept.damaged = read.error().message;
  return kept;
}

// Which of them: a condition over ?1, …; those that are no alerts stand in the same table.
Result<std::vector<KeptAlert>> read(Database& db, const std::string& condition,
                                    const Params& params) {
  std::vector<KeptAlert> out;
  const std::string table = TRY(known_kept_table(db, "alert"));
  if (table.empty()) return out;
  auto rows = TRY(db.query(
      "select id, rule, rule_hash, severity, state, grp, title, first_index, last_index, changes,"
      " detail, owner, comment, case when backfilled then 1 else 0 end from " +
          table + " where " + condition + " order by opened_at desc, last_index desc, id",
      params));
  while (TRY(rows->next()) == Step::row) out.push_back(from_row(*rows));
  return out;
}

std::string condition_of(const AlertSelection& selection, Params& params) {
  std::string out = "rule_hash <> ''";
  if (selection.state.has_value()) {
    params.emplace_back(Text{std::string(name(*selection.state))});
    out += fmt::format(" and state = ?{}", params.size());
  }
  if (!selection.rule.empty()) {
    params.emplace_back(Text{selection.rule});
    out += fmt::format(" and rule = ?{}", params.size());
  }
  return out;
}

// The one whose id is this, or begins so.
Result<KeptAlert> one_of(Database& db, const std::string& condition, const std::string& id,
                         std::string_view what, const char* hint) {
  const bool plain = id.size() >= 4 && id.find_first_not_of("0123456789abcdef") == id.npos;
  auto found = plain ? TRY(read(db, condition + " and id like ?1", {Text{id + "%"}}))
                     : std::vector<KeptAlert>();
  for (KeptAlert& one : found)
    if (one.alert.id == id) return std::move(one);
  if (found.size() > 1)
    return fail(Fault::invalid, "find {} {}: the ids of {} begin so", what, id, found.size());
  if (found.empty())
    return hinted(fail(Fault::missing, "find {} {}: there is none of that id", what, id), hint);
  return std::move(found.front());
}

// What of an alert becomes another.
Result<void> update(Database& db, const KeptAlert& kept) {
  TRY(db.run("update " + TRY(known_kept_table(db, "alert")) +
                 " set state = ?2, owner = ?3, comment = ?4 where id = ?1",
             {Text{kept.alert.id}, Text{std::string(name(kept.state))}, Text{kept.owner},
              text_or_null(kept.comment)}));
  return {};
}

Result<void> insert(Database& db, const std::string& table, const KeptAlert& kept) {
  const Alert& alert = kept.alert;
  TRY(db.run(
      "insert into " + table +
          " (id, rule, rule_hash, severity, state, grp, title, first_index, last_index,"
          " opened_at, changes, detail, owner, comment, backfilled) values (?1, ?2, ?3, ?4,"
          " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) on conflict (id) do nothing",
      {Text{alert.id}, Text{alert.rule}, Text{alert.rule_hash}, Text{alert.severity},
       Text{std::string(name(kept.state))}, Text{alert.group}, Text{alert.title}, alert.first_index,
       alert.last_index, Text{format_time(alert.at)},
       Text{fmt::format("[{}]", fmt::join(alert.changes, ","))}, Text{detail_of(kept)},
       text_or_null(kept.owner), text_or_null(kept.comment), Text{kept.backfilled ? "1" : "0"}}));
  return {};
}

}  // namespace

std::string_view name(AlertState state) { return kStates.at(static_cast<std::size_t>(state)); }

std::string to_json(const KeptAlert& kept) {
  std::string out = to_json(kept.alert);
  out.pop_back();
  out += fmt::format(R"(,"state":"{}","owner":{},"comment":{},"backfilled":{})", name(kept.state),
                     to_json(text_or_null(kept.owner)), to_json(text_or_null(kept.comment)),
                     kept.backfilled);
  return out + (kept.damaged.empty() ? "}" : R"(,"damaged":)" + text_json(kept.damaged) + "}");
}

Result<std::vector<KeptAlert>> kept_alerts(Database& db, const AlertSelection& selection) {
  TRY(require_trail(db));
  Params params;
  const std::string condition = condition_of(selection, params);
  auto all = TRY(read(db, condition, params));
  if (selection.limit > 0 && all.size() > static_cast<std::size_t>(selection.limit))
    all.resize(static_cast<std::size_t>(selection.limit));
  return all;
}

Result<KeptAlert> kept_alert(Database& db, const std::string& id) {
  TRY(require_trail(db));
  return one_of(db, "rule_hash <> ''", id, "alert", "vestige alert list");
}

Result<KeptAlert> set_alert(Database& db, const std::string& id, AlertState state,
                            const std::string& by, const std::string& comment,
                            const Context& context) {
  TRY(kept_alert(db, id));
  auto scope = TRY(ContextScope::begin(db, context));
  KeptAlert kept = TRY(kept_alert(db, id));
  if (kept.state == AlertState::closed)
    return fail(Fault::conflict, "alert {}: it was closed by {}", kept.alert.id, kept.owner);
  kept.state = state;
  kept.owner = by;
  if (!comment.empty()) kept.comment = comment;
  TRY(update(db, kept));
  TRY(scope.commit());
  return kept;
}

Result<KeptAlert> silence(Database& db, const std::string& words, std::int64_t from,
                          std::int64_t until, const std::string& by, const std::string& reason,
                          const Context& context) {
  TRY(require_trail(db));
  TRY(silences(words, Alert()));
  KeptAlert kept;
  kept.alert.kind = kept.alert.rule = kSilence;
  kept.alert.id = alert_id(kSilence, "", by, words, from);
  kept.alert.severity = "info";
  kept.alert.group = "{}";
  kept.alert.title = words;
  kept.alert.at = from;
  kept.state = AlertState::silenced;
  kept.owner = by;
  kept.comment = reason;
  kept.until = until;
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(own_table(db, "alert"));
  TRY(insert(db, TRY(known_kept_table(db, "alert")), kept));
  TRY(scope.commit());
  return kept;
}

Result<std::vector<KeptAlert>> kept_silences(Database& db) {
  TRY(require_trail(db));
  return read(db, kSilences, {});
}

Result<KeptAlert> lift_silence(Database& db, const std::string& id, std::int64_t now,
                               const std::string& by, const std::string& reason,
                               const Context& context) {
  TRY(require_trail(db));
  const auto find = [&] { return one_of(db, kSilences, id, "silence", "vestige alert silences"); };
  TRY(find());
  auto scope = TRY(ContextScope::begin(db, context));
  KeptAlert kept = TRY(find());
  if (kept.state != AlertState::silenced || kept.until <= now)
    return fail(Fault::conflict, "lift silence {}: it is over", kept.alert.id);
  kept.state = AlertState::closed;
  kept.owner = by;
  if (!reason.empty()) kept.comment = reason;
  TRY(update(db, kept));
  TRY(scope.commit());
  return kept;
}

Result<void> keep_alerts(Database& db, const std::vector<KeptAlert>& alerts) {
  if (alerts.empty()) return {};
  TRY(own_table(db, "alert"));
  const std::string table = TRY(known_kept_table(db, "alert"));
  const auto all = TRY(read(db, kSilences, {}));
  for (KeptAlert kept : alerts) {
    for (const KeptAlert& one : all)
      if (one.damaged.empty() && one.state == AlertState::silenced &&
          one.alert.at <= kept.alert.at && kept.alert.at < one.until &&
          silences(one.alert.title, kept.alert).value_or(false)) {
        kept.state = AlertState::silenced;
        kept.comment = one.comment;
      }
    TRY(insert(db, table, kept));
  }
  return {};
}

Result<std::vector<std::pair<std::string, std::string>>> silence_words(const std::string& words) {
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const std::string word = words.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    const std::size_t colon = word.find(':');
    const std::string field = word.substr(0, colon);
    const std::string value = colon == std::string::npos ? "" : word.substr(colon + 1);
    const bool known =
        field == "rule" || field == "severity" || field == "table" || field == "actor";
    if (!known || value.empty())
      return hinted(fail(Fault::invalid, "silence '{}': it says nothing of alerts", word),
                    "rule:night-work actor:ann table:products severity:low, all of it must hold");
    out.emplace_back(field, value);
  }
  if (out.empty()) return fail(Fault::invalid, "silence: what is meant is not said");
  return out;
}

Result<bool> silences(const std::string& words, const Alert& alert) {
  for (const auto& [field, value] : TRY(silence_words(words))) {
    const std::string& is = field == "rule"       ? alert.rule
                            : field == "severity" ? alert.severity
                            : field == "table"    ? alert.table
                                                  : alert.who;
    if (is != value) return false;
  }
  return true;
}

}  // namespace vestige
