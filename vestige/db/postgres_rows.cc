#include "vestige/db/postgres_rows.h"

#include <libpq-fe.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "vestige/base/json.h"
#include "vestige/db/postgres_error.h"

namespace vestige::postgres {
namespace {

constexpr std::string_view kAttempt = "run sql";
constexpr std::size_t kAbandoned = std::size_t{1} << 20;  // bytes worth reading to be rid of them

// pg_type.oid of what is not text here.
enum Type : unsigned {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kXid = 28,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700,
  kVoid = 2278,
  kJsonb = 3802,
  kXid8 = 5069,
};

Value integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return Text{std::string(text)};
  return number;
}

Value real(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  return std::strtod(std::string(text).c_str(), nullptr);
}

// As a session of ours has it printed (postgres_connect.cc); others may print bytes in the older way.
Value bytes(std::string_view text) {
  if (text.starts_with("\\x"))
    if (auto plain = json::from_hex(text.substr(2)); plain.has_value())
      return Blob{std::move(plain).take()};
  const std::string copy(text);
  std::size_t size = 0;
  unsigned char* plain =
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(copy.c_str()), &size);
  Blob blob{std::string(reinterpret_cast<char*>(plain), size)};
  PQfreemem(plain);
  return blob;
}

}  // namespace

Value decode(unsigned type, std::optional<std::string_view> text) {
  if (!text.has_value()) return Null{};
  switch (type) {
    case kBool: return std::int64_t{*text == "t"};
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
    case kXid:
    case kXid8: return integer(*text);
    case kFloat4:
    case kFloat8: return real(*text);
    case kBytea: return bytes(*text);
    case kJson:
    case kJsonb: return Token{std::string(*text)};
    case kNumeric:
      if (text->find_first_not_of("-0123456789.") != std::string_view::npos)  // NaN, Infinity
        return Text{std::string(*text)};
      return Token{std::string(*text)};
    default: return Text{std::string(*text)};
  }
}

bool is_text(unsigned type) {
  switch (type) {
    case kBool:
    case kBytea:
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
    case kXid:
    case kXid8:
    case kFloat4:
    case kFloat8:
    case kNumeric:
    case kVoid: return false;
    default: return true;
  }
}

Session::~Session() { PQfinish(connection); }

void Clear::operator()(pg_result* result) const noexcept { PQclear(result); }

PostgresRows::PostgresRows(Session& session, bool may_cancel)
    : session_(session), may_cancel_(may_cancel) {
  session_.on_wire = this;
}

PostgresRows::~PostgresRows() {
  if (session_.on_wire == this) abandon();
}

Result<std::unique_ptr<PostgresRows>> PostgresRows::start(Session& session, bool may_cancel) {
  PQsetSingleRowMode(session.connection);
  std::unique_ptr<PostgresRows> rows(new PostgresRows(session, may_cancel));
  rows->receive();
  rows->waiting_ = rows->row_ != nullptr;
  if (!rows->waiting_ && rows->error_.has_value())
    return tl::unexpected<Error>(std::move(*rows->error_));
  return rows;
}

// Reads up to the next row, or to the end of everything that the command answers: a deferred
// constraint may refuse the commit after the last row.
void PostgresRows::receive() {
  row_.reset();
  while (row_ == nullptr) {
    Answer answer(PQgetResult(session_.connection));
    if (answer == nullptr) {
      session_.on_wire = nullptr;
      return;
    }
    take(std::move(answer));
  }
}

void PostgresRows::take(Answer answer) {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
    if (!described_)
      for (int i = 0; i < PQnfields(answer.get()); ++i)
        columns_.push_back({PQfname(answer.get(), i), PQftype(answer.get(), i)});
    described_ = true;
  }
  switch (status) {
    case PGRES_SINGLE_TUPLE: row_ = std::move(answer); break;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK: tag_ = PQcmdStatus(answer.get()); break;
    case PGRES_EMPTY_QUERY: refuse({Fault::invalid, "run sql: nothing to run", {}}); break;
    case PGRES_COPY_IN:
      refuse({Fault::invalid, "run sql: COPY FROM STDIN has no input here", "use psql, or INSERT"});
      PQputCopyEnd(session_.connection, "no input");
      break;
    case PGRES_COPY_OUT: {
      refuse({Fault::invalid, "run sql: COPY TO STDOUT has no output here", "use psql, or SELECT"});
      char* line = nullptr;
      while (PQgetCopyData(session_.connection, &line, 0) > 0) PQfreemem(line);
      break;
    }
    default: refuse(error_of(session_.connection, answer.get(), kAttempt)); break;
  }
}

void PostgresRows::refuse(Error error) {
  if (!error_.has_value()) error_ = std::move(error);
}

// The server counts each statement alone, and a question may be a thousand of them. A first row is let through: what sets or counts
// something has no other.
Result<Step> PostgresRows::given() {
  if (given_ && session_.end.has_value() && std::chrono::steady_clock::now() > *session_.end)
    return hinted(fail(Fault::conflict, "run sql: all of it together took longer than it may"),
                  "ask for less at once");
  given_ = true;
  return Step::row;
}

Result<Step> PostgresRows::next() {
  if (parked_.has_value()) {
    if (const char more = TRY(parked_->next(record_)); more == 'y') {
      read_record();
      return given();
    }
    fields_.clear();
  } else {
    if (!waiting_ && session_.on_wire == this) receive();
    waiting_ = false;
    if (row_ != nullptr) return given();
  }
  if (error_.has_value()) return tl::unexpected<Error>(*error_);
  return Step::end;
}

std::string PostgresRows::name(int column) const {
  return columns_[static_cast<std::size_t>(column)].name;
}

std::optional<std::string_view> PostgresRows::field(int column) const {
  if (row_ == nullptr)
    return static_cast<std::size_t>(column) < fields_.size()
               ? fields_[static_cast<std::size_t>(column)]
               : std::nullopt;
  if (PQgetisnull(row_.get(), 0, column) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(row_.get(), 0, column),
                          static_cast<std::size_t>(PQgetlength(row_.get(), 0, column)));
}

Value PostgresRows::value(int column) const {
  const auto place = static_cast<std::size_t>(column);
  const auto text = field(column);
  if (text.has_value() && place < types_.size() && types_[place] != 0)
    return decode(types_[place], std::get<Blob>(bytes(*text)).bytes);
  return decode(columns_[static_cast<std::size_t>(column)].type, field(column));
}

// Most columns are texts, which need no value in between.
std::string PostgresRows::text(int column) const {
  const auto place = static_cast<std::size_t>(column);
  const unsigned type = columns_[place].type;
  const bool bytes_of_text = place < types_.size() && types_[place] != 0;
  if (bytes_of_text || !is_text(type) || type == kJson || type == kJsonb) return Rows::text(column);
  return std::string(field(column).value_or(std::string_view()));
}

std::int64_t PostgresRows::changed() const {
  for (const std::string_view verb : {"INSERT ", "UPDATE ", "DELETE ", "MERGE "})
    if (tag_.starts_with(verb)) return std::strtoll(tag_.c_str() + tag_.rfind(' '), nullptr, 10);
  return 0;
}

// A row as one record: for each column its length, or -1 for null, and its bytes.
std::string PostgresRows::record() const {
  std::string out;
  for (int i = 0; i < columns(); ++i) {
    const auto text = field(i);
    const std::int32_t size = text.has_value() ? static_cast<std::int32_t>(text->size()) : -1;
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    if (text.has_value()) out += *text;
  }
  return out;
}

void PostgresRows::read_record() {
  fields_.clear();
  std::string_view rest = record_;
  while (!rest.empty()) {
    std::int32_t size = 0;
    memcpy(&size, rest.data(), sizeof size);
    rest.remove_prefix(sizeof size);
    if (size < 0) {
      fields_.emplace_back(std::nullopt);
      continue;
    }
    fields_.emplace_back(rest.substr(0, static_cast<std::size_t>(size)));
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
}

void PostgresRows::park() {
  // The row that next() gave last stays readable: it becomes the record that was read last.
  Spill spill;
  if (row_ != nullptr && !waiting_) {
    record_ = record();
    read_record();
    receive();
  }
  waiting_ = false;
  bool full = false;
  while (row_ != nullptr) {
    if (!full) {
      auto kept = spill.append(record());
      if (!kept.has_value()) {
        refuse(std::move(kept).error());
        full = true;
      }
    }
    receive();
  }
  parked_ = std::move(spill);
}

// The rest is read and dropped: cancelling would undo what the statement did, or the transaction that
// it stands in. Only a long rest of a mere SELECT is cancelled.
void PostgresRows::abandon() noexcept {
  std::size_t dropped = 0;
  while (session_.on_wire == this) {
    for (int i = 0; row_ != nullptr && i < columns(); ++i)
      dropped += static_cast<std::size_t>(PQgetlength(row_.get(), 0, i)) + 16;
    if (may_cancel_ && dropped > kAbandoned) {
      may_cancel_ = false;
      if (PGcancel* cancel = PQgetCancel(session_.connection); cancel != nullptr) {
        char ignored[256];
        PQcancel(cancel, ignored, sizeof ignored);
        PQfreeCancel(cancel);
      }
    }
    receive();
  }
}

}  // namespace vestige::postgres
