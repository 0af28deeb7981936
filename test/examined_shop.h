// A shop with a trail, and what doctor finds in it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/tracked_shop.h"
#include "vestige/audit/doctor.h"

namespace vestige {

class ExaminedShop : public testing::Test {
 protected:
  ExaminedShop() {
    shop_.run(
        "pragma journal_mode = wal;"
        "create table products (id integer primary key, name text, price, secret)");
    shop_.with_trail();
  }

  // "error triggers-missing products", "… fixed", a line each.
  std::string found(bool fix = false) {
    findings_ = must(doctor(shop_.db(), fix));
    std::string out;
    for (const Finding& one : findings_) {
      out += fmt::format("{} {}", name(one.severity), one.code);
      if (!one.table.empty()) out += " " + one.table;
      if (one.fixed) out += " fixed";
      out += '\n';
    }
    return out;
  }

  // The message of the only finding.
  std::string message() const { return findings_.size() == 1 ? findings_[0].message : "?"; }
  std::string remedy() const { return findings_.size() == 1 ? findings_[0].remedy : "?"; }

  Shop shop_;
  std::vector<Finding> findings_;
};

}  // namespace vestige
