#include "vestige/trail/capture.h"

#include <algorithm>

#include "vestige/record/change.h"
#include "vestige/trail/capture_writer.h"
#include "vestige/trail/sql_text.h"

namespace vestige {
namespace capture {
namespace {

// The row of vestige_current counts: docs/sqlite.md, "Context".
constexpr std::string_view kInForce =
    "expires > cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer) and seq <= "
    "total_changes()";

}  // namespace

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += between;
    out += part;
  }
  return out;
}

std::string any_of(std::vector<std::string> parts) {
  while (parts.size() > 1) {
    std::vector<std::string> pairs;
    for (std::size_t i = 0; i < parts.size(); i += 2)
      pairs.push_back(i + 1 < parts.size() ? "(" + parts[i] + " or " + parts[i + 1] + ")"
                                           : parts[i]);
    parts = std::move(pairs);
  }
  return parts.empty() ? "false" : parts[0];
}

std::string slot_names(std::size_t first, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += fmt::format(", v{}", first + i);
  return out;
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
  const LiveColumn* live = live_.find(column);
  if (side != "t" || live == nullptr || !live->generated || live->affinity != Affinity::real)
    return name;
  return fmt::format("iif(typeof({0}) = 'real', cast({0} as real), {0})", name);
}

std::string Writer::key(std::string_view side) const {
  if (key_.empty()) return "null";
  std::vector<std::string> columns;
  for (const std::string& column : key_) columns.push_back(at(side, column));
  return key_expression(columns);
}

// INSERT and DELETE: slot i of a part is recorded column part * kSlots + i.
std::string Writer::row_values(std::string_view side, std::size_t part) const {
  std::string out;
  for (std::size_t i = part * kSlots; i < std::min(count(), (part + 1) * kSlots); ++i)
    out += ", " + at(side, shape_.columns[i].name);
  return out;
}

// Equality to the bit. SQLite's own IS is blind to storage class between numbers, to collation, and,
// where a column has no affinity, to the sign of zero, which no SQL can see: there, a zero that stays a
// zero is recorded and the reader compares the bits.
std::string Writer::changed(const Column& column) const {
  const std::string before = at("OLD", column.name);
  const std::string after = at("NEW", column.name);
  const std::string differs = fmt::format("{} is not {} collate binary", before, after);
  const LiveColumn* live = live_.find(column.name);
  const Affinity affinity = live == nullptr ? Affinity::none : live->affinity;
  // Affinity makes every whole real an integer, but not the least: the one number that can be both.
  if (affinity == Affinity::integer || affinity == Affinity::numeric)
    return live_.row_id_is_key && live->primary_key > 0
               ? differs
               : fmt::format("({0} or ({2} = -9223372036854775808 and typeof({1}) <> typeof({2})))",
                             differs, before, after);
  if (affinity != Affinity::none) return differs;
  return fmt::format("({0} or typeof({1}) <> typeof({2}) or ({2} = 0.0 and typeof({2}) = 'real'))",
                     differs, before, after);
}

std::string Writer::any_changed() const {
  std::vector<std::string> parts;
  for (const Column& column : shape_.columns) parts.push_back(changed(column));
  return any_of(parts);
}

std::string Writer::mask(std::size_t part) const {
  std::vector<std::string> bits;
  for (std::size_t i = part * kPairs; i < std::min(count(), (part + 1) * kPairs); ++i)
    bits.push_back(fmt::format("(({}) << {})", changed(shape_.columns[i]), i - part * kPairs));
  return join(bits, " | ");
}

std::string Writer::pair_values(std::size_t part) const {
  std::string out;
  for (std::size_t i = part * kPairs; i < std::min(count(), (part + 1) * kPairs); ++i) {
    const Column& column = shape_.columns[i];
    const std::string differs = changed(column);
    out += fmt::format(", case when {} then {} end", differs, at("OLD", column.name));
    out += shape_.full ? ", " + at("NEW", column.name)
                       : fmt::format(", case when {} then {} end", differs, at("NEW", column.name));
  }
  return out;
}

std::string Writer::context() const {
  return fmt::format("(select context from vestige_current where {})", kInForce);
}

// Which transaction: that of the change before, when it is certain that it is the same one. `seq` of a
// change is what total_changes() is when its trigger ends; a row kept by a BEFORE trigger has what it was
// before that; one that completed a batch of vestige_key wrote that too. docs/sqlite.md,
// "Transactions".
std::string Writer::tx() const {
  return fmt::format(
      "coalesce((select case"
      " when c.seq = total_changes() and c.at = {0} then c.tx"
      " when exists (select 1 from vestige_current where {1})"
      " then iif(c.context >= (select scope from vestige_current), c.tx, c.id + 1)"
      " when c.context is null and c.at = {0} and (c.seq is null"
      " or exists (select 1 from vestige_replaced as r where r.tbl = {2} and r.part = 0 and r.at = "
      "{0}"
      " and r.seq = c.seq and r.cleared + (select count(*) from vestige_replaced as k where k.tbl "
      "= {2}"
      " and k.keeper is r.keeper) = total_changes())"
      " or (c.id & 511 = 0 and c.seq + (select count(key) + count(iif(new_key is key, null, "
      "new_key))"
      " from vestige_change where id > c.id - 512 and id <= c.id) = total_changes())"
      " or (c.seq < total_changes() and exists (select 1 from vestige_reach as w"
      " join vestige_table as y on y.name = w.inner_name where w.outer_table = {2} and y.id = "
      "c.tbl))) then c.tx"
      " else c.id + 1 end"
      " from vestige_change as c order by c.id desc limit 1), 1)",
      kNow, kInForce, table_.id);
}

constexpr std::string_view kHeadColumns = "tbl, shape, op, at, seq, tx, context, backward";

// late: that the row is no longer as this change leaves it. Asked only where something was recorded in this
// very millisecond and something was written since.
std::string Writer::head(std::string_view op, std::string_view seq, const std::string& late) const {
  const std::string mark =
      late.empty() ? ""
                   : fmt::format(" when at = {} and seq is not total_changes() and {} then {}",
                                 kNow, late, several_parts() ? "-1" : "0");
  return fmt::format(
      "{}, {}, '{}', {}, {}, {}, {}, (select case when at > {} then 1{} end from vestige_change"
      " order by id desc limit 1)",
      table_.id, shape_.id, op, kNow, seq, tx(), context(), kNow, mark);
}

std::string Writer::condition(std::string_view old_side, std::string_view new_side) const {
  if (table_.policy.when.empty()) return "";
  return "(" + with_sides(table_.policy.when, old_side, new_side) +
         "\n)";  // it may end in a comment
}

Result<std::vector<std::string>> Writer::required() const {
  std::vector<std::string> out;
  for (const std::string& field : table_.policy.require) {
    const bool known =
        std::find(kContextFields.begin(), kContextFields.end(), field) != kContextFields.end();
    const bool plain = !field.empty() && std::all_of(field.begin(), field.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    if (!plain)
      return hinted(
          fail(Fault::invalid, "track {}: require '{}' is not a field name", table_.name, field),
          "letters, digits, - and _");
    const std::string value =
        known ? "x." + field : fmt::format("json_extract(x.extra, '$.\"{}\"')", field);
    out.push_back(fmt::format(
        "select raise(abort, {}) where not exists (select 1 from vestige_current as u"
        " join vestige_context as x on x.id = u.context"
        " where u.expires > {} and u.seq <= total_changes() and {} <> '')",
        db_.literal(Text{fmt::format("vestige: {} requires {} in the context of every change",
                                     live_.name, field)}),
        kNow, value));
  }
  return out;
}

// What a policy requires is required of what is recorded only: of a change under the policy's condition,
// and of rows that a REPLACE removed.
std::vector<std::string> Writer::checks(const std::vector<std::string>& required,
                                        const std::string& when,
                                        const std::string& replaced) const {
  std::vector<std::string> out;
  for (const std::string& check : required) {
    out.push_back(check);
    if (when.empty()) continue;
    out.back() += " and (" + when;
    if (!replaced.empty())
      out.back() += fmt::format(" or exists (select 1 from vestige_replaced where {})", replaced);
    out.back() += ")";
  }
  return out;
}

// The statement that records a change, only `when` the policy's condition holds. VALUES, because a
// SELECT that reads the table it inserts into goes through a temporary table, which costs microseconds.
std::string Writer::record(const std::string& columns, const std::string& values,
                           const std::string& when) const {
  if (when.empty())
    return fmt::format("insert into vestige_change ({}, {}) values ({})", kHeadColumns, columns,
                       values);
  return fmt::format("insert into vestige_change ({}, {}) select {} where {}", kHeadColumns,
                     columns, values, when);
}

Trigger Writer::before(std::string_view what, std::string_view event, bool update) const {
  const auto found = conflicts(update);
  if (found.empty()) return {};
  std::string when = any_conflict(found);
  if (update && shape_.row_ids) when = stays() + " and (" + when + ")";
  return trigger(what, event, when, keep_replaced(found, update));
}

// Records all of a row, as it was or as it is now.
void Writer::record_row(std::string_view op, std::string_view side, const std::string& seq,
                        const std::string& when, std::vector<std::string>& body) const {
  const std::string late = op == "I" ? changed_since() : there_again();
  for (std::size_t part = 0; part < row_parts(); ++part) {
    const std::size_t slots = std::min(count() - part * kSlots, kSlots);
    body.push_back(part == 0 ? record("row_id, key" + slot_names(0, slots),
                                      fmt::format("{}, {}, {}{}", head(op, seq, late), row_id(side),
                                                  key(side), row_values(side, 0)),
                                      when)
                             : fmt::format("insert into vestige_more (change, part{}) select "
                                           "(select max(id) from vestige_change), {}{}{}",
                                           slot_names(0, slots), part, row_values(side, part),
                                           when.empty() ? "" : " where " + when));
  }
}

Trigger Writer::insert(const std::vector<std::string>& required) const {
  const std::string when = condition("NEW", "NEW");
  std::vector<std::string> body =
      checks(required, when, conflicts(false).empty() ? "" : replaced(false));
  settle(false, body);
  record_row("I", "NEW", fmt::format("total_changes() + {}", row_parts()), when, body);
  place_late(body);
  return trigger("insert", "after insert", "", body);
}

Trigger Writer::update(const std::vector<std::string>& required) const {
  // An upsert keeps the row itself, too.
  const std::string own =
      fmt::format("from vestige_replaced where tbl = {} and {}", table_.id, keeps_old());
  const std::string when = condition("OLD", "NEW");
  std::vector<std::string> body =
      checks(required, when, conflicts(true).empty() ? "" : replaced(true));
  put_back(body);
  settle(true, body);

  std::string parts = "1";
  for (std::size_t part = 1; part < pair_parts(); ++part)
    parts += shape_.full ? " + 1" : fmt::format(" + (({}) <> 0)", mask(part));
  const std::string seq = fmt::format("total_changes() + {} + (select count(*) {})", parts, own);
  std::string new_key = "null";
  if (!key_.empty()) {
    std::vector<std::string> moved;
    for (const Column& column : shape_.key()) moved.push_back(changed(column));
    new_key = fmt::format("case when {} then {} end", join(moved, " or "), key("NEW"));
  }
  for (std::size_t part = 0; part < pair_parts(); ++part) {
    const std::size_t slots = 2 * std::min(count() - part * kPairs, kPairs);
    std::string statement;
    if (part == 0) {
      statement = record("row_id, key, new_key, changed" + slot_names(0, slots),
                         fmt::format("{}, {}, {}, {}, {}{}", head("U", seq, changed_since()),
                                     row_id("OLD"), key("OLD"), new_key, mask(0), pair_values(0)),
                         when);
    } else {
      std::string where = when;
      if (!shape_.full)
        where += fmt::format("{}({}) <> 0", where.empty() ? "" : " and ", mask(part));
      statement = fmt::format(
          "insert into vestige_more (change, part, changed{}) select (select max(id) from "
          "vestige_change), {}, {}{}{}",
          slot_names(0, slots), part, mask(part), pair_values(part),
          where.empty() ? "" : " where " + where);
    }
    body.push_back(std::move(statement));
  }
  follow_kept(body);
  place_late(body);
  return trigger("update", "after update",
                 (shape_.row_ids ? stays() + " and " : "") + any_changed(), body);
}

Trigger Writer::remove(const std::vector<std::string>& required) const {
  const std::string when = condition("OLD", "OLD");
  std::vector<std::string> body = checks(required, when, "");
  settle_cut_short(body);
  const std::string own = fmt::format("from vestige_replaced where tbl = {} and {}", table_.id,
                                      keeps_old());  // every part carries row_id
  record_row("D", "OLD",
             fmt::format("total_changes() + {} + (select count(*) {})", row_parts(), own), when,
             body);
  body.push_back("delete " + own);
  place_late(body);
  return trigger("delete", "after delete", "", body);
}

Result<std::vector<Trigger>> Writer::triggers() const {
  const auto needed = TRY(required());
  std::vector<Trigger> out;
  for (Trigger& made :
       std::vector<Trigger>{before("before_insert", "before insert", false), insert(needed),
                            before("before_update", "before update", true), update(needed),
                            remove(needed), before_move(), move(needed)})
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
  for (std::size_t part = 0; part < row_parts(); ++part) {
    const std::size_t slots = std::min(count() - part * kSlots, kSlots);
    out.push_back(
        part == 0 ? fmt::format("insert into vestige_change (id, tbl, shape, op, at, seq, tx, "
                                "context, row_id, key{})"
                                " select {}, {}, {}, 'B', {}, 9223372036854775807, ?1 + 1, ?2, {}, "
                                "{}{} from {} as t",
                                slot_names(0, slots), id, table_.id, shape_.id, kNow, row_id("t"),
                                key("t"), row_values("t", 0), quote(live_.name))
                  : fmt::format(
                        "insert into vestige_more (change, part{}) select {}, {}{} from {} as t",
                        slot_names(0, slots), id, part, row_values("t", part), quote(live_.name)));
  }
  return out;
}

}  // namespace capture

Result<std::vector<Trigger>> capture_triggers(Database& db, const LiveTable& live,
                                              const Tracked& table, bool temporary) {
  return capture::Writer(db, live, table, temporary).triggers();
}

std::vector<std::string> baseline_statements(Database& db, const LiveTable& live,
                                             const Tracked& table) {
  return capture::Writer(db, live, table, false).baseline();
}

}  // namespace vestige
