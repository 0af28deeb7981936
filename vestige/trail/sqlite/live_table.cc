#include "vestige/trail/sqlite/live_table.h"

#include <algorithm>
#include <array>

#include "vestige/base/letters.h"
#include "vestige/base/nearest.h"
#include "vestige/db/sql.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/sqlite/sql_text.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

Result<std::vector<UniqueIndex>> unique_indexes(Database& db, const std::string& table) {
  struct Found {
    std::string name;
    bool partial;
  };
  std::vector<Found> found;
  auto list =
      TRY(db.query("select name, partial from pragma_index_list(?1) where \"unique\" order by name",
                   {Text{table}}));
  while (TRY(list->next()) == Step::row) found.push_back({list->text(0), list->integer(1) != 0});

  std::vector<UniqueIndex> out;
  for (const Found& index : found) {
    const Value sql =
        TRY(scalar(db, "select sql from sqlite_schema where type = 'index' and name = ?1",
                   {Text{index.name}}));
    const auto* definition = std::get_if<Text>(&sql);
    const IndexText text = definition == nullptr ? IndexText{} : index_text(definition->bytes);
    UniqueIndex unique;
    if (index.partial) unique.where = text.where;
    auto terms = TRY(db.query(
        "select seqno, cid, name, coll from pragma_index_xinfo(?1) where key order by seqno",
        {Text{index.name}}));
    while (TRY(terms->next()) == Step::row) {
      const auto place = static_cast<std::size_t>(terms->integer(0));
      if (terms->integer(1) >= 0)
        unique.terms.push_back({db.quote_name(terms->text(2)), terms->text(3), terms->text(2)});
      else if (place < text.terms.size())
        unique.terms.push_back({"(" + text.terms[place] + ")", terms->text(3), ""});
      else
        return fail(Fault::internal, "read index {}: expression not found in its SQL", index.name);
    }
    out.push_back(std::move(unique));
  }
  return out;
}

// Whether a column's own definition, in that of its table, names another collation than BINARY.
bool is_collated(const std::vector<SqlToken>& tokens, const std::string& column) {
  int depth = 0;
  bool begins = false;
  bool own = false;
  bool collate = false;
  for (const SqlToken& token : tokens) {
    if (depth == 1 && begins) own = same_name(bare_name(token.text), column);
    if (depth == 1 && own && collate && !same_name(bare_name(token.text), "binary")) return true;
    collate = depth == 1 && own && same_name(token.text, "collate");
    begins = false;
    if (token.text == "(") begins = ++depth == 1;
    else if (token.text == ")") --depth;
    else if (token.text == "," && depth == 1) begins = true, own = false;
  }
  return false;
}

}  // namespace

namespace {

// The default of a NOT NULL column, as an expression. SQLite takes a lone word or a name in quotes there
// for text.
std::string fallback_of(Database& db, const std::string& written) {
  const auto tokens = sql_tokens(written);
  if (tokens.size() != 1) return tokens.empty() ? "" : "(" + written + ")";
  std::string word(tokens[0].text);
  if (tokens[0].kind == SqlToken::Kind::quoted)
    return db.literal(Text{word.substr(1, word.size() - 2)});
  if (tokens[0].kind != SqlToken::Kind::word) return word;
  const std::string known = lower(word);
  if (known == "null" || known == "true" || known == "false" || known.starts_with("current_"))
    return word;
  return db.literal(Text{std::move(word)});
}

}  // namespace

// A table may have thousands of columns.
bool same_name(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

Affinity affinity_of(std::string_view declared_type) {
  const std::string type = lower(declared_type);
  const auto has = [&type](const char* word) { return type.find(word) != std::string::npos; };
  if (has("int")) return Affinity::integer;
  if (has("char") || has("clob") || has("text")) return Affinity::text;
  if (has("blob") || type.empty() || type == "any") return Affinity::none;
  if (has("real") || has("floa") || has("doub")) return Affinity::real;
  return Affinity::numeric;
}

const SqliteColumn* SqliteTable::find(const std::string& column) const {
  for (const SqliteColumn& own : columns)
    if (same_name(own.name, column)) return &own;
  return nullptr;
}

std::vector<std::string> SqliteTable::primary_key() const {
  std::vector<std::pair<int, std::string>> parts;
  for (const SqliteColumn& column : columns)
    if (column.primary_key > 0) parts.emplace_back(column.primary_key, column.name);
  std::sort(parts.begin(), parts.end());
  std::vector<std::string> names;
  for (auto& [place, part] : parts) names.push_back(std::move(part));
  return names;
}

std::string_view sqlite::own_definition(std::string_view name) {
  if (name == "vestige_mark") return sql::own_mark;
  if (name == "vestige_access") return sql::own_access;
  if (name == "vestige_review") return sql::own_review;
  if (name == "vestige_policy_change") return sql::own_policy_change;
  if (name == "vestige_alert") return sql::own_alert;
  if (name == "vestige_hold") return sql::own_hold;
  if (name == "vestige_archived") return sql::own_archived;
  if (name == "vestige_recipient") return sql::own_recipient;
  if (name == "vestige_destroyed") return sql::own_destroyed;
  return {};
}

bool sqlite::is_own(std::string_view name) { return !own_definition(name).empty(); }

Result<std::vector<std::string>> sqlite::recordable_tables(Database& db) {
  std::vector<std::string> names = TRY(trackable_tables(db));
  auto rows =
      TRY(db.query("select name from sqlite_schema where type = 'table' and name like "
                   "'vestige\\_%' escape '\\'"));
  while (TRY(rows->next()) == Step::row)
    if (is_own(rows->text(0))) names.push_back(rows->text(0));
  return names;
}

Result<SqliteTable> sqlite::read_table(Database& db, const std::string& wanted) {
  SqliteTable table;
  auto listed =
      TRY(db.query("select name, type, wr from pragma_table_list where schema = 'main' and "
                   "lower(name) = lower(?1)"
                   " order by name = ?1 desc limit 1",
                   {Text{wanted}}));
  if (TRY(listed->next()) == Step::end) {
    const std::string near = nearest(wanted, TRY(trackable_tables(db)));
    auto missing = fail(Fault::missing, "find table {}: no such table in {}", wanted, db.where());
    return near.empty() ? missing : hinted(std::move(missing), "did you mean " + near + "?");
  }
  table.name = listed->text(0);
  const std::string type = listed->text(1);
  table.without_row_id = listed->integer(2) != 0;
  if (type != "table")
    return fail(
        Fault::invalid, "track {}: it is a {}, only ordinary tables have changes to record",
        table.name,
        type == "shadow" ? "part of a virtual table" : type + (type == "view" ? "" : " table"));
  if (table.name.starts_with("sqlite_") ||
      (table.name.starts_with("vestige_") && !is_own(table.name)))
    return fail(Fault::invalid, "track {}: an internal table", table.name);

  auto columns =
      TRY(db.query("select name, type, pk, hidden, iif(\"notnull\", dflt_value, null) from "
                   "pragma_table_xinfo(?1) order by cid",
                   {Text{table.name}}));
  while (TRY(columns->next()) == Step::row) {
    const std::string declared = columns->text(1);
    SqliteColumn column;
    column.name = columns->text(0);
    column.type = declared;
    column.affinity = affinity_of(declared);
    column.generated = columns->integer(3) >= 2;
    column.primary_key = static_cast<int>(columns->integer(2));
    if (!columns->is_null(4)) column.fallback = fallback_of(db, columns->text(4));
    table.columns.push_back(std::move(column));
  }
  const Value sql = TRY(scalar(
      db, "select sql from sqlite_schema where type = 'table' and name = ?1", {Text{table.name}}));
  if (const auto* text = std::get_if<Text>(&sql); text != nullptr) {
    const auto tokens = sql_tokens(text->bytes);
    table.collated = std::any_of(tokens.begin(), tokens.end(), [](const SqlToken& token) {
      return same_name(token.text, "collate");
    });
    for (SqliteColumn& column : table.columns) column.collated = is_collated(tokens, column.name);
    for (SqliteColumn& column : table.columns)
      column.named = std::count_if(tokens.begin(), tokens.end(), [&](const SqlToken& token) {
                       return same_name(bare_name(token.text), column.name);
                     }) > 1;
  }
  table.unique = TRY(unique_indexes(db, table.name));
  table.follows = TRY(scalar_integer(db,
                                     "select count(*) from pragma_foreign_key_list(?1)"
                                     " where on_delete not in ('NO ACTION', 'RESTRICT')",
                                     {Text{table.name}})) > 0;
  if (table.without_row_id) return table;

  // An INTEGER PRIMARY KEY is the rowid, unless an index had to be made for it (INTEGER ... DESC).
  const auto primary = table.primary_key();
  if (primary.size() == 1 && lower(table.find(primary[0])->type) == "integer") {
    const auto indexes = TRY(scalar_integer(
        db, "select count(*) from pragma_index_list(?1) where origin = 'pk'", {Text{table.name}}));
    table.row_id_is_key = indexes == 0;
  }
  if (table.row_id_is_key) {
    table.row_id = db.quote_name(primary[0]);
    return table;
  }
  for (const char* alias : {"rowid", "_rowid_", "oid"}) {
    if (table.find(alias) != nullptr) continue;
    table.row_id = alias;
    return table;
  }
  return fail(Fault::invalid,
              "track {}: its columns rowid, _rowid_ and oid hide the row's identity", table.name);
}

}  // namespace vestige
