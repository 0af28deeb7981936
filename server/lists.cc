#include "server/lists.h"

#include "server/csv.h"
#include "vestige/base/json.h"

namespace vestige::server {
namespace {

constexpr std::size_t kLargestPage = 4 << 20;     // bytes, and then the next one begins
constexpr std::size_t kLargestWhole = 256 << 10;  // bytes of a page that is sent as a whole
constexpr std::size_t kLargestCopied = 32 << 10;

// The members of an object: names, or values as fields of CSV.
std::vector<std::string> members(const std::string& object, bool names) {
  std::vector<std::string> out;
  json::Reader reader(object);
  if (!reader.open('{').has_value()) return out;
  while (true) {
    const auto more = reader.more('{');
    if (!more.has_value() || *more != 'y') return out;
    auto name = reader.key();
    if (!name.has_value()) return out;
    const auto value = reader.value();
    if (!value.has_value()) return out;
    if (names) {
      out.push_back(csv_text(*name));
    } else if (value->kind == json::Kind::string) {
      out.push_back(csv_text(json::unquote(value->text).value_or("")));
    } else if (value->kind == json::Kind::null) {
      out.emplace_back();
    } else {
      out.push_back(csv_text(value->text));
    }
  }
}

// A list on its way. What is read goes before the connection that it is read by.
struct Sending {
  std::shared_ptr<Call> call;
  Items items;
  std::optional<Item> first;
  std::vector<std::string> heads;
  std::int64_t left = 0;  // 0: all

  Result<void> send(Writer& writer) {
    const bool csv = call->format() == Format::csv;
    std::string some;
    if (csv && heads.empty() && first.has_value()) heads = members(first->json, true);
    if (csv && !heads.empty()) some = csv_record(heads);
    std::optional<Item> item = std::move(first);
    while (item.has_value()) {
      if (!csv) some += item->json + "\n";
      else some += csv_record(item->fields.empty() ? members(item->json, false) : item->fields);
      if (some.size() >= 32 << 10) {
        if (!writer.write(some)) return {};
        some.clear();
      }
      if (left > 0 && --left == 0) break;
      item = TRY(items());
    }
    writer.write(some);
    return {};
  }
};

// A page that is kept until it is sent.
struct KeptPage {
  explicit KeptPage(Room& room) : share(room) {}

  Room::Share share;  // given back when all else has gone
  std::vector<std::string> items;
  std::optional<std::string> next;
  std::string more;

  // Item by item: a copy of the whole would be as large again.
  Result<void> send(Writer& writer) const {
    std::string some = "{\"items\":[";
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) some += ',';
      if (items[i].size() < kLargestCopied) some += items[i];
      if (some.size() < kLargestCopied && items[i].size() < kLargestCopied) continue;
      if (!writer.write(some)) return {};
      some.clear();
      if (items[i].size() >= kLargestCopied && !writer.write(items[i])) return {};
    }
    writer.write(some + page_end(next) + more + "}\n");
    return {};
  }
};

Result<Answer> one_page(const std::shared_ptr<Call>& call, const Items& items,
                        const std::string& more) {
  const auto limit = static_cast<std::size_t>(TRY(call->limit()));
  auto kept = std::make_shared<KeptPage>(call->shared().room);
  std::size_t bytes = 0;
  std::string place;
  while (auto item = TRY(items())) {
    TRY(kept->share.add(item->json.size()));
    if (kept->items.size() == limit ||
        (!kept->items.empty() && bytes + item->json.size() > kLargestPage)) {
      kept->next = place;
      break;
    }
    bytes += item->json.size();
    place = std::move(item->place);
    kept->items.push_back(std::move(item->json));
  }
  if (bytes < kLargestWhole) return json_answer(page(kept->items, kept->next) + more + "}");
  kept->more = more;
  Answer answer;
  answer.stream = [kept = std::move(kept)](Writer& writer) { return kept->send(writer); };
  return answer;
}

}  // namespace

Result<Answer> list_answer(const std::shared_ptr<Call>& call, Items items,
                           std::vector<std::string> heads, const std::string& more) {
  if (call->format() == Format::json) return one_page(call, items, more);
  auto sending = std::make_shared<Sending>();
  sending->call = call;
  sending->left = TRY(call->limit());
  sending->items = std::move(items);
  sending->first = TRY(sending->items());
  sending->heads = std::move(heads);
  const bool csv = call->format() == Format::csv;
  Answer answer{.type = csv ? "text/csv; charset=utf-8" : "application/x-ndjson"};
  if (csv)
    answer.headers.emplace_back("Content-Disposition", "attachment; filename=\"vestige.csv\"");
  answer.stream = [sending = std::move(sending)](Writer& writer) { return sending->send(writer); };
  return answer;
}

Result<Answer> list_answer(const std::shared_ptr<Call>& call, std::vector<std::string> items,
                           const std::string& more) {
  const auto after = static_cast<std::size_t>(
      TRY(call->number("after", 0, 0, static_cast<std::int64_t>(items.size()))));
  auto all = std::make_shared<std::vector<std::string>>(std::move(items));
  return list_answer(
      call,
      [all, next = after]() mutable -> Result<std::optional<Item>> {
        if (next >= all->size()) return std::optional<Item>();
        Item item{.json = (*all)[next++]};
        item.place = std::to_string(next);
        return std::optional<Item>(std::move(item));
      },
      {}, more);
}

Result<Answer> change_list(const std::shared_ptr<Call>& call, std::unique_ptr<Changes> changes,
                           const std::string& more) {
  const bool csv = call->format() == Format::csv;
  return list_answer(
      call,
      [stream = std::shared_ptr<Changes>(std::move(changes)),
       csv]() -> Result<std::optional<Item>> {
        const auto change = TRY(stream->next());
        if (!change.has_value()) return std::optional<Item>();
        Item item{.place = std::to_string(change->id)};
        if (csv) item.fields = change_fields(*change);
        else item.json = to_json(*change);
        return std::optional<Item>(std::move(item));
      },
      change_heads(), more);
}

}  // namespace vestige::server
