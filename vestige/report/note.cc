#include "vestige/report/note.h"

#include <array>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/report/html.h"

namespace vestige {
namespace {

constexpr std::string_view kHtmlBegin =
    "<footer id=\"note\">\n<h2>What this file is</h2>\n"
    "<p>This statement covers every byte of the file before it: how many they are, and their "
    "SHA-256. "
    "Who signed it stands under it. <code>vestige check FILE --vkey KEY</code> verifies it without "
    "a "
    "database.</p>\n<pre>\n";
constexpr std::string_view kHtmlEnd = "</pre>\n</footer>\n</body>\n</html>\n";
constexpr std::string_view kJsonBegin = "{\"note\":";

// What html_text made of a note: only these stand for others in it.
std::string from_html(std::string_view text) {
  static constexpr auto kNames = std::to_array<std::pair<std::string_view, char>>(
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}});
  std::string out;
  while (!text.empty()) {
    char c = text.front();
    std::size_t length = 1;
    for (const auto& [name, meant] : kNames)
      if (text.starts_with(name)) {
        c = meant;
        length = name.size();
      }
    out += c;
    text.remove_prefix(length);
  }
  return out;
}

std::string lines_html(std::string_view note) {
  std::string out;
  while (!note.empty()) {
    const std::size_t end = std::min(note.find('\n'), note.size());
    out += html_text(note.substr(0, end));
    if (end < note.size()) out += '\n';
    note.remove_prefix(std::min(end + 1, note.size()));
  }
  return out;
}

}  // namespace

void CountingSink::write(std::string_view bytes) {
  hash_.update(bytes);
  bytes_ += bytes.size();
  to_.write(bytes);
}

std::string CountingSink::statement() { return report_statement(bytes_, hash_.finish()); }

std::string report_statement(std::uint64_t bytes, const Hash& hash) {
  return fmt::format("vestige report v1\n{}\n{}\n", bytes, to_base64(view(hash)));
}

std::string report_end(ReportForm form, std::string_view note) {
  if (form == ReportForm::json)
    return fmt::format("{}{}}}\n", kJsonBegin, embeddable(json::quote(note)));
  return fmt::format("{}{}{}", kHtmlBegin, lines_html(note), kHtmlEnd);
}

std::optional<ReportEnd> find_report_end(ReportForm form, std::string_view bytes) {
  const std::string_view begin = form == ReportForm::json ? kJsonBegin : kHtmlBegin;
  ReportEnd end;
  end.place = bytes.rfind(begin);
  if (end.place == std::string_view::npos || (end.place > 0 && bytes[end.place - 1] != '\n'))
    return std::nullopt;
  std::string_view rest = bytes.substr(end.place + begin.size());
  if (form == ReportForm::json) {
    if (!rest.ends_with("}\n")) return std::nullopt;
    rest.remove_suffix(2);
    auto note = json::unquote(rest);
    if (!note.has_value()) return std::nullopt;
    end.note = std::move(*note);
  } else {
    if (!rest.ends_with(kHtmlEnd)) return std::nullopt;
    end.note = from_html(rest.substr(0, rest.size() - kHtmlEnd.size()));
  }
  if (!json::is_utf8(end.note) || report_end(form, end.note) != bytes.substr(end.place))
    return std::nullopt;
  return end;
}

Result<void> write_report_end(CountingSink& sink, ReportForm form,
                              const merkle::NoteSigner* signer) {
  merkle::Note note;
  note.text = sink.statement();
  if (signer != nullptr) note.signatures.push_back(TRY(signer->sign(note.text)));
  sink.write(report_end(form, signer == nullptr ? note.text : merkle::to_text(note)));
  return {};
}

}  // namespace vestige
