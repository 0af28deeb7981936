#include "vestige/trail/sealable.h"

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/record/canonical.h"
#include "vestige/trail/sealing.h"

namespace vestige {

bool is_nameable(std::int64_t at) {
  constexpr std::int64_t kFirst = -62135596800000000;
  constexpr std::int64_t kLast = 253402300799999999;
  return at >= kFirst && at <= kLast;
}

std::string context_left(std::string_view canonical) {
  return "context=" + to_base64(view(sha256({canonical})));
}

void add_members(Canonical& out, std::string_view section, std::string_view object) {
  struct Member {
    std::string name;
    json::Span value;
  };
  std::vector<Member> members;
  const auto read = [&]() -> Result<void> {
    json::Reader reader(object);
    TRY(reader.open('{'));
    while (TRY(reader.more('{')) == 'y') {
      std::string name = TRY(reader.key());
      const json::Span value = TRY(reader.value());
      members.push_back({std::move(name), value});
    }
    return reader.end();
  };
  if (!read().has_value()) {
    out.section(section);
    out.text("not_json", object);
    return;
  }
  out.section(section);
  for (const Member& member : members) {
    const auto text = json::unquote(member.value.text);
    if (member.value.kind == json::Kind::string && text.has_value()) out.text(member.name, *text);
    else if (json::is_utf8(member.value.text)) out.token(member.name, member.value.text);
    else out.text(member.name, member.value.text);
  }
}

Result<std::unique_ptr<Sealables>> read_sealables(Database& db, const SealingRange& range) {
  return sealing_of(db)->sealables(range);
}

}  // namespace vestige
