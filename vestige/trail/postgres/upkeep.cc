// What sql/postgres/install/doctor.sql and standing.sql find and mend.
#include "vestige/trail/upkeep.h"

#include <algorithm>
#include <utility>

#include "vestige/trail/catalog.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/postgres/troubles.h"
#include "vestige/trail/postgres/who.h"

namespace vestige::postgres {
namespace {

Severity severity_of(const std::string& word) {
  if (word == "note") return Severity::note;
  return word == "warning" ? Severity::warning : Severity::error;
}

Result<std::vector<Finding>> find_out(Database& db) {
  std::vector<Finding> found;
  auto rows = TRY(
      db.query("select severity, code, \"table\", message, remedy, fixable from vestige.doctor()"));
  while (TRY(rows->next()) == Step::row) {
    Finding one;
    one.severity = severity_of(rows->text(0));
    one.code = rows->text(1);
    one.table = rows->text(2);
    one.message = rows->text(3);
    one.remedy = rows->text(4);
    one.fixable = rows->integer(5) != 0;
    found.push_back(std::move(one));
  }
  return found;
}

bool same(const Finding& left, const Finding& right) {
  return left.severity == right.severity && left.code == right.code && left.table == right.table &&
         left.message == right.message;
}

// Before anything is done: nobody is told to ask for a role that would not do.
Result<void> may_mend(Database& db) {
  auto rows = TRY(
      db.query("select pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(o.rolname)"
               " from pg_catalog.pg_namespace n join pg_catalog.pg_roles o on o.oid = n.nspowner"
               " where n.nspname = 'vestige'"
               " and not pg_catalog.has_function_privilege('vestige.mend()', 'execute')"));
  if (TRY(rows->next()) == Step::end) return {};
  return hinted(fail(Fault::denied, "doctor --fix: {} may not", rows->text(0)),
                fmt::format("the trail's owner can: {}, and who is a member of it", rows->text(1)));
}

class PostgresUpkeep final : public Upkeep {
 public:
  explicit PostgresUpkeep(Database& db) : db_(db) {}

  Result<std::vector<Finding>> findings() override { return find_out(db_); }

  Result<std::vector<Finding>> mended() override {
    TRY(may_mend(db_));
    std::vector<Finding> before = TRY(find_out(db_));
    TRY(maintain());
    TRY(index_who(db_));
    auto transaction = TRY(Transaction::begin(db_));
    TRY(db_.run("select vestige.mend()"));
    std::vector<Finding> after = TRY(find_out(db_));
    TRY(transaction.commit());
    for (Finding& finding : before) {
      const auto left = std::find_if(after.begin(), after.end(),
                                     [&](const Finding& one) { return same(one, finding); });
      if (left != after.end()) {
        after.erase(left);
        continue;
      }
      finding.fixed = true;
      finding.remedy = "";
    }
    before.insert(before.end(), std::make_move_iterator(after.begin()),
                  std::make_move_iterator(after.end()));
    return before;
  }

  Result<std::map<std::int64_t, Capture>> captures() override {
    auto wrong = TRY(troubles(db_));
    std::map<std::int64_t, Capture> all;
    for (const Tracked& table : TRY(tracked_tables(db_)))
      if (!table.untracked_at.has_value()) all[table.id] = {table.name, wrong[table.id]};
    return all;
  }

  Result<std::map<std::int64_t, Volume>> volumes() override {
    std::map<std::int64_t, Volume> all;
    auto rows = TRY(
        db_.query("select c.tracked, count(*), (extract(epoch from min(c.at)) * 1000000)::int8,"
                  " (extract(epoch from max(c.at)) * 1000000)::int8,"
                  " sum(pg_catalog.octet_length(coalesce(c.old_row, '')) +"
                  " pg_catalog.octet_length(coalesce(c.new_row, '')))::int8 from vestige.change c"
                  " group by c.tracked"));
    while (TRY(rows->next()) == Step::row)
      all[rows->integer(0)] = {rows->integer(1), rows->integer(4), rows->integer(2),
                               rows->integer(3)};
    return all;
  }

  // The changes of a row are found by a hash of its key. The hash is not sealed: it can be made anew.
  Result<std::vector<std::int64_t>> hidden() override {
    std::vector<std::int64_t> found;
    auto rows = TRY(db_.query(
        "select c.id from vestige.change c where c.key_hash is distinct from"
        " pg_catalog.hashtextextended(c.key, c.tracked) or (c.new_key is not null and not exists"
        " (select from vestige.moved m where m.key_hash = pg_catalog.hashtextextended(c.new_key,"
        " c.tracked) and m.change = c.id and c.at between m.at - interval '1 day' and m.at +"
        " interval '1 day')) order by c.id"));
    while (TRY(rows->next()) == Step::row) found.push_back(rows->integer(0));
    return found;
  }

  Result<std::vector<std::int64_t>> nameless() override { return missing_in_who(db_); }

  Result<Room> room() override {
    Room room;
    room.bytes = TRY(scalar_integer(
        db_,
        "select pg_catalog.sum(pg_catalog.pg_total_relation_size(c.oid))::int8"
        " from pg_catalog.pg_class c where c.relkind = 'r' and c.relnamespace ="
        " (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'vestige')"));
    room.ahead = TRY(scalar_integer(
        db_, "select count(*) from vestige.partitions() where from_at > clock_timestamp()"));
    return room;
  }

  // That the trail is in use all the time is no error: findings() says it.
  Result<void> maintain() override {
    const auto done = db_.run("select vestige.maintain()");
    if (done.has_value() || done.error().fault == Fault::conflict) return {};
    return tl::unexpected<Error>(done.error());
  }

 private:
  Database& db_;
};

}  // namespace

Result<std::map<std::int64_t, std::string>> troubles(Database& db) {
  std::map<std::int64_t, std::string> found;
  auto rows = TRY(db.query("select tracked, trouble from vestige.troubles()"));
  while (TRY(rows->next()) == Step::row) found[rows->integer(0)] = rows->text(1);
  return found;
}

std::unique_ptr<Upkeep> upkeep(Database& db) { return std::make_unique<PostgresUpkeep>(db); }

}  // namespace vestige::postgres
