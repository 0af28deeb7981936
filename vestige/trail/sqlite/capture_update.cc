// What a table says of an UPDATE: its values before and after, for vestige_pairs or vestige_compare in
// sql/sqlite/capture.sql, which keep what differs.

#include <algorithm>

#include "vestige/trail/sqlite/capture_writer.h"

namespace vestige::capture {

// How two values of a column can differ though SQLite's IS says that they do not. It is blind to storage class
// between numbers, and to the sign of zero, which no SQL can see: a zero that stays a zero is recorded, and
// the reader compares the bits.
Writer::Blind Writer::blind(const std::string& column) const {
  const SqliteColumn* live = live_.find(column);
  switch (live == nullptr ? Affinity::none : live->affinity) {
    case Affinity::none: return Blind::numbers;
    // Affinity makes every whole real an integer, but not the least: the one number that can be both.
    case Affinity::integer:
    case Affinity::numeric:
      return live_.row_id_is_key && live->primary_key > 0 ? Blind::nothing : Blind::least;
    default: return Blind::nothing;
  }
}

// They may differ where IS is blind; empty: it is not.
std::string Writer::unseen(const std::string& column) const {
  const std::string before = at("OLD", column);
  const std::string after = at("NEW", column);
  switch (blind(column)) {
    case Blind::numbers:
      return fmt::format("typeof({0}) <> typeof({1}) or {1} = 0.0 and typeof({1}) = 'real'", before,
                         after);
    case Blind::least: return fmt::format("{} = -9223372036854775808", after);
    case Blind::nothing: break;
  }
  return "";
}

// Equality to the bit.
std::string Writer::changed(const std::string& column) const {
  const std::string differs =
      fmt::format("{} is not {}{}", at("OLD", column), at("NEW", column), binary());
  // Of what is redacted the reader has no bits to compare: the sign of a zero makes no difference there.
  if (redacted(column))
    return fmt::format("({} or typeof({}) <> typeof({}))", differs, at("OLD", column),
                       at("NEW", column));
  const std::string other = unseen(column);
  return other.empty() ? differs : fmt::format("({} or {})", differs, other);
}

// Rows that are kept for another statement follow.
void Writer::follow(std::vector<std::string>& body) const {
  for (std::size_t part = parts(kPairs); part-- > 0;) body.push_back(pairs(part, false, ""));
}

// Most tables: one row of slots, and few columns where the shared trigger needs a word on what differs.
bool Writer::plain() const {
  const auto loose =
      std::count_if(shape_.columns.begin(), shape_.columns.end(), [this](const Column& column) {
        return !column.redacted && blind(column.name) == Blind::numbers;
      });
  return count() <= kPairs && loose <= 2 && !shape_.full && table_.policy.when.empty();
}

// A part of an UPDATE, for vestige_pairs or vestige_compare: see capture.sql.
std::string Writer::pairs(std::size_t part, bool recorded, const std::string& wide) const {
  const bool direct = recorded && plain();
  Insertion change(direct ? "vestige_pairs" : "vestige_compare");
  const std::string when = condition("OLD", "NEW");
  change.add("tbl", std::to_string(table_.id));
  if (recorded)
    change.add("shape", when.empty() ? std::to_string(shape_.id)
                                     : fmt::format("case when {} then {} end", when, shape_.id));
  if (part != 0) change.add("part", std::to_string(part));
  if (recorded && part == 0) change.add("backward", state("NEW"));
  if (recorded && part == 0 && shape_.row_ids) change.add("row_id", row_id("OLD"));
  const bool named = key_.size() == 1 && identity("OLD") == key("OLD");  // the key says which row
  if (!key_.empty() && (part == 0 || named))
    change.add("key", key("OLD")).add("new_key", new_key());
  if (part == 0 && key_.size() > 1) change.add("keys", "1");
  if (!named)
    change.add("identity", scratch_identity("OLD")).add("new_identity", scratch_identity("NEW"));
  if (shape_.full) change.add("full", "1");
  if (!wide.empty()) change.add("wide", wide);
  std::int64_t loose = 0;
  for (std::size_t i = part * kPairs; i < std::min(count(), (part + 1) * kPairs); ++i) {
    const std::size_t place = i - part * kPairs;
    const std::string& column = shape_.columns[i].name;
    const bool hidden = shape_.columns[i].redacted;
    if (hidden || blind(column) != Blind::nothing) loose |= std::int64_t{1} << place;
    if (direct && (hidden || blind(column) != Blind::nothing))
      change.add(fmt::format("d{}", place), hidden ? changed(column) : unseen(column));
    // 0 and 0.0 are one number, so that changes follow on each other, and of two classes, so that they differ.
    change.add(fmt::format("v{}", 2 * place), kept("OLD", shape_.columns[i]));
    change.add(fmt::format("v{}", 2 * place + 1),
               hidden && !direct ? fmt::format("iif({}, 0.0, 0)", changed(column))
                                 : kept("NEW", shape_.columns[i]));
  }
  if (recorded && !direct && loose != 0) change.add("loose", std::to_string(loose));
  return change.values();
}

void Writer::record_update(std::vector<std::string>& body) const {
  const std::size_t all = parts(kPairs);
  std::string wide;
  if (all > 1 && shape_.full) {  // where one part differs, all are recorded
    std::vector<std::string> differ;
    for (const Column& column : shape_.columns) differ.push_back(changed(column.name));
    wide = any_of(differ);
  }
  for (std::size_t part = all; part-- > 0;) {
    if (part == 0 && all > 1 && !shape_.full) wide = "exists (select 1 from vestige_unfinished)";
    body.push_back(pairs(part, true, wide));
  }
}

}  // namespace vestige::capture
