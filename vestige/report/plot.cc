#include "vestige/report/plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vestige/base/time.h"

namespace vestige {
namespace {

using State = FieldPoint::State;

constexpr std::size_t kBands = 26;  // as many values as there are letters

struct Span {
  std::int64_t from = 0;
  std::int64_t until = 0;
};

constexpr std::int64_t kTwoDays = 2LL * 24 * 3600 * 1'000'000;

std::string number_text(double number) {
  const std::string text = fmt::format("{:.0f}", number);
  return text.size() <= 12 && std::fabs(number) >= 100 ? text : fmt::format("{:.6g}", number);
}

// A step line on a raster of characters.
class Raster {
 public:
  Raster(const FieldHistory& history, const Span& span, int width, const PlotSize& size)
      : history_(history),
        span_(span),
        width_(width),
        height_(size.height),
        ascii_(size.ascii),
        range_(history.range()) {
    cells_.assign(static_cast<std::size_t>(height_),
                  std::vector<std::string>(static_cast<std::size_t>(width_), " "));
  }

  void draw() {
    std::size_t next = 0;
    std::optional<int> level;  // that the line has when a column begins
    for (int x = 0; x < width_; ++x) {
      const std::int64_t end = at(x + 1);
      std::vector<int> met;
      if (level.has_value()) met.push_back(*level);
      const std::optional<int> before = level;
      while (next < history_.points.size() && (history_.points[next].at < end || x + 1 == width_)) {
        level = level_of(history_.points[next++]);
        if (level.has_value()) met.push_back(*level);
      }
      column(x, before, level, met);
    }
  }

  const std::vector<std::string>& row(int y) const { return cells_[static_cast<std::size_t>(y)]; }

 private:
  std::int64_t at(int x) const {
    const double share = static_cast<double>(x) / width_;
    return span_.from +
           static_cast<std::int64_t>(share * static_cast<double>(span_.until - span_.from));
  }

  std::optional<int> level_of(const FieldPoint& point) const {
    if (!point.number.has_value()) return std::nullopt;
    const auto [least, most] = range_;
    if (most == least) return height_ / 2;
    const double share = (most - *point.number) / (most - least);
    return static_cast<int>(std::lround(share * (height_ - 1)));
  }

  void column(int x, std::optional<int> before, std::optional<int> after,
              const std::vector<int>& met) {
    if (met.empty()) return;
    const auto [top, bottom] = std::minmax_element(met.begin(), met.end());
    for (int y = *top; y <= *bottom; ++y) {
      const bool left = before == y;
      const bool right = after == y;
      set(x, y, corner(left, right, y > *top, y < *bottom));
    }
  }

  // What connects to the left, to the right, upwards, downwards.
  const char* corner(bool left, bool right, bool up, bool down) const {
    static constexpr const char* kLines[] = {"━", "━", "━", "━", "╻", "┓", "┏", "┳",
                                             "╹", "┛", "┗", "┻", "┃", "┫", "┣", "╋"};
    static constexpr const char* kAscii[] = {"-", "-", "-", "-", "|", "+", "+", "+",
                                             "|", "+", "+", "+", "|", "+", "+", "+"};
    const int which = (left ? 1 : 0) + (right ? 2 : 0) + (down ? 4 : 0) + (up ? 8 : 0);
    return ascii_ ? kAscii[which] : kLines[which];
  }

  void set(int x, int y, const char* text) {
    cells_[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)] = text;
  }

  const FieldHistory& history_;
  Span span_;
  int width_;
  int height_;
  bool ascii_;
  std::pair<double, double> range_;  // the least number, and the largest
  std::vector<std::vector<std::string>> cells_;
};

std::string time_axis(const Span& span, int indent, int width) {
  const std::string left = axis_time(span.from, span.from, span.until);
  const std::string right = axis_time(span.until, span.from, span.until);
  std::string line(static_cast<std::size_t>(indent), ' ');
  line += left;
  const int gap = width - static_cast<int>(left.size() + right.size());
  if (gap > 0 && left != right) line += std::string(static_cast<std::size_t>(gap), ' ') + right;
  return line;
}

std::vector<std::string> step_lines(const FieldHistory& history, const Span& span,
                                    const PlotSize& size) {
  const auto range = history.range();
  const std::string least = number_text(range.first);
  const std::string most = number_text(range.second);
  const bool flat = range.first == range.second;
  const int margin = static_cast<int>(std::max(most.size(), least.size()));
  const int width = size.width - margin - 3;
  if (width < 10) return {};
  Raster raster(history, span, width, size);
  raster.draw();
  std::vector<std::string> lines;
  for (int y = 0; y < size.height; ++y) {
    const bool tick = flat ? y == size.height / 2 : y == 0 || y == size.height - 1;
    const std::string label = !tick ? "" : y == 0 || flat ? most : least;
    std::string line = fmt::format(" {:>{}} {}", label, margin,
                                   size.ascii ? (tick ? "+" : "|") : (tick ? "┤" : "│"));
    for (const std::string& cell : raster.row(y)) line += cell;
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  lines.push_back(time_axis(span, margin + 3, width));
  return lines;
}

// A letter for each value, as long as it held; a dot where there was none.
std::vector<std::string> band_lines(const FieldHistory& history, const Span& span,
                                    const PlotSize& size) {
  const std::vector<std::string> bands = history.different();
  const int width = size.width - 4;
  if (bands.empty() || bands.size() > kBands || width < 10) return {};
  std::string line(static_cast<std::size_t>(width), '.');
  for (std::size_t i = 0; i < history.points.size(); ++i) {
    const FieldPoint& point = history.points[i];
    const auto place = [&](std::int64_t at) {
      return static_cast<std::size_t>(static_cast<double>(at - span.from) /
                                      static_cast<double>(span.until - span.from) * width);
    };
    const std::size_t from = std::min(place(point.at), line.size() - 1);
    const std::size_t end =
        i + 1 < history.points.size() ? place(history.points[i + 1].at) : line.size();
    char letter = point.state == State::unknown ? '?' : '.';
    if (point.state == State::value)
      letter = static_cast<char>(
          'A' + (std::find(bands.begin(), bands.end(), to_display(point.value)) - bands.begin()));
    for (std::size_t x = from; x < std::max(end, from + 1) && x < line.size(); ++x)
      line[x] = letter;
  }
  std::vector<std::string> lines = {"   " + line, time_axis(span, 3, width)};
  for (std::size_t i = 0; i < bands.size(); ++i)
    lines.push_back(fmt::format("   {} {}", static_cast<char>('A' + i), bands[i]));
  return lines;
}

}  // namespace

std::string axis_time(std::int64_t at, std::int64_t from, std::int64_t until) {
  return wall_time(at, Zone::local).substr(0, until - from < kTwoDays ? 19 : 10);
}

std::vector<std::string> text_plot(const FieldHistory& history, std::int64_t until,
                                   const PlotSize& size) {
  if (history.points.empty() || size.height < 2) return {};
  const auto [from, end] = history.span(until);
  const Span span{from, end};
  return history.numbers ? step_lines(history, span, size) : band_lines(history, span, size);
}

}  // namespace vestige
