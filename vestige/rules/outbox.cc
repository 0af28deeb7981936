#include "vestige/rules/outbox.h"

#include <algorithm>
#include <array>
#include <map>

#include "vestige/base/crypto.h"
#include "vestige/rules/alerts.h"
#include "vestige/rules/finding.h"
#include "vestige/trail/kept_table.h"

namespace vestige {
namespace {

constexpr std::string_view kTable = "delivery";
constexpr std::int64_t kSecond = 1'000'000;  // microseconds
constexpr std::array<std::int64_t, 9> kPauses = {5,     300,   1800,  7200, 18000,
                                                 36000, 50400, 72000, 86400};
constexpr std::int64_t kLongestWait = 86400;  // seconds, whatever the receiver asks
constexpr std::size_t kLongestError = 500;

struct Try {
  std::int64_t attempts = 0;
  std::int64_t next = 0;
  bool over = false;  // delivered, or gone
};

using Known = std::map<std::pair<std::string, std::string>, Try>;  // by alert and target

Result<Known> known(Database& db, const std::string& table) {
  Known all;
  if (table.empty()) return all;
  auto rows =
      TRY(db.query("select alert, target, attempts, next_attempt, delivered_at from " + table));
  while (TRY(rows->next()) == Step::row)
    all[{rows->text(0), rows->text(1)}] = {rows->integer(2), rows->integer(3), !rows->is_null(4)};
  return all;
}

Notice notice_of(const KeptAlert& kept, const NotifyTarget& target) {
  return {kept.alert.id, kept.alert.severity, kept.alert.title,
          target.ocsf ? ocsf_finding(kept.alert) : to_json(kept), kept.alert.at};
}

bool is_told(const KeptAlert& kept) {
  return !kept.backfilled && !kept.alert.quiet && kept.damaged.empty();
}

}  // namespace

std::int64_t pause_after(std::int64_t attempts, unsigned char dice) {
  const auto place = std::clamp<std::int64_t>(attempts, 1, kPauses.size()) - 1;
  const std::int64_t pause = kPauses.at(static_cast<std::size_t>(place)) * kSecond;
  return pause + pause / 10 * dice / 255;
}

Result<std::vector<Told>> told_of(Database& db, const std::string& alert) {
  std::vector<Told> all;
  const std::string table = TRY(known_kept_table(db, kTable));
  if (table.empty()) return all;
  auto rows =
      TRY(db.query("select target, attempts, delivered_at, next_attempt, gone, last_error from " +
                       table + " where alert = ?1 order by target",
                   {Text{alert}}));
  while (TRY(rows->next()) == Step::row) {
    Told one{rows->text(0), rows->integer(1), {}, {}, rows->text(5)};
    if (!rows->is_null(2)) one.delivered = rows->integer(2);
    else if (rows->integer(4) == 0) one.next = rows->integer(3);
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<std::string>> gone_targets(Database& db,
                                              const std::vector<NotifyTarget>& targets) {
  std::vector<std::string> gone;
  const std::string table = TRY(known_kept_table(db, kTable));
  if (table.empty()) return gone;
  auto rows = TRY(db.query("select distinct target, place from " + table + " where gone = 1"));
  while (TRY(rows->next()) == Step::row)
    for (const NotifyTarget& target : targets)
      if (target.name == rows->text(0) && place_of(target) == rows->text(1))
        gone.push_back(target.name);
  return gone;
}

Result<Due> due(Database& db, const std::vector<NotifyTarget>& targets, std::int64_t now) {
  Due found;
  const auto gone = TRY(gone_targets(db, targets));
  const Known told = TRY(known(db, TRY(known_kept_table(db, kTable))));
  AlertSelection open;
  open.state = AlertState::open;
  const auto alerts = TRY(kept_alerts(db, open));
  for (auto kept = alerts.rbegin(); kept != alerts.rend(); ++kept) {
    if (!is_told(*kept)) continue;
    for (const std::string& name : kept->alert.notify) {
      const auto target = std::find_if(targets.begin(), targets.end(),
                                       [&](const auto& one) { return one.name == name; });
      if (target == targets.end() || std::find(gone.begin(), gone.end(), name) != gone.end())
        continue;
      const auto row = told.find({kept->alert.id, name});
      const Try state = row == told.end() ? Try() : row->second;
      if (state.over) continue;
      if (state.next <= now) found.now.push_back({notice_of(*kept, *target), name, state.attempts});
      else found.next = std::min(found.next.value_or(state.next), state.next);
    }
  }
  return found;
}

Result<std::optional<std::int64_t>> settle(Database& db, const NotifyTarget& target,
                                           const Delivery& delivery, const Attempt& attempt,
                                           std::int64_t now) {
  const std::int64_t attempts = delivery.attempts + 1;
  std::optional<std::int64_t> next;
  if (!attempt.delivered && !attempt.gone) {
    const std::string dice = TRY(random_bytes(1));
    const std::int64_t asked = std::min(attempt.wait.value_or(0), kLongestWait) * kSecond;
    next = now + std::max(asked, pause_after(attempts, static_cast<unsigned char>(dice.front())));
  }
  auto transaction = TRY(Transaction::begin(db));
  const std::string table = TRY(kept_table(db, kTable));
  TRY(db.run("insert into " + table +
                 " (alert, target, place, attempts, next_attempt, delivered_at, gone, last_error)"
                 " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (alert, target) do update"
                 " set place = excluded.place, attempts = excluded.attempts, next_attempt ="
                 " excluded.next_attempt, delivered_at = excluded.delivered_at, gone ="
                 " excluded.gone, last_error = excluded.last_error",
             {Text{delivery.notice.id}, Text{delivery.target}, Text{place_of(target)}, attempts,
              next.value_or(now), attempt.delivered ? Value(now) : Value(Null{}),
              std::int64_t{attempt.gone}, text_or_null(attempt.error.substr(0, kLongestError))}));
  TRY(transaction.commit());
  return next;
}

}  // namespace vestige
