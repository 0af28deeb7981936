// Call: one question to the console: who asks, what was asked, and a connection with their rights.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/connections.h"
#include "server/message.h"
#include "server/room.h"
#include "server/router.h"
#include "server/settings.h"
#include "server/tail.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/judge.h"
#include "vestige/trail/moment.h"

namespace vestige::server {

/// What all questions share; made once.
struct Shared {
  explicit Shared(Settings told)
      : settings(std::move(told)),
        readers(settings.database, 24, true),
        writers(settings.database, 8, false),
        tails(settings.database, 32, true),
        sequencing(settings.database) {}

  Settings settings;
  Connections readers;
  Connections writers;
  Connections tails;
  Sequencing sequencing;
  Room room{256 << 20};  // for pages
  std::mutex verifying;  // one at a time: it reads all there is
};

/// Whose rights a user has; "": those of the login.
///
/// faults   denied: they have none
Result<std::string> role_of(const Settings& settings, const std::string& user);

class Call {
 public:
  Call(Shared& shared, const Request& request, Routed routed, std::string user, std::string role)
      : shared_(shared),
        request_(request),
        routed_(std::move(routed)),
        user_(std::move(user)),
        role_(std::move(role)) {}

  const Request& request() const { return request_; }
  const Route& route() const { return *routed_.route; }
  const Settings& settings() const { return shared_.settings; }
  Shared& shared() { return shared_; }
  Format format() const { return routed_.format; }
  /// "" where nobody says who asks.
  const std::string& user() const { return user_; }
  /// Whose rights they have; "": those of the login.
  const std::string& role() const { return role_; }

  /// The connection, opened when it is asked for.
  Result<Database*> db();
  /// It is not needed any more, however long the answer takes.
  void give_back() { lease_.reset(); }
  /// One that may write, for what is written by a question itself. It is given back at once.
  Result<std::unique_ptr<Connections::Lease>> writer();
  /// The connection is given more time: what is asked streams.
  Result<void> take_time(std::chrono::milliseconds time);

  /// Writes down that this is read, where reads are recorded.
  ///
  /// faults   denied, conflict, offline: then nothing may be shown
  Result<void> record();

  /// What stands for the nth name in braces of the path.
  Result<std::string> word(std::size_t n) const;
  /// The same as a number.
  Result<std::int64_t> id(std::size_t n) const;
  /// The same as a row's key: values with commas between them.
  Result<std::vector<std::string>> key(std::size_t n) const;

  std::optional<std::string> asked(std::string_view name) const { return request_.asked(name); }
  /// faults   invalid: no whole number of that range
  Result<std::int64_t> number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                              std::int64_t most) const;
  /// How many of a list; 50 unless said. 0: all, of a list that is streamed.
  Result<std::int64_t> limit() const;
  /// A moment that a parameter names; now where it is not given.
  Result<Moment> moment(std::string_view name);
  /// q=
  Result<Filter> filter() const;
  /// Who says what signatures of contexts are worth; nullptr where nobody is named.
  Result<std::shared_ptr<SignatureJudge>> judge();

  /// What the database refused, in words that say what to ask for.
  Error explained(const Error& error);

 private:
  std::string shown_request(Database& db) const;

  Shared& shared_;
  Request request_;
  Routed routed_;
  std::string user_;
  std::string role_;
  std::chrono::milliseconds time_ = std::chrono::seconds(5);
  std::unique_ptr<Connections::Lease> lease_;
};

/// Answers.
Answer json_answer(std::string body);
/// {"items":[…],"next":…}
std::string page(const std::vector<std::string>& items, const std::optional<std::string>& next);
/// What stands in it behind its items.
std::string page_end(const std::optional<std::string>& next);

}  // namespace vestige::server
