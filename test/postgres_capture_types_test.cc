// Every type, under every setting that changes how it prints.
#include "test/postgres_capture.h"
#include "test/postgres_types.h"

namespace vestige {
namespace {

// A table of one column of the type and of all others; each value inserted, each changed into each other, to NULL.
TEST(PostgresCaptureTypes, EveryTypeUnderEverySetting) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(kTypes);
  std::vector<std::string> tables;
  const std::vector<TypeSample> all = samples_of(s.db().version());
  for (std::size_t i = 0; i < all.size(); ++i) {
    tables.push_back("public.t" + std::to_string(i));
    s.run("create table " + tables[i] + " (id int primary key, v " + all[i].type + ", w text)");
    s.run("select vestige.track('" + tables[i] + "')");
  }
  const std::vector<std::string> settings = {
      "reset all",
      "set timezone = 'America/New_York'; set datestyle = 'SQL, DMY'; set intervalstyle = "
      "'iso_8601'; "
      "set extra_float_digits = 0; set bytea_output = 'escape'; set quote_all_identifiers = on",
      "set timezone = 'Asia/Kolkata'; set datestyle = 'German, DMY'; set intervalstyle = "
      "'sql_standard'; "
      "set extra_float_digits = -15; set search_path = pg_temp, public",
      "set timezone = '<+03>-3'; set datestyle = 'Postgres, MDY'; set intervalstyle = "
      "'postgres_verbose'; "
      "set extra_float_digits = 3; set xmlbinary = hex"};
  int id = 0;
  for (std::size_t round = 0; round < settings.size(); ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string& table = tables[i];
      const bool needs = std::string(all[i].type) == "needed" || std::string(all[i].type) == "deep";
      s.run("set xmloption = content; set timezone = 'UTC'; set datestyle = 'ISO, YMD'");
      std::string changes;
      for (const char* value : all[i].values) {
        const std::string number = std::to_string(++id);
        const std::string typed = "(" + std::string(value) + ")::" + all[i].type;
        changes += "insert into " + table + " values (" + number + ", " + typed + ", 'x');";
        changes += "update " + table + " set w = 'y' where id = " + number + ";";
        for (const char* other : all[i].values)
          changes += "update " + table + " set v = (" + other + ")::" + all[i].type +
                     " where id = " + number + ";";
        if (!needs) {
          changes += "update " + table + " set v = null where id = " + number + ";";
          changes += "update " + table + " set v = " + typed + " where id = " + number + ";";
        }
        if (round == 1) changes += "delete from " + table + " where id = " + number + ";";
      }
      s.run(settings[round]);
      ASSERT_EQ(s.error(changes), "") << all[i].type << " round " << round;
      ASSERT_EQ(shop.replayed(table), "") << all[i].type << " round " << round;
    }
  }
}

TEST(PostgresCaptureTypes, EveryTypeAsAKeyAndWithoutOne) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(kTypes);
  int types = 0;
  for (const TypeSample& sample : samples()) {
    const std::string type = sample.type, with_key = "keyed_" + std::to_string(++types);
    s.run("reset all; drop table if exists bare cascade; create table bare (v " + type +
          ", n int)");
    s.run("select vestige.track('bare')");
    const bool keyed =
        s.error("create table " + with_key + " (v " + type + " primary key, n int)").empty();
    const std::string tables = keyed ? with_key : "";
    if (keyed) s.run("select vestige.track('" + with_key + "')");
    for (std::string table : {std::string("bare"), tables}) {
      if (table.empty()) continue;
      s.run(
          "set timezone = 'America/New_York'; set extra_float_digits = 0; set intervalstyle = "
          "'iso_8601'");
      int n = 0;
      for (const char* value : sample.values)  // equal ones are refused by a key
        s.error("insert into " + table + " values ((" + value + ")::" + type + ", " +
                std::to_string(++n) + ")");
      s.run("update " + table + " set n = n + 10");
      s.error("update " + table + " set v = (" + std::string(sample.values[0]) + ")::" + type +
              " where n = 12");
      s.run("update " + table + " set n = null where n = 11");
      ASSERT_EQ(shop.replayed("public." + table), "") << type << " " << table;
      s.run("delete from " + table);
      ASSERT_EQ(shop.replayed("public." + table), "") << type << " " << table;
    }
    // A point[] can be a key, as long as nothing is ever compared with it.
    const std::string value = "(" + std::string(sample.values[0]) + ")::" + type;
    if (!keyed || !s.error("select " + value + " = " + value).empty()) continue;
    // By a key as people type it each of its changes is found, and what was deleted comes back.
    const std::string changes =
        " from vestige.change c join vestige.tracked t on t.id = c.tracked and t.relation = '" +
        with_key + "'::regclass ";
    EXPECT_EQ(s.one("select count(*)::text" + changes +
                    "where not c.id = any (array(select vestige.row_changes(t.id, "
                    "vestige.key_text(t.id, array[c.key]))))"),
              "0")
        << type;
    const auto deleted = s.table("select count(*)::text, max(x.tx)::text" + changes +
                                 "join vestige.context x on x.id = c.context where c.op = 'D'");
    EXPECT_EQ(s.error("select vestige.revert(" + *deleted[0][1] + ")"), "") << type;
    EXPECT_EQ(s.one("select count(*)::text from " + with_key), *deleted[0][0]) << type;
    ASSERT_EQ(shop.replayed("public." + with_key), "") << type;
  }
}

// A type that a server has and a table can have must stand among the samples; but those that nobody can write.
TEST(PostgresCaptureTypes, NoneIsForgotten) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(kTypes);
  std::string known;
  for (const TypeSample& sample : samples_of(s.db().version()))
    known += std::string(known.empty() ? "" : ", ") + "$$" + sample.type + "$$::regtype";
  EXPECT_EQ(
      s.one("select coalesce(string_agg(oid::regtype::text, ', ' order by oid), '') from pg_type "
            "where "
            "typtype in ('b', 'r', 'm', 'e', 'd') and typnamespace = 'pg_catalog'::regnamespace "
            "and typcategory <> 'A' and typname !~ "
            "'^(gtsvector|pg_node_tree|pg_ndistinct|pg_dependencies|pg_mcv_list|pg_brin_.*)$' and "
            "oid <> all (array[" +
            known + "])"),
      "");
}

// Every type, and an array of it with bounds of its own, written, changed, deleted; then asked for as it was, and put
// back: the same text and the same bits.
TEST(PostgresCaptureTypes, EveryTypeComesBackToTheBit) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(kTypes);
  s.run("set xmloption = content; set extra_float_digits = 1");
  const auto differences = [&](const std::string& rows) {
    return s.one(
        "select count(*)::text from was full join (" + rows +
        ") now using (id) where not coalesce(was *= now and was::text = now::text, false)");
  };
  int n = 0;
  for (const TypeSample& sample : samples_of(s.db().version())) {
    const std::string type = sample.type, w = "w" + std::to_string(++n);
    s.run("drop table if exists was; create table " + w + " (id int primary key, v " + type +
          ", a " + (type.ends_with("[]") ? "text" : type) + "[]); select vestige.track('" + w +
          "')");
    // A domain that refuses null does not read what leaves a gap writes.
    const std::string gap = type == "needed" || type == "deep" ? ", a[0] = " : ", a[1] = ";
    int id = 0;
    for (const char* value : sample.values) {
      const std::string typed = "(" + std::string(value) + ")::" + type;
      s.run("insert into " + w + " (id, v) values (" + std::to_string(++id) + ", " + typed + ")");
      if (!type.ends_with("[]"))
        s.run("update " + w + " set a[-1] = " + typed + gap + typed +
              " where id = " + std::to_string(id));
    }
    s.run("create table was as select * from " + w);
    const std::string first = "(" + std::string(sample.values[0]) + ")::" + type;
    const auto moment = s.one("select max(id)::text from vestige.change");
    s.run("update " + w + " set v = " + first + ", a = '{}'");
    s.run("delete from " + w);
    EXPECT_EQ(differences("select * from vestige.as_of_change(null::" + w + ", " + moment + ")"),
              "0")
        << type;
    s.run("select vestige.revert(max(tx)) from vestige.changes");
    const auto changed = s.one(
        "select tx::text from vestige.changes where op = 'UPDATE' and id > " + moment + " limit 1");
    if (!changed.empty()) s.run("select vestige.revert(" + changed + ")");
    EXPECT_EQ(differences("select * from " + w), "0") << type;
    ASSERT_EQ(shop.replayed("public." + w), "") << type;
  }
}

TEST(PostgresCaptureTypes, LargeValuesThatAreNotTouchedAreNotRead) {
  PgShop shop;
  PgSession& s = shop.admin;
  s.run(
      "create table docs (id int primary key, body text, n int); alter table docs alter body set "
      "storage external");
  s.run("select vestige.track('docs')");
  s.run(
      "insert into docs select i, repeat(i::text || ' page ', 20000), 0 from generate_series(1, 3) "
      "i");
  const auto size = [&] {
    return std::stoll(
        s.one("select sum(pg_total_relation_size(inhrelid))::text from pg_inherits "
              "where inhparent = 'vestige.change'::regclass"));
  };
  const auto before = size();
  for (int i = 0; i < 50; ++i) s.run("update docs set n = n + 1");
  EXPECT_LT(size() - before, 100'000);
  s.run("update docs set body = body || 'x' where id = 2");
  EXPECT_EQ(shop.replayed("public.docs"), "");
}

}  // namespace
}  // namespace vestige
