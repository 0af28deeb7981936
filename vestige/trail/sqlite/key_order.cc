#include "vestige/trail/sqlite/key_order.h"

#include <algorithm>

#include "vestige/db/unregistered.h"

namespace vestige::sqlite {
namespace {

constexpr const char* kBinary = "BINARY";

// NULL, numbers, text, blobs: values of different kinds are in this order.
int kind(const Value& value) {
  if (std::holds_alternative<Null>(value)) return 0;
  if (std::holds_alternative<Text>(value)) return 2;
  return std::holds_alternative<Blob>(value) ? 3 : 1;
}

template <class T>
int sign(const T& left, const T& right) {
  return left < right ? -1 : right < left ? 1 : 0;
}

int compare(std::int64_t integer, double real) {
  if (real >= 0x1p63) return -1;
  if (real < -0x1p63) return 1;
  const auto whole = static_cast<std::int64_t>(real);
  if (whole != integer) return sign(integer, whole);
  return sign(static_cast<double>(whole), real);
}

int compare_numbers(const Value& left, const Value& right) {
  const auto* left_integer = std::get_if<std::int64_t>(&left);
  const auto* right_integer = std::get_if<std::int64_t>(&right);
  if (left_integer != nullptr && right_integer != nullptr)
    return sign(*left_integer, *right_integer);
  if (left_integer != nullptr) return compare(*left_integer, std::get<double>(right));
  if (right_integer != nullptr) return -compare(*right_integer, std::get<double>(left));
  return sign(std::get<double>(left), std::get<double>(right));
}

// False for one that only the application registers. (SQLite lists that too.)
Result<bool> known(Database& db, const std::string& collation) {
  const auto used =
      scalar_integer(db, fmt::format("select '' = '' collate {}", db.quote_name(collation)));
  if (!used.has_value() && unregistered(used.error()).has_value()) return false;
  return TRY(used) == 1;
}

}  // namespace

Result<KeyOrder> KeyOrder::of(Database& db, std::vector<std::string> collations) {
  KeyOrder order(db, std::move(collations));
  for (std::string& collation : order.collations_)
    if (collation.empty() || !TRY(known(db, collation))) collation = kBinary;
  order.utf8_ = TRY(scalar(db, "pragma encoding")) == Value(Text{"UTF-8"});
  return order;
}

Result<int> KeyOrder::compare(const Text& left, const Text& right,
                              const std::string& collation) const {
  if (left == right) return 0;
  if (utf8_ && collation == kBinary) return sign(left.bytes, right.bytes);
  return static_cast<int>(TRY(scalar_integer(
      *db_,
      fmt::format("select case when ?1 < ?2 collate {0} then -1 else ?1 > ?2 collate {0} end",
                  db_->quote_name(collation)),
      {left, right})));
}

Result<int> KeyOrder::compare(const std::vector<Value>& left,
                              const std::vector<Value>& right) const {
  for (const bool collated : {true, false})
    for (std::size_t i = 0; i < collations_.size(); ++i) {
      const int places = sign(kind(left[i]), kind(right[i]));
      if (places != 0) return places;
      int order = 0;
      switch (kind(left[i])) {
        case 1: order = compare_numbers(left[i], right[i]); break;
        case 2:
          order = TRY(compare(std::get<Text>(left[i]), std::get<Text>(right[i]),
                              collated ? collations_[i] : kBinary));
          break;
        case 3: order = sign(std::get<Blob>(left[i]).bytes, std::get<Blob>(right[i]).bytes); break;
        default: break;
      }
      if (order != 0) return order;
    }
  return 0;
}

std::string KeyOrder::terms(const std::vector<std::string>& columns) const {
  std::string out;
  bool tie = false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out += fmt::format("{}{} collate {}", i == 0 ? "" : ", ", columns[i],
                       db_->quote_name(collations_[i]));
    tie = tie || collations_[i] != kBinary;
  }
  if (tie)
    for (const std::string& column : columns) out += ", " + column + " collate binary";
  return out;
}

}  // namespace vestige::sqlite
