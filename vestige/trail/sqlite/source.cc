#include "vestige/trail/source.h"

#include <algorithm>

#include "vestige/trail/by_blocks.h"
#include "vestige/trail/selection.h"
#include "vestige/trail/sqlite/catalog.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/stays.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/sqlite/who.h"

namespace vestige::sqlite {
namespace {

class ReadChanges final : public Changes {
 public:
  ReadChanges(std::unique_ptr<Rows> rows, std::shared_ptr<Decoder> decoder, bool forgiving = false)
      : rows_(std::move(rows)), decoder_(std::move(decoder)), forgiving_(forgiving) {}

  Result<std::optional<Change>> next() override {
    while (TRY(rows_->next()) == Step::row) {
      auto change = TRY(forgiving_ ? decoder_->decode_forgiving(*rows_) : decoder_->decode(*rows_));
      if (change.has_value()) return change;
    }
    return std::optional<Change>();
  }

 private:
  std::unique_ptr<Rows> rows_;
  std::shared_ptr<Decoder> decoder_;
  bool forgiving_;
};

// The tx of a plain client is an id of its own; its changes follow each other without a gap.
Result<void> select_tx(Database& db, std::int64_t tx, Where& where) {
  const std::int64_t after = TRY(scalar_integer(
      db, "select id from vestige_change where id > ?1 and tx <> ?1 order by id limit 1", {tx}));
  const std::string first = where.bind(tx);
  where.add(fmt::format("c.id >= {} and c.tx = {}", first, first));
  if (after != 0) where.add("c.id < " + where.bind(after));
  return {};
}

Result<std::int64_t> last_before(Database& db, std::int64_t micros) {
  // A moment lies between two of the clock's milliseconds.
  const std::int64_t milliseconds = micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000);
  std::int64_t hi = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  std::int64_t lo = TRY(scalar_integer(db, "select min(id) from vestige_change"));
  // Where the clock went back, a new run of rising times begins; the last run that holds the moment counts.
  std::vector<std::int64_t> runs = {lo};
  auto back = TRY(db.query("select id from vestige_change where backward is not null order by id"));
  while (TRY(back->next()) == Step::row) runs.push_back(back->integer(0));
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    lo = *run;
    const std::int64_t first = TRY(scalar_integer(
        db, "select at from vestige_change where id >= ?1 order by id limit 1", {lo}));
    if (hi < lo || first > milliseconds) {
      hi = lo - 1;
      continue;
    }
    while (lo < hi) {  // lo's time is within; find the last that is
      const std::int64_t middle = lo + (hi - lo + 1) / 2;
      auto probe = TRY(db.query(
          "select id, at from vestige_change where id >= ?1 order by id limit 1", {middle}));
      if (TRY(probe->next()) == Step::row && probe->integer(0) <= hi &&
          probe->integer(1) <= milliseconds)
        lo = probe->integer(0);
      else hi = middle - 1;
    }
    return lo;
  }
  return 0;
}

// few: a part of the changes is read, so that the contexts are not read all.
Result<Where> where_of(Database& db, const Selection& selection, bool few = false) {
  Where where;
  if (selection.table.has_value() && selection.key.empty())
    where.add("c.tbl = " + where.bind(*selection.table));
  if (selection.table.has_value() && !selection.key.empty())
    TRY(select_row(db, *selection.table, selection.key, where));
  if (selection.row_id.has_value()) where.add("c.row_id = " + where.bind(*selection.row_id));
  if (selection.tx.has_value()) TRY(select_tx(db, *selection.tx, where));
  if (selection.after.has_value()) where.add("c.id > " + where.bind(*selection.after));
  if (selection.upto.has_value()) where.add("c.id <= " + where.bind(*selection.upto));
  if (!selection.ids.empty()) {
    // As one value: there may be more of them than a statement has room for.
    const std::string list = fmt::format("[{}]", fmt::join(selection.ids, ","));
    where.add("c.id in (select value from json_each(" + where.bind(Text{list}) + "))");
  }
  if (selection.since.has_value()) {
    where.add("c.at >= " + where.bind((*selection.since + 999) / 1000));
    // A shortcut by search, exact as long as the clock never went back.
    if (TRY(scalar_integer(db, "select count(*) from vestige_change where backward is not null")) ==
        0)
      where.add("c.id > " + where.bind(TRY(last_before(db, *selection.since - 1))));
  }
  if (selection.until.has_value())
    where.add("c.at < " + where.bind((*selection.until + 999) / 1000));
  if (!selection.who.empty())
    where.add((few ? "exists (select 1 from vestige_context as x where x.id = c.context and x.actor"
                   : "c.context in (select id from vestige_context where actor") +
              std::string(" in (") + where.bind_all(selection.who) + "))");
  if (!selection.db_users.empty())
    return hinted(fail(Fault::invalid, "select by db user: SQLite has no users"),
                  "--actor NAME selects by what the application said");
  if (!selection.ops.empty()) where.add("c.op in (" + where.bind_all(letters(selection.ops)) + ")");
  return where;
}

// The selected changes, by a decoder that the stream may share with others.
Result<std::unique_ptr<Changes>> decoded(Database& db, std::string_view source, const Where& where,
                                         const Selection& selection,
                                         std::shared_ptr<Decoder> decoder) {
  auto rows = TRY(db.query(fmt::format("select {} from {}{} order by c.id{}", change_columns(),
                                       source, where.sql, selection.oldest_first ? "" : " desc"),
                           where.values));
  auto tables = TRY(facts(db, selection.filter));
  return selected(
      std::make_unique<ReadChanges>(std::move(rows), std::move(decoder), selection.forgiving),
      selection, std::move(tables));
}

// What sql/sqlite/who.sql keeps.
class WhoBlocks final : public BlockIndex {
 public:
  WhoBlocks(Database& db, std::shared_ptr<Decoder> decoder, const std::vector<std::string>& who,
            std::int64_t upto)
      : db_(db), decoder_(std::move(decoder)), who_(who), upto_(upto) {}

  std::int64_t upto() const override { return upto_; }

  Result<std::vector<std::int64_t>> blocks(std::int64_t from, bool ascending,
                                           std::int64_t most) override {
    Where where;
    const std::string edge = where.bind(from);
    const std::string limit = where.bind(most);
    const std::string_view order = ascending ? "" : " desc";
    std::string all;
    for (const std::string& name : who_)  // each by itself: the index has its blocks in order
      all += fmt::format(
          "{}select block from (select block from vestige_who where actor = {} and"
          " block {} {} order by block{} limit {})",
          all.empty() ? "" : " union ", where.bind(Text{name}), ascending ? ">=" : "<", edge, order,
          limit);
    std::vector<std::int64_t> found;
    auto rows = TRY(
        db_.query(fmt::format("{} order by block{} limit {}", all, order, limit), where.values));
    while (TRY(rows->next()) == Step::row) found.push_back(rows->integer(0));
    return found;
  }

  Result<std::unique_ptr<Changes>> within(const Selection& selection,
                                          const std::vector<std::int64_t>& blocks) override {
    Where where = TRY(where_of(db_, selection, true));
    const std::string source = fmt::format(
        "json_each({}) as b cross join vestige_change as c on c.id > b.value * {} and c.id <="
        " (b.value + 1) * {}",
        where.bind(Text{fmt::format("[{}]", fmt::join(blocks, ","))}), kBlock, kBlock);
    return decoded(db_, source, where, selection, decoder_);
  }

  Result<std::unique_ptr<Changes>> all(const Selection& selection) override {
    return decoded(db_, "vestige_change as c", TRY(where_of(db_, selection, true)), selection,
                   decoder_);
  }

 private:
  Database& db_;
  std::shared_ptr<Decoder> decoder_;
  std::vector<std::string> who_;
  std::int64_t upto_;
};

Result<std::unique_ptr<Changes>> chosen_changes(Database& db, const Selection& selection,
                                                std::shared_ptr<Decoder> decoder) {
  // More names than a statement may have parts are no question of a person.
  constexpr std::size_t kNames = 100;
  if (by_name(selection) && selection.db_users.empty() && selection.who.size() <= kNames &&
      TRY(finds_who(db)))
    if (const std::int64_t upto = TRY(who_upto(db)); upto > 0)
      return by_blocks(std::make_unique<WhoBlocks>(db, std::move(decoder), selection.who, upto),
                       selection);
  return decoded(db, "vestige_change as c", TRY(where_of(db, selection)), selection,
                 std::move(decoder));
}

Result<std::shared_ptr<Decoder>> shared_decoder(Database& db, bool every = false) {
  return std::make_shared<Decoder>(TRY(Decoder::open(db, Names::today, every)));
}

class Reader final : public ChangeReader {
 public:
  Reader(Database& db, std::shared_ptr<Decoder> decoder) : db_(db), decoder_(std::move(decoder)) {}

  Result<std::unique_ptr<Changes>> read(const Selection& asked) override {
    return chosen_changes(db_, narrowed(asked), decoder_);
  }

 private:
  Database& db_;
  std::shared_ptr<Decoder> decoder_;
};

class SqliteSource final : public Source {
 public:
  explicit SqliteSource(Database& db) : db_(db) {}

  Result<void> open(Change& change) override {
    if (!opening_.has_value()) opening_ = TRY(Decoder::open(db_));
    return opening_->open(change);
  }

  Result<std::vector<Tracked>> tables() override { return read_tables(db_); }
  Result<std::optional<std::string>> meant_table(const std::string& typed) override {
    return find_table(db_, typed);
  }
  Result<std::vector<Shape>> shapes(std::int64_t table) override { return read_shapes(db_, table); }
  Result<std::vector<std::string>> gaps(std::int64_t, std::int64_t) override {
    return std::vector<std::string>();
  }

  Result<std::unique_ptr<Changes>> changes(const Selection& selection) override {
    return chosen_changes(db_, selection, TRY(shared_decoder(db_)));
  }

  Result<std::unique_ptr<ChangeReader>> reader(std::optional<std::int64_t>, bool every) override {
    auto decoder = TRY(shared_decoder(db_, every));
    return std::unique_ptr<ChangeReader>(new Reader(db_, std::move(decoder)));
  }

  Result<std::vector<std::int64_t>> ids(const Selection& selection) override {
    const Where where = TRY(where_of(db_, selection));
    std::vector<std::int64_t> ids;
    auto rows = TRY(db_.query("select c.id from vestige_change as c" + where.sql + " order by c.id",
                              where.values));
    while (TRY(rows->next()) == Step::row) ids.push_back(rows->integer(0));
    return ids;
  }

  Result<std::int64_t> count_of(const Selection& selection) override {
    const Where where = TRY(where_of(db_, selection));
    return scalar_integer(db_, "select count(*) from vestige_change as c" + where.sql,
                          where.values);
  }

  Result<std::unique_ptr<Changes>> changes_under(const Tracked& table, const RowName& name,
                                                 std::int64_t after, std::int64_t upto,
                                                 bool oldest_first) override {
    const Value stored = name.key.empty() ? Value(Null{}) : TRY(stored_key(db_, name.key));
    Params values = {table.id, stored, after, upto};
    std::string which;
    if (name.row_id.has_value() && !tells_apart(name.key)) {
      values.emplace_back(*name.row_id);
      which = " and c.row_id = ?5";
    }
    auto rows = TRY(
        db_.query(fmt::format("select {} from vestige_change as c where c.id in ({}) and c.id > ?3"
                              " and c.id <= ?4{} order by c.id{}",
                              change_columns(), ids_under(stored, "?1", "?2"), which,
                              oldest_first ? "" : " desc"),
                  values));
    auto decoder = TRY(shared_decoder(db_));
    return std::unique_ptr<Changes>(new ReadChanges(std::move(rows), std::move(decoder)));
  }

  Result<std::vector<std::int64_t>> doubtful_neighbours(std::int64_t tx) override {
    std::vector<std::int64_t> out;
    // A transaction's id is that of its first change; its changes stand side by side.
    auto rows = TRY(db_.query(
        "select distinct n.tx from (select id, at from vestige_change where tx = ?1 and id >= ?1"
        " and context is null order by id limit 1) as f"
        " join (select max(id) as id, at from vestige_change where tx = ?1 and id >= ?1) as l"
        " join vestige_change as n on n.id between f.id - 100 and l.id + 100 and n.tx <> ?1"
        " and n.at in (f.at, l.at) and n.context is null and n.op in ('I', 'U', 'D')"
        " order by n.tx limit 40",
        {tx}));
    while (TRY(rows->next()) == Step::row) out.push_back(rows->integer(0));
    return out;
  }

  Result<std::vector<SaidContext>> said(std::int64_t after, std::int64_t upto) override {
    auto rows = TRY(db_.query(
        "select min(c.id), c.tx, null, x.extra from vestige_change as c join vestige_context as x"
        " on x.id = c.context where c.id > ?1 and c.id <= ?2 and x.extra is not null"
        " group by c.tx, c.context order by 1",
        {after, upto}));
    return said_in(*rows);
  }

  Result<std::int64_t> last_at(std::int64_t micros) override { return last_before(db_, micros); }

  Result<std::int64_t> count() override {
    if (TRY(scalar_integer(
            db_, "select count(*) from sqlite_schema where name = 'vestige_change'")) == 0)
      return 0;
    return scalar_integer(db_, "select count(*) from vestige_change");
  }

 private:
  Database& db_;
  std::optional<Decoder> opening_;  // what others gave
};

}  // namespace

std::unique_ptr<Source> source(Database& db) { return std::make_unique<SqliteSource>(db); }

}  // namespace vestige::sqlite
