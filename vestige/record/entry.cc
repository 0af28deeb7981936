#include "vestige/record/entry.h"

#include <algorithm>
#include <limits>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/record/canonical.h"
#include "vestige/record/change.h"

namespace vestige {
namespace {

constexpr std::size_t kLongestName = 1000;

auto bad(std::string_view why) { return fail(Fault::corrupt, "read an entry: {}", why); }

std::string short_name(std::string_view name) {
  std::string whole = as_utf8(name);
  if (whole.size() > kLongestName) {
    std::size_t cut = kLongestName;
    while ((static_cast<unsigned char>(whole[cut]) & 0xc0) == 0x80) --cut;
    whole.resize(cut);
  }
  return whole;
}

void append_commitment(std::string& out, const std::optional<Hash>& hash) {
  if (hash.has_value()) out += '"' + to_base64(view(*hash)) + '"';
  else out += "null";
}

// Reads from the left to the right what must stand there.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : rest_(line) {}

  Result<void> literal(std::string_view text) {
    if (!rest_.starts_with(text)) return bad(fmt::format("'{}' is missing", text));
    rest_.remove_prefix(text.size());
    return {};
  }

  Result<std::int64_t> number() {
    const std::size_t length = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const auto value = parse_decimal(rest_.substr(0, length));
    if (!value.has_value() || *value > std::numeric_limits<std::int64_t>::max())
      return bad("a number is not a decimal of 63 bits");
    rest_.remove_prefix(length);
    return static_cast<std::int64_t>(*value);
  }

  // The inside of a JSON string, unescaped.
  Result<std::string> string() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (!rest_.starts_with('"') || end >= rest_.size()) return bad("a string is missing");
    auto text = json::unquote(rest_.substr(0, end + 1));
    if (!text.has_value()) return bad("a string has an escape that means nothing");
    rest_.remove_prefix(end + 1);
    return std::move(*text);
  }

  Result<std::optional<Hash>> commitment() {
    if (rest_.starts_with("null")) {
      rest_.remove_prefix(4);
      return std::optional<Hash>();
    }
    const auto bytes = from_base64(TRY(string()));
    if (!bytes.has_value() || bytes->size() != 32)
      return bad("a commitment is not the base64 of 32 bytes");
    return std::optional<Hash>(to_array<32>(*bytes));
  }

 private:
  std::string_view rest_;
};

}  // namespace

Hash commitment(const Salt& salt, std::string_view canonical) {
  return sha256({view(salt), canonical});
}

std::string to_line(const Entry& entry) {
  std::string line = fmt::format(R"({{"v":1,"id":{},"op":"{}","table_id":{},"table":)", entry.id,
                                 entry.op, entry.table_id);
  json::append_string(line, short_name(entry.table));
  line += fmt::format(R"(,"at":"{}","tx":{},"key":)", format_time(entry.at), entry.tx);
  append_commitment(line, entry.key);
  line += ",\"context\":";
  append_commitment(line, entry.context);
  line += ",\"values\":";
  append_commitment(line, entry.values);
  return line + "}";
}

Result<Entry> parse_entry(std::string_view line) {
  Scanner scan(line);
  Entry entry;
  TRY(scan.literal("{\"v\":"));
  if (TRY(scan.number()) != 1) return bad("its version is not 1; a newer vestige can read it");
  TRY(scan.literal(",\"id\":"));
  entry.id = TRY(scan.number());
  TRY(scan.literal(",\"op\":"));
  entry.op = TRY(scan.string());
  if (std::find(kOpNames.begin(), kOpNames.end(), entry.op) == kOpNames.end())
    return bad("its op is unknown");
  TRY(scan.literal(",\"table_id\":"));
  entry.table_id = TRY(scan.number());
  TRY(scan.literal(",\"table\":"));
  entry.table = TRY(scan.string());
  TRY(scan.literal(",\"at\":"));
  const auto at = read_time(TRY(scan.string()));
  if (!at.has_value()) return bad("its time is none");
  entry.at = *at;
  TRY(scan.literal(",\"tx\":"));
  entry.tx = TRY(scan.number());
  TRY(scan.literal(",\"key\":"));
  entry.key = TRY(scan.commitment());
  TRY(scan.literal(",\"context\":"));
  entry.context = TRY(scan.commitment());
  TRY(scan.literal(",\"values\":"));
  entry.values = TRY(scan.commitment());
  if (to_line(entry) != line) return bad("it is not in canonical form");
  return entry;
}

}  // namespace vestige
