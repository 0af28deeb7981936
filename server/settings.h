// How a console is set up: what `vestige serve` was told.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vestige/audit/check.h"
#include "vestige/base/crypto.h"
#include "vestige/privacy/signed_context.h"
#include "vestige/report/population.h"

namespace vestige::server {

/// Who may ask from another machine, and how they are told apart.
enum class Auth { none, token, header };

/// A token that somebody has, as its SHA-256.
struct TokenHash {
  Hash hash{};
  std::string user;
};

/// Addresses that begin alike: "10.0.0.0/8", "::1/128".
struct Network {
  std::string bytes;  // 4 or 16
  unsigned bits = 0;

  bool has(const std::string& address) const;
};

/// faults   invalid
Result<Network> read_network(const std::string& text);

/// A file of "SHA256 USER", one on each line; # begins a comment.
///
/// faults   missing, invalid, denied: others than its owner may write to it
Result<std::vector<TokenHash>> read_tokens(const std::string& path);

struct Settings {
  std::string database;  // the URL
  std::string name;      // what the page calls it
  std::string version;
  std::string listen = "127.0.0.1:8470";
  Auth auth = Auth::none;
  std::vector<TokenHash> tokens;             // auth token
  std::string user_header;                   // auth header, in small letters
  std::vector<Network> proxies;              // that may say it
  std::set<std::string> hosts;               // other names under which it is asked
  std::map<std::string, std::string> roles;  // of users in the database
  bool roles_named = false;  // [console.users] stands there: who is not named has no role
  std::string login;         // the user of this system
  std::optional<ContextSigners> signers;
  Trust trust;
  ReportSettings reports;  // [report] of vestige.toml
};

}  // namespace vestige::server
