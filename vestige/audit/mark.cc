#include "vestige/audit/mark.h"

#include <algorithm>

#include "vestige/audit/at.h"
#include "vestige/base/json.h"
#include "vestige/base/nearest.h"
#include "vestige/base/time.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::string_view kMark = "mark";
constexpr std::size_t kLongest = 200;  // bytes

std::string table(Database& db) { return spelling_of(db).table(kMark); }

// Where the table of marks is there.
Result<std::optional<std::int64_t>> stored_place(Database& db, const std::string& name) {
  auto rows =
      TRY(db.query(fmt::format("select change from {} where name = ?1", table(db)), {Text{name}}));
  if (TRY(rows->next()) == Step::end) return std::optional<std::int64_t>();
  return std::optional(rows->integer(0));
}

Result<std::optional<std::int64_t>> place(Database& db, const std::string& name) {
  TRY(require_trail(db));
  if (!TRY(known_own_table(db, kMark)).has_value()) return std::optional<std::int64_t>();
  return stored_place(db, name);
}

Result<tl::unexpected<Error>> no_such_mark(Database& db, const std::string& name) {
  std::vector<std::string> names;
  for (const Mark& one : TRY(marks(db))) names.push_back(one.name);
  const std::string near = nearest(name, names);
  return hinted(fail(Fault::missing, "find mark '{}': there is none of that name", name),
                near.empty() ? "vestige mark lists them" : fmt::format("did you mean {}?", near));
}

Result<std::int64_t> last_change(Database& db) {
  Selection last;
  last.limit = 1;
  const auto change = TRY(TRY(read_changes(db, last))->next());
  return change.has_value() ? change->id : 0;
}

Result<std::int64_t> place_of(Database& db, const Moment& moment) {
  return moment.kind == Moment::Kind::now ? last_change(db) : resolve(db, moment);
}

}  // namespace

Result<void> check_mark_name(const std::string& name) {
  const auto refused = [&](std::string_view why) {
    return hinted(fail(Fault::invalid, "mark '{}': {}", name, why),
                  "name it as something that people remember: \"before import\"");
  };
  if (name.empty() || name.front() == ' ' || name.back() == ' ')
    return refused("a name has letters at both ends");
  if (!json::is_utf8(name)) return refused("a name is text in UTF-8");
  if (name.size() > kLongest) return refused("a name has at most 200 bytes");
  if (std::any_of(name.begin(), name.end(),
                  [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '~'; }))
    return refused("a name has no ~ and no control characters");
  if (name == "last" || name.starts_with("tx:") || name.starts_with("mark:") ||
      parse_moment(name, Now(clock_now())).has_value())
    return refused("that means a moment already");
  return {};
}

Result<Mark> mark(Database& db, const std::string& name, const Moment& moment, bool move,
                  const Context& context) {
  TRY(check_mark_name(name));
  TRY(require_trail(db));
  const std::int64_t change = TRY(place_of(db, moment));
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(own_table(db, kMark));
  const auto before = TRY(stored_place(db, name));
  if (before.has_value() && !move)
    return hinted(
        fail(Fault::conflict, "mark '{}': it is there, just after change {}", name, *before),
        "--force moves it");
  const std::string sql = before.has_value() ? "update {} set change = ?2 where name = ?1"
                                             : "insert into {} (name, change) values (?1, ?2)";
  TRY(db.run(fmt::format(fmt::runtime(sql), table(db)), {Text{name}, change}));
  TRY(scope.commit());
  return Mark{name, change, {}};
}

Result<void> unmark(Database& db, const std::string& name, const Context& context) {
  if (!TRY(place(db, name)).has_value()) return TRY(no_such_mark(db, name));
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(db.run(fmt::format("delete from {} where name = ?1", table(db)), {Text{name}}));
  return scope.commit();
}

Result<std::vector<Mark>> marks(Database& db) {
  std::vector<Mark> out;
  TRY(require_trail(db));
  const auto known = TRY(known_own_table(db, kMark));
  if (!known.has_value()) return out;
  {
    auto rows =
        TRY(db.query(fmt::format("select name, change from {} order by change, name", table(db))));
    while (TRY(rows->next()) == Step::row) out.push_back({rows->text(0), rows->integer(1), {}});
  }
  Selection written;
  written.table = known->id;
  auto changes = TRY(read_changes(db, written));
  while (auto change = TRY(changes->next())) {
    const Row& key = change->new_key.value_or(change->key);
    if (key.size() != 1) continue;
    for (Mark& one : out)
      if (!one.written.has_value() && key.front().value == Value(Text{one.name}))
        one.written = std::move(*change);
  }
  return out;
}

Result<Moment> marked(Database& db, const std::string& name) {
  const auto found = TRY(place(db, name));
  if (!found.has_value()) return TRY(no_such_mark(db, name));
  return Moment{Moment::Kind::change, *found};
}

std::string to_json(const Mark& mark) {
  const auto optional = [](const std::string* text) {
    return text == nullptr ? std::string("null") : text_json(*text);
  };
  const Change* written = mark.written.has_value() ? &*mark.written : nullptr;
  return fmt::format(R"({{"mark":{},"change":{},"marked_at":{},"who":{},"reason":{}}})",
                     text_json(mark.name), mark.change,
                     written == nullptr ? "null" : text_json(format_time(written->at)),
                     optional(written == nullptr ? nullptr : written->who()),
                     optional(written == nullptr ? nullptr : written->context.get("reason")));
}

}  // namespace vestige
