// Reading changes on PostgreSQL: the stored rows as they are, decoded here.
#include "vestige/trail/source.h"

#include "vestige/trail/by_blocks.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/decode.h"
#include "vestige/trail/postgres/keys.h"
#include "vestige/trail/postgres/names.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/selection.h"

namespace vestige::postgres {
namespace {

class ReadChanges final : public Changes {
 public:
  ReadChanges(std::unique_ptr<Rows> rows, std::shared_ptr<Decoder> decoder, bool forgiving)
      : rows_(std::move(rows)), decoder_(std::move(decoder)), forgiving_(forgiving) {}

  Result<std::optional<Change>> next() override {
    if (TRY(rows_->next()) == Step::end) return std::optional<Change>();
    return std::optional<Change>(
        TRY(forgiving_ ? decoder_->decode_forgiving(*rows_) : decoder_->decode(*rows_)));
  }

 private:
  std::unique_ptr<Rows> rows_;
  std::shared_ptr<Decoder> decoder_;
  bool forgiving_;
};

std::string moment(Where& where, Value micros) {
  return "timestamptz 'epoch' + " + where.bind(std::move(micros)) +
         "::int8 * interval '1 microsecond'";
}

// `source` is vestige.change, or a function that gives rows of it.
Result<std::unique_ptr<Rows>> stored_changes(Database& db, std::string_view source,
                                             const Where& where, const Selection& selection) {
  // Without a condition in SQL that the seam does not know, LIMIT can stand in SQL too.
  const std::string limit =
      selection.limit > 0 && selection.columns.empty() && selection.filter.conditions.empty()
          ? fmt::format(" limit {}", selection.limit)
          : "";
  return db.query(fmt::format("select {} from {} c left join vestige.context x on x.id = c.context"
                              " and x.xid = c.xid{} order by c.id{}{}",
                              change_columns(), source, where.sql,
                              selection.oldest_first ? "" : " desc", limit),
                  where.values);
}

// The columns first: another query would have to wait for the end of the stream. A decoder may serve several streams.
Result<std::unique_ptr<Changes>> decoded(Database& db, std::string_view source, const Where& where,
                                         const Selection& selection,
                                         std::shared_ptr<Decoder> decoder) {
  auto tables = TRY(facts(db, selection.filter));
  auto rows = TRY(stored_changes(db, source, where, selection));
  return selected(
      std::make_unique<ReadChanges>(std::move(rows), std::move(decoder), selection.forgiving),
      selection, std::move(tables));
}

Result<std::shared_ptr<Decoder>> shared_decoder(Database& db, std::optional<std::int64_t> table) {
  return std::make_shared<Decoder>(TRY(Decoder::open(db, table)));
}

// The changes of one transaction, and where they lie.
Result<void> add_tx(Database& db, std::int64_t id, Where& where) {
  const std::string tx = where.bind(id);
  const std::string end =
      where.bind(TRY(scalar_integer(db, "select vestige.tx_end(?1::int8)", {id})));
  where.add(
      fmt::format("x.tx = {0}::int8 and x.id >= {0}::int8 and x.id < {1}::int8"
                  " and c.id >= {0}::int8 and c.id < {1}::int8",
                  tx, end));
  return {};
}

// What a context says is read as JSON only where its text may name the actor: as it is, by an escape, or as a
// number with an exponent. An object or a list is spelled in too many ways. An actor that nobody said is the
// database's user.
void add_who(const std::vector<std::string>& all, Where& where) {
  std::string any;
  for (const std::string& who : all) {
    const std::string name = where.bind(Text{who}) + "::text";
    std::string one =
        fmt::format("coalesce(vestige.given_fields(x.fields) ->> 'actor', x.db_user) = {}", name);
    if (who.find_first_of("{[") != 0)
      one = fmt::format(
          "(pg_catalog.strpos(x.fields, {0}) > 0 or pg_catalog.strpos(x.fields, '\\') > 0"
          " or x.db_user = {0}{1}) and {2}",
          name, who.find_first_of("-0123456789") == 0 ? " or x.fields ~ '[0-9][eE]'" : "", one);
    any += (any.empty() ? "" : " or ") + one;
  }
  where.add("(" + any + ")");
}

// Where the selected changes are read from, and by which conditions.
struct From {
  std::string source = "vestige.change";
  Where where;
};

Result<From> from(Database& db, const Selection& selection) {
  From out;
  auto& [source, where] = out;
  if (selection.table.has_value() && !selection.key.empty()) {
    const std::string key = stored_key(where, *selection.table, selection.key);
    source = fmt::format("vestige.row_trail({}::int, {})", where.bind(*selection.table), key);
  } else if (selection.table.has_value()) {
    where.add(fmt::format("c.tracked = {}::int", where.bind(*selection.table)));
  }
  if (selection.tx.has_value()) TRY(add_tx(db, *selection.tx, where));
  if (selection.after.has_value()) where.add("c.id > " + where.bind(*selection.after));
  if (selection.upto.has_value()) where.add("c.id <= " + where.bind(*selection.upto));
  if (!selection.ids.empty()) {
    where.add(fmt::format("c.id = any ({}::int8[])",
                          where.bind(Text{fmt::format("{{{}}}", fmt::join(selection.ids, ","))})));
  }
  if (selection.since.has_value()) where.add("c.at >= " + moment(where, *selection.since));
  if (selection.until.has_value()) where.add("c.at < " + moment(where, *selection.until));
  if (!selection.who.empty()) add_who(selection.who, where);
  if (!selection.db_users.empty())
    where.add("x.db_user in (" + where.bind_all(selection.db_users) + ")");
  if (!selection.ops.empty())
    where.add("c.op::text in (" + where.bind_all(letters(selection.ops)) + ")");
  return out;
}

Value micros_or_null(std::optional<std::int64_t> micros) {
  return micros.has_value() ? Value(*micros) : Value(Null{});
}

// What sql/postgres/install/who.sql keeps.
class WhoBlocks final : public BlockIndex {
 public:
  WhoBlocks(Database& db, std::shared_ptr<Decoder> decoder, const Selection& selection,
            std::int64_t upto)
      : db_(db),
        decoder_(std::move(decoder)),
        who_(names_or_null(selection.who)),
        users_(names_or_null(selection.db_users)),
        upto_(upto) {}

  std::int64_t upto() const override { return upto_; }

  Result<std::vector<std::int64_t>> blocks(std::int64_t from, bool ascending,
                                           std::int64_t most) override {
    std::vector<std::int64_t> found;
    auto rows = TRY(db_.query(
        "select b from vestige.who_blocks(?1::text[], ?2::text[], ?3::int8, ?4::int8 = 1, ?5::int4)"
        " b",
        {who_, users_, from, ascending ? 1 : 0, most}));
    while (TRY(rows->next()) == Step::row) found.push_back(rows->integer(0));
    return found;
  }

  Result<std::unique_ptr<Changes>> within(const Selection& selection,
                                          const std::vector<std::int64_t>& blocks) override {
    auto [source, where] = TRY(from(db_, selection));
    source = fmt::format("vestige.changes_in({}::int8[], {}, {})",
                         where.bind(Text{fmt::format("{{{}}}", fmt::join(blocks, ","))}),
                         moment(where, micros_or_null(selection.since)),
                         moment(where, micros_or_null(selection.until)));
    return decoded(db_, source, where, selection, decoder_);
  }

  Result<std::unique_ptr<Changes>> all(const Selection& selection) override {
    const From chosen = TRY(from(db_, selection));
    return decoded(db_, chosen.source, chosen.where, selection, decoder_);
  }

 private:
  static Value names_or_null(const std::vector<std::string>& names) {
    if (names.empty()) return Null{};
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ",") + in_array(name);
    return Text{"{" + list + "}"};
  }
  static std::string in_array(const std::string& name) {
    std::string out = "\"";
    for (const char letter : name) {
      if (letter == '"' || letter == '\\') out += '\\';
      out += letter;
    }
    return out + '"';
  }

  Database& db_;
  std::shared_ptr<Decoder> decoder_;
  Value who_;
  Value users_;
  std::int64_t upto_;
};

// Nothing where no index narrows the selection. A trail of a version before has none.
Result<std::unique_ptr<BlockIndex>> who_index(Database& db, const Selection& selection,
                                              std::shared_ptr<Decoder> decoder) {
  if (!by_name(selection) ||
      TRY(scalar_integer(db,
                         "select count(*) from pg_catalog.pg_class where oid ="
                         " pg_catalog.to_regclass('vestige.who_upto')")) == 0)
    return nullptr;
  const std::int64_t upto = TRY(scalar_integer(db, "select max(upto) from vestige.who_upto"));
  if (upto == 0) return nullptr;
  return std::make_unique<WhoBlocks>(db, std::move(decoder), selection, upto);
}

Result<std::unique_ptr<Changes>> chosen_changes(Database& db, const Selection& selection,
                                                std::shared_ptr<Decoder> decoder) {
  if (auto index = TRY(who_index(db, selection, decoder)); index != nullptr)
    return by_blocks(std::move(index), selection);
  const From chosen = TRY(from(db, selection));
  return decoded(db, chosen.source, chosen.where, selection, std::move(decoder));
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

class PostgresSource final : public Source {
 public:
  explicit PostgresSource(Database& db) : db_(db) {}

  Result<void> open(Change& change) override {
    if (!opening_.has_value()) opening_ = TRY(Decoder::open(db_, std::nullopt));
    return opening_->open(change);
  }

  Result<std::vector<Tracked>> tables() override { return read_tables(db_); }
  Result<std::optional<std::string>> meant_table(const std::string& typed) override {
    return postgres::meant_table(db_, typed);
  }
  Result<std::vector<Shape>> shapes(std::int64_t table) override { return read_shapes(db_, table); }

  Result<std::vector<std::string>> gaps(std::int64_t table, std::int64_t upto) override {
    std::vector<std::string> said;
    auto rows = TRY(
        db_.query("select g.message from vestige.gaps(?1::int) g where g.after_change >= ?2::int8"
                  " order by g.after_change, g.id",
                  {table, upto}));
    while (TRY(rows->next()) == Step::row) said.push_back(rows->text(0));
    return said;
  }

  Result<std::unique_ptr<Changes>> changes(const Selection& selection) override {
    return chosen_changes(db_, selection, TRY(shared_decoder(db_, selection.table)));
  }

  Result<std::unique_ptr<ChangeReader>> reader(std::optional<std::int64_t> table, bool) override {
    auto decoder = TRY(shared_decoder(db_, table));
    return std::unique_ptr<ChangeReader>(new Reader(db_, std::move(decoder)));
  }

  Result<std::vector<std::int64_t>> ids(const Selection& selection) override {
    const auto [source, where] = TRY(from(db_, selection));
    std::vector<std::int64_t> ids;
    auto rows = TRY(db_.query(fmt::format("select c.id from {} c left join vestige.context x"
                                          " on x.id = c.context and x.xid = c.xid{} order by c.id",
                                          source, where.sql),
                              where.values));
    while (TRY(rows->next()) == Step::row) ids.push_back(rows->integer(0));
    return ids;
  }

  Result<std::int64_t> count_of(const Selection& selection) override {
    const auto [source, where] = TRY(from(db_, selection));
    return scalar_integer(db_,
                          fmt::format("select count(*) from {} c left join vestige.context x"
                                      " on x.id = c.context and x.xid = c.xid{}",
                                      source, where.sql),
                          where.values);
  }

  Result<std::unique_ptr<Changes>> changes_under(const Tracked& table, const RowName& name,
                                                 std::int64_t after, std::int64_t upto,
                                                 bool oldest_first) override {
    Where where;
    Selection selection;
    selection.table = table.id;
    selection.oldest_first = oldest_first;
    const std::string text = stored_key(where, table.id, name.key);
    const std::string source =
        fmt::format("vestige.changes_under({}::int, {})", where.bind(table.id), text);
    where.add(fmt::format("c.id > {} and c.id <= {}", where.bind(after), where.bind(upto)));
    return decoded(db_, source, where, selection, TRY(shared_decoder(db_, table.id)));
  }

  // It says which transaction each change belongs to.
  Result<std::vector<std::int64_t>> doubtful_neighbours(std::int64_t) override {
    return std::vector<std::int64_t>();
  }

  // A name may be spelled with escapes.
  Result<std::vector<SaidContext>> said(std::int64_t after, std::int64_t upto) override {
    auto rows = TRY(db_.query(
        "select x.id, x.tx, x.xid::text, x.fields from vestige.context x where x.id > ?1::int8"
        " and x.id <= ?2::int8 and (strpos(x.fields, 'signature') > 0 or strpos(x.fields, '\\') > "
        "0)"
        " order by x.id",
        {after, upto}));
    return said_in(*rows);
  }

  Result<std::int64_t> last_at(std::int64_t micros) override {
    return scalar_integer(db_,
                          "select vestige.change_at(timestamptz 'epoch' + ?1::int8 *"
                          " interval '1 microsecond')",
                          {micros});
  }

  Result<std::int64_t> count() override {
    if (TRY(scalar_integer(db_,
                           "select count(*) from pg_catalog.pg_class where relname = 'change' and"
                           " relkind in ('r', 'p') and relnamespace ="
                           " pg_catalog.to_regnamespace('vestige')")) == 0)
      return 0;
    return scalar_integer(db_, "select count(*) from vestige.change");
  }

 private:
  Database& db_;
  std::optional<Decoder> opening_;  // what others gave
};

}  // namespace

std::unique_ptr<Source> source(Database& db) { return std::make_unique<PostgresSource>(db); }

}  // namespace vestige::postgres
