#include "vestige/trail/postgres/names.h"

#include <algorithm>

namespace vestige::postgres {
namespace {

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9') || c == '$'; }

// A name in double quotes, from its first quote on; what is left follows. Nothing when it is not closed.
std::optional<std::string> quoted(std::string_view& text) {
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return name;
    }
  }
  return std::nullopt;
}

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\f\v"), text.size()));
}

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<Reading> reading(std::vector<std::string> parts) {
  if (parts.empty() || parts.size() > 3 ||
      std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); }))
    return std::nullopt;
  Reading out;
  out.table = parts.back();
  if (parts.size() > 1) out.schema = parts[parts.size() - 2];
  if (parts.size() > 2) out.catalog = parts.front();
  return out;
}

// As PostgreSQL reads a name: Customers is customers, "Customers" is not.
std::optional<Reading> by_postgres(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    skip_space(text);
    if (text.empty()) return std::nullopt;
    if (text.front() == '"') {
      auto name = quoted(text);
      if (!name.has_value()) return std::nullopt;
      parts.push_back(*std::move(name));
    } else {
      if (!begins_name(text.front())) return std::nullopt;
      const auto end = std::find_if_not(text.begin(), text.end(), continues_name);
      const auto length = static_cast<std::size_t>(end - text.begin());
      parts.push_back(folded(text.substr(0, length)));
      text.remove_prefix(length);
    }
    skip_space(text);
    if (text.empty()) return reading(std::move(parts));
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
}

}  // namespace

std::vector<Reading> readings(const std::string& typed) {
  std::vector<Reading> all;
  const auto add = [&all](std::optional<Reading> one) {
    if (one.has_value() && std::find(all.begin(), all.end(), *one) == all.end())
      all.push_back(*std::move(one));
  };
  const auto postgres = by_postgres(typed);
  if (typed.find('"') != std::string::npos) add(postgres);
  for (std::size_t dot = typed.find('.'); dot != std::string::npos; dot = typed.find('.', dot + 1))
    add(reading({typed.substr(0, dot), typed.substr(dot + 1)}));
  add(reading({typed}));
  add(postgres);
  if (Reading one = shown(typed); typed.find('"') != std::string::npos && one.schema != "public" &&
                                  !one.schema.empty() && !one.table.empty())
    add(std::move(one));
  return all;
}

Reading shown(const std::string& name) {
  std::vector<std::string> parts;
  std::string_view text = name;
  while (parts.size() < 2) {
    if (text.starts_with('"')) {
      auto part = quoted(text);
      if (!part.has_value()) return {"", "public", name};
      parts.push_back(*std::move(part));
    } else {
      const std::size_t end = parts.empty() ? std::min(text.find('.'), text.size()) : text.size();
      parts.emplace_back(text.substr(0, end));
      text.remove_prefix(end);
    }
    if (text.empty()) break;
    if (text.front() != '.' || parts.size() == 2) return {"", "public", name};
    text.remove_prefix(1);
  }
  return parts.size() == 1 ? Reading{"", "public", parts[0]} : Reading{"", parts[0], parts[1]};
}

Result<std::optional<std::string>> meant_table(Database& db, const std::string& typed) {
  Value path = Null{};
  {
    const Fence fence(db);  // the path of the caller
    path = TRY(scalar(db, "select pg_catalog.current_schemas(false)::pg_catalog.text"));
  }
  Params params = {std::move(path)};
  std::string list;
  const auto bind = [&params](const std::string& name) -> std::string {
    if (name.empty()) return "null::name";
    params.emplace_back(Text{name});
    return fmt::format("?{}::text::name", params.size());  // cut where PostgreSQL cuts names
  };
  int place = 0;
  for (const Reading& one : readings(typed)) {
    list += fmt::format("{}({}, {}, {}, {})", list.empty() ? "" : ", ", ++place, bind(one.catalog),
                        bind(one.schema), bind(one.table));
  }
  if (list.empty()) return std::optional<std::string>();
  const Value name = TRY(scalar(
      db,
      "with reading (place, catalog, schema, name) as (values " + list +
          "), path (place, schema) as (select p.place, p.schema from unnest(?1::text::name[])"
          " with ordinality as p (schema, place) union all select 1000000, 'public'),"
          " known (schema, name) as (select n.nspname, c.relname from pg_catalog.pg_class c"
          "  join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
          "  where c.relkind in ('r', 'p', 'v', 'm', 'f')"
          "  union all select t.schema_name, t.table_name from vestige.tracked t)"
          " select vestige.shown_name(k.schema, k.name) from reading r"
          " join known k on k.name = r.name"
          " left join path p on r.schema is null and p.schema = k.schema"
          " where (r.catalog is null or r.catalog = current_database())"
          " and (r.schema = k.schema or p.place is not null)"
          " order by r.place, p.place limit 1",
      params));
  if (!std::holds_alternative<Text>(name)) return std::optional<std::string>();
  return std::optional<std::string>(std::get<Text>(name).bytes);
}

}  // namespace vestige::postgres
