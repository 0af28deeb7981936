// A trail whose tables two engines record, side by side. Skipped where the server has no native engine: ctest's
// native.* give it one (test/native.sh).
#pragma once

#include <cstdio>
#include <cstdlib>

#include "test/postgres_capture.h"

namespace vestige {

/// What a command of the shell prints, complaints included.
inline std::string shell(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen(("bash -c \"" + command + "\" 2>&1").c_str(), "r");
  char buffer[256];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) out += buffer;
  pclose(pipe);
  return out;
}

/// Whether a server tells of its memory contexts: 13 does not.
inline bool tells_of_memory(PgSession& s) {
  return std::stoi(s.one("show server_version_num")) >= 140000;
}
/// Bytes of a session's memory contexts, or of those of one name. Where the server does not tell: what
/// the backend has of the system, and 0 for a name.
inline long long context_bytes(PgSession& s, const std::string& name = "") {
  if (!tells_of_memory(s))
    return !name.empty() ? 0
                         : 4096 * std::stoll(s.one("select split_part(pg_read_file("
                                                   "'/proc/self/statm', 0, 100), ' ', 6)"));
  return std::stoll(s.one(name.empty()
                              ? "select sum(used_bytes)::text from pg_backend_memory_contexts"
                              : "select coalesce(sum(total_bytes), 0)::text from "
                                "pg_backend_memory_contexts where name = '" +
                                    name + "'"));
}

/// The same table twice: p is recorded by the portable engine, n by the native one.
class NativeTwins {
 public:
  /// Whether the server has the module. The trail's native part is there afterwards. Where test/native.sh
  /// made the server it must be: nothing is skipped there.
  static bool there(PgShop& shop) {
    const std::string refused =
        shop.admin.error("begin; " + std::string(vestige::sql::postgres::native) + "; commit");
    if (!refused.empty()) shop.admin.run("rollback");
    if (!refused.empty() && std::getenv("VESTIGE_NATIVE") != nullptr)
      ADD_FAILURE() << "the module cannot be loaded: " << refused;
    return refused.empty();
  }

  explicit NativeTwins(PgShop& shop)
      : shop_(shop), portable_(shop.connect()), native_(shop.connect()) {}

  /// Makes both; `$` stands for the table's name.
  void make(const std::string& create, const std::string& policy = "") {
    both(create);
    both("select vestige.track('$'" + (policy.empty() ? "" : ", " + policy) + ")");
    shop_.admin.run(
        "select vestige.set_engine('p', 'portable'), vestige.set_engine('n', 'native')");
  }
  /// Runs a script for each, in a session of its own; what they say against it must be the same.
  std::string both(const std::string& script) {
    const std::string one = portable_.error(named(script, "p"));
    const std::string other = native_.error(named(script, "n"));
    if (one.empty() != other.empty())
      throw std::runtime_error("p: " + one + "\nn: " + other + "\nin: " + script);
    return one;
  }
  /// The records of a table, but for times and numbers of their own (and the numbers left free between them); those of
  /// one key in their order. `after`: only those with greater ids.
  std::string records(const std::string& table, const std::string& after = "0") {
    std::string out;
    for (const auto& row : shop_.admin.table(
             "select concat_ws(' | ', c.op, coalesce(c.key, '-'), coalesce(c.new_key, '-'), "
             "coalesce(c.old_row, '-'), coalesce(c.new_row, '-'), "
             "(c.key_hash is not distinct from hashtextextended(c.key, c.tracked))::text, "
             "md5(s.columns::text), s.whole::text, x.db_user, coalesce(x.fields, '-'), (x.xid = "
             "c.xid)::text) "
             "from vestige.change c join vestige.shape s on s.id = c.shape "
             "join vestige.context x on x.id = c.context "
             "where s.table_name = '" +
             table + "' and c.id > " + after + " order by c.key, c.id"))
      out += *row[0] + "\n";
    return out;
  }
  std::string shown(const std::string& setting) {
    const std::string one = portable_.one("show " + setting);
    return one == native_.one("show " + setting) ? one : "not the same";
  }
  /// "" when both were recorded alike, and something was.
  std::string difference(const std::string& after = "0") {
    const std::string p = records("p", after);
    const std::string n = records("n", after);
    if (p.empty()) return "nothing was recorded";
    if (p == n) return "";
    std::size_t at = 0;
    while (p[at] == n[at]) ++at;
    const std::size_t start = p.rfind('\n', at) == std::string::npos ? 0 : p.rfind('\n', at) + 1;
    return "portable: " + p.substr(start, 800) + "\nnative:   " + n.substr(start, 800);
  }

 private:
  static std::string named(std::string script, const std::string& table) {
    for (std::size_t at = 0; (at = script.find('$', at)) != std::string::npos;)
      script.replace(at, 1, table);
    return script;
  }

  PgShop& shop_;
  PgSession portable_;
  PgSession native_;
};

/// A table t of a thousand rows that the native engine records.
class NativeTable : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run(
        "create table t (id int primary key, v int not null); insert into t select i, 0 from "
        "generate_series(1, 1000) i; select vestige.track('t'); select vestige.set_engine('t', "
        "'native')");
  }
  /// The trail's partition of this moment.
  std::string current_part() {
    return s.one(
        "select relation::text from vestige.partitions() where clock_timestamp() >= from_at and "
        "clock_timestamp() < upto");
  }
  PgShop shop;
  PgSession& s = shop.admin;
};

}  // namespace vestige
