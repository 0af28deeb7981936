// The rows of vestige_change, what belongs to them, and their salts. The guards let nothing
// else through (sql/sqlite/guards.sql).
#include "vestige/trail/sqlite/eraser.h"

#include <algorithm>
#include <map>
#include <optional>

#include "vestige/base/time.h"
#include "vestige/record/canonical.h"
#include "vestige/record/taken.h"
#include "vestige/trail/by_blocks.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/eraser.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/sealable.h"
#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/sqlite/who.h"
#include "vestige/trail/track.h"

namespace vestige::sqlite {
namespace {

// What an ERASE takes from a change.
struct Taken {
  bool values = false;
  bool key = false;
  std::string context;  // as context_left names what stays of it; "": it stays
  std::string parts() const {
    std::string out;
    for (const std::string& part :
         {std::string(values ? "values" : ""), std::string(key ? "key" : ""), context})
      if (!part.empty()) out += (out.empty() ? "" : ",") + part;
    return out;
  }
};

// One table's share of it.
class Erasure {
 public:
  Erasure(Database& db, const ErasedParts& parts, const Context& context)
      : db_(db), parts_(parts), context_(context) {}

  /// An ERASE of what the trail has not.
  Result<std::int64_t> name(std::int64_t table, const std::map<std::int64_t, std::string>& parts) {
    TRY(required(table));
    const std::int64_t number = TRY(record(table));
    for (const auto& [id, taken] : parts)
      TRY(db_.run("insert into vestige_erased (change, erased, parts) values (?1, ?2, ?3)",
                  {number, id, Text{taken}}));
    return number;
  }

  /// The ERASE, or nothing when there was nothing to take.

  Result<std::optional<std::int64_t>> run(std::int64_t table,
                                          const std::vector<std::int64_t>& ids) {
    TRY(required(table));
    TRY(look(ids));
    TRY(contexts());
    std::erase_if(taken_, [](const auto& one) { return one.second.parts().empty(); });
    if (taken_.empty()) return std::optional<std::int64_t>();
    const std::int64_t number = TRY(record(table));
    for (const auto& [id, taken] : taken_)
      TRY(db_.run("insert into vestige_erased (change, erased, parts) values (?1, ?2, ?3)",
                  {number, id, Text{taken.parts()}}));
    for (const auto& [id, taken] : taken_) TRY(take(id, taken));
    for (const auto& [id, left] : said_) TRY(silence(id));
    if (TRY(finds_who(db_))) TRY(forget_names(db_, named_));
    TRY(forget_salts(db_, number));
    // Candidates that capture keeps until its next statement are copies of rows.
    TRY(forget_kept(db_, std::nullopt));
    return std::optional<std::int64_t>(number);
  }

 private:
  // The context that the table's policy asks for is asked for here, too.
  Result<void> required(std::int64_t table) {
    for (const Tracked& one : TRY(tracked_tables(db_))) {
      if (one.id != table) continue;
      shape_ = one.shape.id;
      for (const std::string& field : one.policy.require)
        if (const std::string* said = context_.get(field); said == nullptr || said->empty())
          return hinted(fail(Fault::invalid, "erase: a change of {} needs a context with {}",
                             one.name, field),
                        "vestige help erase lists the options that say it");
    }
    return {};
  }

  Result<void> look(const std::vector<std::int64_t>& ids) {
    auto rows =
        TRY(db_.query("select id, changed, context from vestige_change where id in"
                      " (select value from json_each(?1))",
                      {Text{fmt::format("[{}]", fmt::join(ids, ","))}}));
    while (TRY(rows->next()) == Step::row) {
      const std::int64_t mark = rows->integer(1);
      Taken& taken = taken_[rows->integer(0)];
      taken.values = mark >= 0;
      taken.key = parts_.keys && mark > kKeyErased;
      if (parts_.contexts && !rows->is_null(2)) said_[rows->integer(2)];
    }
    return {};
  }

  // The contexts that say something, and every change under them.
  Result<void> contexts() {
    std::map<std::int64_t, std::string> actors;
    for (auto one = said_.begin(); one != said_.end();) {
      auto rows = TRY(db_.query(
          "select at, actor from vestige_context where id = ?1 and coalesce(actor, on_behalf_of, "
          "reason,"
          " business_process, request_id, session_id, ip_address, user_agent, auth_method,"
          " auth_role, traceparent, extra) is not null",
          {one->first}));
      if (TRY(rows->next()) == Step::end) {
        one = said_.erase(one);
        continue;
      }
      Canonical left;
      left.token("at", std::to_string(rows->integer(0)));
      one->second = context_left(std::move(left).take());
      if (!rows->is_null(1)) actors[one->first] = rows->text(1);
      ++one;
    }
    if (said_.empty()) return {};
    std::string list;
    for (const auto& [id, left] : said_) list += fmt::format("{}{}", list.empty() ? "" : ",", id);
    auto rows =
        TRY(db_.query("select id, context from vestige_change where context in"
                      " (select value from json_each(?1)) and op <> 'E'",
                      {Text{"[" + list + "]"}}));
    while (TRY(rows->next()) == Step::row) {
      const std::int64_t id = rows->integer(0);
      taken_[id].context = said_.at(rows->integer(1));
      if (const auto actor = actors.find(rows->integer(1)); actor != actors.end())
        named_[actor->second].insert((id - 1) / kBlock);
    }
    return {};
  }

  // The ERASE itself: no key, no values; under the context that is in force.
  Result<std::int64_t> record(std::int64_t table) {
    TRY(
        db_.run("insert into vestige_change (tbl, shape, op, at, seq, tx, context, backward)"
                " select ?1, ?2, 'E', ?3, 0, coalesce((select iif(c.context >= u.scope, c.tx,"
                " c.id + 1) from vestige_change as c order by c.id desc limit 1), 1), u.context,"
                " (select iif(c.at > ?3, 1, null) from vestige_change as c order by c.id desc"
                " limit 1) from vestige_current as u",
                {table, shape_, clock_now() / 1000}));
    return scalar_integer(db_, "select max(id) from vestige_change");
  }

  Result<void> take(std::int64_t id, const Taken& taken) {
    if (!taken.values && !taken.key) return {};
    if (taken.key)
      TRY(db_.run(
          "delete from vestige_key where (run, tbl, key, id) in (select r.run, c.tbl, k.key,"
          " c.id from vestige_change as c join (select 0 as run union all select"
          " (?1 + 16383) >> 14) as r join (select key from vestige_change where id = ?1"
          " union all select new_key from vestige_change where id = ?1) as k"
          " where c.id = ?1)",
          {id}));
    std::string sets = fmt::format("changed = {}", taken.key ? kKeyErased : kValuesErased);
    if (taken.key) sets += ", key = null, new_key = null, row_id = null";
    for (int slot = 0; slot < 32; ++slot) sets += fmt::format(", v{} = null", slot);
    TRY(db_.run("delete from vestige_more where change = ?1", {id}));
    TRY(db_.run("update vestige_change set " + sets + " where id = ?1", {id}));
    return {};
  }

  Result<void> silence(std::int64_t context) {
    TRY(
        db_.run("update vestige_context set actor = null, on_behalf_of = null, reason = null,"
                " business_process = null, request_id = null, session_id = null, ip_address ="
                " null, user_agent = null, auth_method = null, auth_role = null, traceparent ="
                " null, extra = null where id = ?1",
                {context}));
    return {};
  }

  Database& db_;
  const ErasedParts& parts_;
  const Context& context_;
  std::int64_t shape_ = 0;
  std::map<std::int64_t, Taken> taken_;
  std::map<std::int64_t, std::string> said_;  // contexts, and what names the rest of each
  std::map<std::string, std::set<std::int64_t>> named_;  // their actors, and the blocks of changes
};

class SqliteEraser final : public Eraser {
 public:
  explicit SqliteEraser(Database& db) : Eraser(db), db_(db) {}
  // The connection may be the application's.
  ~SqliteEraser() override {
    if (secured_ == 0) (void)db_.script("pragma secure_delete = off");
    if (secured_ == 2) (void)db_.script("pragma secure_delete = fast");
  }
  SqliteEraser(const SqliteEraser&) = delete;
  SqliteEraser& operator=(const SqliteEraser&) = delete;

  Result<std::int64_t> name_archived(std::int64_t table,
                                     const std::map<std::int64_t, std::string>& parts,
                                     const Context& context) override {
    const ErasedParts none;
    return Erasure(db_, none, context).name(table, parts);
  }

  // The log of a database in WAL mode has the former pages, until it is begun anew.
  void tidy() override { (void)db_.script("pragma wal_checkpoint(truncate)"); }

  std::string_view remains() const override {
    return "what was erased is overwritten in the file; older copies in its free"
           " pages go with VACUUM, and those in backups with these";
  }

 private:
  Result<std::vector<std::int64_t>> take_unheld(const std::vector<std::int64_t>& ids,
                                                const ErasedParts& parts,
                                                const Context& context) override {
    // What is taken is overwritten in the file, and not only forgotten.
    if (!secured_.has_value()) secured_ = TRY(scalar_integer(db_, "pragma secure_delete"));
    TRY(db_.script("pragma secure_delete = on"));
    std::vector<std::int64_t> by;
    for (const auto& [table, own] : TRY(by_table(ids)))
      if (const auto number = TRY(Erasure(db_, parts, context).run(table, own)); number.has_value())
        by.push_back(*number);
    return by;
  }

  // The rows say nothing more; that they did, in the changes that brought it and in the one that took it, goes with these.
  Result<std::optional<std::int64_t>> take_told(const ToldAlerts& told,
                                                const Context& context) override {
    const auto own = TRY(known_own_table(db_, "alert"));
    const std::int64_t before = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
    for (const std::string& id : told.ids)
      TRY(db_.run(
          "update vestige_alert set title = '(erased)', grp = '{}', comment = null, detail ="
          " iif(json_valid(detail), iif(json_type(detail) = 'object',"
          " json_remove(detail, '$.who', '$.why'), '{}'), '{}')"
          " where id = ?1",
          {Text{id}}));
    std::vector<std::int64_t> ids = told.changes;
    {
      auto rows = TRY(
          db_.query("select id from vestige_change where id > ?1 and tbl = ?2", {before, own->id}));
      while (TRY(rows->next()) == Step::row) ids.push_back(rows->integer(0));
    }
    const ErasedParts values;
    return Erasure(db_, values, context).run(own->id, ids);
  }

  Result<std::optional<Held>> held_there(const std::vector<std::int64_t>&) override {
    return std::optional<Held>();
  }

  Result<std::map<std::int64_t, std::vector<std::int64_t>>> by_table(
      const std::vector<std::int64_t>& ids) {
    std::map<std::int64_t, std::vector<std::int64_t>> tables;
    auto rows =
        TRY(db_.query("select id, tbl, op from vestige_change where id in"
                      " (select value from json_each(?1)) order by id",
                      {Text{fmt::format("[{}]", fmt::join(ids, ","))}}));
    while (TRY(rows->next()) == Step::row) {
      const std::int64_t id = rows->integer(0);
      if (rows->text(2) == "E")
        return fail(Fault::invalid, "erase change {}: it is an erasure, which holds no values", id);
      tables[rows->integer(1)].push_back(id);
    }
    return tables;
  }

  Database& db_;
  std::optional<std::int64_t> secured_;  // how it was before
};

}  // namespace

Result<void> forget_salts(Database& db, std::int64_t erase) {
  std::map<std::int64_t, std::string> named;
  {
    auto rows =
        TRY(db.query("select erased, parts from vestige_erased where change = ?1", {erase}));
    while (TRY(rows->next()) == Step::row) named[rows->integer(0)] = rows->text(1);
  }
  if (named.empty()) return {};
  std::vector<std::uint64_t> touched;
  {
    auto rows =
        TRY(db.query("select n, first_id, last_id from vestige_bundle"
                     " where first_id <= ?2 and last_id >= ?1 order by n",
                     {named.begin()->first, named.rbegin()->first}));
    while (TRY(rows->next()) == Step::row) {
      const auto first = named.lower_bound(rows->integer(1));
      if (first != named.end() && first->first <= rows->integer(2))
        touched.push_back(static_cast<std::uint64_t>(rows->integer(0)));
    }
  }
  EvidenceStore store(db);
  for (const std::uint64_t n : touched) {
    std::optional<Bundle> bundle = TRY(store.bundle(n));
    const auto entries = TRY(merkle::entries_of(bundle->entries, bundle->width));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto found = named.find(entry_id(entries[i]).value_or(0));
      if (found == named.end() || bundle->salts.size() < (i + 1) * kSaltBytes) continue;
      Salts salts = salts_at(bundle->salts, i);
      if (takes(found->second, "key")) salts.key = Salt{};
      if (takes(found->second, "context")) salts.context = Salt{};
      if (takes(found->second, "values")) salts.values = Salt{};
      bundle->salts.replace(i * kSaltBytes, kSaltBytes, to_bytes(salts));
    }
    TRY(store.put(*bundle));
  }
  return {};
}

std::unique_ptr<Eraser> eraser(Database& db) { return std::make_unique<SqliteEraser>(db); }

}  // namespace vestige::sqlite
