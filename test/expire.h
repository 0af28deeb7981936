// Three years of three classes of retention, made up: what the tests of expire begin with.
#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "test/evidence.h"
#include "vestige/audit/check.h"
#include "vestige/audit/expire.h"
#include "vestige/audit/prove.h"
#include "vestige/base/time.h"
#include "vestige/trail/expiry.h"

namespace vestige {

class ExpiringTest : public EvidenceTest {
 protected:
  static constexpr std::int64_t kDay = 86'400'000'000;
  const std::int64_t now = clock_now();
  std::string archive = {};  // the directory that expire counts on

  /// Tables c, n and d, whose changes are kept for 2555, 365 and 30 days, with so many changes each, by turns, over the last
  /// three years; and p, which is of no class.
  ///
  /// more   what happens behind these; all is older than a year and a half then
  void three_years(int each = 36, const std::function<void()>& more = {}) {
    if (trail.postgres()) months();
    classes();
    for (int i = 1; i <= each; ++i)
      for (const char* table : {"c", "n", "d"})
        trail.as("ann", fmt::format("insert into {0} values ({1}, 'of {0}')", table, i));
    const std::int64_t first = number("select min(id) from {}change where " + of("c"));
    if (more) more();
    const std::int64_t last = number("select max(id) from {}change");
    all_before(1096);
    age(first, 1095 * kDay, (last - first) * (more ? 2 : 1));
    trail.seal();
  }

  void classes() {
    for (const auto& [table, name, keep] :
         {std::tuple("c", "critical", "2555 days"), std::tuple("n", "normal", "365 days"),
          std::tuple("d", "debug", "30 days")}) {
      trail.application(fmt::format("create table {} (id integer primary key, what text)", table));
      must(trail.db().run("insert into " + own("retention") + " (name, keep) values (?1, ?2)",
                          {Text{std::string(name)}, Text{std::string(keep)}}));
      auto transaction = must(Transaction::begin(trail.db()));
      Policy policy;
      policy.retention = name;
      must(track(trail.db(), table, policy));
      must(transaction.commit());
    }
  }

  /// Makes the changes from an id on as old as if they had come evenly since `ago`, and their contexts with them.
  void age(std::int64_t first, std::int64_t ago, std::int64_t ids) {
    const std::string at =
        trail.postgres()
            ? fmt::format("to_timestamp(({} + (id - {}) * {}) / 1000000.0)", now - ago, first,
                          ago / (ids + 1))
            : fmt::format("({} + (id - {}) * {}) / 1000", now - ago, first, ago / (ids + 1));
    const std::string guards = unguard();
    must(trail.db().script(
        fmt::format("update {0}change set at = {1} where id >= {2};", prefix(), at, first)));
    must(trail.db().script(fmt::format(
        "update {0}context set at = (select min(c.at) from {0}change c where c.context = "
        "{0}context.id) where id in (select context from {0}change where id >= {1})",
        prefix(), first)));
    must(trail.db().script(guards));
  }

  /// Makes all that there is so many days old.
  void all_before(int days) { age(1, days * kDay, 1'000'000'000); }

  /// As somebody who may do everything, for a moment; what puts the guards back.
  std::string unguard() {
    if (trail.postgres()) {
      std::string back;
      for (const char* table : {"change", "context"}) {
        must(trail.db().script(fmt::format("alter table vestige.{} disable trigger user", table)));
        for (const char* guard : {"append_only", "never_truncate"})
          back += fmt::format("alter table vestige.{} enable always trigger {};", table, guard);
      }
      return back;
    }
    std::string back;
    std::string drops;
    auto rows = must(
        trail.db().query("select name, sql from sqlite_schema where type = 'trigger' and (name like"
                         " 'vestige_change_no_%' or name like 'vestige_context_no_%')"));
    while (must(rows->next()) == Step::row) {
      drops += "drop trigger " + rows->text(0) + ";";
      back += rows->text(1) + ";";
    }
    rows.reset();
    must(trail.db().script(drops));
    return back;
  }

  Expiring expire(bool dry_run = false) {
    ExpireRequest request;
    request.dry_run = dry_run;
    request.now = now;
    request.archive = archive;
    Context context;
    context.set("actor", "cron");
    return must(vestige::expire(trail.db(), request, context));
  }

  /// "normal 40 due, 40 gone", a line each; what is zero is left out.
  static std::string told(const Expiring& done) {
    std::string out;
    for (const ClassExpiry& one : done.classes) {
      out += fmt::format("{} {} due", one.retention.name, one.due);
      for (const auto& [count, word] :
           {std::pair(one.held, "held"), std::pair(one.unsealed, "unsealed"),
            std::pair(one.behind, "behind"), std::pair(one.unarchived, "unarchived"),
            std::pair(one.early, "early"), std::pair(one.waiting, "waiting"),
            std::pair(one.gone, "gone")})
        if (count > 0) out += fmt::format(", {} {}", count, word);
      out += "\n";
    }
    return out;
  }

  /// Takes what waits, since too little of its partition is due, out of what goes; that.
  std::set<std::int64_t> waiting(const Expiring& done, std::set<std::int64_t>& doomed) {
    std::uint64_t count = 0;
    for (const ClassExpiry& one : done.classes) count += one.waiting;
    const std::set<std::int64_t> left = due();
    EXPECT_EQ(left.size(), count);
    EXPECT_LT(count, trail.postgres() ? doomed.size() / 4 : 1);
    for (const std::int64_t id : left) doomed.erase(id);
    return left;
  }

  std::set<std::int64_t> ids(const std::string& where = "true") {
    std::set<std::int64_t> out;
    auto rows = must(
        trail.db().query(fmt::format("select id from {}change as c where {}", prefix(), where)));
    while (must(rows->next()) == Step::row) out.insert(rows->integer(0));
    return out;
  }
  /// Those that are due: of n older than a year, of d older than a month.
  std::set<std::int64_t> due() {
    std::set<std::int64_t> out = ids(of("n") + older(365));
    out.merge(ids(of("d") + older(30)));
    return out;
  }
  std::string older(int days) const {
    return trail.postgres()
               ? fmt::format(" and at < to_timestamp({} / 1000000.0)", now - days * kDay)
               : fmt::format(" and at * 1000 < {}", now - days * kDay);
  }
  std::string of(const std::string& table) {
    return trail.postgres()
               ? "tracked = (select t.id from vestige.tracked t where t.table_name = '" + table +
                     "')"
               : "tbl = (select t.id from vestige_table t where t.name = '" + table + "')";
  }
  /// A number from the trail; {} before the names of its tables.
  std::int64_t number(std::string sql) {
    for (std::size_t at = 0; (at = sql.find("{}")) != std::string::npos;)
      sql.replace(at, 2, prefix());
    return must(scalar_integer(trail.db(), sql));
  }
  /// What is said of a statement that is refused; {} as above.
  std::string refused(std::string sql) {
    for (std::size_t at = 0; (at = sql.find("{}")) != std::string::npos;)
      sql.replace(at, 2, prefix());
    return error_of(trail.db().run(sql)).message;
  }
  std::string prefix() const { return trail.postgres() ? "vestige." : "vestige_"; }
  std::string own(const std::string& table) const { return prefix() + table; }

  /// Partitions for three years, as they were made when these were new.
  void months() {
    must(trail.db().script(
        "do $$ declare p regclass; m timestamptz; begin"
        " lock table vestige.change; "
        " for p in select relation from vestige.partitions() where from_at = '-infinity' loop"
        "  execute format('alter table vestige.change detach partition %s', p);"
        "  alter table vestige.change disable trigger user;"
        "  for i in reverse 37..0 loop"
        "   m := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - i * interval "
        "'1 month';"
        "   perform vestige.attach_partition(vestige.partition_table('change_month_' || i), m, m + "
        "interval '1 month');"
        "  end loop;"
        "  execute format('insert into vestige.change select * from %s', p);"
        "  execute format('drop table %s', p);"
        "  alter table vestige.change enable always trigger append_only;"
        "  alter table vestige.change enable always trigger never_truncate;"
        " end loop; end $$"));
  }
};

}  // namespace vestige
