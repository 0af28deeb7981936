#include "vestige/trail/kept_words.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "vestige/base/letters.h"
#include "vestige/base/number.h"
#include "vestige/base/period.h"
#include "vestige/base/time.h"
#include "vestige/record/filter.h"

namespace vestige {
namespace {

constexpr std::array<std::string_view, 11> kPlainFields = {
    "table", "op", "column", "db_user", "since", "until", "tx", "id", "tag", "class", "signed"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Eight hexadecimal digits, four, four, four and twelve.
bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "########-####-####-####-############";
  const auto fits = [](char c, char form) {
    return form == '-' ? c == '-' : is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
  };
  return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), fits);
}

// As many digits as a card has, and their sum is right (ISO/IEC 7812): so is that of one number in ten.
bool may_be_card(std::string_view digits) {
  constexpr std::size_t kCardLeast = 13;
  constexpr std::size_t kCardMost = 19;
  if (digits.size() < kCardLeast || digits.size() > kCardMost) return false;
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int counted = i % 2 == 1 ? 2 * digit : digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 == 0;
}

// As columns are mostly called.
bool is_plain_name(std::string_view text) {
  const auto fits = [](char c) {
    return c == '_' || is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
  };
  return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), fits);
}

bool names_no_person(std::string_view value) {
  if (is_uuid(value)) return true;
  if (!whole_number<std::int64_t>(value).has_value()) return false;
  if (value.front() == '-') value.remove_prefix(1);
  return !may_be_card(value);
}

// Digits in a row that may be those of a card.
bool holds_card(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (may_be_card(text.substr(i, end - i))) return true;
    i = end;
  }
  return false;
}

// "last", "17", "tx:12", and each of them with "~" or "~3" behind it; "~3" alone.
bool is_place(std::string_view text) {
  const auto drop_digits = [&] {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end > 0;
  };
  if (text.starts_with("last")) {
    text.remove_prefix(4);
  } else if (text.starts_with("tx:")) {
    text.remove_prefix(3);
    if (!drop_digits()) return false;
  } else if (!drop_digits() && !text.starts_with('~')) {
    return false;
  }
  if (text.starts_with('~')) {
    text.remove_prefix(1);
    drop_digits();
  }
  return text.empty();
}

bool names_period(std::string_view text) {
  const auto zone = TimeZone::named("UTC");
  return zone.has_value() && read_period(text, *zone).has_value();
}

}  // namespace

std::string kept_number(const std::string& typed) {
  const bool number = whole_number<std::int64_t>(typed).has_value();
  return number && names_no_person(typed) ? typed : kNotKept;
}

std::string kept_moment(const std::string& typed) {
  const bool known = typed == "now" || is_place(typed) || names_period(typed) ||
                     parse_time(typed, Now(0)).has_value();
  return known && !holds_card(typed) ? typed : kNotKept;
}

std::string kept_key(const std::string& typed) {
  const std::size_t equals = typed.find('=');  // "id=17"
  const std::string_view value =
      std::string_view(typed).substr(equals == std::string::npos ? 0 : equals + 1);
  // A key may have a = of its own, and then it is no column that stands before it.
  const bool of_column = equals == std::string::npos || is_plain_name(typed.substr(0, equals));
  return of_column && names_no_person(value) ? typed : kNotKept;
}

std::string kept_filter(const std::string& text) {
  auto filter = parse_filter(text, Now(0));
  if (!filter.has_value()) return kNotKept;
  for (Condition& condition : filter->conditions) {
    const bool plain =
        std::find(kPlainFields.begin(), kPlainFields.end(), condition.field) != kPlainFields.end();
    for (FilterWord& word : condition.words)
      if (condition.field == "key") word.text = kept_key(word.text);
      else if (!plain) word = {kNotKept, false};
  }
  return to_text(*filter);
}

}  // namespace vestige
