#include "vestige/trail/sqlite/encrypting.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vestige/base/time.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/token.h"
#include "vestige/record/value.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/recipient.h"
#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/subject.h"

namespace vestige::sqlite {
namespace {

constexpr int kAtOnce = 500;  // so few that a writer hardly waits

// Those that have encrypted columns, by id.
Result<std::map<std::int64_t, Shape>> encrypted_shapes(Database& db) {
  std::map<std::int64_t, Shape> out;
  const auto any = TRY(scalar_integer(
      db, "select count(*) from vestige_shape where columns like '%\"encrypted\":%'"));
  if (any == 0) return out;
  for (const Tracked& table : TRY(tracked_tables(db)))
    for (Shape& shape : TRY(shapes(db, table.id)))
      if (std::any_of(shape.columns.begin(), shape.columns.end(),
                      [](const Column& own) { return !own.encrypted.empty(); }))
        out[shape.id] = std::move(shape);
  return out;
}

std::string list_of(const std::map<std::int64_t, Shape>& shapes) {
  std::string out;
  for (const auto& [id, shape] : shapes) out += fmt::format("{}{}", out.empty() ? "" : ",", id);
  return out;
}

// Changes c that have no entry and no tokens yet.
std::string that_wait(const std::map<std::int64_t, Shape>& shapes) {
  return fmt::format(
      " from vestige_change as c where c.id > (select coalesce(max(last_id), 0) from "
      "vestige_sealer)"
      " and c.shape in ({}) and c.op in ('I', 'U', 'D', 'B') and coalesce(c.changed, 0) >= 0 and"
      " not exists (select 1 from vestige_more as m where m.change = c.id and m.part < 0)",
      list_of(shapes));
}

// Something else that takes up exactly as many bytes, so that SQLite writes over the value and moves nothing of its page.
std::string filler(int slot) {
  return fmt::format(
      "v{0} = case typeof(v{0}) when 'text' then zeroblob(length(cast(v{0} as blob)))"
      " when 'blob' then zeroblob(length(v{0})) when 'real' then 0.5 when 'integer' then"
      " case when v{0} in (0, 1) then null when v{0} between -128 and 127 then 2"
      " when v{0} between -32768 and 32767 then 1000 when v{0} between -8388608 and 8388607 then"
      " 100000 when v{0} between -2147483648 and 2147483647 then 1000000000"
      " when v{0} between -140737488355328 and 140737488355327 then 1000000000000"
      " else 1000000000000000000 end end",
      slot);
}

// One row of slots of a change.
struct Waits {
  std::int64_t change = 0;
  std::int64_t at = 0;  // microseconds
  std::int64_t part = 0;
  const Shape* shape = nullptr;
  bool pairs = false;
  std::int64_t changed = 0;
  std::vector<Value> slots;
  Value before = Null{};  // whose the row was, and whose it is
  Value after = Null{};
};

// The rows of a change, each with its subject. Of an UPDATE that leaves it alone, the key has it, or the change has all columns.
void name_subjects(std::vector<Waits>& rows, const Value& key) {
  const auto& columns = rows.front().shape->columns;
  const auto own = std::find_if(columns.begin(), columns.end(),
                                [](const Column& column) { return column.subject; });
  if (own == columns.end()) return;
  const auto place = static_cast<std::size_t>(own - columns.begin());
  const bool is_key = own->key == 1 && rows.front().shape->key().size() == 1;
  const std::size_t in_part = rows.front().pairs ? kPairs : kSlots;
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Waits& one) {
    return static_cast<std::size_t>(one.part) == place / in_part;
  });
  Value before = is_key ? key : Value(Null{});
  Value after = before;
  if (row != rows.end() && !row->pairs) {
    before = after = row->slots[place % in_part];
  } else if (row != rows.end()) {
    const std::size_t slot = 2 * (place % in_part);
    const bool differs = (row->changed >> (place % in_part) & 1) != 0;
    if (differs) before = row->slots[slot];
    if (differs || !is_key) after = row->slots[slot + 1];
    if (!differs) before = after;
  }
  for (Waits& one : rows) {
    one.before = before;
    one.after = after;
  }
}

// Encrypts what one transaction takes, under keys of its own.
class Batch {
 public:
  explicit Batch(Database& db) : db_(db) {}

  Result<void> encrypt(const Waits& row) {
    std::map<int, std::string> tokens;
    for (std::size_t i = 0; i < kSlots; ++i) {
      const std::size_t column = row.pairs ? static_cast<std::size_t>(row.part) * kPairs + i / 2
                                           : static_cast<std::size_t>(row.part) * kSlots + i;
      if (column >= row.shape->columns.size()) break;
      const Column& own = row.shape->columns[column];
      if (own.encrypted.empty() || std::holds_alternative<Null>(row.slots[i])) continue;
      const int slot = static_cast<int>(i);
      // One token for both sides where the value stayed the same.
      if (row.pairs && i % 2 == 1 && tokens.contains(slot - 1) &&
          identical(row.slots[i], row.slots[i - 1])) {
        tokens[slot] = tokens[slot - 1];
        continue;
      }
      // What stayed the same while the subject changed is the new one's.
      const bool former = row.pairs && i % 2 == 0 && !identical(row.slots[i], row.slots[i + 1]);
      const Secret& key = *TRY(key_of(own.encrypted, row, former ? row.before : row.after));
      const Secret plain(to_json(row.slots[i]));
      tokens[slot] =
          TRY(make_token(key.bytes(), token_place(row.shape->table, own.id), plain.bytes()));
    }
    return tokens.empty() ? Result<void>() : put(row, tokens);
  }

 private:
  // For those whom the class had when the change was recorded: what is sealed after a month's end is that month's still.
  Result<const Secret*> key_of(const std::string& of, const Waits& row, const Value& subject) {
    auto all = recipients_.find(of);
    if (all == recipients_.end()) all = recipients_.emplace(of, TRY(all_recipients(db_, of))).first;
    auto wanted = standing(all->second, row.at);
    if (wanted.empty()) wanted = standing(all->second, clock_now());
    if (wanted.empty())
      return hinted(fail(Fault::missing, "encrypt: class {} has no recipient", of),
                    "vestige keys add " + of + " 'age1…', as vestige keys generate printed it");
    std::string whose = of;
    for (const Recipient& one : wanted) whose += fmt::format(" {}", one.id);
    std::string digest;
    if (!std::holds_alternative<Null>(subject))
      digest = TRY(subject_digest(db_, row.shape->table, to_display(subject)));
    whose += ' ' + digest;
    const auto found = keys_.find(whose);
    if (found != keys_.end()) return &found->second;
    Secret key(TRY(random_bytes(32)));
    const Blob id{data_key_id(key.bytes())};
    for (const Recipient& one : wanted) {
      Blob wrapped{TRY(age_encrypt(TRY(age_half(one.public_key)), key.bytes()))};
      TRY(
          db_.run("insert into vestige_encrypted_key (id, class, recipient, wrapped, first_change,"
                  " subject) values (?1, ?2, ?3, ?4, ?5, ?6)",
                  {id, Text{of}, one.id, std::move(wrapped), row.change,
                   digest.empty() ? Value(Null{}) : Value(Blob{digest})}));
    }
    return &keys_.emplace(whose, std::move(key)).first->second;
  }

  Result<void> put(const Waits& row, const std::map<int, std::string>& tokens) {
    Params values = {row.change, -1 - row.part};
    std::string columns;
    std::string places;
    std::string fillers;
    for (const auto& [slot, token] : tokens) {
      values.emplace_back(Blob{token});
      columns += fmt::format(", v{}", slot);
      places += fmt::format(", ?{}", values.size());
      fillers += (fillers.empty() ? "" : ", ") + filler(slot);
    }
    TRY(db_.run(
        fmt::format("insert into vestige_more (change, part{}) values (?1, ?2{})", columns, places),
        values));
    if (row.part == 0)
      TRY(db_.run("update vestige_change set " + fillers + " where id = ?1", {row.change}));
    else
      TRY(db_.run("update vestige_more set " + fillers + " where change = ?1 and part = ?2",
                  {row.change, row.part}));
    return {};
  }

  Database& db_;
  std::map<std::string, std::vector<Recipient>> recipients_;  // by class
  std::map<std::string, Secret> keys_;                        // by class and recipients
};

class Encrypting {
 public:
  Encrypting(Database& db, std::map<std::int64_t, Shape> shapes)
      : db_(db), shapes_(std::move(shapes)) {}
  ~Encrypting() {  // the connection may be the application's
    if (secured_ == 0) (void)db_.script("pragma secure_delete = off");
    if (secured_ == 2) (void)db_.script("pragma secure_delete = fast");
  }
  Encrypting(const Encrypting&) = delete;
  Encrypting& operator=(const Encrypting&) = delete;

  Result<std::int64_t> run() {
    const std::int64_t upto =
        TRY(scalar_integer(db_, "select coalesce(max(id), 0) from vestige_change"));
    bool any = false;
    for (std::int64_t after = 0;;) {
      const auto some = TRY(waiting(after, upto));
      if (some.empty()) break;
      if (!any) TRY(secure());
      any = true;
      auto transaction = TRY(Transaction::begin(db_));
      Batch batch(db_);
      // Candidates that capture keeps until its next statement are copies of rows.
      TRY(forget_kept(db_, std::nullopt));
      for (const std::int64_t change : some)
        for (const Waits& row : TRY(rows_of(change))) TRY(batch.encrypt(row));
      TRY(transaction.commit());
      after = some.back();
    }
    // The log of a database in WAL mode has the former pages, until it is begun anew.
    if (any || TRY(log_has_more(db_))) TRY(begin_log_anew(db_));
    return upto;
  }

 private:
  Result<void> secure() {
    secured_ = TRY(scalar_integer(db_, "pragma secure_delete"));
    return db_.script("pragma secure_delete = on");
  }

  Result<std::vector<std::int64_t>> waiting(std::int64_t after, std::int64_t upto) {
    std::vector<std::int64_t> out;
    auto rows = TRY(db_.query(fmt::format("select c.id{} and c.id > ?1 and c.id <= ?2 order by c.id"
                                          " limit {}",
                                          that_wait(shapes_), kAtOnce),
                              {after, upto}));
    while (TRY(rows->next()) == Step::row) out.push_back(rows->integer(0));
    return out;
  }

  // As they are now: an erasure may have come in between.
  Result<std::vector<Waits>> rows_of(std::int64_t change) {
    std::vector<Waits> out;
    auto rows = TRY(db_.query("select shape, op, changed, at, key" + slot_names(0, kSlots) +
                                  " from vestige_change as c where id = ?1 and"
                                  " coalesce(changed, 0) >= 0 and not exists (select 1 from"
                                  " vestige_more as m where m.change = c.id and m.part < 0)",
                              {change}));
    if (TRY(rows->next()) == Step::end) return out;
    Waits first{.change = change, .shape = &shapes_.at(rows->integer(0))};
    first.pairs = rows->text(1) == "U";
    first.at = rows->integer(3) * 1000;
    first.changed = rows->integer(2);
    const Value key = rows->value(4);
    first.slots = slots_of(*rows, 5);
    out.push_back(first);
    auto more = TRY(db_.query("select part, changed" + slot_names(0, kSlots) +
                                  " from vestige_more where change = ?1 and part > 0 order by part",
                              {change}));
    while (TRY(more->next()) == Step::row) {
      Waits next{.change = change, .at = first.at, .shape = first.shape, .pairs = first.pairs};
      next.part = more->integer(0);
      next.changed = more->integer(1);
      next.slots = slots_of(*more, 2);
      out.push_back(std::move(next));
    }
    name_subjects(out, key);
    return out;
  }

  static std::vector<Value> slots_of(const Rows& rows, int first) {
    std::vector<Value> out;
    for (std::size_t i = 0; i < kSlots; ++i) out.push_back(rows.value(first + static_cast<int>(i)));
    return out;
  }

  Database& db_;
  std::map<std::int64_t, Shape> shapes_;
  std::optional<std::int64_t> secured_;  // how it was before
};

}  // namespace

Result<std::optional<std::int64_t>> encrypt_waiting(Database& db) {
  auto shapes = TRY(encrypted_shapes(db));
  if (shapes.empty()) return std::optional<std::int64_t>();
  return std::optional(TRY(Encrypting(db, std::move(shapes)).run()));
}

// Somebody who reads keeps the log, and what stands in the file, as they are: SQLite says "busy", in a row.
Result<bool> begin_log_anew(Database& db) {
  bool busy = true;
  if (auto rows = db.query("pragma wal_checkpoint(truncate)"); rows.has_value())
    if (const auto step = (*rows)->next(); step.has_value() && *step == Step::row)
      busy = (*rows)->integer(0) != 0;
  if (busy == TRY(log_has_more(db))) return !busy;
  if (busy) TRY(db.run("insert into vestige_meta (name, value) values ('log_has_more', 1)"));
  else TRY(db.run("delete from vestige_meta where name = 'log_has_more'"));
  return !busy;
}

Result<bool> log_has_more(Database& db) {
  return TRY(scalar_integer(db, "select count(*) from vestige_meta where name = 'log_has_more'")) !=
         0;
}

Result<std::map<std::int64_t, std::int64_t>> waiting_for_keys(Database& db) {
  std::map<std::int64_t, std::int64_t> out;
  const auto shapes = TRY(encrypted_shapes(db));
  if (shapes.empty()) return out;
  auto rows = TRY(db.query("select c.tbl, count(*)" + that_wait(shapes) + " group by c.tbl"));
  while (TRY(rows->next()) == Step::row) out[rows->integer(0)] = rows->integer(1);
  return out;
}

}  // namespace vestige::sqlite
