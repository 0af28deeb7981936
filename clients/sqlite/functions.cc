#include "clients/sqlite/functions.h"

#include <functional>
#include <vector>

#include "clients/sqlite/values.h"
#include "vestige/audit/doctor.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/revert.h"
#include "vestige/base/json.h"
#include "vestige/db/sqlite.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"
#include "vestige/trail/track.h"

namespace vestige::extension {
namespace {

using Values = std::vector<Value>;

Result<std::string> text(const Values& values, std::size_t place, std::string_view what) {
  const auto* text = place < values.size() ? std::get_if<Text>(&values[place]) : nullptr;
  if (text == nullptr) return fail(Fault::invalid, "say {}, as text", what);
  return text->bytes;
}

Result<std::int64_t> number(const Values& values, std::size_t place, std::string_view what) {
  const auto* number = place < values.size() ? std::get_if<std::int64_t>(&values[place]) : nullptr;
  if (number == nullptr) return fail(Fault::invalid, "say {}, a whole number", what);
  return *number;
}

// The members of an object: those that `take` knows; the fields of a context are taken besides where `context` is there.
using Take = std::function<Result<bool>(const std::string& name, const json::Span& value)>;

Result<void> options(const Values& values, std::size_t place, Context* context, const Take& take) {
  if (place >= values.size() || std::holds_alternative<Null>(values[place])) return {};
  const std::string given = TRY(text(values, place, "the options"));
  json::Reader reader(given);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    const std::string name = TRY(reader.key());
    const json::Span value = TRY(reader.value());
    if (TRY(take(name, value))) continue;
    if (context == nullptr) return fail(Fault::invalid, "there is no option {}", name);
    if (value.kind == json::Kind::null) continue;
    context->set(name, value.kind == json::Kind::string ? TRY(json::unquote(value.text))
                                                        : std::string(value.text));
  }
  return reader.end();
}

Result<bool> yes(const std::string& name, const json::Span& value) {
  if (value.kind == json::Kind::boolean) return value.text == "true";
  return fail(Fault::invalid, "option {}: true or false", name);
}

// ---- set up

Result<Value> init(Database& db, const Values&) {
  const bool done = TRY(install(db));
  return Value(std::int64_t{done ? 1 : 0});
}

Result<Value> start(Database& db, const Values& values) {
  const std::string name = TRY(text(values, 0, "which table"));
  bool with_baseline = false;
  Policy policy;
  if (values.size() > 1 && !std::holds_alternative<Null>(values[1])) {
    // A policy, as docs/json.md has it, and whether the rows that are there are recorded.
    const std::string given = TRY(text(values, 1, "the policy"));
    std::string rest = "{";
    const auto take = [&](const std::string& option, const json::Span& value) -> Result<bool> {
      if (option == "baseline") with_baseline = TRY(yes(option, value));
      else
        rest += fmt::format("{}{}:{}", rest.size() > 1 ? "," : "", json::quote(option), value.text);
      return true;
    };
    TRY(options({Text{given}}, 0, nullptr, take));
    policy = TRY(policy_from_json(rest + "}"));
  }
  TRY(require_trail(db));
  auto transaction = TRY(Transaction::begin(db));
  const Tracked table = TRY(track(db, TRY(meant_table(db, name)).value_or(name), policy));
  if (with_baseline) TRY(baseline(db, table));
  TRY(transaction.commit());
  return Value(static_cast<std::int64_t>(table.shape.columns.size()));
}

Result<Value> stop(Database& db, const Values& values) {
  const std::string name = TRY(text(values, 0, "which table"));
  TRY(require_trail(db));
  auto transaction = TRY(Transaction::begin(db));
  TRY(untrack(db, TRY(tracked_table(db, name)).name));
  TRY(transaction.commit());
  return Value(Null{});
}

Result<Value> examine(Database& db, const Values& values) {
  bool fix = false;
  TRY(options(values, 0, nullptr,
              [&](const std::string& option, const json::Span& value) -> Result<bool> {
                if (option != "fix") return false;
                fix = TRY(yes(option, value));
                return true;
              }));
  std::string found;
  for (const Finding& one : TRY(doctor(db, fix)))
    found += (found.empty() ? "" : ",") + to_json(one);
  return Value(Text{"[" + found + "]"});
}

// ---- say who

Result<Value> say(Database& db, const Values& values) {
  TRY(require_trail(db));
  if (std::holds_alternative<Null>(values[0])) {
    TRY(db.run("delete from vestige_session"));
    return Value(Null{});
  }
  Context context;
  TRY(options(values, 0, &context,
              [](const std::string&, const json::Span&) { return Result<bool>(false); }));
  if (context.empty())
    return hinted(fail(Fault::invalid, "the context says nothing"),
                  R"(vestige_context('{"actor":"ann"}'), or vestige_context(null) to clear it)");
  std::string names;
  std::string marks;
  Params given;
  Context other;
  for (const auto& [field, said] : context.fields()) {
    if (!is_context_field(field)) {
      other.set(field, said);
      continue;
    }
    given.emplace_back(Text{said});
    names += (names.empty() ? "" : ", ") + field;
    marks += fmt::format("{}?{}", marks.empty() ? "" : ", ", given.size());
  }
  if (!other.empty()) {
    given.emplace_back(Text{to_json(other)});
    names += names.empty() ? "extra" : ", extra";
    marks += fmt::format("{}?{}", marks.empty() ? "" : ", ", given.size());
  }
  TRY(db.run(fmt::format("insert into vestige_session ({}) values ({})", names, marks), given));
  return Value(Null{});
}

// ---- put back and forget

Result<Value> undo(Database& db, const RevertRequest& request, const Values& values) {
  ApplyOptions how;
  TRY(options(values, 1, &how.context,
              [&](const std::string& option, const json::Span& value) -> Result<bool> {
                if (option == "dry_run") how.dry_run = TRY(yes(option, value));
                else if (option == "force" || option == "skip_conflicts") {
                  if (TRY(yes(option, value)))
                    how.on_conflict = option == "force" ? OnConflict::force : OnConflict::skip;
                } else {
                  return false;
                }
                return true;
              }));
  return Value(Text{to_json(TRY(revert(db, request, how)), how.dry_run)});
}

Result<Value> undo_tx(Database& db, const Values& values) {
  RevertRequest request;
  request.tx = TRY(number(values, 0, "which transaction"));
  return undo(db, request, values);
}

Result<Value> undo_change(Database& db, const Values& values) {
  RevertRequest request;
  request.changes = {TRY(number(values, 0, "which change"))};
  return undo(db, request, values);
}

Result<Value> forget(Database& db, const Values& values) {
  EraseRequest request;
  Context context;
  request.table = TRY(text(values, 0, "which table, which key, and {\"reason\":…}"));
  for (std::size_t place = 1; place + 1 < values.size(); ++place)
    request.key.push_back(typed(values[place]));
  if (request.key.empty())
    return hinted(fail(Fault::invalid, "say which row of {}, and why", request.table),
                  R"(vestige_erase('customers', 17, '{"reason":"GDPR 4711"}'))");
  TRY(options(values, values.size() - 1, &context,
              [&](const std::string& option, const json::Span& value) -> Result<bool> {
                if (option == "keys") request.keys = TRY(yes(option, value));
                else if (option == "contexts") request.contexts = TRY(yes(option, value));
                else if (option == "dry_run") request.dry_run = TRY(yes(option, value));
                else return false;
                return true;
              }));
  return Value(Text{to_json(TRY(erase(db, request, context)), request.dry_run)});
}

Result<Value> version(Database&, const Values&) { return Value(Text{VESTIGE_VERSION}); }

struct Function {
  const char* name;
  int least;
  int most;
  Result<Value> (*run)(Database&, const Values&);
};

constexpr Function kFunctions[] = {
    {"vestige_init", 0, 0, init},        {"vestige_track", 1, 2, start},
    {"vestige_untrack", 1, 1, stop},     {"vestige_doctor", 0, 1, examine},
    {"vestige_context", 1, 1, say},      {"vestige_revert", 1, 2, undo_tx},
    {"vestige_undo", 1, 2, undo_change}, {"vestige_erase", 2, 10, forget},
    {"vestige_version", 0, 0, version},
};

void call(sqlite3_context* context, int count, sqlite3_value** given) {
  const auto& function = *static_cast<const Function*>(sqlite3_user_data(context));
  const auto result = guarded<Value>([&]() -> Result<Value> {
    if (count < function.least || count > function.most)
      return fail(Fault::invalid, "it takes {} to {} arguments", function.least, function.most);
    Values values;
    for (int i = 0; i < count; ++i) values.push_back(value_of(given[i]));
    // Of this call only: a statement that is kept would keep the connection from being closed.
    const auto db = Sqlite::borrow(sqlite3_context_db_handle(context));
    return function.run(*db, values);
  });
  if (result.has_value()) return give(context, *result);
  Error error = result.error();
  error.message = fmt::format("{}: {}", function.name, error.message);
  sqlite3_result_error(context, message_of(error).c_str(), -1);
}

}  // namespace

int add_functions(sqlite3* db) {
  for (const Function& function : kFunctions) {
    // DIRECTONLY: no trigger or view that somebody left in the database can call it.
    const int code = sqlite3_create_function_v2(
        db, function.name, -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, const_cast<Function*>(&function),
        call, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

}  // namespace vestige::extension
