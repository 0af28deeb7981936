// What a database without pgcrypto encrypted by the module of the native engine, opened by the library: a recipient of class phi, and
// the changes of a table as they were.
#pragma once

#include <map>
#include <string>

#include "test/postgres_native.h"
#include "test/tracked_shop.h"
#include "vestige/base/bytes.h"
#include "vestige/base/cipher.h"
#include "vestige/encryption/age_file.h"
#include "vestige/encryption/token.h"

namespace vestige {

class NativeOpened {
 public:
  explicit NativeOpened(PgSession& session) : s_(session) {}

  /// The public line of this test's key. Its other half is none that anything could be encrypted for.
  std::string recipient() const {
    return age_recipient(must(x25519_public(key_))) + " openpgp:AAAA";
  }
  void add_to(const std::string& of) {
    s_.run("select vestige.add_recipient('" + of + "', '" + recipient() + "')");
  }
  /// The changes of a table after another one, opened: "U {NULL,old} {NULL,new}"; LOST where no wrap of the key opens, - where the
  /// value could not be encrypted. A redacted value is as it stands there.
  std::string told(const std::string& table, const std::string& after = "0") {
    std::string out;
    std::string change;
    std::string side;
    for (const auto& row : s_.table(
             "select c.id::text, c.op, v.side, f.value, coalesce(i.item ->> 'encrypted', ''), "
             "coalesce(i.item ->> 'id', ''), c.tracked::text from vestige.change c "
             "join vestige.shape s on s.id = c.shape join vestige.tracked t on t.id = c.tracked "
             "and t.table_name = '" +
             table +
             "', lateral (values (1, 'old', c.old_row), (2, 'new', c.new_row)) v (n, side, text), "
             "lateral unnest(vestige.fields(v.text)) with ordinality f (value, place) left join "
             "lateral jsonb_array_elements(s.columns) with ordinality i (item, place) on i.place = "
             "f.place where v.text is not null and c.id > " +
             after + " order by c.id, v.n, f.place")) {
      if (*row[0] != change) {
        out += (out.empty() ? "" : "}; ") + *row[1] + " {";
      } else {
        out += *row[2] == side ? "," : "} {";
      }
      change = *row[0];
      side = *row[2];
      out += !row[3].has_value() ? "NULL"
             : row[4]->empty()   ? *row[3]
                                 : opened(*row[3], std::stoll(*row[6]), std::stoll(*row[5]));
    }
    return out.empty() ? out : out + "}";
  }
  /// How many tokens were opened that are bound to their column, and how many that are not.
  int bound() const { return bound_; }
  int loose() const { return loose_; }

 private:
  std::string opened(const std::string& field, std::int64_t table, std::int64_t column) {
    if (field.starts_with('-')) return "-";
    const std::string token = must(from_base64(field));
    const auto id = key_of_token(token);
    if (!id.has_value()) return "NO TOKEN";
    const Secret* key = data_key(*id);
    if (key == nullptr) return "LOST";
    const auto plain = open_token(token, key->bytes(), token_place(table, column));
    if (!plain.has_value()) return "FORGED";
    ++(token[1] == 1 ? bound_ : loose_);
    return std::string(plain->bytes());
  }
  const Secret* data_key(const std::string& id) {
    const auto known = keys_.find(id);
    if (known != keys_.end()) return &known->second;
    for (const auto& row : s_.table("select translate(encode(wrapped, 'base64'), E'\\n', '') from "
                                    "vestige.encrypted_key where id = '\\x" +
                                    to_hex(id) + "'")) {
      auto key = age_decrypt(key_, must(from_base64(*row[0])));
      if (key.has_value() && data_key_id(key->bytes()) == id)
        return &keys_.emplace(id, std::move(*key)).first->second;
    }
    return nullptr;
  }

  PgSession& s_;
  std::string key_ = must(random_bytes(32));
  std::map<std::string, Secret> keys_;
  int bound_ = 0;
  int loose_ = 0;
};

/// A database whose tables the native engine records, with that recipient.
class NativeEncrypted : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!NativeTwins::there(shop)) GTEST_SKIP() << "the server has no native engine";
    s.run("alter table vestige.tracked alter column engine set default 'native'");
    opened.add_to("phi");
  }
  std::string last() { return s.one("select max(id)::text from vestige.change"); }
  std::string wraps() { return s.one("select count(*)::text from vestige.encrypted_key"); }
  // A table of that name and one of another, which is recorded by the portable functions.
  void both(const std::string& sql) {
    for (const std::string table : {"n", "p"}) {
      std::string named = sql;
      for (std::size_t at = 0; (at = named.find('$', at)) != std::string::npos;)
        named.replace(at, 1, table);
      s.run(named);
    }
  }
  void make(const std::string& create, const std::string& policy) {
    both(create);
    both("select vestige.track('$', " + policy + ")");
    s.run("select vestige.set_engine('p', 'portable')");
  }
  void drop() {
    both("drop table $");
    s.run("update vestige.tracked set table_name = 'gone', untracked_at = now()");
  }

  PgShop shop;
  PgSession& s = shop.admin;
  NativeOpened opened{s};
};

}  // namespace vestige
