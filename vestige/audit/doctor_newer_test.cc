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

TEST_F(DoctorNewerTest, LeavesTriggersOfOtherTablesAlone) {
  shop_.run(
      "create table notes (id integer primary key, text);"
      "create trigger noted after insert on notes begin update products set price = 1; end;"
      "vacuum");
  EXPECT_EQ(found(), "");
}

}  // namespace
}  // namespace vestige
