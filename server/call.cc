#include "server/call.h"

#include <algorithm>
#include <charconv>

#include "vestige/audit/at.h"
#include "vestige/base/json.h"
#include "vestige/privacy/signature_judge.h"
#include "vestige/record/filter.h"
#include "vestige/report/reports.h"
#include "vestige/rules/alerts.h"
#include "vestige/trail/access.h"
#include "vestige/trail/denied.h"
#include "vestige/trail/kept_words.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostItems = 1000;

Result<std::int64_t> number_in(std::string_view what, std::string_view text, std::int64_t least,
                               std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    return hinted(fail(Fault::invalid, "{}: not a number that it can be", what),
                  fmt::format("a whole number from {} to {}", least, most));
  return value;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string kept_if(bool known, const std::string& word) { return known ? word : kNotKept; }

// Of what was asked, what may stand in the trail for good: what the trail itself knows, numbers and times.
std::string kept_word(Database& db, std::string_view name, const std::string& value) {
  if (name == "q") return kept_filter(value);
  if (is_one_of(name, {"limit", "after", "count"})) return kept_number(value);
  if (is_one_of(name, {"at", "from", "to", "period", "since", "until"})) return kept_moment(value);
  if (name == "state")
    return kept_if(is_one_of(value, {"open", "acknowledged", "closed", "silenced"}), value);
  if (name == "column") return kept_if(require_column(db, value, std::nullopt).has_value(), value);
  return kNotKept;
}

// The same of a word of the path: a table, a key and a column; a report; an alert; a number.
std::string kept_segment(Database& db, const Call& call, std::size_t n, const std::string& word) {
  const std::string_view path = call.route().path;
  if (path.starts_with("/api/v1/tables/")) {
    if (n == 1) return kept_key(word);
    if (n == 2) return kept_word(db, "column", word);
    const auto table = meant_table(db, word);
    return kept_if(table.has_value() && table->has_value(), word);
  }
  if (path.starts_with("/api/v1/reports/"))
    return kept_if(find_report(word) != nullptr || call.settings().reports.own.contains(word),
                   word);
  if (path.starts_with("/api/v1/alerts/")) return kept_if(kept_alert(db, word).has_value(), word);
  return kept_number(word);
}

}  // namespace

Result<std::string> role_of(const Settings& settings, const std::string& user) {
  if (!settings.roles_named || user.empty()) return std::string();
  const auto found = settings.roles.find(user);
  if (found != settings.roles.end()) return found->second;
  return hinted(fail(Fault::denied, "{} has no role here", user),
                "[console.users] of vestige.toml says which role each user has");
}

Result<void> Call::take_time(std::chrono::milliseconds time) {
  time_ = time;
  return lease_ == nullptr ? Result<void>() : lease_->give_time(time);
}

Result<Database*> Call::db() {
  if (lease_ == nullptr) lease_ = TRY(shared_.readers.take(role_, time_));
  return &lease_->db();
}

Result<std::unique_ptr<Connections::Lease>> Call::writer() {
  return shared_.writers.take(role_, std::chrono::seconds(5));
}

std::string Call::shown_request(Database& db) const {
  std::string out = fmt::format("{} {}", route().method, route().path);
  for (std::size_t i = 0; i < routed_.words.size(); ++i) {
    const auto decoded = percent_decoded(routed_.words[i]);
    if (decoded.has_value()) out += " " + kept_segment(db, *this, i, *decoded);
  }
  for (const Parameter& one : route().parameters)
    if (const auto value = asked(one.name); value.has_value() && !value->empty())
      out += fmt::format(" {}={}", one.name, kept_word(db, one.name, *value));
  return out;
}

Result<void> Call::record() {
  Database& read_by = *TRY(db());
  if (!TRY(records_access(read_by))) return {};
  const auto lease = TRY(writer());
  Context by;
  if (!user_.empty()) by.set("actor", user_);
  TrailRead read{.kind = std::string(route().reads), .verb = "serve"};
  read.user = settings().login;
  read.filter = shown_request(read_by);
  auto written = record_read(lease->db(), read, by);
  if (written.has_value()) return {};
  Error error = vestige::explained(lease->db(), written.error(), {});
  if (error.fault == Fault::invalid) error.fault = Fault::denied;
  error.message = "nothing is shown, since this read cannot be recorded: " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

Result<std::string> Call::word(std::size_t n) const { return percent_decoded(routed_.words[n]); }

Result<std::int64_t> Call::id(std::size_t n) const {
  return number_in("the address", TRY(word(n)), 0, std::numeric_limits<std::int64_t>::max());
}

Result<std::vector<std::string>> Call::key(std::size_t n) const {
  std::vector<std::string> out;
  std::string_view text = routed_.words[n];
  while (true) {
    const std::size_t end = std::min(text.find(','), text.size());
    out.push_back(TRY(percent_decoded(text.substr(0, end))));
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

Result<std::int64_t> Call::number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                  std::int64_t most) const {
  const auto text = asked(name);
  return text.has_value() ? number_in(name, *text, least, most) : Result<std::int64_t>(otherwise);
}

Result<std::int64_t> Call::limit() const {
  if (format() == Format::json) return number("limit", 50, 1, kMostItems);
  return number("limit", 0, 1, std::numeric_limits<std::int64_t>::max() - 1);
}

Result<Moment> Call::moment(std::string_view name) {
  const auto text = asked(name);
  if (!text.has_value() || *text == "now") return Moment{};
  const Now now(clock_now(), Zone::local);
  const auto plain = parse_moment(*text, now);
  return plain.has_value() ? plain : find_moment(*TRY(db()), *text, now);
}

Result<Filter> Call::filter() const {
  constexpr std::size_t kLongest = 4096;
  const std::string text = asked("q").value_or("");
  if (text.size() > kLongest) return fail(Fault::invalid, "q: longer than {} bytes", kLongest);
  return parse_filter(text, Now(clock_now(), Zone::local));
}

Result<std::shared_ptr<SignatureJudge>> Call::judge() {
  if (!settings().signers.has_value()) return std::shared_ptr<SignatureJudge>();
  return signature_judge(*TRY(db()), *settings().signers);
}

Error Call::explained(const Error& error) {
  if (lease_ == nullptr) return error;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < routed_.words.size(); ++i)
    if (auto one = word(i); one.has_value()) words.push_back(*std::move(one));
  return vestige::explained(lease_->db(), error, {words, false});
}

Answer json_answer(std::string body) {
  Answer answer;
  answer.body = std::move(body);
  answer.body += '\n';
  return answer;
}

std::string page(const std::vector<std::string>& items, const std::optional<std::string>& next) {
  std::string out = "{\"items\":[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    out += items[i];
  }
  return out + page_end(next);
}

std::string page_end(const std::optional<std::string>& next) {
  return "],\"next\":" + (next.has_value() ? json::quote(*next) : "null");
}

}  // namespace vestige::server
