#include "vestige/rules/hours.h"

#include <algorithm>
#include <charconv>

#include "vestige/base/letters.h"
#include "vestige/rules/kind.h"

namespace vestige {
namespace {

constexpr std::int64_t kMinute = 60'000'000;
constexpr std::int64_t kDay = 24 * 60 * kMinute;
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<int> digits(std::string_view text) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || text.front() == '-')
    return std::nullopt;
  return number;
}

std::optional<std::int64_t> clock_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = digits(text.substr(0, 2));
  const auto minute = digits(text.substr(3));
  if (!hour.has_value() || !minute.has_value() || *minute > 59 || *hour > 24 ||
      (*hour == 24 && *minute > 0))
    return std::nullopt;
  return (*hour * 60 + *minute) * kMinute;
}

std::optional<std::size_t> day_of(std::string_view text) {
  const auto found = std::find(kDays.begin(), kDays.end(), lower(text));
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDays.begin());
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

class OffHours final : public Kind {
 public:
  OffHours(Hours hours, const TimeZone& zone) : hours_(std::move(hours)), zone_(zone) {}

  Result<std::optional<Firing>> see(Subject& subject, const std::string& /*group*/) override {
    const LocalTime time = local_time(subject.change().at, zone_);
    if (hours_.within(time)) return std::optional<Firing>();
    Firing firing = firing_of(subject.change());
    firing.more = {{"clock", fmt::format("{} {:02}:{:02} {}", date_text(time.date), time.hour(),
                                         time.minute(), zone_.name())}};
    return std::optional(std::move(firing));
  }

 private:
  Hours hours_;
  const TimeZone& zone_;
};

}  // namespace

Result<std::chrono::sys_days> parse_date(std::string_view text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    const auto year = digits(text.substr(0, 4));
    const auto month = digits(text.substr(5, 2));
    const auto day = digits(text.substr(8));
    if (year.has_value() && month.has_value() && day.has_value()) {
      const std::chrono::year_month_day date(std::chrono::year(*year),
                                             std::chrono::month(static_cast<unsigned>(*month)),
                                             std::chrono::day(static_cast<unsigned>(*day)));
      if (date.ok()) return std::chrono::sys_days(date);
    }
  }
  return fail(Fault::invalid, "'{}' is no date: 2026-12-25", text);
}

Result<void> Hours::add(std::string_view part) {
  const auto refused = [&] {
    return hinted(fail(Fault::invalid, "'{}' are no hours", part),
                  "Mon-Fri 07:00-19:00, Sat 08:00-12:00");
  };
  const std::size_t space = part.find(' ');
  if (space == std::string_view::npos) return refused();
  const std::string_view days = part.substr(0, space);
  const std::string_view times = trimmed(part.substr(space));
  const std::size_t dash = days.find('-');
  const auto first = day_of(days.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : day_of(days.substr(dash + 1));
  if (!first.has_value() || !last.has_value() || times.size() != 11 || times[5] != '-')
    return refused();
  const auto from = clock_of(times.substr(0, 5));
  const auto end = clock_of(times.substr(6));
  if (!from.has_value() || !end.has_value() || *from == *end || *from == kDay) return refused();
  for (std::size_t day = *first;; day = (day + 1) % 7) {
    days_.at(day).push_back({*from, *end});
    if (day == *last) return {};
  }
}

Result<Hours> Hours::parse(std::string_view text, const std::vector<std::string>& holidays) {
  Hours hours;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    TRY(hours.add(trimmed(text.substr(at, comma - at))));
    at = comma + 1;
  }
  for (const std::string& holiday : holidays) hours.holidays_.insert(TRY(parse_date(holiday)));
  return hours;
}

bool Hours::within(const LocalTime& time) const {
  const std::chrono::sys_days today(time.date);
  if (holidays_.contains(today)) return false;
  const std::size_t day = time.weekday().iso_encoding() - 1;
  const auto& now = days_.at(day);
  const bool of_today = std::any_of(now.begin(), now.end(), [&](const Span& one) {
    return time.clock >= one.from && (time.clock < one.end || one.end < one.from);
  });
  if (of_today || holidays_.contains(today - std::chrono::days(1))) return of_today;
  const auto& before = days_.at((day + 6) % 7);
  return std::any_of(before.begin(), before.end(),
                     [&](const Span& one) { return one.end < one.from && time.clock < one.end; });
}

Result<std::unique_ptr<Kind>> hours_kind(const Rule& rule, const TimeZone& zone) {
  return std::unique_ptr<Kind>(
      std::make_unique<OffHours>(TRY(Hours::parse(rule.hours, rule.holidays)), zone));
}

}  // namespace vestige
