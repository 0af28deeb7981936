#include "vestige/db/postgres.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "vestige/base/json.h"
#include "vestige/db/postgres_error.h"
#include "vestige/db/postgres_lexer.h"
#include "vestige/db/postgres_rows.h"

namespace vestige {
namespace {

constexpr unsigned kUnknown = 0;  // the server finds the type
constexpr unsigned kBytea = 17;
constexpr unsigned kInt8 = 20;
constexpr unsigned kFloat8 = 701;

std::string real_text(double real) {
  if (std::isnan(real)) return "NaN";
  if (std::isinf(real)) return real > 0 ? "Infinity" : "-Infinity";
  return to_display(real);
}

// The values of a statement as libpq takes them.
class Bound {
 public:
  Result<void> add(const Value& value) {
    if (std::holds_alternative<Null>(value)) {
      push(kUnknown, 0, "", true);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      push(kInt8, 0, std::to_string(*integer));
    } else if (const auto* real = std::get_if<double>(&value)) {
      push(kFloat8, 0, real_text(*real));
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      push(kBytea, 1, blob->bytes);
    } else {
      const auto* text = std::get_if<Text>(&value);
      const std::string& bytes = text != nullptr ? text->bytes : std::get<Token>(value).text;
      if (bytes.find('\0') != std::string::npos)
        return fail(Fault::invalid, "bind value {}: PostgreSQL's text cannot hold a NUL byte",
                    types_.size() + 1);
      push(kUnknown, 0, bytes);
    }
    return {};
  }

  const std::vector<Oid>& types() const { return types_; }

  bool send(PGconn* connection, const char* sql) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (std::size_t i = 0; i < types_.size(); ++i) {
      values.push_back(null_[i] ? nullptr : texts_[i].c_str());
      lengths.push_back(static_cast<int>(texts_[i].size()));
    }
    return PQsendQueryParams(connection, sql, static_cast<int>(types_.size()), types_.data(),
                             values.data(), lengths.data(), formats_.data(), 0) == 1;
  }

 private:
  void push(unsigned type, int format, std::string text, bool null = false) {
    types_.push_back(type);
    formats_.push_back(format);
    texts_.push_back(std::move(text));
    null_.push_back(null);
  }

  std::vector<Oid> types_;
  std::vector<int> formats_;
  std::vector<std::string> texts_;
  std::vector<bool> null_;
};

constexpr std::string_view kPinnedPath = "pg_catalog, pg_temp";

bool is_mere_select(std::string_view sql) {
  const std::string word = postgres::first_word(sql);
  return word == "select" || word == "values" || word == "table";
}

}  // namespace

Postgres::Postgres(std::unique_ptr<postgres::Session> session, std::string where)
    : session_(std::move(session)), where_(std::move(where)) {}

Postgres::~Postgres() = default;

bool Postgres::may_end_at_a_text() const {
  const char* encoding = PQparameterStatus(session_->connection, "server_encoding");
  return encoding != nullptr && std::string_view(encoding) != "UTF8";
}

Result<void> Postgres::only_ascii(std::string_view text) const {
  if (!ascii_ || std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; }))
    return {};
  return hinted(fail(Fault::invalid,
                     "run sql: the server knows no way from UTF-8 to the encoding of the"
                     " database, so only ASCII can be said to it"),
                "psql, with the encoding of the database, can say anything");
}

Result<void> Postgres::ready(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos)
    return fail(Fault::invalid, "run sql: a NUL byte in the text");
  TRY(only_ascii(sql));
  if (fenced_ && postgres::crosses_fence(sql))
    return hinted(
        fail(Fault::denied,
             "run sql: the script is one transaction, it cannot begin or end another"),
        "leave out BEGIN, COMMIT, ROLLBACK, SAVEPOINT, PREPARE TRANSACTION and COPY FROM STDIN");
  if (session_->on_wire != nullptr) session_->on_wire->park();
  TRY(look_up(fenced_ || names_of_caller_ ? Names::callers : Names::pinned));
  session_->in_transaction = in_transaction();
  return {};
}

// Where names are looked up from here on.
Result<void> Postgres::look_up(Names names) {
  const PGTransactionStatusType status = PQtransactionStatus(session_->connection);
  if (names_within_ && status == PQTRANS_IDLE) names_ = Names::unknown;
  if (names_ == names || status == PQTRANS_INERROR || !callers_path_.has_value()) return {};
  Bound bound;
  TRY(bound.add(Text{names == Names::pinned ? std::string(kPinnedPath) : *callers_path_}));
  session_->in_transaction = status != PQTRANS_IDLE;
  const auto rows = TRY(sent(
      bound.send(session_->connection, "select pg_catalog.set_config('search_path', $1, false)"),
      "select"));
  while (TRY(rows->next()) == Step::row) {
  }
  names_ = names;
  names_within_ = status != PQTRANS_IDLE;
  return {};
}

Result<std::unique_ptr<postgres::PostgresRows>> Postgres::sent(bool accepted,
                                                               std::string_view sql) {
  if (!accepted)
    return tl::unexpected<Error>(postgres::local_error(session_->connection, "run sql"));
  return postgres::PostgresRows::start(*session_, !session_->in_transaction && is_mere_select(sql));
}

Result<std::unique_ptr<postgres::PostgresRows>> Postgres::send(std::string_view sql,
                                                               const Params& params) {
  TRY(ready(sql));
  Bound bound;
  std::vector<std::string> by;
  for (const Value& value : params) {
    const auto* said = std::get_if<Text>(&value);
    const bool marked = said != nullptr && texts_.has_value() &&
                        said->bytes.find(texts_->mark) != std::string::npos;
    if (said != nullptr && !marked) TRY(only_ascii(said->bytes));
    by.push_back(marked ? texts_->say : "");
    TRY(bound.add(marked ? Value(Blob{said->bytes}) : value));
  }
  std::size_t taken = 0;
  std::string text = postgres::with_dollars(sql, taken, by);
  if (params.size() > taken)  // the server would not mind
    return fail(Fault::invalid, "bind value {}: the statement takes {}", params.size(), taken);
  std::vector<unsigned> types;
  // What the caller writes may be no query but a WITH that writes; this program's are queries.
  if (texts_.has_value() && !fenced_ && !names_of_caller_ &&
      (is_mere_select(sql) || postgres::first_word(sql) == "with"))
    types = TRY(texts_as_bytes(text, bound.types()));
  auto rows = TRY(sent(bound.send(session_->connection, text.c_str()), sql));
  rows->texts_are_bytes(std::move(types));
  return rows;
}

// Makes of a SELECT one that gives each text as bytes; the types that its columns had.
Result<std::vector<unsigned>> Postgres::texts_as_bytes(std::string& text,
                                                       const std::vector<unsigned>& types) {
  PGconn* connection = session_->connection;
  const postgres::Answer prepared(
      PQprepare(connection, "", text.c_str(), static_cast<int>(types.size()), types.data()));
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK)
    return tl::unexpected<Error>(postgres::error_of(connection, prepared.get(), "run sql"));
  const postgres::Answer told(PQdescribePrepared(connection, ""));
  if (PQresultStatus(told.get()) != PGRES_COMMAND_OK)
    return tl::unexpected<Error>(postgres::error_of(connection, told.get(), "run sql"));
  std::vector<unsigned> was;
  std::string named;
  std::string wanted;
  for (int i = 0; i < PQnfields(told.get()); ++i) {
    const Oid type = PQftype(told.get(), i);
    const bool text_too = postgres::is_text(type);
    const std::string column = fmt::format("q.c{}", i);
    named += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
    was.push_back(text_too ? type : 0);
    wanted += fmt::format(
        "{}{} as {}", i == 0 ? "" : ", ",
        text_too ? fmt::format("{}({}::pg_catalog.text)", texts_->read, column) : column,
        quote_name(PQfname(told.get(), i)));
  }
  if (was.empty()) return was;
  text = fmt::format("select {} from ({}\n) q ({})", wanted, text, named);
  return was;
}

Result<std::unique_ptr<Rows>> Postgres::query(std::string_view sql, const Params& params) {
  return std::unique_ptr<Rows>(TRY(send(sql, params)));
}

Result<std::int64_t> Postgres::run(std::string_view sql, const Params& params) {
  const auto rows = TRY(send(sql, params));
  while (TRY(rows->next()) == Step::row) {
  }
  return rows->changed();
}

Result<void> Postgres::script(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos)
    return fail(Fault::invalid, "run sql: a NUL byte in the text");
  while (true) {
    const std::string statement(postgres::split(sql, sql));
    if (statement.empty()) return {};
    TRY(ready(statement));
    const auto rows =
        TRY(sent(PQsendQuery(session_->connection, statement.c_str()) == 1, statement));
    while (TRY(rows->next()) == Step::row) {
    }
  }
}

Result<std::string_view> Postgres::first_statement(std::string_view sql, std::string_view& rest) {
  if (sql.find('\0') != std::string_view::npos)
    return fail(Fault::invalid, "run sql: a NUL byte in the text");
  return postgres::split(sql, rest);
}

std::string Postgres::quote_name(std::string_view name) const {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string Postgres::literal(const Value& value) const {
  if (std::holds_alternative<Null>(value)) return "null";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (*integer == std::numeric_limits<std::int64_t>::min())  // -(9223372036854775808) is numeric
      return fmt::format("'{}'::bigint", *integer);
    return std::to_string(*integer);
  }
  if (const auto* real = std::get_if<double>(&value))
    return fmt::format("'{}'::float8", real_text(*real));
  if (const auto* blob = std::get_if<Blob>(&value)) {
    std::string out = "'\\x";
    json::append_hex(out, blob->bytes);
    return out + "'::bytea";
  }
  const auto* text = std::get_if<Text>(&value);
  const std::string& bytes = text != nullptr ? text->bytes : std::get<Token>(value).text;
  if (bytes.find('\0') != std::string::npos || !json::is_utf8(bytes))  // the server refuses it
    return fmt::format("convert_from({}, 'UTF8')", literal(Blob{bytes}));
  std::string out = bytes.find('\\') == std::string::npos ? "'" : "E'";
  for (const char c : bytes) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

Result<void> Postgres::begin() {
  if (in_transaction())  // the server would only warn
    return fail(Fault::invalid, "begin: a transaction is already under way");
  return script("begin");
}

Result<void> Postgres::commit() {
  const bool of_caller = std::exchange(names_of_caller_, true);  // for the application's triggers
  auto sent = send("commit", {});
  names_of_caller_ = of_caller;
  const auto rows = TRY(std::move(sent));
  TRY(rows->next());
  if (rows->tag() == "ROLLBACK")
    return fail(Fault::invalid, "commit: a statement before it failed, all is rolled back");
  return {};
}

void Postgres::rollback() noexcept {
  if (in_transaction()) (void)script("rollback");
}

bool Postgres::in_transaction() const {
  if (session_->on_wire != nullptr) return session_->in_transaction;
  const PGTransactionStatusType status = PQtransactionStatus(session_->connection);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

std::string Postgres::where() const { return where_; }

int Postgres::version() const { return PQserverVersion(session_->connection); }

Result<void> Postgres::application_triggers(bool /*on*/) {
  return fail(Fault::invalid, "switch triggers: only SQLite has one switch for them all");
}

Result<void> Postgres::at_most(std::chrono::milliseconds time) {
  session_->end = std::chrono::steady_clock::now() + time;
  return script(fmt::format("set statement_timeout = {}", std::max<long>(1, time.count())));
}

Result<void> Postgres::act_for(const std::string& role, bool reads_only) {
  if (!role.empty()) {
    TRY(script("set role " + quote_name(role)));
    // "none" is no role, and a name that is too long is cut: whoever it is then, it is not who was meant.
    const Value now = TRY(scalar(*this, "select current_user::text"));
    const Text* name = std::get_if<Text>(&now);
    if (name == nullptr || name->bytes != role)
      return hinted(
          fail(Fault::denied, "act as the role {}: the database made another of it", role),
          "[console.users] names roles as pg_roles has them; 'none' is none of them");
  }
  // A transaction that somebody left open would hold back what the server clears away.
  TRY(script("set idle_in_transaction_session_timeout = '60s'"));
  return script(fmt::format("set default_transaction_read_only = {}", reads_only ? "on" : "off"));
}

Result<Writes> Postgres::writes(const std::string& /*sql*/) {
  return fail(Fault::invalid, "find what a statement writes: only SQLite tells");
}

}  // namespace vestige
