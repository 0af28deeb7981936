#include "clients/sqlite/tables.h"

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "clients/sqlite/values.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/log.h"
#include "vestige/base/time.h"
#include "vestige/db/sqlite.h"
#include "vestige/feed/feed.h"
#include "vestige/trail/install.h"

namespace vestige::extension {
namespace {

using Arguments = std::vector<std::optional<Value>>;  // by their places; nothing: not given

// The rows of one question. The values of a row are valid until the next.
class Answer {
 public:
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  virtual ~Answer() = default;
  virtual Result<bool> next() = 0;
  virtual Value value(int column) const = 0;
};

Value json_or_null(const std::optional<Row>& row) {
  return row.has_value() ? Value(Text{to_json(*row)}) : Value(Null{});
}

Value text_or_null(const std::string* text) {
  return text == nullptr ? Value(Null{}) : Value(Text{*text});
}

constexpr const char* kChangeColumns =
    "\"index\", id, at, op, \"table\", key, new_key, old_values, new_values, changed_fields, tx, "
    "context, actor, reason";

Value column_of(const Change& change, int column) {
  switch (column) {
    case 0:
      return change.index.has_value() ? Value(static_cast<std::int64_t>(*change.index))
                                      : Value(Null{});
    case 1: return change.id;
    case 2: return Text{format_time(change.at)};
    case 3: return Text{std::string(name(change.op))};
    case 4: return Text{change.table};
    case 5: return Text{to_json(change.key)};
    case 6: return json_or_null(change.new_key);
    case 7: return json_or_null(change.old_values);
    case 8: return json_or_null(change.new_values);
    case 9:
      return change.op == Op::update && !change.lost_values()
                 ? Value(Text{list_json(change.changed_fields())})
                 : Value(Null{});
    case 10: return change.tx;
    case 11: return Text{to_json(change.context)};
    case 12: return text_or_null(change.context.get("actor"));
    default: return text_or_null(change.context.get("reason"));
  }
}

// Of whatever gives changes by next(): a selection, or the feed.
template <class Source>
class ChangesAnswer final : public Answer {
 public:
  explicit ChangesAnswer(std::unique_ptr<Source> source) : source_(std::move(source)) {}
  Result<bool> next() override {
    auto change = TRY(source_->next());
    if (!change.has_value()) return false;
    change_ = std::move(*change);
    return true;
  }
  Value value(int column) const override { return column_of(change_, column); }

 private:
  std::unique_ptr<Source> source_;
  Change change_;
};

class BlameAnswer final : public Answer {
 public:
  explicit BlameAnswer(Blame blame) : blame_(std::move(blame)) {}
  Result<bool> next() override { return ++place_ < static_cast<int>(blame_.columns.size()); }
  Value value(int column) const override {
    const Blamed& blamed = blame_.columns[static_cast<std::size_t>(place_)];
    if (column == 0) return Text{blamed.column};
    if (column == 1) return Text{to_json(blamed.value)};
    if (!blamed.change.has_value()) return Null{};
    constexpr std::array kOfChange = {1, 2, 12, 13};
    return column_of(*blamed.change, kOfChange.at(static_cast<std::size_t>(column) - 2));
  }

 private:
  Blame blame_;
  int place_ = -1;
};

class StatesAnswer final : public Answer {
 public:
  explicit StatesAnswer(std::unique_ptr<States> states) : states_(std::move(states)) {}
  Result<bool> next() override {
    state_ = TRY(states_->next());
    return state_.has_value();
  }
  Value value(int) const override { return json_or_null(state_); }

 private:
  std::unique_ptr<States> states_;
  State state_;
};

Result<std::string> text(const Arguments& arguments, std::size_t place, std::string_view what) {
  if (place < arguments.size() && arguments[place].has_value() &&
      !std::holds_alternative<Null>(*arguments[place]))
    return typed(*arguments[place]);
  return fail(Fault::invalid, "say {}", what);
}

// A table's name, and the values of a key.
struct RowAsked {
  std::string table;
  std::vector<std::string> key;
};

Result<RowAsked> row(const Arguments& arguments) {
  RowAsked asked;
  asked.table = TRY(text(arguments, 0, "which table, and which key"));
  for (std::size_t place = 1; place < arguments.size() && arguments[place].has_value(); ++place)
    asked.key.push_back(typed(*arguments[place]));
  if (asked.key.empty()) return fail(Fault::invalid, "say which row of {}: its key", asked.table);
  return asked;
}

using Made = Result<std::unique_ptr<Answer>>;

Made changes(Database& db, const Arguments& arguments) {
  LogRequest request;
  if (!arguments.empty() && arguments[0].has_value()) {
    request.filter.filter =
        TRY(parse_filter(TRY(text(arguments, 0, "a filter, or nothing")), Now(clock_now())));
  }
  return std::unique_ptr<Answer>(new ChangesAnswer(TRY(log(db, request))));
}

Made history(Database& db, const Arguments& arguments) {
  auto asked = TRY(row(arguments));
  LogRequest request;
  request.table = std::move(asked.table);
  request.key = std::move(asked.key);
  return std::unique_ptr<Answer>(new ChangesAnswer(TRY(log(db, request))));
}

Made blamed(Database& db, const Arguments& arguments) {
  const auto asked = TRY(row(arguments));
  return std::unique_ptr<Answer>(new BlameAnswer(TRY(blame(db, asked.table, asked.key))));
}

Made states(Database& db, const Arguments& arguments) {
  const std::string table = TRY(text(arguments, 0, "which table, and which moment"));
  const std::string moment = TRY(text(arguments, 1, "which moment"));
  return std::unique_ptr<Answer>(
      new StatesAnswer(TRY(at(db, table, TRY(find_moment(db, moment, Now(clock_now())))))));
}

Made feed(Database& db, const Arguments& arguments) {
  std::int64_t after = -1;
  if (!arguments.empty() && arguments[0].has_value()) {
    const auto* given = std::get_if<std::int64_t>(&*arguments[0]);
    if (given == nullptr || *given < -1)
      return fail(Fault::invalid, "say behind which index: a whole number, or -1");
    after = *given;
  }
  return std::unique_ptr<Answer>(new ChangesAnswer(TRY(Feed::open(db, Selection(), after))));
}

struct Asked {
  const char* name;
  const char* columns;
  int shown;              // columns before the hidden ones, which are the arguments
  const char* arguments;  // "a0 hidden, a1 hidden"
  int places;
  Made (*ask)(Database&, const Arguments&);
};

constexpr const char* kRowArguments =
    "\"of\" hidden, k1 hidden, k2 hidden, k3 hidden, k4 hidden, k5 hidden, k6 hidden, k7 hidden, "
    "k8 hidden";

constexpr Asked kAsked[] = {
    {"vestige_changes", kChangeColumns, 14, "filter hidden", 1, changes},
    {"vestige_history", kChangeColumns, 14, kRowArguments, 9, history},
    {"vestige_blame", "\"column\", value, change, at, actor, reason", 6, kRowArguments, 9, blamed},
    {"vestige_at", "row", 1, "\"of\" hidden, moment hidden", 2, states},
    {"vestige_feed", kChangeColumns, 14, "after hidden", 1, feed},
};

struct Table {
  sqlite3_vtab base;
  sqlite3* db;
  const Asked* asked;
};

struct Cursor {
  sqlite3_vtab_cursor base;
  std::unique_ptr<Sqlite> db;
  std::unique_ptr<Answer> answer;
  std::int64_t place = 0;
  bool ended = true;
};

int refuse(sqlite3_vtab* table, const Error& error) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf(
      "%s", message_of(
                {error.fault,
                 fmt::format("{}: {}", reinterpret_cast<Table*>(table)->asked->name, error.message),
                 error.hint})
                .c_str());
  return SQLITE_ERROR;
}

int connect(sqlite3* db, void* asked, int, const char* const*, sqlite3_vtab** out, char**) {
  const auto& of = *static_cast<const Asked*>(asked);
  const std::string declared = fmt::format("create table x({}, {})", of.columns, of.arguments);
  const int code = sqlite3_declare_vtab(db, declared.c_str());
  if (code != SQLITE_OK) return code;
  // Not from a trigger or a view that somebody left in the database.
  sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  auto* table = new (std::nothrow) Table{{}, db, &of};
  if (table == nullptr) return SQLITE_NOMEM;
  *out = &table->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete reinterpret_cast<Table*>(table);
  return SQLITE_OK;
}

// Every argument is an equality with a hidden column; which of them are given goes to filter() as a mask.
int best_index(sqlite3_vtab* vtab, sqlite3_index_info* info) {
  const Asked& asked = *reinterpret_cast<Table*>(vtab)->asked;
  std::array<int, 16> of;  // the constraint of each argument
  of.fill(-1);
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const int place = constraint.iColumn - asked.shown;
    if (place < 0 || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
    if (constraint.usable == 0) return SQLITE_CONSTRAINT;  // another order of the join knows it
    of.at(static_cast<std::size_t>(place)) = i;
  }
  int count = 0;
  for (int place = 0; place < asked.places; ++place) {
    const int i = of.at(static_cast<std::size_t>(place));
    if (i < 0) continue;
    info->aConstraintUsage[i].argvIndex = ++count;
    info->aConstraintUsage[i].omit = 1;
    info->idxNum |= 1 << place;
  }
  info->estimatedCost = count == 0 ? 1e6 : 1e3;
  return SQLITE_OK;
}

int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  auto* cursor = new (std::nothrow) Cursor();
  if (cursor == nullptr) return SQLITE_NOMEM;
  *out = &cursor->base;
  return SQLITE_OK;
}

int close_cursor(sqlite3_vtab_cursor* base) {
  auto* cursor = reinterpret_cast<Cursor*>(base);
  cursor->answer.reset();
  delete cursor;
  return SQLITE_OK;
}

int step(sqlite3_vtab_cursor* base) {
  auto* cursor = reinterpret_cast<Cursor*>(base);
  const auto more = guarded<bool>([&] { return cursor->answer->next(); });
  if (!more.has_value()) return refuse(base->pVtab, more.error());
  cursor->ended = !*more;
  ++cursor->place;
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int mask, const char*, int, sqlite3_value** values) {
  auto* cursor = reinterpret_cast<Cursor*>(base);
  const auto& table = *reinterpret_cast<Table*>(base->pVtab);
  cursor->answer.reset();
  auto made = guarded<std::unique_ptr<Answer>>([&]() -> Made {
    Arguments arguments(static_cast<std::size_t>(table.asked->places));
    for (int place = 0, given = 0; place < table.asked->places; ++place)
      if ((mask >> place & 1) != 0)
        arguments[static_cast<std::size_t>(place)] = value_of(values[given++]);
    cursor->db = Sqlite::borrow(table.db);
    TRY(require_trail(*cursor->db));
    return table.asked->ask(*cursor->db, arguments);
  });
  if (!made.has_value()) return refuse(base->pVtab, made.error());
  cursor->answer = std::move(*made);
  cursor->place = 0;
  return step(base);
}

int ended(sqlite3_vtab_cursor* base) { return reinterpret_cast<Cursor*>(base)->ended ? 1 : 0; }

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int place) {
  const auto* cursor = reinterpret_cast<Cursor*>(base);
  if (place >= reinterpret_cast<Table*>(base->pVtab)->asked->shown) return SQLITE_OK;  // null
  const auto value =
      guarded<Value>([&]() -> Result<Value> { return cursor->answer->value(place); });
  if (!value.has_value()) return SQLITE_NOMEM;
  give(context, *value);
  return SQLITE_OK;
}

int row_id(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  *out = reinterpret_cast<Cursor*>(base)->place;
  return SQLITE_OK;
}

// Without xCreate: it is there by its name, and nobody can make a table of it.
const sqlite3_module kModule = {
    .iVersion = 0,
    .xCreate = nullptr,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = step,
    .xEof = ended,
    .xColumn = column,
    .xRowid = row_id,
    .xUpdate = nullptr,
    .xBegin = nullptr,
    .xSync = nullptr,
    .xCommit = nullptr,
    .xRollback = nullptr,
    .xFindFunction = nullptr,
    .xRename = nullptr,
    .xSavepoint = nullptr,
    .xRelease = nullptr,
    .xRollbackTo = nullptr,
    .xShadowName = nullptr,
};

}  // namespace

int add_tables(sqlite3* db) {
  for (const Asked& asked : kAsked) {
    const int code =
        sqlite3_create_module_v2(db, asked.name, &kModule, const_cast<Asked*>(&asked), nullptr);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

}  // namespace vestige::extension
