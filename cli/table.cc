#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "cli/printable.h"

namespace vestige::cli {
namespace {

constexpr std::size_t kHeld = 200;   // rows that decide the widths
constexpr std::size_t kLong = 2000;  // on a terminal, no more of a value is looked at

}  // namespace

Table::Table(Output& output, std::vector<Heading> headings)
    : output_(output), headings_(std::move(headings)) {}

void Table::row(std::vector<Piece> cells) {
  for (Piece& cell : cells) {
    if (output_.width() > 0 && cell.text.size() > kLong) {
      cell.text.resize(kLong);
      cell.text += "…";
    }
    cell.text = printable(cell.text);
  }
  if (settled_) return print(cells);
  held_.push_back(std::move(cells));
  if (held_.size() == kHeld) settle();
}

void Table::end() {
  if (!settled_ && !held_.empty()) settle();
}

void Table::settle() {
  settled_ = true;
  std::vector<Piece> names;
  for (const Heading& heading : headings_) names.push_back({Label::head, printable(heading.name)});
  held_.insert(held_.begin(), std::move(names));
  widths_.assign(headings_.size(), 0);
  for (const auto& cells : held_)
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], display_width(cells[i].text));

  if (output_.width() > 0) fit();
  for (const auto& cells : held_) print(cells);
  held_.clear();
  held_.shrink_to_fit();
}

// On a terminal the widest elastic column gives way, again and again, until the line fits; a dear one last.
void Table::fit() {
  const int gaps = 2 * static_cast<int>(headings_.size() - 1);
  for (const bool dear : {false, true})
    while (std::accumulate(widths_.begin(), widths_.end(), gaps) > output_.width()) {
      std::size_t widest = headings_.size();
      for (std::size_t i = 0; i < headings_.size(); ++i)
        if (headings_[i].elastic && headings_[i].dear == dear && widths_[i] > headings_[i].least &&
            (widest == headings_.size() || widths_[i] > widths_[widest]))
          widest = i;
      if (widest == headings_.size()) break;
      --widths_[widest];
    }
}

void Table::print(const std::vector<Piece>& cells) {
  std::vector<Piece> line;
  std::size_t last = cells.size();
  while (last > 0 && cells[last - 1].text.empty()) --last;
  for (std::size_t i = 0; i < last; ++i) {
    const bool cuts = output_.width() > 0 && headings_[i].elastic;
    Piece cell = {cells[i].label, cuts ? cut(cells[i].text, widths_[i]) : cells[i].text};
    const int missing = std::max(0, widths_[i] - display_width(cell.text));
    const std::string space(static_cast<std::size_t>(missing), ' ');
    if (i > 0) line.push_back({Label::plain, "  "});
    if (headings_[i].right) line.push_back({Label::plain, space});
    line.push_back(std::move(cell));
    if (!headings_[i].right && i + 1 < last) line.push_back({Label::plain, space});
  }
  output_.line(line);
}

}  // namespace vestige::cli
