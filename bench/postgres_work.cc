#include "bench/postgres_work.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <thread>

namespace vestige::bench {
namespace {

// One row for a context, three for changes; values are what the application has at hand.
constexpr std::string_view kFloorInsert =
    "with c as (insert into floor.context (tx, xid, at, pid, client_addr, db_user, "
    "application_name, fields)"
    "  values (nextval('floor.change_id'), pg_current_xact_id(), transaction_timestamp(), "
    "pg_backend_pid(),"
    "    inet_client_addr(), session_user, nullif(current_setting('application_name'), ''), "
    "$1::jsonb)"
    "  returning id)"
    " insert into floor.change (id, at, xid, context, tracked, shape, op, key_hash, key, old_row, "
    "new_row)"
    " select nextval('floor.change_id'), clock_timestamp(), pg_current_xact_id(), c.id, v.tracked, "
    "v.tracked,"
    "   v.op::\"char\", hashtextextended(v.key, v.tracked), v.key, v.old_row, v.new_row"
    " from c, (values (1, 'U', $2::text, $3::text, $4::text), (1, 'U', $5, $6, $7), (2, 'I', $8, "
    "null, $9))"
    "   as v(tracked, op, key, old_row, new_row)";

// The whole of a statement at once, by a statement of its own.
std::string floor_rows(char op, const std::string& old_row, const std::string& new_row,
                       const std::string& from) {
  return fmt::format(
      "insert into floor.change (id, at, xid, context, tracked, shape, op, key_hash, key, old_row, "
      "new_row)"
      " select nextval('floor.change_id'), clock_timestamp(), pg_current_xact_id(), 1, 1, 1, '{}',"
      "   hashtextextended(id::text, 1), id::text, {}, {} from {}",
      op, old_row, new_row, from);
}

std::string given(int request) {
  return fmt::format(R"({{"actor": "teller-{}", "reason": "transfer", "request_id": "req-{:08}"}})",
                     request % 40, request);
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The three recorded fields of an account, in the place that they have among ten.
std::string account_row(int balance, int version) {
  return fmt::format("(,,,,,{}.00,,{},,\"2026-01-01 12:00:00.123456+00\")", balance, version);
}

}  // namespace

Tellers::Tellers(const Setup& setup, const std::string& url, int connections, int rows,
                 bool synchronous)
    : setup_(setup), rows_(rows), watch_(url) {
  for (int i = 0; i < connections; ++i) {
    auto db = std::make_unique<Session>(url);
    db->run(fmt::format("set synchronous_commit = {}", synchronous ? "on" : "off"));
    db->prepare("move",
                "update accounts set balance = balance + $2::numeric, version = version + 1,"
                " updated_at = clock_timestamp() where id = $1::bigint");
    db->prepare("note",
                "insert into transfers (source, target, amount, at, note)"
                " values ($1, $2, $3, clock_timestamp(), 'monthly payment')");
    if (setup.by_hand) db->prepare("record", std::string(kFloorInsert));
    sessions_.push_back(std::move(db));
  }
}

void Tellers::transfer(Session& db, const Transfer& one) const {
  const std::string context = setup_.context ? given(one.request) : "";
  db.run(setup_.context && !setup_.by_hand
             ? fmt::format("begin; select set_config('vestige.context', '{}', true)", context)
             : "begin");
  const auto first = std::to_string(one.first);
  const auto second = std::to_string(one.second);
  const auto amount = std::to_string(one.amount);
  db.execute("move", {first, "-" + amount});
  db.execute("move", {second, amount});
  db.execute("note", {first, second, amount});
  if (setup_.by_hand)
    db.execute(
        "record",
        {context, first, account_row(one.amount, 1), account_row(one.amount, 2), second,
         account_row(one.amount, 1), account_row(one.amount, 2), std::to_string(one.request),
         fmt::format("({},{},{},{}.00,\"2026-01-01 12:00:00.123456+00\",\"monthly payment\")",
                     one.request, first, second, amount)});
  db.run("commit");
}

Cost Tellers::work(int transactions) {
  std::vector<std::vector<Transfer>> share(sessions_.size());
  for (int i = 0; i < transactions; ++i) {
    Transfer one = {1 + static_cast<int>(dice_.below(rows_ - 1)), 0,
                    1 + static_cast<int>(dice_.below(900)),
                    static_cast<int>(dice_.below(100'000'000))};
    one.second = one.first + 1 + static_cast<int>(dice_.below(rows_ - one.first));  // no deadlocks
    share[static_cast<std::size_t>(i) % share.size()].push_back(one);
  }
  const auto cpu = [&] {
    double sum = 0;
    for (const auto& session : sessions_) sum += session->cpu();
    return sum;
  };
  Cost out;
  out.changes = 3.0 * transactions;
  const Space space_before = space(watch_);
  const double wal_before = watch_.wal();
  const double cpu_before = cpu();
  const double start = now();
  std::vector<std::exception_ptr> failed(sessions_.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sessions_.size(); ++i)
    threads.emplace_back([this, &share, &failed, i] {
      try {
        for (const Transfer& one : share[i]) transfer(*sessions_[i], one);
      } catch (...) {
        failed[i] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  out.seconds = now() - start;
  for (const std::exception_ptr& failure : failed)
    if (failure) std::rethrow_exception(failure);
  out.micros = cpu() - cpu_before;
  out.wal = watch_.wal() - wal_before;
  const Space after = space(watch_);
  out.grown = {after.heap - space_before.heap, after.index - space_before.index,
               after.context - space_before.context};
  return out;
}

std::vector<Statements> bulk(int rows, int inserted, int wide_rows) {
  const std::string account =
      "row(id, owner, iban, kind, currency, balance, status, version, opened_at, updated_at)::text";
  std::string wide_set, old_wide = "row(id, null", new_wide = old_wide;
  for (int i = 1; i <= 58; ++i) {
    const bool changed = i == 11 || i == 31 || i == 51;
    if (changed) wide_set += fmt::format("{}c{} = c{} + 1", wide_set.empty() ? "" : ", ", i, i);
    old_wide += changed ? fmt::format(", c{}", i) : ", null";
    new_wide += changed ? fmt::format(", c{} + 1", i) : ", null";
  }
  return {
      {fmt::format("UPDATE of {} rows, 3 of 10 columns", rows), static_cast<double>(rows),
       "update accounts set balance = balance * 1.01, version = version + 1,"
       " updated_at = clock_timestamp()",
       floor_rows(
           'U', "row(null,null,null,null,null,balance,null,version,null,updated_at)::text",
           "row(null,null,null,null,null,balance*1.01,null,version+1,null,clock_timestamp())::text",
           "accounts"),
       true},
      {fmt::format("INSERT of {} rows", inserted), static_cast<double>(inserted),
       fmt::format("insert into accounts select {0} + i, 'Customer ' || i % 1000,"
                   " 'DE' || 10000000000000000000 + i, 'current', 'EUR', 1000 + i % 977, 'open', 1,"
                   " '2026-01-01 12:00+00', '2026-01-01 12:00+00' from generate_series(1, {1}) i",
                   rows, inserted),
       floor_rows('I', "null", account, fmt::format("accounts where id > {}", rows))},
      {fmt::format("UPDATE of {} rows, 3 of 60 columns, a text of 100 kB not touched", wide_rows),
       static_cast<double>(wide_rows), "update wide set " + wide_set,
       floor_rows('U', old_wide + ")::text", new_wide + ")::text", "wide"), true}};
}

Cost run_bulk(const Setup& setup, const Statements& work, const std::string& url) {
  Session db(url);
  db.run("set synchronous_commit = off; set jit = off");
  db.number("select count(*) + (select count(*) from wide) from accounts");  // warm
  const Space space_before = space(db);
  Cost out;
  out.changes = work.changes;
  db.run("checkpoint");
  const double wal_before = db.wal();
  const double cpu_before = db.cpu();
  const double start = now();
  db.run(setup.context && !setup.by_hand
             ? fmt::format("begin; select set_config('vestige.context', '{}', true)", given(1))
             : "begin");
  if (setup.by_hand && work.hand_first) db.run(work.by_hand);
  db.run(work.sql);
  if (setup.by_hand && !work.hand_first) db.run(work.by_hand);
  db.run("commit");
  out.seconds = now() - start;
  out.micros = db.cpu() - cpu_before;
  out.wal = db.wal() - wal_before;
  const Space after = space(db);
  out.grown = {after.heap - space_before.heap, after.index - space_before.index,
               after.context - space_before.context};
  return out;
}

}  // namespace vestige::bench
