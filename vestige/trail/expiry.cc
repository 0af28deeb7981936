#include "vestige/trail/expiry.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/base/time.h"
#include "vestige/record/canonical.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/over_source.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

Value number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace

void Leaves::set(std::size_t place) {
  char& byte = bytes_.at(place / 8);
  byte = static_cast<char>(static_cast<unsigned char>(byte) | 1U << place % 8);
}

bool Leaves::has(std::size_t place) const {
  return (static_cast<unsigned char>(bytes_.at(place / 8)) >> place % 8 & 1U) != 0;
}

std::string ExpiryStore::table(std::string_view name) const { return spelling_of(db_).table(name); }

Result<bool> ExpiryStore::stands() { return installation_of(db_)->has_table("expired"); }

Result<std::vector<Expiry>> ExpiryStore::read(std::string_view where, const Params& values) {
  std::vector<Expiry> out;
  auto rows = TRY(db_.query(
      fmt::format("select e.change, e.{}, e.class, e.keep, e.horizon, e.first_id, e.last_id,"
                  " e.changes, e.digest, e.archive from {} as e where {} order by e.change",
                  spelling_of(db_).of_table, table("expired"), where),
      values));
  while (TRY(rows->next()) == Step::row) {
    Expiry& one = out.emplace_back();
    one.change = rows->integer(0);
    one.table = rows->integer(1);
    one.retention = rows->text(2);
    one.keep = rows->text(3);
    one.horizon = rows->integer(4);
    one.first = rows->integer(5);
    one.last = rows->integer(6);
    one.changes = static_cast<std::uint64_t>(rows->integer(7));
    one.digest = rows->text(8);
    if (!rows->is_null(9)) one.archive = rows->text(9);
  }
  return out;
}

Result<std::vector<Expiry>> ExpiryStore::all() {
  if (!TRY(stands())) return std::vector<Expiry>();
  return read(fmt::format("exists (select 1 from {} as c where c.id = e.change and c.op = 'X')",
                          table("change")),
              {});
}

Result<std::map<std::uint64_t, std::map<std::int64_t, Leaves>>> ExpiryStore::leaves(
    std::uint64_t n, std::uint64_t end) {
  std::map<std::uint64_t, std::map<std::int64_t, Leaves>> out;
  auto rows = TRY(db_.query("select n, change, leaves from " + table("expired_leaves") +
                                " where n >= ?1 and n < ?2 order by n, change",
                            {number(n), number(end)}));
  while (TRY(rows->next()) == Step::row)
    out[static_cast<std::uint64_t>(rows->integer(0))].emplace(rows->integer(1),
                                                              Leaves(rows->text(2)));
  return out;
}

Result<void> ExpiryStore::put(const Expiry& expiry, const LeavesOf& leaves) {
  TRY(db_.run(
      fmt::format("insert into {} (change, {}, class, keep, horizon, first_id, last_id,"
                  " changes, digest, archive)"
                  " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                  table("expired"), spelling_of(db_).of_table),
      {expiry.change, expiry.table, Text{expiry.retention}, Text{expiry.keep}, expiry.horizon,
       expiry.first, expiry.last, number(expiry.changes), Blob{expiry.digest},
       expiry.archive.has_value() ? Value(Text{*expiry.archive}) : Value(Null{})}));
  const std::string insert =
      "insert into " + table("expired_leaves") + " (n, change, leaves) values (?1, ?2, ?3)";
  for (const auto& [n, which] : leaves)
    TRY(db_.run(insert, {number(n), expiry.change, Blob{which.bytes()}}));
  return {};
}

Result<std::optional<std::string>> ExpiryStore::canonical(std::int64_t change) {
  if (!TRY(stands())) return std::optional<std::string>();
  const auto found = TRY(read("e.change = ?1", {change}));
  if (found.empty()) return std::optional<std::string>();
  const Expiry& one = found.front();
  Canonical out;
  out.section("expired");
  out.text("class", one.retention);
  out.text("keep", one.keep);
  out.text("before", format_time(one.horizon));
  out.token("first", std::to_string(one.first));
  out.token("last", std::to_string(one.last));
  out.token("changes", std::to_string(one.changes));
  out.text("digest", to_base64(one.digest));
  if (one.archive.has_value()) out.text("archive", *one.archive);
  out.section("leaves");
  auto rows = TRY(db_.query(
      "select n, leaves from " + table("expired_leaves") + " where change = ?1 order by n",
      {change}));
  while (TRY(rows->next()) == Step::row)
    out.text(std::to_string(rows->integer(0)), to_base64(rows->text(1)));
  return std::optional(std::move(out).take());
}

Result<std::optional<Expiry>> horizon_of(Database& db, std::int64_t table) {
  std::optional<Expiry> furthest;
  auto* over = dynamic_cast<OverSource*>(&db);
  for (Expiry& one : TRY(ExpiryStore(db).all()))
    if (one.table == table && (!furthest.has_value() || one.horizon > furthest->horizon) &&
        (over == nullptr || !TRY(over->has(one))))
      furthest = std::move(one);
  return furthest;
}

Result<std::optional<std::int64_t>> last_expired(Database& db, std::int64_t table) {
  std::optional<std::int64_t> last;
  for (const Expiry& one : TRY(ExpiryStore(db).all()))
    if (one.table == table) last = std::max(last.value_or(0), one.last);
  return last;
}

Result<std::optional<Expiry>> expiry_of(Database& db, std::int64_t change) {
  ExpiryStore store(db);
  const auto all = TRY(store.all());
  const bool any = std::any_of(all.begin(), all.end(), [&](const Expiry& one) {
    return one.first <= change && change <= one.last;
  });
  if (!any) return std::optional<Expiry>();
  const auto entry = TRY(EvidenceStore(db).find(change));
  if (!entry.has_value()) return std::optional<Expiry>();
  const std::uint64_t n = entry->index / merkle::kTileWidth;
  for (const auto& [bundle, by] : TRY(store.leaves(n, n + 1)))
    for (const Expiry& one : all)
      if (const auto which = by.find(one.change);
          which != by.end() && which->second.has(entry->index % merkle::kTileWidth))
        return std::optional(one);
  return std::optional<Expiry>();
}

tl::unexpected<Error> has_expired(std::string_view attempt, const Expiry& by) {
  return hinted(
      fail(Fault::missing, "{}: what was recorded before {} has expired", attempt,
           format_time(by.horizon)),
      fmt::format("change {} (EXPIRE) took it: {}, kept for {}", by.change, by.retention, by.keep));
}

}  // namespace vestige
