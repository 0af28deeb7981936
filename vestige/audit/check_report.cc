#include "vestige/audit/check_report.h"

#include <algorithm>
#include <istream>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/report/note.h"

namespace vestige {
namespace {

constexpr std::string_view kHtml = "<!doctype html>\n";
constexpr std::string_view kJson = "{\"report\":";
constexpr std::size_t kTail = std::size_t{1} << 17;  // the end of a report is shorter

tl::unexpected<Error> no(std::string_view why) { return fail(Fault::corrupt, "{}", why); }

// Finds the head and the rows in the lines of a report, and hashes the rows.
class Content {
 public:
  explicit Content(ReportForm form) : form_(form) {}

  void line(std::string_view line) {
    if (form_ == ReportForm::json) {
      if (head_.empty()) head_ = line;
      else row(line);
      return;
    }
    if (where_ == Where::rows && line == "</script>") where_ = Where::outside;
    else if (where_ == Where::rows) row(line);
    else if (where_ == Where::head) {
      head_ = line;
      where_ = Where::outside;
    } else if (line == R"(<script type="application/json" id="head">)") where_ = Where::head;
    else if (line == R"(<script type="application/x-ndjson" id="rows">)") where_ = Where::rows;
  }

  const std::string& head() const { return head_; }
  std::uint64_t rows() const { return rows_; }
  std::string hash() {
    const Hash sum = hash_.finish();
    return to_hex(view(sum));
  }

 private:
  enum class Where { outside, head, rows };
  void row(std::string_view line) {
    hash_.update(line);
    hash_.update("\n");
    ++rows_;
  }

  ReportForm form_;
  Where where_ = Where::outside;
  std::string head_;
  std::uint64_t rows_ = 0;
  Sha256 hash_;
};

// Reads the covered bytes once.
Result<Hash> read_covered(std::istream& file, std::uint64_t bytes, Content& content) {
  Sha256 hash;
  std::string piece(std::size_t{1} << 16, '\0');
  std::string line;
  file.seekg(0);
  for (std::uint64_t left = bytes; left > 0;) {
    const auto wanted = static_cast<std::streamsize>(std::min<std::uint64_t>(left, piece.size()));
    if (!file.read(piece.data(), wanted))
      return fail(Fault::denied, "read the report: it cannot be read to its end");
    std::string_view rest(piece.data(), static_cast<std::size_t>(wanted));
    hash.update(rest);
    left -= rest.size();
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      content.line(line.append(rest.substr(0, end)));
      line.clear();
      rest.remove_prefix(end + 1);
    }
    line += rest;
  }
  return hash.finish();
}

struct Head {
  CheckedReport said;
  std::string checkpoint;
  std::string rows_sha256;
  std::string covered;
};

Result<Head> read_head(const std::string& text) {
  Head head;
  json::Reader reader(text);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    const std::string name = TRY(reader.key());
    const json::Span span = TRY(reader.value());
    const std::string value =
        span.kind == json::Kind::string ? TRY(json::unquote(span.text)) : std::string(span.text);
    if (name == "report") head.said.name = value;
    if (name == "title") head.said.title = value;
    if (name == "filter" && value != "null") head.said.filter = value;
    if (name == "since" && value != "null") head.said.since = value;
    if (name == "until" && value != "null") head.said.until = value;
    if (name == "made_at") head.said.made_at = value;
    if (name == "made_by" && value != "null") head.said.made_by = value;
    if (name == "complete") head.said.complete = value;
    if (name == "verified" && value != "null") head.said.verified = value;
    if (name == "sound") head.said.sound = value == "true";
    if (name == "rows") head.said.rows = TRY(parse_decimal(value));
    if (name == "rows_sha256") head.rows_sha256 = value;
    if (name == "covered") head.covered = value;
    if (name == "checkpoint" && span.kind == json::Kind::string) head.checkpoint = value;
  }
  return head;
}

// The tail of a file, and where it begins.
Result<std::string> read_tail(std::istream& file, std::uint64_t& size) {
  file.seekg(0, std::ios::end);
  size = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  std::string tail(static_cast<std::size_t>(std::min<std::uint64_t>(size, kTail)), '\0');
  file.seekg(static_cast<std::streamoff>(size - tail.size()));
  if (!file.read(tail.data(), static_cast<std::streamsize>(tail.size())))
    return fail(Fault::denied, "read the report: it cannot be read to its end");
  return tail;
}

Result<void> check_signature(const std::string& note, const std::string& statement,
                             const Trust& trust, bool unsigned_too, CheckedReport& out) {
  if (note == statement) {
    if (!unsigned_too)
      return no(
          "nobody signed the report: its bytes are those of its hash, which whoever alters them "
          "can compute anew");
    return {};
  }
  const auto parsed = merkle::parse_note(note);
  if (!parsed.has_value() || parsed->text != statement || merkle::to_text(*parsed) != note)
    return no("the statement at its end was altered");
  out.signatures = TRY(merkle::verified(*parsed, trust.all_keys()));
  std::erase_if(out.signatures,
                [](const merkle::Signed& one) { return one.key.kind != merkle::KeyKind::log; });
  if (out.signatures.empty()) return no("the report is not signed by a key that you trust");
  return {};
}

Result<void> check_checkpoint(const Head& head, const Trust& trust, CheckedReport& out) {
  if (head.checkpoint.empty()) return {};
  auto opened = TRY(merkle::open_appended(head.checkpoint, {}));
  if (std::to_string(opened.checkpoint.size) != head.covered)
    return no("the checkpoint in the report is of another size than the report says");
  const auto keys = trust.all_keys();
  const bool known = std::any_of(keys.begin(), keys.end(), [&](const merkle::NoteKey& key) {
    return key.kind == merkle::KeyKind::log && key.name == opened.checkpoint.origin;
  });
  if (known) {
    opened = TRY(open_trusted(head.checkpoint, trust));
    out.checkpoint_holds = true;
  }
  out.checkpoint = std::move(opened);
  return {};
}

}  // namespace

bool is_report(std::string_view bytes) {
  return bytes.starts_with(kHtml) || bytes.starts_with(kJson);
}

std::optional<CheckedReport> claimed_report(std::string_view bytes) {
  if (!is_report(bytes)) return std::nullopt;
  Content content(bytes.starts_with(kHtml) ? ReportForm::html : ReportForm::json);
  while (!bytes.empty() && content.head().empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    content.line(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  auto head = read_head(content.head());
  if (!head.has_value() || head->said.name.empty() || head->said.made_at.empty())
    return std::nullopt;
  return std::move(head->said);
}

Result<CheckedReport> check_report(std::istream& file, const Trust& trust, bool unsigned_too) {
  std::string first(kHtml.size(), '\0');
  file.read(first.data(), static_cast<std::streamsize>(first.size()));
  if (!is_report(first)) return no("this is no report");
  file.clear();
  const ReportForm form = first.starts_with(kHtml) ? ReportForm::html : ReportForm::json;
  std::uint64_t size = 0;
  const std::string tail = TRY(read_tail(file, size));
  const auto end = find_report_end(form, tail);
  if (!end.has_value()) return no("its end is missing, or was altered");
  const std::uint64_t bytes = size - tail.size() + end->place;
  Content content(form);
  const std::string statement = report_statement(bytes, TRY(read_covered(file, bytes, content)));
  if (!end->note.starts_with(statement))
    return no("its bytes are not those that the statement at its end covers");
  const auto head = read_head(content.head());
  if (!head.has_value()) return no("its head cannot be read");
  CheckedReport out = head->said;
  TRY(check_signature(end->note, statement, trust, unsigned_too, out));
  if (content.rows() != out.rows || content.hash() != head->rows_sha256)
    return no("its rows are not those that its head counts and hashes");
  TRY(check_checkpoint(*head, trust, out));
  return out;
}

}  // namespace vestige
