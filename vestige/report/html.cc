#include "vestige/report/html.h"

#include "vestige/base/letter.h"
#include "vestige/report/html_style.h"

namespace vestige {
namespace {

// Characters beyond ASCII, one by one.
std::size_t append_wide(std::string& out, std::string_view text, std::size_t at) {
  const Letter letter = letter_at(text, at);
  if (!letter.valid) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
  else if (is_unseen(text, at)) append_shown(out, letter.code);
  else out += text.substr(at, letter.bytes);
  return letter.bytes;
}

void item(std::string& out, std::string_view term, std::string_view text) {
  if (text.empty()) return;
  out += fmt::format("<dt>{}</dt><dd dir=\"auto\">{}</dd>\n", term, html_text(text));
}

std::string moment(std::int64_t micros, const TimeZone& zone) {
  return shown(time_cell(micros), CellKind::time, zone);
}

std::string period(const ReportHead& head, const TimeZone& zone) {
  if (!head.since.has_value() && !head.until.has_value()) return "all that is recorded";
  std::string out;
  if (head.since.has_value()) out = "from " + moment(*head.since, zone);
  if (head.until.has_value())
    out += (out.empty() ? "until before " : " until before ") + moment(*head.until, zone);
  return out;
}

std::string head_html(const ReportHead& head, const TimeZone& zone) {
  std::string out =
      fmt::format("<header>\n<h1 dir=\"auto\">{}</h1>\n<p class=\"verdict{}\">{}{}{}</p>\n<dl>\n",
                  html_text(head.title), head.sound ? "" : " bad", html_text(head.complete),
                  head.verified.empty() ? "" : " ", html_text(head.verified));
  item(out, "Report", head.name);
  item(out, "Database", head.database);
  item(out, "Period", period(head, zone) + " (" + head.zone + ")");
  item(out, "Filter", head.filter.empty() ? "none: everything" : head.filter);
  item(out, "Made",
       moment(head.made_at, zone) + " (" + head.zone + ")" +
           (head.made_by.empty() ? "" : " by " + head.made_by));
  item(out, "Made with", "vestige " + head.version);
  item(out, "Rows", std::to_string(head.rows));
  item(out, "SHA-256 of the rows", head.rows_sha256);
  item(out, "Origin", head.origin);
  out += "</dl>\n";
  return out + "</header>\n";
}

// The note itself, for whoever wants to hold it against another.
std::string checkpoint_html(const ReportHead& head) {
  if (head.checkpoint.empty()) return "";
  std::string out =
      "<section aria-labelledby=\"checkpoint\">\n<h2 id=\"checkpoint\">Checkpoint</h2>\n"
      "<p>The signed tree head that this report was made from.</p>\n<pre>";
  std::string_view rest = head.checkpoint;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out += html_text(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out + "</pre>\n</section>\n";
}

const char* column_class(CellKind kind) {
  if (kind == CellKind::number) return " class=\"n\"";
  return kind == CellKind::time ? " class=\"t\"" : "";
}

Result<void> table(Report& report, std::size_t number, ReportSink& sink) {
  const ReportSection& section = report.section(number);
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"c{0}\">\n<table>\n"
      "<caption id=\"c{0}\" dir=\"auto\">{1}: {2}</caption>\n<thead><tr>",
      number, html_text(section.title),
      report.rows(number) == 1 ? "1 row" : fmt::format("{} rows", report.rows(number)));
  for (const ReportColumn& column : section.columns)
    out += fmt::format(
        "<th scope=\"col\"{}>{}{}</th>", column_class(column.kind), html_text(column.title),
        column.kind == CellKind::time ? " (" + html_text(report.zone().name()) + ")" : "");
  out += "</tr></thead>\n<tbody>\n";
  TRY(report.read_again(number));
  Cells cells;
  while (sink.wanted() && TRY(report.next_row(number, cells)) == 'y') {
    out += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const CellKind kind = section.columns[i].kind;
      out += "<td dir=\"auto\"";
      out += column_class(kind);
      out += ">";
      if (cells[i].has_value()) out += html_text(shown(cells[i], kind, report.zone()));
      out += "</td>";
    }
    out += "</tr>\n";
    sink.write(out);
    out.clear();
  }
  sink.write(out + "</tbody>\n</table>\n</div>\n");
  return {};
}

Result<void> section_html(Report& report, std::size_t number, ReportSink& sink) {
  const ReportSection& section = report.section(number);
  sink.write(
      fmt::format("<section aria-labelledby=\"s{0}\"{1}>\n<h2 id=\"s{0}\" dir=\"auto\">{2}</h2>\n",
                  number, section.bad ? " class=\"bad\"" : "", html_text(section.title)));
  if (!section.text.empty())
    sink.write(fmt::format("<p dir=\"auto\">{}</p>\n", html_text(section.text)));
  if (!section.picture.empty()) sink.write(section.picture + "\n");
  if (section.columns.empty()) sink.write("");
  else if (report.rows(number) == 0) sink.write("<p>None.</p>\n");
  else TRY(table(report, number, sink));
  sink.write("</section>\n");
  return {};
}

// The head and the rows, as they are hashed.
Result<void> embed(Report& report, ReportSink& sink) {
  sink.write("<script type=\"application/json\" id=\"head\">\n" + embeddable(to_json(report.head)) +
             "\n</script>\n<script type=\"application/x-ndjson\" id=\"rows\">\n");
  std::string line;
  for (std::size_t i = 0; i < report.sections(); ++i) {
    TRY(report.read_again(i));
    while (sink.wanted() && TRY(report.next_line(i, line)) == 'y') sink.write(line + "\n");
  }
  sink.write("</script>\n");
  return {};
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x7F) {
      at += append_wide(out, text, at);
      continue;
    }
    if (c < 0x20) out += fmt::format("\\x{:02x}", c);
    else if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (c == '\'') out += "&#39;";
    else out += static_cast<char>(c);
    ++at;
  }
  return out;
}

Result<void> write_html(Report& report, ReportSink& sink) {
  sink.write(
      fmt::format("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"generator\" content=\"vestige "
                  "{}\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
                  html_text(report.head.version), html_text(report.head.title), kReportStyle));
  sink.write(head_html(report.head, report.zone()));
  sink.write("<main>\n");
  for (std::size_t i = 0; i < report.sections(); ++i) TRY(section_html(report, i, sink));
  sink.write(checkpoint_html(report.head) + "</main>\n");
  return embed(report, sink);
}

}  // namespace vestige
