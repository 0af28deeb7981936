// What another server sends, and types that an extension brings: real ones, as Debian has them.
#include "test/postgres_capture.h"

namespace vestige {
namespace {

// Waits until a condition holds; fails the test with `what` otherwise.
void eventually(PgSession& s, const std::string& condition, const char* what) {
  for (int i = 0; i < 100'000; ++i) {
    if (s.one("select (" + condition + ")::text") == "true") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << what << ": " << condition;
}

TEST(PostgresCaptureApply, WhatASubscriptionAppliesIsRecorded) {
  const PostgresServer publisher(std::vector<std::string>{"wal_level=logical"});
  PgSession there(publisher.url());
  PgShop shop;
  const std::string table =
      "create table t (id int primary key, v text, n numeric); create table p (id int primary key, "
      "v text) partition by range (id); create table p1 partition of p for values from (0) to "
      "(100); create table p2 partition of p for values from (100) to (200)";
  there.run(table +
            "; insert into t values (1, 'copied', 1.10), (2, 'too', 'NaN'); insert into p values "
            "(1, 'a')");
  there.run("create publication everything for all tables");
  shop.admin.run(table + "; select vestige.track('t'), vestige.track('p')");
  const std::string name = "s_" + shop.database.name();
  shop.admin.run("create subscription " + name + " connection 'host=" + publisher.host() +
                 " port=5432 user=postgres dbname=postgres' publication everything");
  const auto same = [&] {
    const std::string rows =
        "(select coalesce(string_agg(t::text, ' ' order by id), '') from t) || "
        "(select coalesce(string_agg(p::text, ' ' order by id), '') from p)";
    eventually(shop.admin, rows + " = '" + there.one("select " + rows) + "'",
               "the subscription has not caught up");
  };
  same();
  there.run(
      "update t set v = 'changed' where id = 1; delete from t where id = 2; "
      "insert into t select i, 'row ' || i, i / 3.0 from generate_series(10, 30) i; "
      "update t set id = id + 100 where id > 20; insert into p values (2, 'b'), (150, 'c'); "
      "update p set id = id + 100 where id = 2; delete from p where id = 1");
  same();
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(shop.replayed("public.p"), "");
  there.run("truncate t; insert into t values (5, 'after', null)");
  same();
  EXPECT_EQ(shop.replayed("public.t"), "");
  EXPECT_EQ(shop.admin.one("select string_agg(op::text || n, ' ' order by op) from (select op, "
                           "count(*) as n from vestige.change c join vestige.tracked k on k.id = "
                           "c.tracked where table_name = 't' group by op) x"),
            "D23 I24 T1 U11");
  shop.admin.run("drop subscription " + name);
}

TEST(PostgresCaptureApply, GeometryOfPostgis) {
  PgShop shop;
  PgSession& s = shop.admin;
  if (s.one("select (count(*) = 0)::text from pg_available_extensions where name = 'postgis'") ==
      "true")
    GTEST_SKIP() << "this server has no PostGIS";
  s.run(
      "create extension postgis; create table place (id int primary key, at geometry, area "
      "geography(polygon, 4326), box box3d); select vestige.track('place'); "
      "insert into place values (1, 'SRID=4326;POINT(13.376888 52.516275)', null, null), "
      "(2, 'POINT Z (0.1 0.2 1e-300)', 'POLYGON((0 0,1 0,1 1,0 0))', 'BOX3D(0 0 0,1 2 3)'), "
      "(3, 'GEOMETRYCOLLECTION EMPTY', null, null); "
      "update place set at = st_translate(at, 0.1, 0.1); update place set at = st_reverse(at); "
      "update place set area = 'POLYGON((0 0,2 0,2 2,0 0))' where id = 2; "
      "delete from place where id = 3; update place set at = null where id = 1");
  EXPECT_EQ(shop.replayed("public.place"), "");
  const std::string was = s.one("select md5(string_agg(p::text, ' ' order by id)) from place p");
  s.run("update place set at = 'POINT(1 1)', area = null, box = null");
  s.run(
      "select vestige.undo(id) from vestige.change where xid = (select "
      "max(xid::text::bigint)::text::xid8 "
      "from vestige.change) order by id desc");
  EXPECT_EQ(s.one("select md5(string_agg(p::text, ' ' order by id)) from place p"), was);
}

}  // namespace
}  // namespace vestige
