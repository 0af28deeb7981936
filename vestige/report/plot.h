// Plots of a field over time: steps, since a value holds until it is changed; gaps where the row was not there or nobody knows.
#pragma once

#include <string>
#include <vector>

#include "vestige/report/field.h"

namespace vestige {

struct PlotSize {
  int width = 80;  // columns in all
  int height = 8;
  bool ascii = false;
};

/// A moment under an axis: the day, and where that is less than two days long the time of day.
std::string axis_time(std::int64_t at, std::int64_t from, std::int64_t until);

/// The lines of a plot for a terminal: a step line of numbers, or a band with a letter for each of a few values, under it the time.
/// Empty where there is nothing to draw.
///
/// until   where it ends, microseconds
std::vector<std::string> text_plot(const FieldHistory& history, std::int64_t until,
                                   const PlotSize& size);

/// The same as one SVG element that stands for itself: without script and style, with a title, a description, and the
/// values as text.
std::string svg_plot(const FieldHistory& history, std::int64_t until);

}  // namespace vestige
