#include "vestige/rules/notify_file.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/base/host.h"
#include "vestige/rules/webhook.h"

namespace vestige {
namespace {

using TargetKind = NotifyTarget::Kind;

constexpr std::array<std::pair<std::string_view, TargetKind>, 4> kKinds = {
    {{"webhook", TargetKind::webhook},
     {"syslog", TargetKind::syslog},
     {"exec", TargetKind::exec},
     {"channel", TargetKind::channel}}};
constexpr std::size_t kLongestChannel = 63;  // bytes of a name of PostgreSQL's

// Of a URL: "127.0.0.1" of "http://127.0.0.1:8080/x".
std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  const std::string host = url.substr(begin, url.find('/', begin) - begin);
  const std::size_t bracket = host.find(']');
  if (host.starts_with('[') && bracket != std::string::npos &&
      (bracket + 1 == host.size() || host[bracket + 1] == ':'))
    return host.substr(1, bracket - 1);  // IPv6
  return host.find(':') == host.rfind(':') ? host.substr(0, host.find(':')) : "";
}

// Why an address will not do; empty: it will.
std::string wrong_with(const NotifyTarget& target) {
  const std::string& address = target.address;
  const bool plain = address.find_first_of(" \r\n\t@") == std::string::npos;
  switch (target.kind) {
    case TargetKind::webhook: {
      const bool secure = address.starts_with("https://");
      if (!plain || (!secure && !address.starts_with("http://")) ||
          address.find('/', 8) == std::string::npos)
        return "a webhook is an address with a path, https://hooks.example.com/vestige";
      return secure || is_this_machine(host_of(address))
                 ? ""
                 : "http:// shows everybody what it says: https://, or this machine";
    }
    case TargetKind::syslog: {
      const bool named = address.starts_with("tcp://") || address.starts_with("tls://");
      const std::string rest = named ? address.substr(6) : "";
      return plain && rest.rfind(':') != std::string::npos && rest.rfind(':') != 0 &&
                     rest.find('/') == std::string::npos
                 ? ""
                 : "syslog is tls://HOST:6514 or tcp://HOST:601";
    }
    case TargetKind::exec:
      return address.starts_with('/') ? "" : "the program is named by its whole path: /usr/bin/…";
    case TargetKind::channel: break;
  }
  return address.empty() || address.size() > kLongestChannel
             ? fmt::format("a channel's name has 1 to {} bytes", kLongestChannel)
             : "";
}

Result<std::vector<std::string>> texts_of(const TomlMember& member) {
  if (member.value.kind == Toml::Kind::text) return std::vector{TRY(member.as_text())};
  return member.as_texts();
}

Result<NotifyTarget> read_target(const TomlMember& member) {
  const Toml& table = *TRY(member.as_table());
  TRY(table.check_names({"webhook", "syslog", "exec", "channel", "format", "secret"}));
  NotifyTarget target;
  target.name = member.name;
  int kinds = 0;
  std::string place = member.place;
  for (const auto& [name, kind] : kKinds) {
    const TomlMember* found = table.find(name);
    if (found == nullptr) continue;
    ++kinds;
    target.kind = kind;
    place = found->place;
    if (kind == TargetKind::exec) target.words = TRY(texts_of(*found));
    else target.address = TRY(found->as_text());
    if (!target.words.empty()) target.address = target.words.front();
  }
  if (kinds != 1)
    return misread(member.place, "it has one of webhook, syslog, exec and channel, and no two");
  if (const std::string why = wrong_with(target); !why.empty()) return misread(place, why);
  if (const TomlMember* format = table.find("format"); format != nullptr) {
    const std::string named = TRY(format->as_text());
    if (named != "json" && named != "ocsf")
      return suggested(
          misread(format->value.place, fmt::format("'{}' is no format of alerts", named)), named,
          {"json", "ocsf"});
    target.ocsf = named == "ocsf";
  }
  if (const TomlMember* secret = table.find("secret"); secret != nullptr) {
    if (target.kind != TargetKind::webhook)
      return misread(secret->place, "a secret is for a webhook: it signs");
    target.secrets = TRY(texts_of(*secret));
    for (const std::string& one : target.secrets)
      if (!one.starts_with("env:") && !one.starts_with("file:"))
        return misread(secret->place,
                       "a secret does not stand here: env:NAME or file:PATH says where");
  }
  return target;
}

}  // namespace

Result<std::vector<NotifyTarget>> read_notify(const Toml& file) {
  std::vector<NotifyTarget> all;
  const TomlMember* notify = file.find("notify");
  if (notify == nullptr) return all;
  for (const TomlMember& one : TRY(notify->as_table())->members)
    all.push_back(TRY(read_target(one)));
  return all;
}

Result<std::vector<Secret>> secrets_of(const NotifyTarget& target, const std::string& folder) {
  std::vector<Secret> all;
  for (const std::string& one : target.secrets) {
    const std::string place = one.substr(one.find(':') + 1);
    if (one.starts_with("env:")) {
      const char* value = std::getenv(place.c_str());
      if (value == nullptr)
        return fail(Fault::missing, "notify.{}: ${}, which has its secret, is not set", target.name,
                    place);
      all.push_back(TRY(webhook_secret(value)));
    } else {
      const std::string path =
          place.starts_with('/') || folder.empty() ? place : folder + "/" + place;
      std::string bytes = TRY(secret_bytes(path));
      auto secret = webhook_secret(bytes);
      wipe(bytes);
      all.push_back(TRY(std::move(secret)));
    }
  }
  return all;
}

std::string place_of(const NotifyTarget& target) {
  std::string all = target.address;
  for (const std::string& word : target.words) all.append(1, '\0').append(word);
  return to_hex(view(sha256(all)).substr(0, 8));
}

}  // namespace vestige
