// Tables, and the rows of one as they were.
#include <charconv>

#include "server/api.h"
#include "server/csv.h"
#include "server/lists.h"
#include "vestige/audit/at.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/trail/upkeep.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kManyChanges = 200'000;  // beyond them nobody waits until they are counted

std::string names_json(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return list_json(names);
}

std::string moment_json(const std::optional<std::int64_t>& micros) {
  return micros.has_value() ? json::quote(format_time(*micros)) : "null";
}

// How many changes each table has, where that is soon counted.
Result<std::optional<std::map<std::int64_t, Volume>>> counts(Database& db) {
  Selection newest;
  newest.limit = 1;
  newest.forgiving = true;
  const auto last = TRY(TRY(read_changes(db, newest))->next());
  if (last.has_value() && last->id > kManyChanges)
    return std::optional<std::map<std::int64_t, Volume>>();
  return std::optional(TRY(upkeep_of(db)->volumes()));
}

Result<std::optional<std::int64_t>> last_of(Database& db, std::int64_t table) {
  Selection newest;
  newest.table = table;
  newest.limit = 1;
  newest.forgiving = true;
  const auto last = TRY(TRY(read_changes(db, newest))->next());
  return last.has_value() ? std::optional(last->at) : std::nullopt;
}

// The last change that the first page includes: what comes later does not move rows from one page to another.
Result<std::int64_t> upto_of(Database& db, const Tracked& table, const Moment& moment) {
  if (moment.kind != Moment::Kind::now) return resolve(db, table, moment);
  Selection newest;
  newest.limit = 1;
  newest.forgiving = true;
  const auto last = TRY(TRY(read_changes(db, newest))->next());
  return last.has_value() ? last->id : 0;
}

// What a page of rows ended with: the moment that the pages are of, and the key of its last row.
struct Place {
  std::int64_t upto = 0;
  std::string key;
};

Result<std::optional<Place>> place_of(const Call& call) {
  const auto text = call.asked("after");
  if (!text.has_value()) return std::optional<Place>();
  const std::size_t space = std::min(text->find(' '), text->size());
  Place place;
  const auto [end, error] = std::from_chars(text->data(), text->data() + space, place.upto);
  if (error != std::errc() || end != text->data() + space || space == text->size())
    return hinted(fail(Fault::invalid, "after: not where a page ended"),
                  "give back what stood in `next`");
  place.key = text->substr(space + 1);
  return std::optional(std::move(place));
}

Row key_in(const Row& row, const std::vector<Column>& key) {
  Row out;
  for (const Column& column : key)
    if (const Value* value = find(row, column.name); value != nullptr)
      out.push_back({column.name, *value});
  return out;
}

}  // namespace

Result<Answer> get_tables(Asked call) {
  Database& db = *TRY(call->db());
  const auto volumes = TRY(counts(db));
  std::vector<std::string> items;
  for (const Tracked& one : TRY(tracked_tables(db))) {
    std::string changes = "null";
    std::optional<std::int64_t> last;
    if (volumes.has_value()) {
      const auto found = volumes->find(one.id);
      changes = std::to_string(found == volumes->end() ? 0 : found->second.changes);
      if (found != volumes->end()) last = found->second.last;
    } else {
      last = TRY(last_of(db, one.id));
    }
    items.push_back(fmt::format(
        R"({{"table":{},"tracked":{},"since":"{}","key":{},"columns":{},"changes":{},"last":{},)"
        R"("policy":{}}})",
        text_json(one.name), !one.untracked_at.has_value(), format_time(one.tracked_at),
        names_json(one.shape.key()), names_json(one.shape.columns), changes, moment_json(last),
        to_json(one.policy)));
  }
  return list_answer(call, std::move(items));
}

Result<Answer> get_rows(Asked call) {
  const Tracked table = TRY(table_with_key(*TRY(call->db()), TRY(call->word(0))));
  Database& db = *TRY(call->db());
  const auto place = TRY(place_of(*call));
  const Moment asked = TRY(call->moment("at"));
  const std::int64_t upto = place.has_value() ? place->upto : TRY(upto_of(db, table, asked));
  const Moment moment = {Moment::Kind::change, upto};
  const auto names = TRY(columns_at(db, table, moment, upto));
  const std::string more =
      fmt::format(R"(,"table":{},"at":"{}","columns":{},"key":{})", text_json(table.name),
                  format_time(asked.kind == Moment::Kind::time ? asked.value : clock_now()),
                  list_json(names), names_json(table.shape.key()));
  std::vector<std::string> heads;
  for (const std::string& name : names) heads.push_back(csv_text(name));
  std::shared_ptr<States> states = TRY(at(db, table.name, moment));
  const bool csv = call->format() == Format::csv;
  return list_answer(
      call,
      [states, upto, names, csv, key = table.shape.key(),
       skip = place.has_value() ? place->key : ""]() mutable -> Result<std::optional<Item>> {
        while (true) {
          const State row = TRY(states->next());
          if (!row.has_value() && !skip.empty())
            return hinted(fail(Fault::missing, "after: the row where a page ended is not there"),
                          "ask for the first page again");
          if (!row.has_value()) return std::optional<Item>();
          const std::string its_key = to_json(key_in(*row, key));
          if (!skip.empty()) {
            if (its_key == skip) skip.clear();
            continue;
          }
          Item item{.json = to_json(*row), .place = fmt::format("{} {}", upto, its_key)};
          if (csv)
            for (const std::string& name : names) {
              const Value* value = find(*row, name);
              item.fields.push_back(value == nullptr ? "" : csv_field(*value));
            }
          return std::optional<Item>(std::move(item));
        }
      },
      std::move(heads), more);
}

}  // namespace vestige::server
