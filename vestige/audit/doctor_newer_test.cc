#include "test/tracked_shop.h"
#include "vestige/audit/doctor.h"

namespace vestige {
namespace {

class DoctorNewerTest : public testing::Test {
 protected:
  DoctorNewerTest() {
    shop_.run(
        "pragma journal_mode = wal;"
        "create table products (id integer primary key, name text, price, touched);"
        "create trigger older after insert on products begin select 1; end");
    shop_.with_trail();
    shop_.track("products");
  }

  std::string codes(bool fix = false) {
    std::string out;
    for (const Finding& one : must(doctor(shop_.db(), fix))) {
      out += one.code + (one.fixed ? " fixed\n" : "\n");
      message_ = one.message;
    }
    return out;
  }

  Shop shop_;
  std::string message_;
};

TEST_F(DoctorNewerTest, MakesCapturesTriggersTheNewest) {
  EXPECT_EQ(codes(), "");
  shop_.run(
      "create trigger touch after update of price on products begin"
      " update products set touched = coalesce(touched, 0) + 1 where id = NEW.id; end;"
      "create trigger \"odd'one\" before delete on products begin select 1; end");
  EXPECT_EQ(codes(), "triggers-newer\n");
  EXPECT_EQ(
      message_,
      "triggers of the application are newer than capture's and fire before it: touch, odd'one;"
      " what they do to the row that fired them may be recorded in another order");
  EXPECT_EQ(codes(true), "triggers-newer fixed\n");
  EXPECT_EQ(codes(), "");
  shop_.run("insert into products (id, price) values (1, 5); update products set price = 6");
  EXPECT_EQ(shop_.rows("select op, key, tx from vestige_change order by id"),
            "I|1|1\nU|1|2\nU|1|2\n");
}

TEST_F(DoctorNewerTest, LeavesTriggersOfOtherTablesAlone) {
  shop_.run(
      "create table notes (id integer primary key, text);"
      "create trigger noted after insert on notes begin update products set price = 1; end;"
      "vacuum");
  EXPECT_EQ(codes(), "");
}

}  // namespace
}  // namespace vestige
