#include "bench/postgres_session.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "bench/shop.h"

namespace vestige::bench {

Session::Session(const std::string& url) : handle_(PQconnectdb(url.c_str())) {
  if (PQstatus(handle_.get()) != CONNECTION_OK) give_up(PQerrorMessage(handle_.get()));
  PQsetNoticeProcessor(
      handle_.get(), [](void*, const char*) {}, nullptr);
}

Session::Reply Session::checked(PGresult* result, const std::string& what) const {
  Reply reply(result);
  const ExecStatusType status = PQresultStatus(reply.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    give_up(fmt::format("{}: {}", what.substr(0, 200), PQerrorMessage(handle_.get())));
  return reply;
}

void Session::run(const std::string& sql) { checked(PQexec(handle_.get(), sql.c_str()), sql); }

std::string Session::text(const std::string& sql) {
  const Reply reply = checked(PQexec(handle_.get(), sql.c_str()), sql);
  return PQntuples(reply.get()) == 0 ? "" : PQgetvalue(reply.get(), 0, 0);
}

double Session::number(const std::string& sql) { return std::atof(text(sql).c_str()); }

void Session::prepare(const std::string& name, const std::string& sql) {
  checked(PQprepare(handle_.get(), name.c_str(), sql.c_str(), 0, nullptr), sql);
}

void Session::execute(const std::string& name, const std::vector<std::string>& values) {
  std::vector<const char*> given;
  given.reserve(values.size());
  for (const std::string& value : values) given.push_back(value.c_str());
  checked(PQexecPrepared(handle_.get(), name.c_str(), static_cast<int>(given.size()), given.data(),
                         nullptr, nullptr, 0),
          name);
}

double cpu_of(int pid) {
  std::ifstream in(fmt::format("/proc/{}/schedstat", pid));
  double nanoseconds = 0;
  if (!(in >> nanoseconds) || nanoseconds == 0)
    give_up("the kernel keeps no /proc/PID/schedstat for the server's processes");
  return nanoseconds / 1e3;
}

double Session::cpu() const { return cpu_of(PQbackendPID(handle_.get())); }

double Session::wal() { return number("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"); }

}  // namespace vestige::bench
