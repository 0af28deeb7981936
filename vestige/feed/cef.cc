#include "vestige/feed/cef.h"

#include <vector>

#include "vestige/feed/event_text.h"

namespace vestige {
namespace {

// The limits of the dictionary, in bytes before they are escaped.
constexpr std::size_t kVersion = 31;
constexpr std::size_t kShort = 63;
constexpr std::size_t kText = 1023;
constexpr std::size_t kCustom = 4000;

struct EventKind {
  std::string_view name;
  int severity;
};

EventKind event_kind(Op op) {
  switch (op) {
    case Op::insert: return {"Row inserted", 3};
    case Op::update: return {"Row updated", 3};
    case Op::remove: return {"Row deleted", 5};
    case Op::truncate: return {"Table truncated", 6};
    case Op::baseline: return {"Row looked at", 1};
    case Op::erase: return {"Record erased", 6};
    case Op::expire: break;
  }
  return {"Record expired", 4};
}

std::string header_field(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : cut(printable_text(text), most)) {
    if (c == '\\' || c == '|') out += '\\';
    out += c;
  }
  return out;
}

// The pairs behind the header.
class Extension {
 public:
  explicit Extension(std::string& out) : out_(out) {}

  void add(std::string_view key, std::string_view text, std::size_t most) {
    std::string value = readable(text);
    if (value.size() > most) {
      cut_.emplace_back(key);
      value = cut(std::move(value), most);
    }
    if (!first_) out_ += ' ';
    first_ = false;
    out_.append(key).append("=");
    escape(value);
  }
  void add(std::string_view key, const std::string* text, std::size_t most) {
    if (text != nullptr) add(key, *text, most);
  }
  /// A field of no fixed meaning, and what it is here.
  void custom(std::string_view key, std::string_view label, std::string_view text) {
    add(fmt::format("{}Label", key), label, kText);
    add(key, text, kCustom);
  }

  /// The keys of what was cut.
  const std::vector<std::string>& shortened() const { return cut_; }

 private:
  void escape(std::string_view value) {
    for (const char c : value) {
      if (c == '\\' || c == '=') out_.append(1, '\\').append(1, c);
      else if (c == '\n') out_ += "\\n";
      else if (c == '\r') out_ += "\\r";
      else if (c == '\t') out_ += c;
      else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out_ += "\xef\xbf\xbd";
      else out_ += c;
    }
  }

  std::string& out_;
  bool first_ = true;
  std::vector<std::string> cut_;
};

void add_address(Extension& extension, const std::string* address) {
  if (address == nullptr) return;
  const int version = ip_version(*address);
  if (version == 4) extension.add("src", *address, kText);
  else if (version == 6) {
    extension.add("c6a2Label", "Source IPv6 Address", kText);
    extension.add("c6a2", *address, kText);
  } else {
    extension.add("shost", *address, kText);
  }
}

std::string columns(const Change& change) {
  std::string out;
  for (const std::string& column : change.changed_fields())
    out.append(out.empty() ? "" : ",").append(column);
  return out;
}

void add_values(Extension& extension, const Change& change) {
  if (!change.key.empty()) extension.custom("cs1", "key", plain(change.key));
  if (const std::string names = columns(change); !names.empty())
    extension.custom("cs2", "columns", names);
  extension.custom("cs3", "tx", std::to_string(change.tx));
  if (const std::string* reason = change.context.get("reason"); reason != nullptr)
    extension.custom("cs4", "reason", *reason);
  if (change.old_values.has_value()) extension.custom("cs5", "old", to_json(*change.old_values));
  if (change.new_values.has_value()) extension.custom("cs6", "new", to_json(*change.new_values));
  if (change.index.has_value()) extension.custom("cn1", "index", std::to_string(*change.index));
}

std::string message(const Change& change, const Extension& extension) {
  std::string out;
  if (!extension.shortened().empty())
    out = fmt::format("cut: {}; ", fmt::join(extension.shortened(), ", "));
  if (change.new_key.has_value()) out += fmt::format("the key is now {}; ", plain(*change.new_key));
  if (change.lost_values()) out += change.how_lost() + "; ";
  if (takes_away(change.op)) out += fmt::format("took parts of {} changes; ", change.erases);
  if (!change.unreadable.empty()) out += fmt::format("unreadable: {}; ", change.unreadable);
  return out + headline(change);
}

}  // namespace

std::string cef(const Change& given, const Origin& origin) {
  const Outgoing outgoing(given);
  const Change& change = outgoing.change();
  const EventKind of = event_kind(change.op);
  std::string out =
      fmt::format("CEF:0|Vestige|Vestige|{}|{}|{}|{}|", header_field(origin.version, kVersion),
                  name(change.op), of.name, of.severity);
  Extension extension(out);
  extension.add("rt", std::to_string(change.at / kMicrosOfMilli), kShort);
  extension.add("externalId", std::to_string(change.id), kShort);
  extension.add("act", name(change.op), kShort);
  extension.add("cat", "database", kText);
  extension.add("outcome", "success", kShort);
  extension.add("deviceExternalId", origin.log, 255);
  extension.add("suser", change.who(), kText);
  add_address(extension, change.context.get("ip_address"));
  extension.add("requestClientApplication", change.context.get("user_agent"), kText);
  extension.add("fname", change.table, kText);
  add_values(extension, change);
  const std::string said = message(change, extension);
  extension.add("msg", said, kText);
  return out;
}

}  // namespace vestige
