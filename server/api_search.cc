// What helps to ask: how many changes there are of each kind, and what could be typed next.
#include <algorithm>
#include <map>

#include "server/api.h"
#include "vestige/audit/log.h"
#include "vestige/audit/offers.h"
#include "vestige/base/json.h"
#include "vestige/base/letters.h"
#include "vestige/base/time.h"
#include "vestige/record/filter.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostLookedThrough = 10'000;  // of the newest changes
constexpr std::size_t kMostValues = 50;              // of one facet
constexpr std::size_t kMostWords = 20;
constexpr std::string_view kColumnFields[] = {"column:", "old.", "new.", "key."};

using Counts = std::map<std::string, std::int64_t>;

std::string counts_json(const Counts& counts) {
  std::vector<std::pair<std::string, std::int64_t>> all(counts.begin(), counts.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (all.size() > kMostValues) all.resize(kMostValues);
  std::string out;
  for (const auto& [value, count] : all)
    out += fmt::format(R"({}{{"value":{},"count":{}}})", out.empty() ? "" : ",", text_json(value),
                       count);
  return "[" + out + "]";
}

std::string days_json(const std::map<std::string, Counts>& days) {
  std::string out;
  for (const auto& [day, ops] : days) {
    std::string counts;
    for (const auto& [op, count] : ops)
      counts += fmt::format(R"({}"{}":{})", counts.empty() ? "" : ",", op, count);
    out += fmt::format(R"({}{{"day":"{}","counts":{{{}}}}})", out.empty() ? "" : ",", day, counts);
  }
  return "[" + out + "]";
}

class Facets {
 public:
  explicit Facets(const std::vector<Tracked>& tables) {
    for (const Tracked& one : tables) tags_[one.name] = one.policy.tags;
  }

  void add(const Change& change) {
    constexpr std::size_t kDay = 10;
    const std::string op(name(change.op));
    ++changes_;
    ++table_[change.table];
    ++op_[op];
    if (const std::string* who = change.who(); who != nullptr) ++actor_[*who];
    for (const std::string& tag : tags_[change.table]) ++tag_[tag];
    if (!change.signed_word.empty()) ++signed_[change.signed_word];
    ++days_[wall_time(change.at, Zone::local).substr(0, kDay)][op];
  }

  std::string json(bool truncated) const {
    return fmt::format(
        R"({{"facets":{{"table":{},"actor":{},"op":{},"tag":{},"signed":{},"day":{}}},)"
        R"("changes":{},"truncated":{}}})",
        counts_json(table_), counts_json(actor_), counts_json(op_), counts_json(tag_),
        counts_json(signed_), days_json(days_), changes_, truncated);
  }
  std::int64_t changes() const { return changes_; }

 private:
  std::map<std::string, std::vector<std::string>> tags_;
  Counts table_;
  Counts actor_;
  Counts op_;
  Counts tag_;
  Counts signed_;
  std::map<std::string, Counts> days_;
  std::int64_t changes_ = 0;
};

// A word of a filter: in quotes where it would be read as something else.
std::string filter_word(const std::string& text) {
  const bool plain =
      !text.empty() && text != "null" && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '.' || c == '@' || c == '/' || c >= 0x80;
      });
  if (plain) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

class Completions {
 public:
  explicit Completions(std::string typed) : typed_(std::move(typed)) {}

  /// What begins as what was typed; quotes that were not typed yet are passed over.
  void offer(std::string_view before, const std::string& word, std::string_view kind) {
    if (items_.size() == kMostWords || !json::is_utf8(word)) return;
    const std::string text = std::string(before) + (kind == "field" ? word : filter_word(word));
    const std::string bare = std::string(before) + word;
    if (!text.starts_with(typed_) && !bare.starts_with(typed_)) return;
    std::string item = fmt::format(R"({{"text":{},"kind":"{}"}})", text_json(text), kind);
    if (std::find(items_.begin(), items_.end(), item) == items_.end())
      items_.push_back(std::move(item));
  }
  bool is_behind(std::string_view field) const { return typed_.starts_with(field); }
  std::string json() const { return fmt::format(R"({{"items":[{}]}})", fmt::join(items_, ",")); }

 private:
  std::string typed_;
  std::vector<std::string> items_;
};

Result<void> complete_columns(Database& db, Completions& found) {
  const bool wanted = std::any_of(std::begin(kColumnFields), std::end(kColumnFields),
                                  [&](std::string_view one) { return found.is_behind(one); });
  if (!wanted) return {};
  for (const std::string& word : TRY(offers(db, "columns")))
    for (const std::string_view field : kColumnFields)
      if (found.is_behind(field)) found.offer(field, word, "column");
  return {};
}

}  // namespace

Result<Answer> get_facets(Asked call) {
  Database& db = *TRY(call->db());
  Facets facets(TRY(tracked_tables(db)));
  LogRequest request;
  request.filter.filter = TRY(call->filter());
  request.filter.judge = TRY(call->judge());
  request.filter.limit = kMostLookedThrough + 1;
  const auto changes = TRY(log(db, request));
  while (const auto change = TRY(changes->next())) {
    if (facets.changes() == kMostLookedThrough) return json_answer(facets.json(true));
    facets.add(*change);
  }
  return json_answer(facets.json(false));
}

Result<Answer> get_complete(Asked call) {
  Database& db = *TRY(call->db());
  const std::string typed = call->asked("q").value_or("");
  const bool negated = typed.starts_with('-');
  Completions found(negated ? typed.substr(1) : typed);
  for (const std::string_view field : filter_fields()) {
    const bool dotted = field == "old" || field == "new" || field == "context";
    found.offer("", std::string(field) + (dotted ? "." : ":"), "field");
  }
  const auto tables = TRY(tracked_tables(db));
  for (const Tracked& one : tables) {
    found.offer("table:", one.name, "table");
    for (const std::string& tag : one.policy.tags) found.offer("tag:", tag, "tag");
    if (!one.policy.classification.empty())
      found.offer("class:", one.policy.classification, "class");
  }
  for (const std::string_view op : kOpNames) found.offer("op:", lower(op), "op");
  for (const std::string_view word : kSignedWords)
    found.offer("signed:", std::string(word), "signed");
  for (const std::string_view field : {"who:", "actor:"})
    if (found.is_behind(field))
      for (const std::string& who : TRY(offers(db, "actors"))) found.offer(field, who, "actor");
  TRY(complete_columns(db, found));
  return json_answer(found.json());
}

}  // namespace vestige::server
