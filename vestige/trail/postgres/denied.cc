#include "vestige/trail/postgres/denied.h"

#include <optional>

namespace vestige::postgres {
namespace {

using Explanation = Result<std::optional<Error>>;

// SQL: the least of our roles that has what the session lacks on an object of the trail.
std::string role_with(std::string_view kind, std::string_view object, std::string_view rights) {
  return fmt::format(
      "(select r.rolname::text from pg_catalog.pg_roles r, pg_catalog.unnest(array[{2}]) w(wanted)"
      " where r.rolname in ('vestige_reader', 'vestige_auditor', 'vestige_admin')"
      " and pg_catalog.has_{0}_privilege(r.oid, {1}, w.wanted)"
      " and not pg_catalog.has_{0}_privilege({1}, w.wanted)"
      " order by pg_catalog.array_position(array['vestige_reader', 'vestige_auditor',"
      " 'vestige_admin'], r.rolname::text) limit 1)",
      kind, object, rights);
}

constexpr std::string_view kOwner =
    "(select pg_catalog.quote_ident(o.rolname) from pg_catalog.pg_namespace s"
    " join pg_catalog.pg_roles o on o.oid = s.nspowner where s.nspname = 'vestige')";

Error of_trail(const std::string& what, const std::string& who, const std::string& role,
               const std::string& owner) {
  return Error{Fault::denied, fmt::format("use the trail ({}): {} may not", what, who),
               role.empty()
                   ? fmt::format("the trail's owner can: {}, and who is a member of it", owner)
                   : fmt::format("grant {} to {}", role, who)};
}

Explanation of_function(Database& db, const std::string& name) {
  auto rows = TRY(db.query(
      fmt::format(
          "select pg_catalog.quote_ident(current_user), {}, {} from pg_catalog.pg_proc f"
          " join pg_catalog.pg_namespace n on n.oid = f.pronamespace where n.nspname = 'vestige'"
          " and f.proname = ?1 and not pg_catalog.has_function_privilege(f.oid, 'execute') limit 1",
          role_with("function", "f.oid", "'execute'"), kOwner),
      {Text{name}}));
  if (TRY(rows->next()) == Step::end) return std::optional<Error>();
  return std::optional(of_trail("function " + name, rows->text(0), rows->text(1), rows->text(2)));
}

// SQL: what a table is called when it is meant, whether it was typed, shown or quoted.
constexpr std::string_view kNames =
    "array[c.relname, n.nspname || '.' || c.relname, pg_catalog.quote_ident(c.relname),"
    " pg_catalog.format('%I.%I', n.nspname, c.relname)]";

std::string listed(const std::vector<std::string>& words) {
  Row row;
  for (const std::string& word : words) row.push_back({std::to_string(row.size()), Text{word}});
  return to_json(row);
}

// Which table it is: PostgreSQL says its name only, or its schema only. Of several that of the trail, one that was meant, one
// that is tracked.
Explanation of_table(Database& db, const std::string& condition, const std::string& name,
                     const Attempted& attempted) {
  const std::string wanted =
      attempted.writes ? "'select', 'insert', 'update', 'delete'" : "'select'";
  auto rows = TRY(db.query(
      fmt::format(
          "select pg_catalog.quote_ident(current_user), {0}, {1}, n.nspname = 'vestige',"
          " pg_catalog.format('%I.%I', n.nspname, c.relname),"
          " case when not pg_catalog.has_schema_privilege(n.oid, 'usage') then pg_catalog.format("
          "'grant usage on schema %I to %I; ', n.nspname, current_user) else '' end, l.rights"
          " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace,"
          " lateral (select pg_catalog.string_agg(w.wanted, ', ' order by w.place) as rights from"
          " pg_catalog.unnest(array[{2}]) with ordinality w(wanted, place)"
          " where not pg_catalog.has_table_privilege(c.oid, w.wanted)) l,"
          " lateral (select exists (select from pg_catalog.json_each_text(?2::pg_catalog.json) e"
          " where e.value = any ({3})) as meant) m"
          " where {4} = ?1 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and ({5})"
          " order by n.nspname = 'vestige' desc, m.meant desc, exists (select from"
          " pg_catalog.pg_trigger g where g.tgrelid = c.oid and g.tgname = '0_vestige_change') "
          "desc,"
          " c.oid limit 1",
          role_with("table", "c.oid", "'select', 'insert', 'update', 'delete'"), kOwner, wanted,
          kNames, condition,
          condition == "n.nspname" ? "m.meant" : "l.rights is not null or n.nspname = 'vestige'"),
      {Text{name}, Text{listed(attempted.words)}}));
  if (TRY(rows->next()) == Step::end) return std::optional<Error>();
  const std::string who = rows->text(0);
  if (rows->integer(3) != 0)
    return std::optional(of_trail("table " + name, who, rows->text(1), rows->text(2)));
  const std::string table = rows->text(4);
  std::string hint = rows->text(5);
  if (rows->is_null(6)) hint = hint.substr(0, hint.rfind(';'));
  else hint += fmt::format("grant {} on {} to {}", rows->text(6), table, who);
  return std::optional(
      Error{Fault::denied,
            fmt::format("{} table {}: {} may not", attempted.writes ? "use" : "read", table, who),
            std::move(hint)});
}

Explanation of_schema(Database& db, const std::string& name, const Attempted& attempted) {
  if (name != "vestige")
    if (auto table = TRY(of_table(db, "n.nspname", name, attempted)); table.has_value())
      return table;
  auto rows = TRY(db.query(
      "select pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(?1)", {Text{name}}));
  TRY(rows->next());
  const std::string who = rows->text(0);
  const std::string schema = rows->text(1);
  return std::optional(Error{Fault::denied, fmt::format("use schema {}: {} may not", schema, who),
                             schema == "vestige"
                                 ? "grant vestige_reader to " + who
                                 : fmt::format("grant usage on schema {} to {}", schema, who)});
}

Explanation of_database(Database& db, const std::string& name) {
  auto rows = TRY(db.query(
      "select pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(?1)", {Text{name}}));
  TRY(rows->next());
  const std::string who = rows->text(0);
  const std::string database = rows->text(1);
  return std::optional(Error{Fault::denied,
                             fmt::format("create in database {}: {} may not", database, who),
                             fmt::format("grant create on database {} to {}", database, who)});
}

Explanation of_owner(Database& db, const std::string& object) {
  auto rows = TRY(db.query("select pg_catalog.quote_ident(current_user)"));
  TRY(rows->next());
  return std::optional(Error{Fault::denied,
                             fmt::format("alter {}: {} does not own it", object, rows->text(0)),
                             "its owner can, and who is a member of it"});
}

// What follows a beginning, to an end; nothing where it is not so. No regex: a message is whatever somebody's trigger raises, however long.
std::optional<std::string> what_follows(std::string_view message, std::string_view beginning,
                                        std::string_view end = {}) {
  if (!message.starts_with(beginning)) return std::nullopt;
  message.remove_prefix(beginning.size());
  if (message.size() <= end.size() || !message.ends_with(end)) return std::nullopt;
  message.remove_suffix(end.size());
  return std::string(message);
}

Explanation explanation(Database& db, const Error& error, const Attempted& attempted) {
  const std::string_view message = error.message;
  if (const auto table = what_follows(
          message, "run sql: query would be affected by row-level security policy for table \"",
          "\""))
    return std::optional(Error{
        Fault::denied, fmt::format("read table {}: its row-level security may hide rows", *table),
        "ask its owner, or a role that has bypassrls"});
  if (const auto object = what_follows(message, "run sql: must be owner of "))
    return of_owner(db, *object);
  for (const std::string_view kind : {"table", "view", "materialized view", "foreign table",
                                      "sequence", "function", "schema", "database"}) {
    const auto name =
        what_follows(message, fmt::format("run sql: permission denied for {} ", kind));
    if (!name.has_value()) continue;
    if (kind == "function") return of_function(db, *name);
    if (kind == "schema") return of_schema(db, *name, attempted);
    if (kind == "database") return of_database(db, *name);
    return of_table(db, "c.relname", *name, attempted);
  }
  return std::optional<Error>();
}

}  // namespace

Error explained(Database& db, const Error& error, const Attempted& attempted) {
  if (error.fault != Fault::denied || db.in_transaction()) return error;
  const auto found = explanation(db, error, attempted);
  return found.has_value() && found->has_value() ? **found : error;
}

}  // namespace vestige::postgres
