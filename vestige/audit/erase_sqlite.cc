// erase on SQLite: the rows of vestige_change, what belongs to them, and their salts. The guards let nothing
// else through (sql/sqlite/guards.sql).
#include <algorithm>
#include <map>
#include <set>

#include "vestige/audit/erase.h"
#include "vestige/base/time.h"
#include "vestige/record/canonical.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/sealing.h"
#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/decode.h"

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

class Eraser {
 public:
  Eraser(Database& db, const EraseRequest& request, const Context& context)
      : db_(db), request_(request), context_(context) {}

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
    TRY(EvidenceStore(db_).forget_salts(number));
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
      taken.key = request_.keys && mark > kKeyErased;
      if (request_.contexts && !rows->is_null(2)) said_[rows->integer(2)];
    }
    return {};
  }

  // The contexts that say something, and every change under them.
  Result<void> contexts() {
    for (auto one = said_.begin(); one != said_.end();) {
      auto rows = TRY(db_.query(
          "select at from vestige_context where id = ?1 and coalesce(actor, on_behalf_of, reason,"
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
      ++one;
    }
    if (said_.empty()) return {};
    std::string list;
    for (const auto& [id, left] : said_) list += fmt::format("{}{}", list.empty() ? "" : ",", id);
    auto rows =
        TRY(db_.query("select id, context from vestige_change where context in"
                      " (select value from json_each(?1)) and op <> 'E'",
                      {Text{"[" + list + "]"}}));
    while (TRY(rows->next()) == Step::row)
      taken_[rows->integer(0)].context = said_.at(rows->integer(1));
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
  const EraseRequest& request_;
  const Context& context_;
  std::int64_t shape_ = 0;
  std::map<std::int64_t, Taken> taken_;
  std::map<std::int64_t, std::string> said_;  // contexts, and what names the rest of each
};

}  // namespace

Result<std::optional<std::int64_t>> erase_of(Database& db, std::int64_t table,
                                             const std::vector<std::int64_t>& ids,
                                             const EraseRequest& request, const Context& context) {
  return Eraser(db, request, context).run(table, ids);
}

}  // namespace vestige::sqlite
