// svg_plot of plot.h.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "vestige/base/json.h"
#include "vestige/base/letter.h"
#include "vestige/base/time.h"
#include "vestige/report/plot.h"

namespace vestige {
namespace {

using State = FieldPoint::State;

constexpr int kWidth = 800;
constexpr int kHeight = 280;
constexpr int kLeft = 90;
constexpr int kRight = 20;
constexpr int kTop = 20;
constexpr int kBottom = 40;

// Text of anybody's in XML: a control that it may not contain is shown as U+FFFD, and what nobody sees as \u202e.
std::string escaped(std::string_view text) {
  if (!json::is_utf8(text)) return escaped(text_json(text));
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '&': out += "&amp;"; continue;
      case '<': out += "&lt;"; continue;
      case '>': out += "&gt;"; continue;
      case '"': out += "&quot;"; continue;
      default: break;
    }
    if (is_unseen(text, i) && c != 0x7f) {
      const Letter letter = letter_at(text, i);
      append_shown(out, letter.code);
      i += letter.bytes - 1;
      continue;
    }
    const bool control =
        (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    if (control) out += "\xef\xbf\xbd";
    else out += c;
  }
  return out;
}

std::string value_text(const FieldPoint& point) {
  if (point.state == State::gone) return "the row is not there";
  if (point.state == State::unknown) return "not known: erased";
  return to_display(point.value);
}

class Drawing {
 public:
  Drawing(const FieldHistory& history, std::int64_t until) : history_(history) {
    std::tie(from_, until_) = history.span(until);
    std::tie(least_, most_) = history.range();
  }

  std::string text() {
    const std::string title =
        escaped(fmt::format("{} of {} {}", history_.column, history_.table, to_json(history_.key)));
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\""
        " aria-labelledby=\"title description\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n"
        "<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>\n",
        kWidth, kHeight, title, description(), kWidth, kHeight);
    axes();
    if (history_.numbers) line();
    else bands();
    return out_ + "</svg>\n";
  }

 private:
  double x(std::int64_t at) const {
    return kLeft + static_cast<double>(at - from_) / static_cast<double>(until_ - from_) *
                       (kWidth - kLeft - kRight);
  }

  double y(double number) const {
    const double share = most_ == least_ ? 0.5 : (most_ - number) / (most_ - least_);
    return kTop + share * (kHeight - kTop - kBottom);
  }

  std::int64_t end_of(std::size_t i) const {
    return i + 1 < history_.points.size() ? history_.points[i + 1].at : until_;
  }

  std::string description() const {
    std::string all;
    for (const FieldPoint& point : history_.points)
      all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", format_time(point.at).substr(0, 19),
                         escaped(value_text(point)));
    return all;
  }

  void axes() {
    out_ += fmt::format(
        "<path d=\"M{} {}V{}H{}\" fill=\"none\" stroke=\"#767676\"/>\n"
        "<text x=\"{}\" y=\"{}\" fill=\"#333333\">{}</text>\n"
        "<text x=\"{}\" y=\"{}\" fill=\"#333333\" text-anchor=\"end\">{}</text>\n",
        kLeft, kTop, kHeight - kBottom, kWidth - kRight, kLeft, kHeight - kBottom + 20,
        axis_time(from_, from_, until_), kWidth - kRight, kHeight - kBottom + 20,
        axis_time(until_, from_, until_));
    if (!history_.numbers) return;
    label(most_);
    if (most_ != least_) label(least_);
  }

  void label(double number) {
    out_ += fmt::format(
        "<text x=\"{}\" y=\"{:.1f}\" fill=\"#333333\" text-anchor=\"end\">{:.12g}</text>\n",
        kLeft - 8, y(number) + 4, number);
  }

  // A value holds until the next: steps, and nothing where there is none.
  void line() {
    std::string path;
    std::string dots;
    bool drawn = false;
    for (std::size_t i = 0; i < history_.points.size(); ++i) {
      const FieldPoint& point = history_.points[i];
      if (!point.number.has_value()) {
        drawn = false;
        continue;
      }
      const double from = x(point.at);
      path += drawn ? fmt::format("V{:.1f}", y(*point.number))
                    : fmt::format("M{:.1f} {:.1f}", from, y(*point.number));
      path += fmt::format("H{:.1f}", x(end_of(i)));
      drawn = true;
      if (point.change != 0)
        dots += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"#1a5fb4\"><title>{}</title>"
            "</circle>\n",
            from, y(*point.number), told(point));
    }
    out_ += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"#1a5fb4\" stroke-width=\"2\"/>\n{}",
                        path, dots);
  }

  // A block for each value, with its text in it: not by colour alone.
  void bands() {
    static constexpr const char* kFills[] = {"#c9ddf5", "#f5e2c9", "#d3efd3",
                                             "#ecd4ee", "#f4f0bf", "#d9d9d9"};
    const std::vector<std::string> all = history_.different();
    for (std::size_t i = 0; i < history_.points.size(); ++i) {
      const FieldPoint& point = history_.points[i];
      const bool plain = point.state == State::value;
      const std::string text = to_display(point.value);
      const auto which =
          static_cast<std::size_t>(std::find(all.begin(), all.end(), text) - all.begin());
      const double from = x(point.at);
      const double width = std::max(1.0, x(end_of(i)) - from);
      out_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"60\" fill=\"{}\""
          " stroke=\"#333333\"><title>{}</title></rect>\n",
          from, kTop + 80, width, plain ? kFills[which % std::size(kFills)] : "#ffffff",
          told(point));
      // As much of it as there is room for.
      const auto room = static_cast<std::size_t>(width / 8);
      if (plain && text.size() <= room)
        out_ += fmt::format("<text x=\"{:.1f}\" y=\"{}\" fill=\"#000000\">{}</text>\n", from + 4,
                            kTop + 115, escaped(text));
    }
  }

  static std::string told(const FieldPoint& point) {
    std::string text =
        fmt::format("{}: {}", format_time(point.at).substr(0, 19), value_text(point));
    if (point.percent.has_value()) text += fmt::format(" ({:+.1f} %)", *point.percent);
    if (!point.who.empty()) text += " by " + point.who;
    if (!point.reason.empty()) text += ": " + point.reason;
    return escaped(text);
  }

  const FieldHistory& history_;
  std::string out_;
  std::int64_t from_ = 0;
  std::int64_t until_ = 0;
  double least_ = 0;
  double most_ = 0;
};

}  // namespace

std::string svg_plot(const FieldHistory& history, std::int64_t until) {
  return history.points.empty() ? std::string() : Drawing(history, until).text();
}

}  // namespace vestige
