#include "vestige/record/evidence.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"

namespace vestige {
namespace {

auto bad(std::string_view why) { return fail(Fault::corrupt, "read evidence: {}", why); }

void append(std::string& out, std::string_view name, const std::optional<Disclosed>& part) {
  if (!part.has_value()) return;
  out += fmt::format(R"(,"{}_salt":"{}","{}":)", name, to_hex(view(part->salt)), name);
  json::append_string(out, part->canonical);
}

Result<std::string> text_of(std::string_view token) {
  auto text = json::unquote(token);
  if (!text.has_value()) return bad("a member is no string");
  return std::move(*text);
}

Result<Salt> salt_of(std::string_view token) {
  const auto bytes = from_lower_hex(TRY(text_of(token)));
  if (!bytes.has_value() || bytes->size() != Salt{}.size())
    return bad("a salt is not the hex of 16 bytes");
  return to_array<Salt{}.size()>(*bytes);
}

}  // namespace

std::string to_line(const Evidence& evidence) {
  std::string line = fmt::format(R"({{"index":{},"entry":)", evidence.index);
  json::append_string(line, evidence.entry);
  append(line, "key", evidence.key);
  append(line, "context", evidence.context);
  append(line, "values", evidence.values);
  return line + "}";
}

Result<Evidence> parse_evidence(std::string_view line) {
  if (!json::is_utf8(line)) return bad("it is not UTF-8");
  json::Reader reader(line);
  Evidence evidence;
  // Order and repetition are settled at the end, when the line is written again.
  if (!reader.open('{').has_value()) return bad("it is no JSON object");
  const auto part_of = [&evidence](std::string_view name) -> std::optional<Disclosed>* {
    if (name == "key") return &evidence.key;
    if (name == "context") return &evidence.context;
    if (name == "values") return &evidence.values;
    return nullptr;
  };
  for (;;) {
    const auto more = reader.more('{');
    if (!more.has_value()) return bad("it is no JSON object");
    if (*more == 'n') break;
    const auto name = reader.key();
    if (!name.has_value()) return bad("it is no JSON object");
    const auto member = reader.value();
    if (!member.has_value()) return bad("it is no JSON object");
    const std::string_view token = member->text;
    constexpr std::string_view kSalt = "_salt";
    if (*name == "index") {
      const auto index = parse_decimal(token);
      if (!index.has_value()) return bad("its index is no number");
      evidence.index = *index;
    } else if (*name == "entry") {
      evidence.entry = TRY(text_of(token));
    } else if (auto* part = part_of(*name); part != nullptr && part->has_value()) {
      (*part)->canonical = TRY(text_of(token));
    } else if (name->ends_with(kSalt) &&
               part_of(name->substr(0, name->size() - kSalt.size())) != nullptr) {
      part = part_of(name->substr(0, name->size() - kSalt.size()));
      *part = Disclosed{TRY(salt_of(token)), {}};
    } else {
      return bad(fmt::format("{} has no place there", json::quote(*name)));
    }
  }
  if (to_line(evidence) != line) return bad("it is not in canonical form");
  return evidence;
}

std::string to_line(const EvidenceStart& start) {
  std::string line = fmt::format(R"({{"start":{},"peaks":[)", start.start);
  for (const Hash& peak : start.peaks) {
    if (line.back() != '[') line += ',';
    line += '"' + to_base64(view(peak)) + '"';
  }
  return line + "]}";
}

bool is_evidence_start(std::string_view line) { return line.starts_with("{\"start\":"); }

Result<EvidenceStart> parse_evidence_start(std::string_view line) {
  const auto wrong = [] { return bad("its first line is not a start and its peaks"); };
  EvidenceStart start;
  const std::string_view whole = line;
  line = line.substr(std::min(line.size(), line.find(':') + 1));
  const auto number = parse_decimal(line.substr(0, line.find(',')));
  const std::size_t open = line.find('[');
  if (!number.has_value() || open == std::string_view::npos) return wrong();
  start.start = *number;
  for (std::string_view rest = line.substr(open + 1); rest.starts_with('"');) {
    const auto peak = from_base64(rest.substr(1, rest.find('"', 1) - 1));
    if (!peak.has_value() || peak->size() != 32) return wrong();
    start.peaks.push_back(to_array<32>(*peak));
    rest.remove_prefix(std::min(rest.size(), std::size_t{2 + 44}));
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  if (to_line(start) != whole) return wrong();
  return start;
}

std::optional<std::string_view> not_bound(const Entry& entry, const Evidence& evidence) {
  const auto differs = [](const std::optional<Hash>& bound, const std::optional<Disclosed>& part) {
    return part.has_value() && bound != commitment(part->salt, part->canonical);
  };
  if (differs(entry.key, evidence.key)) return "key";
  if (differs(entry.context, evidence.context)) return "context";
  if (differs(entry.values, evidence.values)) return "values";
  return std::nullopt;
}

}  // namespace vestige
