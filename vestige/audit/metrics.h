// metrics: how a trail stands, in numbers for a monitoring system (docs/monitoring.md).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

struct MetricSample {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

/// A metric with what it measures.
struct Metric {
  std::string name;  // "vestige_entries"
  std::string type;  // gauge, counter
  std::string help;
  std::vector<MetricSample> samples;  // none: there is nothing to measure now
};

/// How many changes without a place are counted, and no more.
inline constexpr std::int64_t kMostUnsealed = 10'000;

/// cost     none of it grows with the trail; what has no place yet is read, up to kMostUnsealed changes of it
/// faults   missing: no trail here
Result<std::vector<Metric>> metrics(Database& db, std::int64_t now);

/// What is said of a database that cannot be asked.
std::vector<Metric> metrics_of_none();

/// Prometheus' text format, version 0.0.4.
std::string to_prometheus(const std::vector<Metric>& metrics);

}  // namespace vestige
