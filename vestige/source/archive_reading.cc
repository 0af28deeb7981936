#include "vestige/source/archive_reading.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "vestige/source/archived_change.h"

namespace vestige {
namespace {

using Chosen = std::function<bool(const ArchivedChange&)>;

bool has_table(const Manifest& manifest, std::int64_t table) {
  return std::any_of(manifest.tables.begin(), manifest.tables.end(),
                     [&](const ArchivedTable& one) { return one.table.id == table; });
}

bool may_hold(const Manifest& manifest, const Selection& selection) {
  if (selection.table.has_value() && !has_table(manifest, *selection.table)) return false;
  if (selection.since.has_value() && manifest.last_at < *selection.since) return false;
  if (selection.until.has_value() && manifest.first_at >= *selection.until) return false;
  if (selection.after.has_value() && manifest.last_id <= *selection.after) return false;
  if (selection.upto.has_value() && manifest.first_id > *selection.upto) return false;
  if (selection.tx.has_value() && manifest.last_id < *selection.tx) return false;
  return selection.ids.empty() ||
         std::any_of(selection.ids.begin(), selection.ids.end(), [&](std::int64_t id) {
           return id >= manifest.first_id && id <= manifest.last_id;
         });
}

// Keys are typed by people, or are another database's: they are the same where they look the same.
bool same(const Row& left, const Row& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (is_null(left[i].value) != is_null(right[i].value) ||
        to_display(left[i].value) != to_display(right[i].value))
      return false;
  return true;
}

bool under(const Change& change, const Row& key) {
  return same(change.key, key) || (change.new_key.has_value() && same(*change.new_key, key));
}

bool known(const std::vector<Row>& keys, const Row& one) {
  return std::any_of(keys.begin(), keys.end(), [&](const Row& own) { return same(own, one); });
}

// A row had a key from one change to another.
struct Span {
  Row key;
  std::int64_t low = 0;
  std::int64_t high = 0;
};
using Spans = std::vector<Span>;

template <class Item>
bool among(const std::vector<Item>& all, const Item& one) {
  return all.empty() || std::find(all.begin(), all.end(), one) != all.end();
}

bool means(const Selection& selection, const Spans& spans, const ArchivedChange& one) {
  const Change& change = one.change;
  if (selection.table.has_value() && one.table_id != *selection.table) return false;
  if (selection.since.has_value() && change.at < *selection.since) return false;
  if (selection.until.has_value() && change.at >= *selection.until) return false;
  if (selection.after.has_value() && change.id <= *selection.after) return false;
  if (selection.upto.has_value() && change.id > *selection.upto) return false;
  if (selection.tx.has_value() && change.tx != *selection.tx) return false;
  if (!among(selection.ids, change.id) || !among(selection.ops, change.op)) return false;
  if (selection.row_id.has_value() && change.row_id != selection.row_id) return false;
  if (!selection.who.empty()) {
    const std::string* actor = change.context.get("actor");
    const std::optional<std::string> who = actor != nullptr ? *actor : change.db_user;
    if (!who.has_value() || !among(selection.who, *who))
      return false;  // as the databases' SQL says
  }
  if (!selection.db_users.empty() &&
      (!change.db_user.has_value() || !among(selection.db_users, *change.db_user)))
    return false;
  return spans.empty() || std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
           return change.id >= span.low && change.id <= span.high && under(change, span.key);
         });
}

// The changes of a part, as they come: in the order of the feed.
class PartLines {
 public:
  static Result<PartLines> open(const ArchivePart& part) {
    const std::string name = part.manifest.changes_file();
    std::string path = part.folder + "/" + name;
    ZstdLines lines = TRY(ZstdLines::open(path, TRY(listed_digest(part.manifest, name))));
    return PartLines(std::move(path), std::move(lines), part.manifest);
  }

  Result<std::optional<ArchivedChange>> next() {
    const auto line = TRY(lines_.next());
    if (!line.has_value()) return std::optional<ArchivedChange>();
    if (left_-- == 0)
      return fail(Fault::corrupt, "read {}: it has more changes than entries", path_);
    return std::optional(TRY(archived_change(*line, tokens_)));
  }

 private:
  PartLines(std::string path, ZstdLines lines, const Manifest& manifest)
      : path_(std::move(path)),
        lines_(std::move(lines)),
        left_(manifest.upto - manifest.from),
        tokens_(manifest.tokens) {}

  std::string path_;
  ZstdLines lines_;
  std::uint64_t left_;
  bool tokens_;
};

// Each change of a part.
Result<void> each(const ArchivePart& part,
                  const std::function<Result<void>(ArchivedChange)>& take) {
  PartLines lines = TRY(PartLines::open(part));
  while (auto change = TRY(lines.next())) TRY(take(*std::move(change)));
  return {};
}

// The chosen changes of parts, group by group: parts of which the ids overlap are one group.
class GroupedChanges final : public Changes {
 public:
  GroupedChanges(std::vector<ArchivePart> parts, Chosen chosen, bool oldest_first)
      : chosen_(std::move(chosen)), oldest_first_(oldest_first) {
    std::sort(parts.begin(), parts.end(), [](const ArchivePart& left, const ArchivePart& right) {
      return left.manifest.first_id < right.manifest.first_id;
    });
    std::int64_t last = 0;
    for (ArchivePart& part : parts) {
      if (groups_.empty() || part.manifest.first_id > last) groups_.emplace_back();
      last = std::max(last, part.manifest.last_id);
      groups_.back().push_back(std::move(part));
    }
    // The next one stands at the end.
    if (oldest_first_) std::reverse(groups_.begin(), groups_.end());
  }

  Result<std::optional<Change>> next() override {
    while (waiting_.empty()) {
      if (groups_.empty()) return std::optional<Change>();
      for (const ArchivePart& part : groups_.back())
        TRY(each(part, [&](ArchivedChange one) -> Result<void> {
          if (chosen_(one)) waiting_.push_back(std::move(one.change));
          return {};
        }));
      groups_.pop_back();
      std::sort(waiting_.begin(), waiting_.end(), [&](const Change& left, const Change& right) {
        return oldest_first_ ? left.id > right.id : left.id < right.id;
      });
    }
    Change change = std::move(waiting_.back());
    waiting_.pop_back();
    return std::optional(std::move(change));
  }

 private:
  Chosen chosen_;
  bool oldest_first_;
  std::vector<std::vector<ArchivePart>> groups_;
  std::vector<Change> waiting_;
};

// The chosen changes of parts as they stand there, part by part.
class OrderedChanges final : public Changes {
 public:
  OrderedChanges(std::vector<ArchivePart> parts, Chosen chosen)
      : parts_(std::move(parts)), chosen_(std::move(chosen)) {
    // The next one stands at the end.
    std::sort(parts_.begin(), parts_.end(), [](const ArchivePart& left, const ArchivePart& right) {
      return left.manifest.from > right.manifest.from;
    });
  }

  Result<std::optional<Change>> next() override {
    while (lines_.has_value() || !parts_.empty()) {
      if (!lines_.has_value()) {
        lines_ = TRY(PartLines::open(parts_.back()));
        parts_.pop_back();
      }
      auto one = TRY(lines_->next());
      if (!one.has_value()) lines_.reset();
      else if (chosen_(*one)) return std::optional(std::move(one->change));
    }
    return std::optional<Change>();
  }

 private:
  std::vector<ArchivePart> parts_;
  Chosen chosen_;
  std::optional<PartLines> lines_;
};

// What tells rows of a key apart: that one came, went, or was given another key.
struct Event {
  std::int64_t id = 0;
  Op op = Op::insert;
  Row key;
  std::optional<Row> new_key;
};

// Every key that rows of one had, whenever, by the changes that gave them another one.
std::vector<Row> keys_of(const std::vector<Event>& moves, const Row& key) {
  std::vector<Row> keys = {key};
  for (bool more = true; more;) {
    more = false;
    for (const Event& one : moves) {
      if (known(keys, one.key) == known(keys, *one.new_key)) continue;
      keys.push_back(known(keys, one.key) ? *one.new_key : one.key);
      more = true;
    }
  }
  return keys;
}

Result<std::vector<Event>> events(const std::vector<ArchivePart>& parts, std::int64_t table,
                                  const std::function<bool(const Change&)>& wanted) {
  std::vector<Event> out;
  for (const ArchivePart& part : parts)
    TRY(each(part, [&](ArchivedChange one) -> Result<void> {
      Change& change = one.change;
      if (one.table_id == table && wanted(change))
        out.push_back({change.id, change.op, std::move(change.key), std::move(change.new_key)});
      return {};
    }));
  std::sort(out.begin(), out.end(),
            [](const Event& left, const Event& right) { return left.id < right.id; });
  return out;
}

// Backward, from where a row came that was given the key.
void follow_back(const std::vector<Event>& all, const Event& move, Spans& out) {
  const Event* at = &move;
  while (at != nullptr && at->new_key.has_value()) {
    const Row& key = at->key;
    const std::int64_t high = at->id;
    const auto before = std::find_if(all.rbegin(), all.rend(), [&](const Event& one) {
      if (one.id >= high) return false;
      return ((one.op == Op::insert || one.op == Op::baseline) && same(one.key, key)) ||
             (one.new_key.has_value() && same(*one.new_key, key));
    });
    at = before == all.rend() ? nullptr : &*before;
    out.push_back({key, at == nullptr ? 0 : at->id, high});
  }
}

// Forward, a row that had the key and was given another.
void follow_on(const std::vector<Event>& all, const Event& move, Spans& out) {
  const Event* at = &move;
  while (at != nullptr && at->new_key.has_value()) {
    const Row& key = *at->new_key;
    const std::int64_t low = at->id;
    const auto next = std::find_if(all.begin(), all.end(), [&](const Event& one) {
      return one.id > low && same(one.key, key) &&
             (one.op == Op::remove || one.new_key.has_value());
    });
    at = next == all.end() ? nullptr : &*next;
    out.push_back({key, low, at == nullptr ? std::numeric_limits<std::int64_t>::max() : at->id});
  }
}

// Where else the rows stand that had a key: under another one, as long as they had that (as vestige.row_trail, and SQLite's).
Result<Spans> spans_of(const std::vector<ArchivePart>& parts, std::int64_t table, const Row& key) {
  const auto moves =
      TRY(events(parts, table, [](const Change& change) { return change.new_key.has_value(); }));
  const std::vector<Row> keys = keys_of(moves, key);
  Spans out;
  if (keys.size() == 1) return out;
  const auto all = TRY(events(parts, table, [&](const Change& change) {
    return (change.op != Op::update || change.new_key.has_value()) &&
           (known(keys, change.key) ||
            (change.new_key.has_value() && known(keys, *change.new_key)));
  }));
  for (const Event& move : all) {
    if (!move.new_key.has_value()) continue;
    if (same(*move.new_key, key)) follow_back(all, move, out);
    if (same(move.key, key)) follow_on(all, move, out);
  }
  return out;
}

// Leaves of the parts those that may hold a change of a selection, and says which it means.
Result<Chosen> choose(std::vector<ArchivePart>& parts, const Selection& selection, bool every) {
  Spans spans;
  if (!selection.key.empty() && selection.table.has_value()) {
    std::vector<ArchivePart> of_table;
    for (const ArchivePart& part : parts)
      if (has_table(part.manifest, *selection.table)) of_table.push_back(part);
    spans = TRY(spans_of(of_table, *selection.table, selection.key));
    spans.push_back({selection.key, 0, std::numeric_limits<std::int64_t>::max()});
  }
  std::erase_if(parts,
                [&](const ArchivePart& part) { return !may_hold(part.manifest, selection); });
  return Chosen([selection, spans = std::move(spans), every](const ArchivedChange& one) {
    return (one.shown || every) && means(selection, spans, one);
  });
}

}  // namespace

Result<std::unique_ptr<Changes>> archived_changes(std::vector<ArchivePart> parts,
                                                  const Selection& selection, bool every) {
  Chosen chosen = TRY(choose(parts, selection, every));
  return std::unique_ptr<Changes>(
      new GroupedChanges(std::move(parts), std::move(chosen), selection.oldest_first));
}

Result<std::unique_ptr<Changes>> archived_in_order(std::vector<ArchivePart> parts,
                                                   const Selection& selection, bool every) {
  Chosen chosen = TRY(choose(parts, selection, every));
  return std::unique_ptr<Changes>(new OrderedChanges(std::move(parts), std::move(chosen)));
}

Result<std::unique_ptr<Changes>> archived_under(std::vector<ArchivePart> parts, std::int64_t table,
                                                const RowName& name, std::int64_t after,
                                                std::int64_t upto, bool oldest_first) {
  Selection selection;
  selection.table = table;
  selection.after = after;
  selection.upto = upto;
  if (!tells_apart(name.key)) selection.row_id = name.row_id;
  std::erase_if(parts,
                [&](const ArchivePart& part) { return !may_hold(part.manifest, selection); });
  return std::unique_ptr<Changes>(new GroupedChanges(
      std::move(parts),
      [selection, key = name.key](const ArchivedChange& one) {
        return one.shown && means(selection, {}, one) && under(one.change, key);
      },
      oldest_first));
}

Result<std::int64_t> archived_last_at(const std::vector<ArchivePart>& parts, std::int64_t micros) {
  std::int64_t last = 0;
  for (const ArchivePart& part : parts) {
    if (part.manifest.first_at > micros || part.manifest.last_id <= last) continue;
    if (part.manifest.last_at <= micros) {
      last = part.manifest.last_id;
      continue;
    }
    TRY(each(part, [&](const ArchivedChange& one) -> Result<void> {
      if (one.change.at <= micros) last = std::max(last, one.change.id);
      return {};
    }));
  }
  return last;
}

}  // namespace vestige
