#include "vestige/trail/sqlite/capture.h"

#include <algorithm>

#include "vestige/record/change.h"
#include "vestige/trail/sqlite/capture_writer.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige {

std::string slot_names(std::size_t first, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += fmt::format(", v{}", first + i);
  return out;
}

namespace capture {
namespace {

// (parts[0] word parts[1] word …), as a tree: left to right it would be as deep as it is long.
std::string tree(std::vector<std::string> parts, std::string_view word) {
  while (parts.size() > 1) {
    std::vector<std::string> pairs;
    for (std::size_t i = 0; i < parts.size(); i += 2)
      pairs.push_back(i + 1 < parts.size() ? fmt::format("({} {} {})", parts[i], word, parts[i + 1])
                                           : parts[i]);
    parts = std::move(pairs);
  }
  return parts[0];
}

}  // namespace

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += between;
    out += part;
  }
  return out;
}

std::string one_of(const std::vector<std::string>& parts) {
  if (parts.size() < 2) return parts.empty() ? "false" : parts[0];
  return "case when " + join(parts, " then true when ") + " then true else false end";
}

std::string any_of(std::vector<std::string> parts) { return tree(std::move(parts), "or"); }

std::string all_of(std::vector<std::string> parts) {
  return parts.empty() ? "true" : tree(std::move(parts), "and");
}

std::string concatenation(std::vector<std::string> parts) { return tree(std::move(parts), "||"); }

std::string row(const std::vector<std::string>& values) {
  return values.size() == 1 ? values[0] : "(" + join(values, ", ") + ")";
}

Insertion& Insertion::add(std::string_view column, std::string value) {
  columns_.emplace_back(column);
  values_.push_back(std::move(value));
  return *this;
}

std::string Insertion::text(std::string_view before, std::string_view after) const {
  return fmt::format("insert into {} ({}) {}{}{}", into_, join(columns_, ", "), before,
                     join(values_, ", "), after);
}

Trigger Writer::trigger(std::string_view what, std::string_view event, const std::string& when,
                        const std::vector<std::string>& body) const {
  std::string sql = fmt::format("create {}trigger {} {} on {}{}", temporary_ ? "temp " : "",
                                name(what), event, temporary_ ? "main." : "", quote(live_.name));
  if (!when.empty()) sql += "\nwhen " + when;
  sql += "\nbegin\n";
  for (const std::string& statement : body) sql += "  " + statement + ";\n";
  return {name(what), sql + "end"};
}

// A column of NEW, of OLD or of the table itself as t. Read from the table, SQLite passes a whole number
// in a virtual column of REAL affinity on as an integer, although typeof() says real.
std::string Writer::at(std::string_view side, const std::string& column) const {
  const std::string name = fmt::format("{}.{}", side, quote(column));
  const SqliteColumn* live = live_.find(column);
  if (side != "t" || live == nullptr || !live->generated || live->affinity != Affinity::real)
    return name;
  return fmt::format("case typeof({0}) when 'real' then cast({0} as real) else {0} end", name);
}

// A column of the table as t, in the shortest way that is clear beside what state() reads.
std::string Writer::bare(const std::string& column) const {
  const std::string full = at("t", column);
  return full == "t." + quote(column) && !same_name(column, "state") ? quote(column) : full;
}

bool Writer::redacted(const std::string& column) const {
  return std::any_of(shape_.columns.begin(), shape_.columns.end(), [&](const Column& own) {
    return own.redacted && same_name(own.name, column);
  });
}

// What is written down of a column: nothing that is redacted reaches the trail, nor what it sets aside.
std::string Writer::kept(std::string_view side, const Column& column) const {
  return column.redacted ? "0" : at(side, column.name);
}

std::string Writer::key(std::string_view side) const {
  if (key_.empty()) return "null";
  std::vector<std::string> columns;
  for (const std::string& column : key_) columns.push_back(at(side, column));
  return key_expression(columns);
}

// The shared trigger knows whether a lone key column differs; of several, the new key is made only when
// it is needed.
std::string Writer::new_key() const {
  if (key_.size() < 2) return key("NEW");
  std::vector<std::string> moved;
  std::vector<std::string> columns;
  for (const std::string& column : key_) {
    moved.push_back(changed(column));
    columns.push_back(at("NEW", column));
  }
  return key_expression(columns, " where " + one_of(moved));
}

std::string Writer::condition(std::string_view old_side, std::string_view new_side) const {
  if (table_.policy.when.empty()) return "";
  return "(" + with_sides(table_.policy.when, old_side, new_side) +
         "\n)";  // it may end in a comment
}

Result<std::vector<Writer::Demand>> Writer::required() const {
  std::vector<Demand> out;
  for (const std::string& field : table_.policy.require) {
    const bool known = is_context_field(field);
    const bool plain = !field.empty() && std::all_of(field.begin(), field.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    if (!plain)
      return hinted(
          fail(Fault::invalid, "track {}: require '{}' is not a field name", table_.name, field),
          "letters, digits, - and _");
    const std::string value =
        known ? "x." + field
              : fmt::format("(select atom from json_each(x.extra) where key = '{}')", field);
    out.push_back({db_.literal(Text{fmt::format("vestige: {} requires {} in the context of every"
                                                " change",
                                                live_.name, field)}),
                   value});
  }
  return out;
}

// What a policy requires is required of what is recorded only: of a change under the policy's condition,
// and of rows that a REPLACE removed.
std::vector<std::string> Writer::checks(const std::vector<Demand>& required,
                                        const std::string& when, const Gone& replaced) const {
  std::string asked;
  if (!when.empty()) {
    asked = " from (select 1 where " + when;
    if (!replaced.where.empty())
      asked += " union all select 1 from vestige_replaced where " + replaced.where;
    if (!replaced.rows.empty()) asked += " union all " + replaced.rows;
    asked += ")";
  }
  std::vector<std::string> out;
  for (const Demand& demand : required)
    out.push_back(
        fmt::format("select raise(abort, {}){} where not exists (select 1 from (select {} as v from"
                    " vestige_in_force as u join vestige_context as x on x.id = u.context) where v"
                    " <> '')",
                    demand.message, asked, demand.value));
  return out;
}

// The statement, only `when` the policy's condition holds. VALUES, because a SELECT into a table with
// triggers goes through a temporary table, which costs microseconds.
std::string Writer::conditional(const Insertion& insertion, const std::string& when) {
  return when.empty() ? insertion.values() : insertion.select(" where " + when);
}

// Records all of a row, as it was or as it is now: slot i of a part is recorded column part * kSlots + i.
// `leads`: the next change is of the same row's change, and takes this one along where it is late.
void Writer::record_row(std::string_view letter, std::string_view side, bool leads,
                        const std::string& when, std::vector<std::string>& body) const {
  for (std::size_t part = parts(kSlots); part-- > 0;) {
    Insertion change(part == 0 ? "vestige_change" : "vestige_more");
    if (part == 0) {
      change.add("tbl", std::to_string(table_.id)).add("shape", std::to_string(shape_.id));
      change.add("op", fmt::format("'{}'", letter)).add("at", std::string(kNow));
      change.add("seq", leads ? "null" : "total_changes() + 1")
          .add("tx", "coalesce((select tx from vestige_tx), 1)");
      change.add("context", "(select context from vestige_in_force)");
      change.add("backward", state(side));
      if (shape_.row_ids) change.add("row_id", row_id(side));
      if (!key_.empty()) change.add("key", key(side));
    } else {
      change.add("change", "(select id from vestige_next)").add("part", std::to_string(part));
    }
    for (std::size_t i = part * kSlots; i < std::min(count(), (part + 1) * kSlots); ++i)
      // What is redacted is named all the same: SQLite carries the name along when somebody renames it.
      change.add(fmt::format("v{}", i - part * kSlots),
                 shape_.columns[i].redacted
                     ? fmt::format("iif({} is null, 0, 0)", at(side, shape_.columns[i].name))
                     : kept(side, shape_.columns[i]));
    body.push_back(conditional(change, when));
  }
}

Trigger Writer::insert(const std::vector<Demand>& required) const {
  const std::string when = condition("NEW", "NEW");
  const bool keeps = !conflicts(false).empty();
  std::vector<std::string> body = checks(required, when, keeps ? replaced(false) : Gone());
  if (keeps) settle(replaced(false), body);
  record_row("I", "NEW", false, when, body);
  return trigger("insert", "after insert", "", body);
}

Trigger Writer::update(const std::vector<Demand>& required) const {
  const std::string when = condition("OLD", "NEW");
  const bool keeps = !conflicts(true).empty();
  std::string needed = when;
  if (!required.empty()) {
    std::vector<std::string> differ;
    for (const Column& column : shape_.columns) differ.push_back(changed(column.name));
    needed = one_of(differ) + (when.empty() ? "" : " and " + when);
  }
  std::vector<std::string> body = checks(required, needed, keeps ? replaced(true) : Gone());
  put_back(body);
  if (keeps) settle(replaced(true), body);
  record_update(body);
  return trigger("update", "after update", shape_.row_ids ? stays() : "", body);
}

Trigger Writer::remove(const std::vector<Demand>& required) const {
  const std::string when = condition("OLD", "OLD");
  std::vector<std::string> body = checks(required, when, {});
  settle_cut_short(body);
  forget(body);
  record_row("D", "OLD", false, when, body);
  return trigger("delete", "after delete", "", body);
}

Result<std::vector<Trigger>> Writer::triggers() const {
  const auto needed = TRY(required());
  std::vector<Trigger> out;
  for (Trigger& made :
       std::vector<Trigger>{before("before_insert", "before insert", false), insert(needed),
                            before("before_update", "before update" + unique_columns(), true),
                            update(needed), remove(needed), before_move(), move(needed)})
    if (!made.sql.empty()) out.push_back(std::move(made));
  return out;
}

std::vector<std::string> Writer::baseline() const {
  const std::string order = live_.without_row_id ? [this] {
    std::vector<std::string> columns;
    for (const std::string& column : identity_) columns.push_back(at("t", column));
    return join(columns, ", ");
  }() : "t." + live_.row_id;
  // ?1 is the last change before the baseline, ?2 the context.
  const std::string id = fmt::format("?1 + row_number() over (order by {})", order);
  std::vector<std::string> out;
  for (std::size_t part = 0; part < parts(kSlots); ++part) {
    const std::size_t slots = std::min(count() - part * kSlots, kSlots);
    std::string values;
    for (std::size_t i = part * kSlots; i < part * kSlots + slots; ++i)
      values += ", " + kept("t", shape_.columns[i]);
    out.push_back(
        part == 0
            ? fmt::format("insert into vestige_change (id, tbl, shape, op, at, seq, tx, "
                          "context, row_id, key{})"
                          " select {}, {}, {}, 'B', {}, 9223372036854775807, ?1 + 1, ?2, {}, "
                          "{}{} from {} as t",
                          slot_names(0, slots), id, table_.id, shape_.id, kNow, row_id("t"),
                          key("t"), values, quote(live_.name))
            : fmt::format("insert into vestige_more (change, part{}) select {}, {}{} from {} as t",
                          slot_names(0, slots), id, part, values, quote(live_.name)));
  }
  return out;
}

}  // namespace capture

Result<std::vector<Trigger>> capture_triggers(Database& db, const SqliteTable& live,
                                              const Tracked& table, bool temporary) {
  return capture::Writer(db, live, table, temporary).triggers();
}

std::vector<std::string> baseline_statements(Database& db, const SqliteTable& live,
                                             const Tracked& table) {
  return capture::Writer(db, live, table, false).baseline();
}

}  // namespace vestige
