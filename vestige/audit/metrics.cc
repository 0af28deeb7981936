#include "vestige/audit/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "vestige/feed/cursor.h"
#include "vestige/feed/event_text.h"
#include "vestige/rules/rule.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sealing.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/upkeep.h"

namespace vestige {
namespace {

constexpr double kMicros = 1e6;  // in a second

double number(std::int64_t value) { return static_cast<double>(value); }
double seconds(std::int64_t micros) { return number(micros) / kMicros; }

Metric one(std::string name, std::string help, std::optional<double> value,
           std::string type = "gauge") {
  Metric metric = {std::move(name), std::move(type), std::move(help), {}};
  if (value.has_value()) metric.samples.push_back({{}, *value});
  return metric;
}

Metric up(bool is_up) {
  return one("vestige_up", "Whether the database and its trail could be asked.", is_up ? 1 : 0);
}

// What has no place in the tree yet: how many, and when the oldest of them was made.
struct Unsealed {
  std::int64_t count = 0;
  std::optional<std::int64_t> oldest;
};

Result<Unsealed> unsealed(EvidenceStore& store) {
  Unsealed found;
  const auto order = TRY(sealing_of(store.db())->order(store));
  const auto next = TRY(order->next(kMostUnsealed));
  if (next == nullptr) return found;
  for (const Sealable* change = TRY(next->next()); change != nullptr; change = TRY(next->next())) {
    ++found.count;
    found.oldest = std::min(found.oldest.value_or(change->entry.at), change->entry.at);
  }
  return found;
}

Result<void> add_evidence(Database& db, std::int64_t now, std::vector<Metric>& all) {
  EvidenceStore store(db);
  const std::int64_t size = static_cast<std::int64_t>(TRY(store.size()));
  const Unsealed waiting = TRY(unsealed(store));
  const auto checkpoint = TRY(store.last_checkpoint());
  std::optional<double> signed_at;
  std::optional<double> signed_size;
  if (checkpoint.has_value()) {
    signed_at = seconds(checkpoint->at);
    signed_size = number(static_cast<std::int64_t>(checkpoint->size));
  }
  all.push_back(one("vestige_changes_total",
                    "Changes recorded, as far as they are in the tree or counted as unsealed.",
                    number(size + waiting.count), "counter"));
  all.push_back(one("vestige_entries", "Changes that have a place in the tree.", number(size)));
  all.push_back(one("vestige_unsealed_changes",
                    fmt::format("Changes that have no place in the tree yet; {} means as many or "
                                "more.",
                                kMostUnsealed),
                    number(waiting.count)));
  all.push_back(one("vestige_unsealed_oldest_age_seconds",
                    "How long ago the oldest change without a place was made; 0 when all have one.",
                    std::max(0.0, seconds(now - waiting.oldest.value_or(now)))));
  all.push_back(
      one("vestige_checkpoint_entries", "Entries under the last signed checkpoint.", signed_size));
  all.push_back(one("vestige_checkpoint_timestamp_seconds",
                    "When the last checkpoint was signed, since 1970.", signed_at));
  return {};
}

Result<void> add_tables(Database& db, const std::vector<Tracked>& tables,
                        std::vector<Metric>& all) {
  const auto captures = TRY(upkeep_of(db)->captures());
  std::int64_t tracked = 0;
  std::int64_t troubled = 0;
  Metric each = {"vestige_table_trouble",
                 "gauge",
                 "1 where the capture of a tracked table does not stand as it should.",
                 {}};
  for (const Tracked& table : tables) {
    if (table.untracked_at.has_value()) continue;
    ++tracked;
    const auto found = captures.find(table.id);
    const bool trouble = found != captures.end() && !found->second.trouble.empty();
    troubled += trouble ? 1 : 0;
    each.samples.push_back({{{"table", table.name}}, trouble ? 1.0 : 0.0});
  }
  all.push_back(one("vestige_tables_tracked", "Tables that are tracked.", number(tracked)));
  all.push_back(one("vestige_tables_with_trouble",
                    "Tracked tables whose capture does not stand as it should.", number(troubled)));
  all.push_back(std::move(each));
  return {};
}

Result<void> add_consumers(Database& db, std::vector<Metric>& all) {
  Metric lag = {"vestige_consumer_lag_changes",
                "gauge",
                "Changes that have their place and that a consumer of the feed is not done with.",
                {}};
  for (const CursorStanding& consumer : TRY(cursors(db)))
    lag.samples.push_back({{{"consumer", consumer.consumer}}, number(consumer.behind)});
  all.push_back(std::move(lag));
  return {};
}

// Where no rule ever raised one there is no table of them.
Result<void> add_alerts(Database& db, const std::vector<Tracked>& tables,
                        std::vector<Metric>& all) {
  std::map<std::string, std::int64_t> open;
  for (const std::string_view severity : kSeverities) open.emplace(severity, 0);
  const std::string name = spelling_of(db).table("alert");
  if (std::any_of(tables.begin(), tables.end(),
                  [&](const Tracked& table) { return table.name == name; })) {
    auto rows = TRY(db.query(fmt::format(
        "select severity, count(*) from {} where state = 'open' group by severity", name)));
    while (TRY(rows->next()) == Step::row) open[rows->text(0)] = rows->integer(1);
  }
  Metric metric = {"vestige_open_alerts", "gauge", "Alerts of rules that nobody has taken up.", {}};
  for (const auto& [severity, count] : open)
    metric.samples.push_back({{{"severity", severity}}, number(count)});
  all.push_back(std::move(metric));
  return {};
}

// A run that only keeps records no EXPIRE: the time of the last one stands still then.
Result<void> add_expired(Database& db, std::vector<Metric>& all) {
  if (!TRY(ExpiryStore(db).stands())) return {};
  auto rows = TRY(db.query(fmt::format(
      "select coalesce(cast(sum(changes) as bigint), 0), coalesce(max(change), 0) from {}",
      spelling_of(db).table("expired"))));
  TRY(rows->next());
  const std::int64_t changes = rows->integer(0);
  const std::int64_t last = rows->integer(1);
  rows.reset();
  std::optional<double> at;
  if (last != 0) {
    Selection selection;
    selection.ids = {last};
    selection.forgiving = true;
    const auto change = TRY(TRY(read_changes(db, selection))->next());
    if (change.has_value()) at = seconds(change->at);
  }
  all.push_back(one("vestige_expired_changes_total",
                    "Changes that went when the time of their class was over.", number(changes),
                    "counter"));
  all.push_back(
      one("vestige_expire_timestamp_seconds", "When something expired last, since 1970.", at));
  return {};
}

Result<void> add_room(Database& db, std::vector<Metric>& all) {
  const Room room = TRY(upkeep_of(db)->room());
  all.push_back(one("vestige_trail_size_bytes",
                    "Room that the trail takes with its indexes; of SQLite the whole file.",
                    number(room.bytes)));
  std::optional<double> ahead;
  if (room.ahead.has_value()) ahead = number(*room.ahead);
  all.push_back(
      one("vestige_partitions_ahead", "Partitions for changes to come; SQLite has none.", ahead));
  return {};
}

// Of a label's value or of a help text.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : readable(text)) {
    if (c == '\n') out += "\\n";
    else if (c == '\\' || (quotes && c == '"')) out.append(1, '\\').append(1, c);
    else out += c;
  }
  return out;
}

std::string labels_text(const MetricSample& sample) {
  std::string out;
  for (const auto& [name, value] : sample.labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escaped(value, true));
  return out.empty() ? out : "{" + out + "}";
}

std::string value_text(double value) {
  if (std::floor(value) == value && std::abs(value) < 1e15)
    return std::to_string(static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

}  // namespace

Result<std::vector<Metric>> metrics(Database& db, std::int64_t now) {
  TRY(require_trail(db));
  const std::string schema = std::to_string(TRY(installed_version(db)));
  std::vector<Metric> all = {up(true)};
  all.push_back({"vestige_build_info",
                 "gauge",
                 "The program that answers, and the version of the trail.",
                 {{{{"version", VESTIGE_VERSION}, {"schema", schema}}, 1}}});
  const std::vector<Tracked> tables = TRY(tracked_tables(db));
  TRY(add_evidence(db, now, all));
  TRY(add_tables(db, tables, all));
  TRY(add_consumers(db, all));
  TRY(add_alerts(db, tables, all));
  TRY(add_expired(db, all));
  TRY(add_room(db, all));
  return all;
}

std::vector<Metric> metrics_of_none() { return {up(false)}; }

std::string to_prometheus(const std::vector<Metric>& metrics) {
  std::string out;
  for (const Metric& metric : metrics) {
    if (metric.samples.empty()) continue;
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric.name, escaped(metric.help, false),
                       metric.name, metric.type);
    for (const MetricSample& sample : metric.samples)
      out += fmt::format("{}{} {}\n", metric.name, labels_text(sample), value_text(sample.value));
  }
  return out;
}

}  // namespace vestige
