// What is sealed of a change on PostgreSQL: from the text of its rows and the columns of its shape.
#include "vestige/trail/postgres/sealables.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "vestige/base/time.h"
#include "vestige/record/canonical.h"
#include "vestige/record/change.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/decode.h"
#include "vestige/trail/postgres/row_text.h"

namespace vestige::postgres {
namespace {

// Places of the query's columns.
enum Place {
  kId,
  kAt,
  kOp,
  kTracked,
  kShape,
  kKey,
  kNewKey,
  kOldRow,
  kNewRow,
  kErased,
  kContext,
  kTx,
  kXid,
  kStarted,
  kPid,
  kClientAddr,
  kDbUser,
  kDbRole,
  kApplication,
  kFields
};

constexpr std::string_view kColumns =
    "c.id, case when c.at >= '0001-01-01 00:00:00+00' and c.at < '10000-01-01 00:00:00+00' then"
    " (extract(epoch from c.at) * 1000000)::int8 end, "
    "c.op::text,"
    " c.tracked, c.shape, c.key, c.new_key, c.old_row, c.new_row,"
    " case when c.op = 'E' then (select string_agg(format('%s %s', e.erased, e.parts), ' '"
    " order by e.erased) from vestige.erased e where e.change = c.id) end,"
    " x.id, x.tx, x.xid::text, case when x.at >= '0001-01-01 00:00:00+00' and x.at <"
    " '10000-01-01 00:00:00+00' then (extract(epoch from x.at) * 1000000)::int8 end, x.pid, "
    "x.client_addr::text, x.db_user::text, x.db_role::text,"
    " x.application_name, x.fields::text";

// The same without what a writer or the disk may have made too much, or unreadable.
constexpr std::string_view kBareColumns =
    "c.id, case when c.at >= '0001-01-01 00:00:00+00' and c.at < '10000-01-01 00:00:00+00' then"
    " (extract(epoch from c.at) * 1000000)::int8 end, c.op::text, c.tracked, c.shape, null, null,"
    " null, null, null, null, null, null, null, null, null, null, null, null, null";

constexpr std::string_view kFrom =
    " from vestige.change c left join vestige.context x on x.id = c.context and x.xid = c.xid";

// Which changes are read: conditions on c, and their values, of which the first is the id that they are all above.
struct Wanted {
  std::string where;
  Params values;
  std::int64_t limit = 0;
};

class PostgresSealables final : public Sealables {
 public:
  explicit PostgresSealables(Database& db) : db_(db) {}

  // Inside a transaction an error of the stream must not be the end of it.
  Result<void> begin(Wanted wanted) {
    wanted_ = std::move(wanted);
    within_ = db_.in_transaction();
    if (within_) TRY(db_.script("savepoint vestige_reading"));
    auto rows = db_.query(fmt::format("select {}{} where {} order by c.id{}", kColumns, kFrom,
                                      wanted_.where, limit()),
                          wanted_.values);
    if (!rows.has_value()) return one_by_one(rows.error());
    rows_ = std::move(rows).take();
    return {};
  }

  Result<void> load() {
    for (const Tracked& table : TRY(read_tables(db_)))
      for (Shape& shape : TRY(read_shapes(db_, table.id, true))) {
        Known& known = shapes_[shape.id];
        known.table = std::move(shape.name);
        known.key = shape.key();
        known.columns = std::move(shape.columns);
      }
    return {};
  }

  Result<const Sealable*> next() override {
    if (alone_.has_value()) return next_alone();
    const auto step = rows_->next();
    if (!step.has_value()) {
      TRY(one_by_one(step.error()));
      return next_alone();
    }
    if (*step == Step::end) {
      rows_.reset();
      if (std::exchange(within_, false)) TRY(db_.script("release savepoint vestige_reading"));
      return nullptr;
    }
    TRY(read());
    return &one_;
  }

 private:
  struct Known {
    std::string table;
    std::vector<Column> columns;
    std::vector<Column> key;
  };

  std::string limit() const {
    return wanted_.limit == 0 ? "" : fmt::format(" limit {}", wanted_.limit);
  }

  Result<void> read() {
    one_.broken.clear();
    one_.key.reset();
    one_.values.reset();
    one_.entry.id = rows_->integer(kId);
    wanted_.values[0] = one_.entry.id;
    auto known = shapes_.find(rows_->integer(kShape));
    if (known == shapes_.end()) {
      TRY(load());  // made since we began to read
      known = shapes_.find(rows_->integer(kShape));
    }
    decode(known == shapes_.end() ? nullptr : &known->second);
    if (one_.entry.op == name(Op::expire) && known != shapes_.end()) TRY(expired());
    return {};
  }

  // They are few: another query is asked for each.
  Result<void> expired() {
    one_.values = TRY(ExpiryStore(db_).canonical(one_.entry.id));
    if (!one_.values.has_value()) cannot_be_read("nothing is kept of what expired");
    return {};
  }

  // Nothing but a row is to blame: then the others are read without it.
  Result<void> may_go_on(const Error& error) {
    rows_.reset();
    if (error.fault == Fault::offline || error.fault == Fault::conflict ||
        error.fault == Fault::denied)
      return tl::unexpected<Error>(error);
    if (within_) TRY(db_.script("rollback to savepoint vestige_reading"));
    return {};
  }

  Result<void> one_by_one(const Error& error) {
    TRY(may_go_on(error));
    // It is no row's fault where the same fails without any.
    TRY(db_.run(fmt::format("select {}{} limit 0", kColumns, kFrom)));
    alone_.emplace();
    auto rows =
        TRY(db_.query(fmt::format("select c.id from vestige.change c where {} order by c.id{}",
                                  wanted_.where, limit()),
                      wanted_.values));
    while (TRY(rows->next()) == Step::row) alone_->push_back(rows->integer(0));
    return {};
  }

  // A row that cannot be read at all is sealed by its id, and by what stands beside its values.
  Result<const Sealable*> next_alone() {
    while (!alone_->empty()) {
      const std::int64_t id = alone_->front();
      alone_->pop_front();
      const auto whole = read_alone(id, kColumns);
      if (whole.has_value() && *whole == Step::row) return &one_;
      if (whole.has_value()) continue;  // it is gone
      TRY(may_go_on(whole.error()));
      if (const auto bare = read_alone(id, kBareColumns); !bare.has_value()) {
        TRY(may_go_on(bare.error()));
        one_ = Sealable();
        one_.entry.id = id;
        one_.entry.op = "UPDATE";
      }
      one_.context.reset();
      context_id_ = -1;
      std::string_view cause = whole.error().message;
      cause.remove_prefix(std::min(cause.find(": "), cause.size() - 2) + 2);  // "run sql: "
      one_.broken = cause;
      return &one_;
    }
    return nullptr;
  }

  Result<Step> read_alone(std::int64_t id, std::string_view columns) {
    rows_ = TRY(db_.query(fmt::format("select {}{} where c.id = ?1::int8", columns, kFrom), {id}));
    if (TRY(rows_->next()) == Step::end) return Step::end;
    TRY(read());
    return Step::row;
  }

  void decode(const Known* shape) {
    Entry& entry = one_.entry;
    const auto op = op_from_letter(rows_->text(kOp));
    entry.op = name(op.has_value() ? *op : Op::update);
    if (!op.has_value()) cannot_be_read(fmt::format("unknown operation '{}'", rows_->text(kOp)));
    entry.at = rows_->integer(kAt);
    if (rows_->is_null(kAt) || !is_nameable(entry.at)) {
      cannot_be_read("its time is none");
      entry.at = 0;
    }
    entry.table_id = std::max<std::int64_t>(rows_->integer(kTracked), 0);
    entry.table = shape == nullptr ? "" : shape->table;
    if (std::string why = context(); !why.empty()) {
      cannot_be_read(why);
      entry.tx = 0;
      one_.context.reset();
      context_id_ = -1;
    }
    if (shape == nullptr) {
      cannot_be_read(fmt::format("no shape {}", rows_->integer(kShape)));
      return;
    }
    cannot_be_read(key(*shape));
    if (op.has_value() && *op == Op::expire) return;
    cannot_be_read(op.has_value() && takes_away(*op) ? erased() : values(*shape));
  }

  void cannot_be_read(const std::string& why) {
    if (why.empty()) return;
    if (!one_.broken.empty()) one_.broken += ", ";
    one_.broken += why;
  }

  std::string context() {
    if (rows_->is_null(kContext)) return "its context is missing, or is of another transaction";
    one_.entry.tx = rows_->integer(kTx);
    if (one_.entry.tx < 0) return "its transaction is none";
    if (rows_->integer(kContext) == context_id_) return "";
    Canonical out;
    out.token("tx", std::to_string(rows_->integer(kTx)));
    out.token("xid", rows_->text(kXid));
    const std::int64_t started = rows_->integer(kStarted);
    if (rows_->is_null(kStarted) || !is_nameable(started)) return "the time of its context is none";
    out.text("at", format_time(started));
    out.token("pid", std::to_string(rows_->integer(kPid)));
    const auto add = [&](std::string_view name, int place) {
      if (!rows_->is_null(place)) out.text(name, rows_->text(place));
    };
    add("client_addr", kClientAddr);
    add("db_user", kDbUser);
    add("db_role", kDbRole);
    add("application_name", kApplication);
    if (!rows_->is_null(kFields)) add_members(out, "fields", rows_->text(kFields));
    one_.context = std::move(out).take();
    context_id_ = rows_->integer(kContext);
    return "";
  }

  std::string key(const Known& shape) {
    if (rows_->is_null(kKey) && rows_->is_null(kNewKey)) return "";
    Canonical out;
    for (const auto& [section, place] : {std::pair("key", kKey), std::pair("new_key", kNewKey)}) {
      if (rows_->is_null(place)) continue;
      out.section(section);
      const std::string text = rows_->text(place);
      if (shape.key.size() == 1) {
        out.text(shape.key[0].name, text);
        continue;
      }
      if (!read_row_text(text, fields_) || fields_.size() != shape.key.size())
        return fmt::format("its {} does not fit the columns", section);
      for (std::size_t i = 0; i < shape.key.size(); ++i) out.text(shape.key[i].name, fields_[i]);
    }
    one_.key = std::move(out).take();
    return "";
  }

  std::string values(const Known& shape) {
    const bool has_old = !rows_->is_null(kOldRow);
    const bool has_new = !rows_->is_null(kNewRow);
    if (!has_old && !has_new) return "";
    const std::size_t count = shape.columns.size();
    const auto read = [&](int place, auto& fields) {
      if (!read_row_text(rows_->text(place), fields)) return false;
      if (count == 0 && fields.size() == 1 && !fields[0].has_value()) fields.clear();
      return fields.size() == count;
    };
    if ((has_old && !read(kOldRow, fields_)) || (has_new && !read(kNewRow, new_fields_)))
      return "its values do not fit the columns";
    // In an UPDATE the fields that did not change are empty on both sides.
    const bool update = has_old && has_new;
    const auto said = [&](std::size_t i) {
      return !update || fields_[i].has_value() || new_fields_[i].has_value() ||
             shape.columns[i].old_left_out || shape.columns[i].new_left_out;
    };
    Canonical out;
    const auto add = [&](std::string_view section, const auto& fields, bool Column::*left_out) {
      out.section(section);
      for (std::size_t i = 0; i < count; ++i) {
        const Column& column = shape.columns[i];
        if (!said(i)) continue;
        if (column.redacted) out.token(column.name, to_json(redacted()));
        else if (column.*left_out) out.token(column.name, to_json(unrecorded()));
        else if (!column.encrypted.empty() && fields[i].has_value())
          out.token(column.name, to_json(token_value(*fields[i], column.encrypted)));
        else out.text(column.name, fields[i]);
      }
    };
    if (has_old) add("old", fields_, &Column::old_left_out);
    if (has_new) add("new", new_fields_, &Column::new_left_out);
    one_.values = std::move(out).take();
    return "";
  }

  std::string erased() {
    Canonical out;
    out.section("erased");
    const std::string list = rows_->text(kErased);
    for (std::string_view rest = list; !rest.empty();) {
      const std::size_t middle = std::min(rest.find(' '), rest.size() - 1);
      const std::size_t end = std::min(rest.find(' ', middle + 1), rest.size());
      out.text(rest.substr(0, middle), rest.substr(middle + 1, end - middle - 1));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    one_.values = std::move(out).take();
    return "";
  }

  Database& db_;
  Wanted wanted_;
  bool within_ = false;
  std::unique_ptr<Rows> rows_;
  std::optional<std::deque<std::int64_t>>
      alone_;  // what is read row by row, since the stream failed
  std::map<std::int64_t, Known> shapes_;
  std::vector<std::optional<std::string>> fields_;
  std::vector<std::optional<std::string>> new_fields_;
  std::int64_t context_id_ = -1;
  Sealable one_;
};

}  // namespace

Result<std::unique_ptr<Sealables>> read_sealables(Database& db, const SealingRange& range) {
  Params values = {range.after, range.upto.value_or(std::numeric_limits<std::int64_t>::max())};
  std::string where;
  if (range.due.has_value()) {
    const DueTransactions& due = *range.due;
    const auto list = [](const std::vector<std::uint64_t>& xids) {
      return Text{fmt::format("{{{}}}", fmt::join(xids, ","))};
    };
    values.insert(values.end(), {list(due.ended), due.floor, Text{std::to_string(due.from)},
                                 Text{std::to_string(due.below)}, list(due.open)});
    where =
        " and (c.xid = any (?3::xid8[]) or c.id > ?4::int8 and c.xid >= ?5::xid8 and c.xid <"
        " ?6::xid8 and c.xid <> all (?7::xid8[]))";
  }
  // The shapes first: another query would have to wait for the end of the stream.
  auto loaded = std::make_unique<PostgresSealables>(db);
  TRY(loaded->load());
  TRY(loaded->begin({"c.id > ?1::int8 and c.id <= ?2::int8" + where, values, range.limit}));
  return std::unique_ptr<Sealables>(std::move(loaded));
}

}  // namespace vestige::postgres
