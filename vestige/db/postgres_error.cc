#include "vestige/db/postgres_error.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>

namespace vestige::postgres {
namespace {

struct Rule {
  std::string_view prefix;
  Fault fault;
};

// The longest prefix that fits decides. What PostgreSQL's own classes leave over is invalid; a class
// that is not PostgreSQL's was raised by somebody's trigger or function: denied.
constexpr std::array kRules = {
    Rule{"08", Fault::offline},
    Rule{"08P01", Fault::invalid},  // a wrong number of values
    Rule{"23", Fault::denied},
    Rule{"25006", Fault::denied},  // read-only
    Rule{"25P03", Fault::offline},
    Rule{"25P04", Fault::offline},  // the session timed out
    Rule{"28", Fault::denied},
    Rule{"3D000", Fault::missing},
    Rule{"40", Fault::conflict},
    Rule{"42501", Fault::denied},
    Rule{"44", Fault::denied},
    Rule{"53", Fault::offline},  // no room, no memory, no connections
    Rule{"55006", Fault::conflict},
    Rule{"55P03", Fault::conflict},
    Rule{"57014", Fault::conflict},  // cancelled or timed out
    Rule{"57P", Fault::offline},
    Rule{"58", Fault::offline},
    Rule{"P0001", Fault::denied},  // raise exception
    Rule{"P0004", Fault::denied},  // assert
    Rule{"XX001", Fault::corrupt},
    Rule{"XX002", Fault::corrupt},
};

constexpr std::string_view kClasses =
    "00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F "
    "40 42 44 53 54 55 57 58 72 F0 HV P0 XX";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

constexpr std::size_t kLongestMessage = 8192;

// Somebody's trigger raises what it likes, however long: the beginning says it.
std::string bounded(std::string_view text) {
  if (text.size() <= kLongestMessage) return std::string(text);
  std::size_t end = kLongestMessage;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

// Where the SQLSTATE stands in a verbose message, "FATAL:  3D000: …": the first five letters and digits that stand so.
std::size_t state_in_message(std::string_view text) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  constexpr std::string_view kBefore = ":  ";
  for (auto at = text.find(kBefore); at != std::string_view::npos;
       at = text.find(kBefore, at + 1)) {
    const std::string_view rest = text.substr(at + kBefore.size());
    if (at == 0 || !capital(text[at - 1]) || rest.size() < 7 || rest.substr(5, 2) != ": ") continue;
    if (std::all_of(rest.begin(), rest.begin() + 5,
                    [&](char c) { return capital(c) || (c >= '0' && c <= '9'); }))
      return at + kBefore.size();
  }
  return std::string_view::npos;
}

std::string_view field(const pg_result* result, int code) {
  const char* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// libpq's own messages: a line for each thing that happened, and indented lines of advice.
struct Said {
  std::string what;
  std::string advice;
};

Said said(std::string_view text) {
  Said out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool advice = line.starts_with('\t');
    if (advice) line.remove_prefix(1);
    std::string& to = advice ? out.advice : out.what;
    if (!to.empty() && !line.empty()) to += advice ? " " : "; ";
    to += trimmed(line);
  }
  return out;
}

}  // namespace

Fault fault_of(std::string_view sqlstate) {
  if (sqlstate.size() != 5) return Fault::offline;
  Fault fault = Fault::invalid;
  std::size_t longest = 0;
  for (const Rule& rule : kRules)
    if (sqlstate.starts_with(rule.prefix) && rule.prefix.size() > longest) {
      fault = rule.fault;
      longest = rule.prefix.size();
    }
  if (longest == 0 && kClasses.find(sqlstate.substr(0, 2)) == std::string_view::npos)
    return Fault::denied;
  return fault;
}

Error error_of(pg_conn* connection, const pg_result* result, std::string_view attempt) {
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  if (state.empty()) return local_error(connection, attempt);
  std::string_view hint = field(result, PG_DIAG_MESSAGE_HINT);
  if (hint.empty()) hint = field(result, PG_DIAG_MESSAGE_DETAIL);
  return Error{fault_of(state),
               fmt::format("{}: {}", attempt, bounded(field(result, PG_DIAG_MESSAGE_PRIMARY))),
               bounded(hint)};
}

Error local_error(pg_conn* connection, std::string_view attempt) {
  const bool lost = PQstatus(connection) != CONNECTION_OK;
  return Error{lost ? Fault::offline : Fault::invalid,
               fmt::format("{}: {}", attempt, bounded(said(PQerrorMessage(connection)).what)),
               lost ? "connect again, and look whether a commit under way took place" : ""};
}

Error connect_error(std::string_view message, std::string_view attempt) {
  Said text = said(message);
  Fault fault = text.what.starts_with("invalid ") ? Fault::invalid : Fault::offline;
  if (const std::size_t at = state_in_message(message); at != std::string_view::npos) {
    const std::string_view state = message.substr(at, 5);
    fault = fault_of(state);
    message.remove_prefix(at + 7);
    text = {std::string(message.substr(0, message.find('\n'))), {}};
    if (state == "3D000") text.advice = "vestige does not create databases: createdb does";
  }
  if (text.what.find("no password supplied") != std::string::npos) {
    fault = Fault::denied;
    text.advice = "give it in $PGPASSWORD or in ~/.pgpass";
  }
  return Error{fault, fmt::format("{}: {}", attempt, bounded(text.what)), bounded(text.advice)};
}

}  // namespace vestige::postgres
