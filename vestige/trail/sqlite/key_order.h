// The order of keys, as the database sorts them: for merging rows that it gave in that order.
// Test: key_order_test.cc compares it with the database's.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige::sqlite {

class KeyOrder {
 public:
  /// collations   of each key column; BINARY, empty, or not registered here: compared byte by byte
  static Result<KeyOrder> of(Database& db, std::vector<std::string> collations);

  /// Negative, zero or positive. Keys that only their collations make equal come in the order of their
  /// bytes; zero means that they are one key.
  Result<int> compare(const std::vector<Value>& left, const std::vector<Value>& right) const;

  /// ORDER BY terms for the same order.
  ///
  /// columns   SQL of each key column
  std::string terms(const std::vector<std::string>& columns) const;

 private:
  KeyOrder(Database& db, std::vector<std::string> collations)
      : db_(&db), collations_(std::move(collations)) {}
  Result<int> compare(const Text& left, const Text& right, const std::string& collation) const;

  Database* db_;
  std::vector<std::string> collations_;
  bool utf8_ = true;  // the database's text; the bytes of another encoding have another order
};

}  // namespace vestige::sqlite
