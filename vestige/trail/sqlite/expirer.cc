// Expiring on SQLite: so many changes at a time, each time in a short transaction of its own. The guards let nothing else through
// (sql/sqlite/guards.sql). Test: test/expire_test.cc.
#include "vestige/trail/expirer.h"

#include <algorithm>

#include "vestige/base/time.h"
#include "vestige/trail/id_set.h"
#include "vestige/trail/sqlite/trail.h"

namespace vestige::sqlite {
namespace {

// Writers wait for as long as it takes to take away so many.
constexpr std::int64_t kAtOnce = 1000;
// So many are looked at by one query, so that nobody waits for its end.
constexpr std::int64_t kLooked = 20000;

Text array(const std::vector<std::int64_t>& list) {
  return Text{fmt::format("[{}]", fmt::join(list, ","))};
}

// Which changes c are due: ?1 are the tables with their horizons, as a JSON array of pairs.
Text listed(const std::vector<DueTable>& tables) {
  std::string out;
  for (const DueTable& one : tables)
    out += fmt::format("{}[{},{}]", out.empty() ? "" : ",", one.id, one.horizon);
  return Text{"[" + out + "]"};
}

constexpr std::string_view kDue =
    " from vestige_change as c join (select json_extract(value, '$[0]') as tbl,"
    " json_extract(value, '$[1]') as horizon from json_each(?1)) as h on h.tbl = c.tbl"
    " where c.at * 1000 < h.horizon and c.op not in ('E', 'X') and c.id > ?2 and c.id <= ?3";

std::string bytes_of(std::string_view table) {
  std::string out = "0";
  for (int slot = 0; slot < 32; ++slot)
    out += fmt::format(" + coalesce(length(cast({}.v{} as blob)), 0)", table, slot);
  return out;
}

class SqliteExpirer final : public Expirer {
 public:
  explicit SqliteExpirer(Database& db) : db_(db) {}

  Result<void> may() override { return {}; }

  Result<std::optional<Stretch>> next(const std::vector<DueTable>& tables) override {
    const std::int64_t end = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
    while (upto_ < end) {
      after_ = upto_;
      const std::int64_t look = std::min(after_ + kLooked, end);
      // The last of the first so many that are due, and how many they are.
      auto rows = TRY(db_.query(fmt::format("select count(*), max(id) from (select c.id as id{}"
                                            " order by c.id limit {})",
                                            kDue, kAtOnce),
                                {listed(tables), after_, look}));
      TRY(rows->next());
      const std::int64_t found = rows->integer(0);
      upto_ = found == kAtOnce ? rows->integer(1) : look;
      rows.reset();
      if (found > 0) return std::optional(TRY(again(tables)));
    }
    return std::optional<Stretch>();
  }

  Result<Stretch> again(const std::vector<DueTable>& tables) override {
    Stretch out;
    out.name = fmt::format("changes {} to {}", after_ + 1, upto_);
    auto rows = TRY(db_.query(
        fmt::format(
            "select c.id, c.tbl, c.at * 1000, {} + coalesce((select sum({}) from vestige_more as m"
            " where m.change = c.id), 0){} order by c.id",
            bytes_of("c"), bytes_of("m"), kDue),
        {listed(tables), after_, upto_}));
    while (TRY(rows->next()) == Step::row)
      out.due.push_back({rows->integer(0), rows->integer(1), rows->integer(2), rows->integer(3)});
    out.changes = out.due.size();
    return out;
  }

  std::uint64_t least(const Stretch&) const override { return 1; }
  Result<void> prepare(const std::vector<DueTable>&, const std::vector<std::int64_t>&) override {
    return {};
  }
  // Who writes is alone.
  Result<void> hold() override { return {}; }

  Result<std::int64_t> take(const Going& going) override {
    TRY(
        db_.run("insert into vestige_change (tbl, shape, op, at, seq, tx, context, backward)"
                " select ?1, ?2, 'X', ?3, 0, coalesce((select iif(c.context >= u.scope, c.tx,"
                " c.id + 1) from vestige_change as c order by c.id desc limit 1), 1), u.context,"
                " (select iif(c.at > ?3, 1, null) from vestige_change as c order by c.id desc"
                " limit 1) from vestige_current as u",
                {going.expiry.table, going.shape, clock_now() / 1000}));
    const std::int64_t number = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
    Expiry expiry = going.expiry;
    expiry.change = number;
    TRY(ExpiryStore(db_).put(expiry, going.leaves));
    const Text ids = array(going.ids);
    // A key stands in the merged run 0 or in that of its change.
    TRY(db_.run(
        "delete from vestige_key where (run, tbl, key, id) in (select iif(m.merged, 0,"
        " (k.id + 16383) >> 14), k.tbl, k.key, k.id"
        " from (select id, tbl, key from vestige_change where id in (select value from"
        " json_each(?1)) union all select id, tbl, new_key from vestige_change where id in"
        " (select value from json_each(?1))) as k, (select 0 as merged union all select 1) as m"
        " where k.key is not null)",
        {ids}));
    TRY(db_.run("delete from vestige_more where change in (select value from json_each(?1))",
                {ids}));
    TRY(db_.run("delete from vestige_change where id in (select value from json_each(?1))", {ids}));
    return number;
  }

  Result<void> finish() override { return {}; }

  Result<void> tidy() override {
    const std::int64_t last =
        TRY(scalar_integer(db_, "select coalesce(max(change), 0) from vestige_expired"));
    if (last ==
        TRY(scalar_integer(db_, "select value from vestige_meta where name = 'expire_tidied'")))
      return {};
    TRY(contexts());
    auto transaction = TRY(Transaction::begin(db_));
    TRY(db_.run(
        "delete from vestige_who where not exists (select 1 from vestige_change as c where c.id >"
        " block * 64 and c.id <= block * 64 + 64)"));
    TRY(db_.run("insert or replace into vestige_meta (name, value) values ('expire_tidied', ?1)",
                {last}));
    TRY(transaction.commit());
    return vacuum();
  }

 private:
  // Those that are as old as what expired, and that no change names. What is read meanwhile keeps nobody from committing for long.
  Result<void> contexts() {
    IdSet named;
    std::int64_t seen = 0;
    const auto look = [&]() -> Result<void> {
      for (bool more = true; more;) {
        more = false;
        auto rows = TRY(
            db_.query("select id, context from vestige_change where id > ?1 order by id limit ?2",
                      {seen, kLooked}));
        while (TRY(rows->next()) == Step::row) {
          seen = rows->integer(0);
          if (!rows->is_null(1)) named.insert(rows->integer(1));
          more = true;
        }
      }
      return {};
    };
    TRY(look());
    for (std::int64_t after = 0;;) {
      auto transaction = TRY(Transaction::begin(db_));
      TRY(look());  // what came since
      std::vector<std::int64_t> old;
      const std::int64_t before = after;
      auto rows = TRY(db_.query(
          "select id from vestige_context where id > ?1 and at * 1000 < (select max(horizon) from"
          " vestige_expired) and id not in (select context from vestige_current) order by id"
          " limit ?2",
          {after, kAtOnce}));
      while (TRY(rows->next()) == Step::row) {
        after = rows->integer(0);
        if (!named.contains(after)) old.push_back(after);
      }
      rows.reset();
      if (!old.empty())
        TRY(db_.run("delete from vestige_context where id in (select value from json_each(?1))",
                    {array(old)}));
      TRY(transaction.commit());
      if (after == before) return {};
    }
  }

  // Where auto_vacuum is incremental; a little at a time.
  Result<void> vacuum() {
    if (TRY(scalar_integer(db_, "pragma auto_vacuum")) != 2) return {};
    for (std::int64_t free = TRY(scalar_integer(db_, "pragma freelist_count")); free > 0;) {
      TRY(db_.script("pragma incremental_vacuum(256)"));
      const std::int64_t left = TRY(scalar_integer(db_, "pragma freelist_count"));
      if (left >= free) break;
      free = left;
    }
    return {};
  }

  Database& db_;
  std::int64_t after_ = 0;  // the stretch: after_ < id <= upto_
  std::int64_t upto_ = 0;
};

}  // namespace

std::unique_ptr<Expirer> expirer(Database& db) { return std::make_unique<SqliteExpirer>(db); }

}  // namespace vestige::sqlite
