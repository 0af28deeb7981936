#include "vestige/trail/postgres/position.h"

#include <algorithm>

#include "vestige/base/bytes.h"

namespace vestige::postgres {
namespace {

constexpr std::string_view kLastId =
    "select case when is_called then last_value else 0 end from vestige.change_id";

// An array of numbers, as PostgreSQL prints it.
Result<std::vector<std::uint64_t>> numbers(std::string_view text) {
  std::vector<std::uint64_t> out;
  if (text.size() < 2) return out;
  for (std::string_view rest = text.substr(1, text.size() - 2); !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    out.push_back(TRY(parse_decimal(rest.substr(0, end))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

Value xid_value(Xid xid) { return Text{std::to_string(xid)}; }
Value list_value(const auto& numbers) {
  return Text{fmt::format("{{{}}}", fmt::join(numbers, ","))};
}

}  // namespace

Result<std::optional<Position>> read_position(Database& db) {
  auto rows =
      TRY(db.query("select size, home, sealed::text, open::text, floors::text, floor, upto::text,"
                   " upto_open::text, next_floor, upto_id, last_id, restored from vestige.sealer"));
  if (TRY(rows->next()) == Step::end) return std::optional<Position>();
  Position found;
  found.size = static_cast<std::uint64_t>(rows->integer(0));
  found.home = rows->text(1);
  found.sealed = TRY(parse_decimal(rows->text(2)));
  const auto open = TRY(numbers(rows->text(3)));
  const auto floors = TRY(numbers(rows->text(4)));
  for (std::size_t i = 0; i < open.size(); ++i)
    found.open.push_back(
        {open[i], i < floors.size() ? static_cast<std::int64_t>(floors[i]) : std::int64_t{0}});
  found.floor = rows->integer(5);
  if (!rows->is_null(6)) {
    Snapshot& run = found.run.emplace();
    run.end = TRY(parse_decimal(rows->text(6)));
    run.open = TRY(numbers(rows->text(7)));
    run.before = rows->integer(8);
    run.through = rows->integer(9);
  }
  found.last_id = rows->integer(10);
  found.restored = rows->integer(11);
  return std::optional<Position>(std::move(found));
}

Result<void> write_position(Database& db, const Position& position) {
  std::vector<Xid> open;
  std::vector<std::int64_t> floors;
  for (const OpenTransaction& one : position.open) {
    open.push_back(one.xid);
    floors.push_back(one.floor);
  }
  const bool runs = position.run.has_value();
  TRY(db.run(
      "insert into vestige.sealer (size, home, sealed, open, floors, floor, upto, upto_open,"
      " next_floor, upto_id, last_id, restored)"
      " values (?1, ?2, ?3::xid8, ?4::xid8[], ?5::int8[], ?6, ?7::xid8, ?8::xid8[], ?9, ?10, ?11,"
      " ?12) on conflict (only_row) do update set size = excluded.size, home = excluded.home,"
      " sealed = excluded.sealed, open = excluded.open, floors = excluded.floors, floor ="
      " excluded.floor, upto = excluded.upto, upto_open = excluded.upto_open, next_floor ="
      " excluded.next_floor, upto_id = excluded.upto_id, last_id = excluded.last_id, restored ="
      " excluded.restored",
      {static_cast<std::int64_t>(position.size), Text{position.home}, xid_value(position.sealed),
       list_value(open), list_value(floors), position.floor,
       runs ? xid_value(position.run->end) : Value(Null{}),
       runs ? list_value(position.run->open) : Value(Null{}),
       runs ? Value(position.run->before) : Value(Null{}),
       runs ? Value(position.run->through) : Value(Null{}), position.last_id, position.restored}));
  return {};
}

Result<std::string> home_of(Database& db) {
  auto rows = TRY(db.query("select vestige.home()"));
  TRY(rows->next());
  return rows->text(0);
}

bool is_at(const Position& position, std::string_view home) {
  return position.home == home || (!position.home.empty() && home.starts_with(position.home + "/"));
}

Result<Snapshot> look(Database& db, std::int64_t known) {
  Snapshot now;
  now.before = TRY(scalar_integer(db, kLastId));
  // A snapshot ends behind the last xid that is at an end, and a transaction at work may have a later one. So an
  // xid is taken and given up: it is later than theirs.
  if (now.before > known) TRY(scalar(db, "select pg_catalog.pg_current_xact_id()::text"));
  {
    auto rows =
        TRY(db.query("select pg_catalog.pg_snapshot_xmax(s)::text,"
                     " array(select x from pg_catalog.pg_snapshot_xip(s) x order by x)::text"
                     " from pg_catalog.pg_current_snapshot() s"));
    TRY(rows->next());
    now.end = TRY(parse_decimal(rows->text(0)));
    now.open = TRY(numbers(rows->text(1)));
  }
  now.through = TRY(scalar_integer(db, kLastId));
  return now;
}

Result<Glance> glance(Database& db, bool snapshot) {
  constexpr std::string_view kFew =
      "select case when is_called then last_value else 0 end, (select size from vestige.sealer)"
      " from vestige.change_id";
  constexpr std::string_view kAll =
      "select case when is_called then last_value else 0 end, (select size from vestige.sealer),"
      " pg_catalog.pg_snapshot_xmax(s)::text,"
      " array(select x from pg_catalog.pg_snapshot_xip(s) x order by x)::text"
      " from vestige.change_id, pg_catalog.pg_current_snapshot() s";
  Glance now;
  auto rows = TRY(db.query(snapshot ? kAll : kFew));
  TRY(rows->next());
  now.last_id = rows->integer(0);
  now.size = static_cast<std::uint64_t>(rows->integer(1));
  if (!snapshot) return now;
  now.end = TRY(parse_decimal(rows->text(2)));
  now.open = TRY(numbers(rows->text(3)));
  return now;
}

}  // namespace vestige::postgres
