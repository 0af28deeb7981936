#include "vestige/trail/tracking.h"
#include "vestige/base/nearest.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/base/time.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/recipient.h"
#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/encrypting.h"
#include "vestige/trail/sqlite/fit.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/needs.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/subject.h"

namespace vestige::sqlite {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::vector<std::string> column_names(const SqliteTable& live) {
  std::vector<std::string> names;
  for (const SqliteColumn& column : live.columns) names.push_back(column.name);
  return names;
}

// Column names in the spelling of the table.
Result<std::vector<std::string>> spelled(const SqliteTable& live,
                                         const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const SqliteColumn* column = live.find(name);
    if (column == nullptr) {
      auto missing = fail(Fault::missing, "track {}: no column {}", live.name, name);
      const std::string near = nearest(name, column_names(live));
      return near.empty() ? missing : hinted(std::move(missing), "did you mean " + near + "?");
    }
    if (!contains(out, column->name)) out.push_back(column->name);
  }
  return out;
}

// Which columns are encrypted, or why they cannot be.
Result<std::map<std::string, std::string>> checked_encrypt(const SqliteTable& live,
                                                           const Policy& policy,
                                                           const Policy& before) {
  std::map<std::string, std::string> out;
  for (const auto& [name, of] : policy.encrypt) {
    TRY(check_class(of));
    if (live.find(name) == nullptr && before.encrypt.contains(name)) {
      out[name] = of;
      continue;
    }
    const std::string column = TRY(spelled(live, {name})).front();
    if (contains(policy.key, column) || live.find(column)->primary_key > 0)
      return hinted(fail(Fault::invalid, "track {}: {} is part of the key and cannot be encrypted",
                         live.name, column),
                    "a key says which row it was: encrypt other columns, or use a key that says "
                    "nothing");
    if (contains(policy.redact, column))
      return fail(Fault::invalid, "track {}: {} is redacted, and cannot be encrypted as well",
                  live.name, column);
    out[column] = of;
  }
  return out;
}

// Whether values of a column that are equal have one text, which is what somebody asks for: where nothing converts them 17 and 17.0
// are two, as are 0.0 and -0.0, and NOCASE and RTRIM take several texts for one.
bool written_once(const SqliteColumn& column) {
  return !column.collated &&
         (column.affinity == Affinity::integer || column.affinity == Affinity::numeric ||
          column.affinity == Affinity::text);
}

// Whose a row is, is recorded in clear, of a table that has something to encrypt.
Result<void> check_subject(const SqliteTable& live, Policy& policy) {
  if (policy.subject.empty()) return {};
  if (policy.encrypt.empty())
    return hinted(fail(Fault::invalid, "track {}: it has a subject, {}, and encrypts nothing",
                       live.name, policy.subject),
                  "--encrypt COLUMN=CLASS says what");
  policy.subject = TRY(spelled(live, {policy.subject})).front();
  const bool in_key =
      contains(policy.key, policy.subject) || live.find(policy.subject)->primary_key > 0;
  const bool left_out = contains(policy.exclude, policy.subject) ||
                        (!policy.include.empty() && !contains(policy.include, policy.subject));
  if (policy.encrypt.contains(policy.subject) || contains(policy.redact, policy.subject) ||
      (left_out && !in_key))
    return hinted(
        fail(Fault::invalid, "track {}: {} says whose a row is, and has to be recorded in clear",
             live.name, policy.subject),
        "name a column that is neither encrypted nor redacted nor left out: an id that says nothing"
        " of the person by itself");
  if (!written_once(*live.find(policy.subject)))
    return hinted(
        fail(Fault::invalid,
             "track {}: {} says whose a row is, and values of it that are equal are written in"
             " several ways",
             live.name, policy.subject),
        "name a column declared as integer, numeric or text, without COLLATE: keys destroy"
        " --subject finds a person by the text of the value alone");
  return {};
}

// The policy with its column names spelled as the table has them, or why it cannot be.
//
// before   what was redacted and encrypted so far: a column that is gone stays so, in case that it comes back
Result<Policy> checked(const SqliteTable& live, Policy policy, const Policy& before) {
  if (!policy.include.empty() && !policy.exclude.empty())
    return fail(Fault::invalid, "track {}: include and exclude at once", live.name);
  if (!policy.on_truncate.empty())
    return fail(Fault::invalid, "track {}: SQLite has no TRUNCATE for on_truncate", live.name);
  policy.include = TRY(spelled(live, policy.include));
  policy.exclude = TRY(spelled(live, policy.exclude));
  policy.key = TRY(spelled(live, policy.key));
  if (!policy.key.empty() && !has_unique(live, policy.key))
    return hinted(fail(Fault::invalid, "track {}: the key is not unique", live.name),
                  "choose the columns of the primary key or of a UNIQUE constraint");
  std::vector<std::string> gone;
  std::erase_if(policy.redact, [&](const std::string& column) {
    const bool kept = live.find(column) == nullptr && contains(before.redact, column);
    if (kept) gone.push_back(column);
    return kept;
  });
  policy.redact = TRY(spelled(live, policy.redact));
  for (const std::string& column : policy.redact)
    if (contains(policy.key, column) || live.find(column)->primary_key > 0)
      return hinted(
          fail(Fault::invalid, "track {}: {} is part of the key and cannot be redacted", live.name,
               column),
          "a key says which row it was: redact other columns, or use a key that says nothing");
  for (const std::string& column : policy.redact)
    if (contains(policy.exclude, column))
      return fail(Fault::invalid, "track {}: {} is excluded, so that there is nothing to redact",
                  live.name, column);
  policy.redact.insert(policy.redact.end(), gone.begin(), gone.end());
  policy.encrypt = TRY(checked_encrypt(live, policy, before));
  TRY(check_subject(live, policy));
  for (const std::string& column : policy.exclude)
    if (contains(policy.key, column) || live.find(column)->primary_key > 0)
      return hinted(fail(Fault::invalid, "track {}: {} is part of the key", live.name, column),
                    "key columns are always recorded: they say which row it was");
  return policy;
}

std::int64_t now_milliseconds() { return clock_now() / 1000; }

class SqliteTracking final : public Tracking {
 public:
  explicit SqliteTracking(Database& db) : db_(db) {}

  Result<std::vector<std::string>> trackable() override {
    std::vector<std::string> names;
    auto rows =
        TRY(db_.query("select name from pragma_table_list where schema = 'main' and type = 'table'"
                      " and name not like 'sqlite\\_%' escape '\\' and name not like 'vestige\\_%' "
                      "escape '\\' order by name"));
    while (TRY(rows->next()) == Step::row) names.push_back(rows->text(0));
    return names;
  }

  Result<LiveTable> live(const std::string& name) override {
    SqliteTable table = TRY(read_table(db_, name));
    return LiveTable{std::move(table.name), column_names(table)};
  }

  Result<Tracked> track(const std::string& name, const Policy& policy) override {
    TRY(require_capture(db_));
    const SqliteTable live = TRY(read_table(db_, name));
    if (is_own(live.name)) return fail(Fault::invalid, "track {}: an internal table", live.name);
    const auto known = tracked_table(db_, live.name);
    const bool fresh = !known.has_value() || known->untracked_at.has_value();
    Tracked table = TRY(take_on(live, policy));
    const std::string after = to_json(table.policy);
    if (fresh) TRY(note_policy("track", table.name, Null{}, Text{after}));
    else if (const std::string before = to_json(known->policy); before != after)
      TRY(note_policy("policy", table.name, Text{before}, Text{after}));
    return table;
  }

  Result<bool> record_access(bool on) override {
    const bool was = TRY(recording());
    if (was == on) return was;
    TRY(own("access"));
    TRY(own("policy_change"));
    if (on) TRY(db_.run("insert into vestige_meta (name, value) values ('record_access', 'on')"));
    else TRY(db_.run("delete from vestige_meta where name = 'record_access'"));
    TRY(write_policy("record", Null{}, Text{said(was)}, Text{said(on)}));
    return was;
  }

  Result<Tracked> own(std::string_view name) override {
    TRY(require_capture(db_));
    const std::string table = kSpelling.table(name);
    const std::string_view definition = own_definition(table);
    if (definition.empty())
      return fail(Fault::invalid, "the trail has no table {} of its own", name);
    TRY(db_.script(definition));
    auto known = tracked_table(db_, table);
    if (known.has_value() && !known->untracked_at.has_value()) return known;
    return take_on(TRY(read_table(db_, table)), Policy());
  }

  Result<Tracked> take_on(const SqliteTable& live, const Policy& policy) {
    Tracked table;
    bool resumed = false;
    for (Tracked& known : TRY(tracked_tables(db_))) {
      if (known.name != live.name) continue;
      if (table.id != 0 && known.untracked_at.has_value()) continue;
      resumed = known.untracked_at.has_value();
      table = std::move(known);
    }
    table.policy = TRY(checked(live, policy, table.policy));
    TRY(require_recipients(db_, table.policy, live.name));
    if (!table.policy.subject.empty()) TRY(keep_subject_salt(db_));
    if (table.id == 0) {
      TRY(db_.run(
          "insert into vestige_table (name, policy, shape, tracked_at) values (?1, '{}', 0, ?2)",
          {Text{live.name}, now_milliseconds()}));
      table.id = TRY(scalar_integer(db_, "select max(id) from vestige_table"));
      table.tracked_at = clock_now();
    }
    table.name = live.name;
    return fit(db_, std::move(table), live, {},
               resumed ? "tracked again; changes in between are not in the trail" : "");
  }

  Result<void> untrack(const std::string& name) override {
    const Tracked table = TRY(tracked_table(db_, name));
    if (table.untracked_at.has_value())
      return fail(Fault::missing, "untrack {}: it is not tracked any more", table.name);
    if (is_own(table.name))
      return hinted(fail(Fault::invalid, "untrack {}: it is the trail's own table", table.name),
                    "vestige init --remove takes the whole trail away");
    TRY(drop_triggers(db_, table));
    TRY(forget_kept(db_, table.id));
    TRY(db_.run("update vestige_table set untracked_at = ?2 where id = ?1",
                {table.id, now_milliseconds()}));
    return note_policy("untrack", table.name, Text{to_json(table.policy)}, Null{});
  }

  Result<std::int64_t> baseline(const Tracked& table) override {
    const SqliteTable live = TRY(read_table(db_, table.name));
    const std::int64_t last = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
    const Value context = TRY(scalar(db_, "select context from vestige_current"));
    for (const std::string& statement : baseline_statements(db_, live, table)) {
      const bool first = statement.starts_with("insert into vestige_change");
      TRY(db_.run(statement, first ? Params{last, context} : Params{last}));
    }
    return TRY(scalar_integer(db_, "select max(id) from vestige_change")) - last;
  }

  Result<std::vector<Recipient>> recipients(std::string_view of) override {
    std::vector<Recipient> out;
    auto rows =
        TRY(db_.query("select id, class, public, since, until from vestige_recipient"
                      " where ?1 in ('', class) order by id",
                      {Text{std::string(of)}}));
    while (TRY(rows->next()) == Step::row) {
      Recipient one{rows->integer(0), rows->text(1), rows->text(2)};
      one.since = parse_time(rows->text(3), Now(0)).value_or(0);
      // What somebody wrote there that is no time ends nothing.
      if (const auto until = parse_time(rows->text(4), Now(0)); until.has_value())
        one.until = *until;
      out.push_back(std::move(one));
    }
    return out;
  }
  Result<void> add_recipient(const std::string& of, const std::string& public_key,
                             std::optional<std::int64_t> from) override {
    TRY(own("recipient"));
    TRY(kept_table(db_, "encrypted_key"));
    const Text begins{row_time(from.value_or(clock_now()))};
    if (!from.has_value()) {
      TRY(db_.run("insert into vestige_recipient (class, public, since) values (?1, ?2, ?3)",
                  {Text{of}, Text{public_key}, begins}));
      return {};
    }
    TRY(
        db_.run("insert into vestige_recipient (class, public, since, until) values (?1, ?2, ?3,"
                " (select min(since) from vestige_recipient where class = ?1 and since > ?3 and"
                " (until is null or until > since)))",
                {Text{of}, Text{public_key}, begins}));
    TRY(
        db_.run("update vestige_recipient set until = ?2 where class = ?1 and since < ?2 and"
                " (until is null or until > ?2)",
                {Text{of}, begins}));
    return {};
  }
  // Where it has not begun, those who were to end then stand as long as it would have: there is always somebody.
  Result<void> end_recipient(std::int64_t id) override {
    const Text now{row_time(clock_now())};
    TRY(
        db_.run("update vestige_recipient as r set until = e.until from (select id, class, since,"
                " until from vestige_recipient where id = ?1 and since > ?2) as e where r.class ="
                " e.class and r.id <> e.id and r.until = e.since and r.since < r.until",
                {id, now}));
    TRY(db_.run("update vestige_recipient set until = ?2 where id = ?1", {id, now}));
    return {};
  }
  Result<void> lock_wraps() override { return {}; }  // whoever writes has the database alone
  Result<void> destroy_keys(const EndOfKeys& end) override {
    TRY(own("destroyed"));
    const bool of_one = !end.subject.empty();
    TRY(
        db_.run("insert into vestige_destroyed (class, upto_change, data_keys, subject)"
                " values (?1, ?2, ?3, ?4)",
                {Text{end.of}, end.upto, end.data_keys,
                 of_one ? Value(Text{to_hex(end.subject)}) : Value(Null{})}));
    const auto before = TRY(scalar_integer(db_, "pragma secure_delete"));
    TRY(db_.script("pragma secure_delete = on"));
    auto done = db_.run(
        "delete from vestige_encrypted_key where class = ?1 and first_change <= ?2 and ?3 in (x'',"
        " subject)",
        {Text{end.of}, end.upto, Blob{end.subject}});
    if (before == 0) (void)db_.script("pragma secure_delete = off");
    if (before == 2) (void)db_.script("pragma secure_delete = fast");
    TRY(std::move(done));
    return {};
  }
  Result<std::vector<std::string>> left_of_wraps() override {
    if (TRY(begin_log_anew(db_))) return std::vector<std::string>();
    return std::vector<std::string>{
        "the wraps stand in the database's log of writes and in its file until nobody reads it any"
        " more: vestige seal then begins it anew"};
  }
  Result<bool> log_has_more() override { return sqlite::log_has_more(db_); }

  Result<std::unique_ptr<Migration>> migration(std::string_view script) override {
    return sqlite::migration(db_, script);
  }

  // All of it in one transaction, or nothing.
  Result<std::vector<Undone>> table_by_table(const TableWork& work, std::string_view) override {
    auto transaction = TRY(Transaction::begin(db_));
    const std::size_t tables = TRY(work.begin()).size();
    for (std::size_t place = 0; place < tables; ++place) {
      TRY(work.table(place));
      if (work.tell) work.tell(place + 1, tables);
    }
    TRY(transaction.commit());
    return std::vector<Undone>();
  }

  Error explained(const Error& error, const Attempted& attempted) override {
    return explained_by_needs(db_, error, attempted);
  }

 private:
  // As SQLite writes the times of the trail's own tables: to the millisecond, so that their texts compare.
  static std::string row_time(std::int64_t micros) {
    constexpr std::size_t kToMillisecond = 23;
    return format_time(micros).substr(0, kToMillisecond) + "Z";
  }
  static std::string said(bool on) { return on ? R"({"record": true})" : R"({"record": false})"; }

  Result<bool> recording() {
    return TRY(scalar_integer(
               db_, "select count(*) from vestige_meta where name = 'record_access'")) != 0;
  }

  // What became of a policy, where that is recorded.
  Result<void> note_policy(std::string_view verb, const std::string& table, Value before,
                           Value after) {
    if (!TRY(recording())) return {};
    TRY(own("policy_change"));
    return write_policy(verb, Text{table}, std::move(before), std::move(after));
  }

  Result<void> write_policy(std::string_view verb, Value table, Value before, Value after) {
    TRY(
        db_.run("insert into vestige_policy_change (verb, table_name, before, after)"
                " values (?1, ?2, ?3, ?4)",
                {Text{std::string(verb)}, std::move(table), std::move(before), std::move(after)}));
    return {};
  }

  Database& db_;
};

}  // namespace

std::unique_ptr<Tracking> tracking(Database& db) { return std::make_unique<SqliteTracking>(db); }

}  // namespace vestige::sqlite
