#include "vestige/db/sqlite.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "vestige/base/json.h"
#include "vestige/db/sqlite_api.h"

namespace vestige {
namespace {

constexpr int kBusyMilliseconds = 10'000;
constexpr int kOldest = 3'038'000;  // json functions built in, "is distinct" semantics we rely on

Fault fault_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT: return Fault::conflict;
    case SQLITE_CONSTRAINT:
    case SQLITE_AUTH:
    case SQLITE_PERM:
    case SQLITE_READONLY: return Fault::denied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Fault::corrupt;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL: return Fault::offline;
    case SQLITE_NOMEM:
    case SQLITE_INTERNAL:
    case SQLITE_MISUSE: return Fault::internal;
    default: return Fault::invalid;
  }
}

// What can be done about it, where SQLite's own words do not say.
std::string_view hint_of(int code, std::string_view message) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
      return "another process has locked the database, for more than 10 seconds; try again when it"
             " is done";
    case SQLITE_INTERRUPT: return "it took longer than it may; ask for less at once";
    case SQLITE_READONLY: return "you need the right to write the database's file and its folder";
    case SQLITE_CANTOPEN:
      return "you need the right to read and write the database's file and its folder";
    default: break;
  }
  if (message.starts_with("no such table: vestige_"))
    return "vestige doctor says what is missing from the trail";
  return "";
}

tl::unexpected<Error> broken(sqlite3* handle, std::string_view attempt) {
  const int code = sqlite3_extended_errcode(handle);
  const std::string_view message = sqlite3_errmsg(handle);
  return tl::unexpected<Error>(Error{fault_of(code), fmt::format("{}: {}", attempt, message),
                                     std::string(hint_of(code, message))});
}

Result<SqliteStatement> prepare(sqlite3* handle, std::string_view sql,
                                std::string_view* rest = nullptr) {
  if (sql.data() == nullptr) sql = "";
  if (sql.find('\0') != std::string_view::npos)  // SQLite would stop there, and we would never end
    return fail(Fault::invalid, "run sql: a NUL byte in the text");
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code =
      sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &raw, &tail);
  SqliteStatement statement(raw);
  if ((code & 0xFF) == SQLITE_AUTH)  // Fence: nothing else here refuses statements
    return hinted(fail(Fault::denied,
                       "run sql: the script is one transaction, it cannot begin, end or attach"),
                  "leave out BEGIN, COMMIT, ROLLBACK, SAVEPOINT, ATTACH and DETACH");
  if (code != SQLITE_OK) return broken(handle, "run sql");
  if (rest != nullptr) *rest = sql.substr(static_cast<std::size_t>(tail - sql.data()));
  return statement;
}

int bind_one(sqlite3_stmt* statement, int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(Null) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t integer) const {
      return sqlite3_bind_int64(statement, index, integer);
    }
    int operator()(double real) const { return sqlite3_bind_double(statement, index, real); }
    int operator()(const Text& text) const {
      return sqlite3_bind_text64(statement, index, text.bytes.data(), text.bytes.size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    int operator()(const Blob& blob) const {
      if (blob.bytes.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
      return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(),
                                 SQLITE_TRANSIENT);
    }
    int operator()(const Token& token) const {
      return sqlite3_bind_text64(statement, index, token.text.data(), token.text.size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8);
    }
  };
  return std::visit(Binder{statement, index}, value);
}

Result<void> bind(sqlite3* handle, sqlite3_stmt* statement, const Params& params) {
  for (std::size_t i = 0; i < params.size(); ++i)
    if (bind_one(statement, static_cast<int>(i) + 1, params[i]) != SQLITE_OK)
      return broken(handle, "bind a value");
  return {};
}

class SqliteRows final : public Rows {
 public:
  SqliteRows(sqlite3* handle, SqliteStatement statement)
      : handle_(handle),
        statement_(std::move(statement)),
        before_(sqlite3_total_changes64(handle)) {}

  Result<Step> next() override {
    if (ended_) return Step::end;  // stepping on would run the statement again
    switch (sqlite3_step(statement_.get())) {
      case SQLITE_ROW: return Step::row;
      case SQLITE_DONE: ended_ = true; return Step::end;
      default: return broken(handle_, "run sql");
    }
  }

  int columns() const override { return sqlite3_column_count(statement_.get()); }
  std::int64_t changed() const override {
    // A statement that changes nothing leaves the count of the one before it.
    return sqlite3_total_changes64(handle_) == before_ ? 0 : sqlite3_changes64(handle_);
  }
  std::string name(int column) const override {
    return sqlite3_column_name(statement_.get(), column);
  }

  bool is_null(int column) const override {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }

  Value value(int column) const override {
    sqlite3_stmt* statement = statement_.get();
    const auto bytes = [&](const void* data) {
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
    };
    switch (sqlite3_column_type(statement, column)) {
      case SQLITE_INTEGER: return sqlite3_column_int64(statement, column);
      case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
      case SQLITE_TEXT: return Text{bytes(sqlite3_column_text(statement, column))};
      case SQLITE_BLOB: return Blob{bytes(sqlite3_column_blob(statement, column))};
      default: return Null{};
    }
  }

 private:
  sqlite3* handle_;
  SqliteStatement statement_;
  std::int64_t before_;
  bool ended_ = false;
};

// A product of integers with the value of a finite real: exact, because every step only moves the
// exponent. For the few reals whose decimal text SQLite itself does not read back to the last bit.
std::string product(double real) {
  constexpr int kStep = 62;
  int exponent = 0;
  const auto digits = static_cast<std::int64_t>(std::ldexp(std::frexp(real, &exponent), 53));
  std::string out = fmt::format("({}.0", digits);
  exponent -= 53;
  while (exponent != 0) {
    const int step = std::min(std::abs(exponent), kStep);
    out += fmt::format(" {} {}", exponent < 0 ? '/' : '*', std::int64_t{1} << step);
    exponent += exponent < 0 ? step : -step;
  }
  return out + ")";
}

// Whether SQLite reads the text as exactly this real.
bool reads_as(sqlite3* handle, const std::string& text, double real) {
  const auto statement = prepare(handle, "select " + text);
  return statement.has_value() && sqlite3_step(statement->get()) == SQLITE_ROW &&
         sqlite3_column_type(statement->get(), 0) == SQLITE_FLOAT &&
         identical(sqlite3_column_double(statement->get(), 0), real);
}

int deny_transactions(void* /*unused*/, int action, const char*, const char*, const char*,
                      const char*) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH: return SQLITE_DENY;
    default: return SQLITE_OK;
  }
}

}  // namespace

// The last statement with parameters stays compiled: it is often the next one too.
struct Sqlite::Kept {
  std::string sql;
  SqliteStatement statement;
};

Result<std::unique_ptr<Sqlite>> Sqlite::open(const std::string& path, Mode mode) {
  if (sqlite3_libversion_number() < kOldest)
    return fail(Fault::invalid, "open {}: SQLite {} is too old, 3.38 or newer is needed", path,
                sqlite3_libversion());
  std::error_code error;
  if (mode != Mode::create && path != ":memory:") {
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::none)
      return fail(Fault::denied, "open {}: {}", path, error.message());
    if (!std::filesystem::exists(status))
      return hinted(fail(Fault::missing, "open {}: no such file", path),
                    "check --db, $VESTIGE_DB or vestige.toml; vestige does not create databases");
    if (!std::filesystem::is_regular_file(status))
      return fail(Fault::invalid, "open {}: not a file", path);
  }
  sqlite3* raw = nullptr;
  const int flags = (mode == Mode::reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_EXRESCODE | (mode == Mode::create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  std::unique_ptr<Sqlite> db(new Sqlite(raw, path, true));
  if (code != SQLITE_OK) return broken(raw, fmt::format("open {}", path));
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  auto probe = scalar(*db, "select count(*) from sqlite_schema");
  if (!probe.has_value()) {
    if (probe.error().fault == Fault::corrupt)
      return hinted(fail(Fault::invalid, "open {}: not an SQLite database", path),
                    "give the path of a database file, or sqlite:PATH");
    return tl::unexpected<Error>(std::move(probe).error());
  }
  TRY(db->script("pragma foreign_keys = on"));
  return db;
}

std::unique_ptr<Sqlite> Sqlite::borrow(sqlite3* handle) {
  const char* file = sqlite3_db_filename(handle, "main");
  return std::unique_ptr<Sqlite>(
      new Sqlite(handle, file == nullptr || *file == '\0' ? ":memory:" : file, false));
}

Sqlite::Sqlite(sqlite3* handle, std::string path, bool owns)
    : handle_(handle), path_(std::move(path)), owns_(owns) {}

Sqlite::~Sqlite() {
  kept_.reset();
  if (owns_) sqlite3_close_v2(handle_);
}

Result<std::unique_ptr<Rows>> Sqlite::query(std::string_view sql, const Params& params) {
  auto statement = TRY(prepare(handle_, sql));
  if (statement == nullptr) return fail(Fault::invalid, "run sql: nothing to run");
  TRY(bind(handle_, statement.get(), params));
  return std::unique_ptr<Rows>(new SqliteRows(handle_, std::move(statement)));
}

Result<std::int64_t> Sqlite::run(std::string_view sql, const Params& params) {
  const std::int64_t before = sqlite3_total_changes64(handle_);
  if (params.empty()) {
    auto rows = TRY(query(sql));
    while (TRY(rows->next()) == Step::row) {
    }
  } else {
    TRY(run_kept(sql, params));
  }
  // A statement that changes nothing leaves the count of the one before it.
  return sqlite3_total_changes64(handle_) == before ? 0 : sqlite3_changes64(handle_);
}

Result<void> Sqlite::run_kept(std::string_view sql, const Params& params) {
  if (kept_ == nullptr || kept_->sql != sql) {
    auto statement = TRY(prepare(handle_, sql));
    if (statement == nullptr) return fail(Fault::invalid, "run sql: nothing to run");
    kept_ = std::make_unique<Kept>(Kept{std::string(sql), std::move(statement)});
  }
  std::unique_ptr<Kept> running = std::move(kept_);  // gone, should it fail
  sqlite3_stmt* statement = running->statement.get();
  TRY(bind(handle_, statement, params));
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  if (code != SQLITE_DONE) return broken(handle_, "run sql");
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  kept_ = std::move(running);
  return {};
}

Result<void> Sqlite::script(std::string_view sql) {
  while (true) {
    std::string_view rest;
    auto statement = TRY(prepare(handle_, sql, &rest));
    if (statement == nullptr) {
      if (rest.empty()) return {};
    } else {
      SqliteRows rows(handle_, std::move(statement));
      while (TRY(rows.next()) == Step::row) {
      }
    }
    sql = rest;
  }
}

Result<std::string_view> Sqlite::first_statement(std::string_view sql, std::string_view& rest) {
  while (true) {
    auto statement = TRY(prepare(handle_, sql, &rest));
    const std::string_view text = sql.substr(0, sql.size() - rest.size());
    if (statement != nullptr) return text;
    if (rest.empty()) return std::string_view();
    sql = rest;
  }
}

std::string Sqlite::quote_name(std::string_view name) const {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string Sqlite::literal(const Value& value) const {
  if (const auto* text = std::get_if<Text>(&value)) {
    // A literal cannot hold NUL or bytes that are not UTF-8.
    if (text->bytes.find('\0') != std::string::npos || !json::is_utf8(text->bytes)) {
      std::string out = "cast(x'";
      json::append_hex(out, text->bytes);
      return out + "' as text)";
    }
    std::string out = "'";
    for (const char c : text->bytes) {
      if (c == '\'') out += '\'';
      out += c;
    }
    return out + "'";
  }
  if (const auto* token = std::get_if<Token>(&value)) return literal(Text{token->text});
  if (const auto* real = std::get_if<double>(&value)) {
    if (!std::isfinite(*real)) return std::isnan(*real) ? "null" : *real > 0 ? "9e999" : "-9e999";
    std::string text = to_display(value);
    return reads_as(handle_, text, *real) ? text : product(*real);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value);
      integer != nullptr && *integer == std::numeric_limits<std::int64_t>::min())
    return "(-9223372036854775807 - 1)";
  return to_display(value);
}

Result<void> Sqlite::begin() {
  within_ = !owns_ && in_transaction();
  return script(within_ ? "savepoint vestige" : "begin immediate");
}

Result<void> Sqlite::commit() { return script(within_ ? "release vestige" : "commit"); }

void Sqlite::rollback() noexcept {
  if (!in_transaction()) return;
  sqlite3_exec(handle_, within_ ? "rollback to vestige; release vestige" : "rollback", nullptr,
               nullptr, nullptr);
}

bool Sqlite::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::string Sqlite::where() const { return "sqlite:" + path_; }

void Sqlite::fence(bool on) {
  fenced_ = on;
  sqlite3_set_authorizer(handle_, on ? deny_transactions : nullptr, nullptr);
}

Result<void> Sqlite::application_triggers(bool on) {
  int before = 1;
  if (sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &before) != SQLITE_OK ||
      sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, on ? had_triggers_.value_or(1) : 0,
                        nullptr) != SQLITE_OK)
    return broken(handle_, "switch triggers");
  if (!on && !had_triggers_.has_value()) had_triggers_ = before;
  return {};
}

Result<void> Sqlite::compiles(const std::string& sql) {
  TRY(prepare(handle_, sql));
  return {};
}

std::string sqlite_version() { return sqlite3_libversion(); }

}  // namespace vestige
