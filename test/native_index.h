// A table with the native engine's two indexes, small segments in both, and questions whose answers through them must be
// those of a scan of the table.
#pragma once

#include <random>

#include "test/postgres_native.h"

namespace vestige {

/// The index methods in a database that has no trail.
inline constexpr const char* kIndexMethods =
    "create function runs_method(internal) returns index_am_handler language c as "
    "'$libdir/vestige', 'vestige_runs'; "
    "create function order_method(internal) returns index_am_handler language c as "
    "'$libdir/vestige', 'vestige_order'; "
    "create access method vestige_runs type index handler runs_method; "
    "create operator class hash_runs default for type bigint using vestige_runs as operator 1 =; "
    "create access method vestige_order type index handler order_method; "
    "create operator class id_order default for type bigint using vestige_order as operator 1 <, "
    "operator 2 <=, operator 3 =, operator 4 >=, operator 5 >";

inline constexpr const char* kIndexedTable =
    "create table t (id bigint generated always as identity, k bigint, v text); "
    "create index by_key on t using vestige_runs (k) with (segment_blocks = 2); "
    "create index by_id on t using vestige_order (id) with (segment_blocks = 2)";

/// One session that writes at random, and asks.
class IndexWork {
 public:
  IndexWork(const std::string& url, unsigned seed) : session(url), dice_(seed) {
    session.run("set client_min_messages = warning");
  }
  /// A transaction of inserts, updates and deletes, parts of which are taken back, or all of it.
  void write(bool back = true) {
    session.run("begin");
    for (int i = below(4); i >= 0; --i) {
      const bool apart = below(3) == 0;
      if (apart) session.run("savepoint s");
      change();
      if (apart) session.run(below(2) == 0 ? "rollback to s" : "release s");
    }
    session.run(back && below(4) == 0 ? "rollback" : "commit");
  }
  /// "" or the question that an index answers otherwise than the table, in one snapshot.
  std::string difference(int questions = 6) {
    session.run("begin isolation level repeatable read");
    std::string out;
    for (int i = 0; i < questions && out.empty(); ++i) {
      const std::string asked = question();
      const std::string truth = answer(asked, "on", "off", "off");
      const std::string bitmap = answer(asked, "off", "off", "on");
      const std::string index = answer(asked, "off", "on", "off");
      if (truth != bitmap || truth != index)
        out = asked + "\n  table:  " + truth + "\n  bitmap: " + bitmap + "\n  index:  " + index;
    }
    session.run("commit");
    return out;
  }
  int below(int n) { return static_cast<int>(dice_() % static_cast<unsigned>(n)); }

  PgSession session;

 private:
  std::string number(int n) { return std::to_string(below(n)); }
  void change() {
    const int what = below(10);
    if (what < 7) {
      session.run("insert into t (k, v) select (i * " + number(1000) + ") % 150, repeat('v', " +
                  number(200) + ") from generate_series(1, " + std::to_string(1 + below(200)) +
                  ") i");
    } else if (what == 7) {
      session.run("update t set v = v || '.' where id in (select id from t where id > " +
                  number(3000) + " limit 5 for update skip locked)");
    } else if (what == 8) {
      session.run("update t set k = nullif(k + 1, 100) where id in (select id from t where id > " +
                  number(3000) + " limit 5 for update skip locked)");
    } else {
      session.run("delete from t where id in (select id from t where id > " + number(3000) +
                  " limit 40 for update skip locked)");
    }
  }
  std::string question() {
    const std::string a = number(6000);
    const std::string b = number(500);
    switch (below(9)) {
      case 0: return "where k = " + number(155) + "::bigint";
      case 1: return "where k = any (array[" + a + ", 3, 77, 3]::bigint[])";
      case 2: return "where id = " + a;
      case 3: return "where id between " + a + " and " + a + " + " + b + " order by id";
      case 4: return "order by id desc limit " + b;
      case 5: return "where id >= " + a + " order by id limit " + b;
      case 6: return "where id < " + a + "::bigint order by id desc limit " + b;
      case 7: return "where id = any (array[" + a + ", " + b + ", 1]::bigint[])";
      default:
        return "where id > " + a + " and id <= " + b + "::bigint or k = " + b + "::bigint % 150";
    }
  }
  std::string answer(const std::string& asked, const char* seq, const char* index,
                     const char* bitmap) {
    session.run(std::string("set local enable_seqscan = ") + seq +
                "; set local enable_indexscan = " + index +
                "; set local enable_bitmapscan = " + bitmap);
    const bool ordered = asked.find("order by") != std::string::npos;
    return session.one(
        "select count(*) || ' ' || coalesce(md5(string_agg(concat_ws('/', id, k, v, ctid), ' '" +
        std::string(ordered ? "" : " order by id") + ")), '') from (select ctid, * from t " +
        asked + ") s");
  }

  std::mt19937 dice_;
};

}  // namespace vestige
