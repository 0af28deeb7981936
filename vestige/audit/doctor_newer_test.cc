#include "test/examined_shop.h"

namespace vestige {
namespace {

class DoctorNewerTest : public ExaminedShop {
 protected:
  DoctorNewerTest() {
    shop_.run(
        "alter table products add column touched;"
        "create trigger older after insert on products begin select 1; end");
    shop_.track("products");
  }
};

TEST_F(DoctorNewerTest, MakesCapturesTriggersTheNewest) {
  EXPECT_EQ(found(), "");
  shop_.run(
      "create trigger touch after update of price on products begin"
      " update products set touched = coalesce(touched, 0) + 1 where id = NEW.id; end;"
      "create trigger \"odd'one\" before delete on products begin select 1; end");
  EXPECT_EQ(found(), "warning triggers-newer products\n");
  EXPECT_EQ(
      message(),
      "triggers of the application are newer than capture's and fire before it: touch, odd'one;"
      " what they do to the row that fired them may be recorded in another order");
  EXPECT_EQ(found(true), "warning triggers-newer products fixed\n");
  EXPECT_EQ(found(), "");
  shop_.run("insert into products (id, price) values (1, 5); update products set price = 6");
  EXPECT_EQ(shop_.rows("select op, key, tx from vestige_change order by id"),
            "I|1|1\nU|1|2\nU|1|2\n");
}

// SQLite leaves out the triggers that are still to come, and capture's would have been one.
TEST_F(DoctorNewerTest, NamesTriggersThatHideChanges) {
  shop_.run(
      "create trigger quiet after update on products when NEW.price = 7 begin"
      " select Raise /* not */ ( ignore ) ; end;"
      "create trigger refuses before update on products when NEW.price = 8 begin"
      " select raise(ignore); end;"
      "create trigger talks after update on products begin select 'raise(ignore)'; end");
  shop_.run("insert into products (id, price) values (1, 5); update products set price = 7");
  EXPECT_EQ(shop_.rows("select op from vestige_change"), "I\n");
  EXPECT_EQ(found(), "error triggers-hide products\nwarning triggers-newer products\n");
  EXPECT_EQ(
      must(doctor(shop_.db(), false))[0].message,
      "triggers of the application that are newer than capture's end with RAISE(IGNORE): quiet;"
      " changes of rows where they did are not in the trail");
  EXPECT_EQ(found(true),
            "error triggers-hide products fixed\nwarning triggers-newer products fixed\n");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(shop_.rows("select note from vestige_shape order by id desc limit 1"),
            "RAISE(IGNORE) in quiet: changes before this may not be in the trail\n");
  shop_.run("update products set price = 6; update products set price = 7");
  shop_.run("update products set price = 8");
  EXPECT_EQ(shop_.rows("select op from vestige_change"), "I\nU\nU\n");
}

TEST_F(DoctorNewerTest, LeavesTriggersOfOtherTablesAlone) {
  shop_.run(
      "create table notes (id integer primary key, text);"
      "create trigger noted after insert on notes begin update products set price = 1; end;"
      "vacuum");
  EXPECT_EQ(found(), "");
}

}  // namespace
}  // namespace vestige
