#include "vestige/rules/finding.h"

#include <gtest/gtest.h>

#include "vestige/base/json.h"

namespace vestige {
namespace {

Alert alert_of(const std::string& title) {
  Alert alert;
  alert.id = "0123456789abcdef";
  alert.rule = "price-jump";
  alert.rule_hash = "fedcba";
  alert.kind = "match";
  alert.severity = "critical";
  alert.group = R"({"key":"1"})";
  alert.title = title;
  alert.first_index = alert.last_index = 6;
  alert.at = 1'796'000'000'123'456;
  alert.changes = {7, 8};
  alert.table = "products";
  alert.who = "ann";
  return alert;
}

// Held against the released schema by test/real/siem_formats.py.
TEST(Finding, SaysWhatWasFoundByWhichRuleAndInWhichChanges) {
  std::string text = ocsf_finding(alert_of("price 100 to 1"));
  const std::string vendor = R"("vendor_name":"Vestige")";
  const std::size_t version = text.find(vendor) + vendor.size();
  text.erase(version, text.find('}', version) - version);
  EXPECT_EQ(
      text,
      R"({"category_uid":2,"category_name":"Findings","class_uid":2004,"class_name":"Detection Finding",)"
      R"("activity_id":1,"activity_name":"Create","type_uid":200401,"type_name":"Detection Finding: Create",)"
      R"("severity_id":5,"severity":"Critical","status_id":1,"status":"New","time":1796000000123,)"
      R"("metadata":{"version":"1.8.0","product":{"name":"Vestige","vendor_name":"Vestige"},)"
      R"("uid":"0123456789abcdef","event_code":"match"},"message":"price 100 to 1","is_alert":true,)"
      R"("finding_info":{"uid":"0123456789abcdef","title":"price 100 to 1","created_time":1796000000123,)"
      R"("analytic":{"name":"price-jump","uid":"fedcba","type_id":1,"type":"Rule"}},"evidences":[{"name":"changes",)"
      R"("actor":{"user":{"name":"ann"}},"data":{"changes":[7,8],"first_index":6,"last_index":6,)"
      R"("group":{"key":"1"},"table":"products"}}]})");
}

TEST(Finding, IsJsonWhateverTheTextsAre) {
  Alert alert = alert_of("\xff\"\\\n");
  alert.severity = "odd";
  alert.who = alert.table = "\xfe\"";
  alert.why = "it is \x01";
  alert.changes.clear();
  const std::string text = ocsf_finding(alert);
  json::Reader reader(text);
  ASSERT_TRUE(reader.value().has_value()) << text;
  EXPECT_TRUE(reader.end().has_value()) << text;
  EXPECT_TRUE(json::is_utf8(text));
  EXPECT_NE(text.find(R"("severity_id":0)"), std::string::npos);
}

}  // namespace
}  // namespace vestige
