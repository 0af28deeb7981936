// Pages of the native engine's indexes that are not as they were written: bytes flipped, files cut. Whatever a search, an
// insertion and VACUUM find there, they end with an error or an answer: no crash, nothing that does not end.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "test/native_index.h"

namespace vestige {
namespace {

constexpr std::size_t kPage = 8192;

// A server with few buffers, so that what a file has been changed to is read again.
class PostgresNativeIndexPages : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("VESTIGE_NATIVE") == nullptr) GTEST_SKIP() << "the server has no native engine";
    server = std::make_unique<PostgresServer>(
        std::vector<std::string>{"shared_buffers=128kB", "checkpoint_timeout=1d", "autovacuum=off",
                                 "jit=off", "full_page_writes=off", "statement_timeout=20s"});
    s = std::make_unique<PgSession>(server->url());
    s->run(kIndexMethods);
    s->run(kIndexedTable);
    // What pushes everything else out of the buffers.
    s->run(
        "create table other (id int primary key, v text); insert into other select i, repeat('x', "
        "1500) from generate_series(1, 200) i; set enable_seqscan = off; set enable_sort = off");
    // Runs, ranges, a tail; and late entries, where space is used again.
    s->run(
        "insert into t (k, v) select i % 50, repeat('v', 100) from generate_series(1, 2500) i; "
        "delete from t where id % 3 = 0; vacuum t; insert into t (k, v) select i % 50, 'late' from "
        "generate_series(1, 300) i; insert into t (k, v) select null, 'x'");
    s->run("checkpoint");
    for (const char* index : {"by_key", "by_id"}) {
      const std::string file = server->host() + "/data/" +
                               s->one("select pg_relation_filepath('" + std::string(index) + "')");
      std::ifstream in(file, std::ios::binary);
      files.push_back({file, std::string(std::istreambuf_iterator<char>(in), {})});
      ASSERT_GE(files.back().whole.size(), 3 * kPage);
    }
  }
  struct File {
    std::string name;
    std::string whole;
  };
  // In place, since the server has the file open.
  static void put(const File& file, const std::string& bytes) {
    std::filesystem::resize_file(file.name, bytes.size());
    std::fstream out(file.name, std::ios::in | std::ios::out | std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  static void put_byte(const File& file, std::size_t at, char byte) {
    std::fstream out(file.name, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(byte);
  }
  void forget_pages() { s->run("select sum(length(v)) from other where id > 0"); }
  // What is said of a statement; the server must answer, and in time.
  std::string said(PgSession& to, const std::string& sql) {
    const std::string error = to.error(sql);
    if (error.find("timeout") != std::string::npos || error.find("connection") != std::string::npos)
      ADD_FAILURE() << sql << ": " << error;
    return error;
  }
  int read(const std::string& where) {
    int errors = 0;
    SCOPED_TRACE(where);
    for (const char* sql : {"select count(*) from t where k = 7::bigint",
                            "select count(*) from t where k = any (array[1, 2, 30]::bigint[])",
                            "select count(v) from (select v from t order by id) s",
                            "select v from t order by id desc limit 3",
                            "select count(v) from t where id between 700 and 900"})
      errors += said(*s, sql).empty() ? 0 : 1;
    return errors;
  }
  int change(const std::string& where) {
    int errors = 0;
    SCOPED_TRACE(where);
    for (const char* sql :
         {"insert into t (k, v) select i % 50, repeat('w', 300) from generate_series(1, 200) i",
          "update t set k = k + 1 where ctid in ('(0,1)', '(1,1)')",
          "delete from t where v like 'www%'", "vacuum t"})
      errors += said(*s, sql).empty() ? 0 : 1;
    return errors;
  }
  // The bytes that say something, of one page of each kind: all of headers, ends and of the first page; of others' items
  // the first ones and some of the rest.
  static std::vector<std::size_t> telling(const std::string& whole, std::size_t rest) {
    std::vector<std::size_t> out;
    constexpr std::size_t kHeader = 24;
    constexpr std::size_t kEnd = 8;
    std::set<char> seen;
    for (std::size_t page = 0; page * kPage < whole.size(); ++page) {
      if (!seen.insert(whole[page * kPage + kPage - 4]).second) continue;
      const auto lower =
          static_cast<std::size_t>(static_cast<unsigned char>(whole[page * kPage + 12]) |
                                   static_cast<unsigned char>(whole[page * kPage + 13]) << 8);
      const std::size_t dense = page == 0 ? lower : kHeader + 64;
      for (std::size_t at = 0; at < kPage; ++at)
        if (at < std::min(dense, lower) || at >= kPage - kEnd || (at < lower && at % rest == 0))
          out.push_back(page * kPage + at);
    }
    return out;
  }

  std::unique_ptr<PostgresServer> server;
  std::unique_ptr<PgSession> s;
  std::vector<File> files;
};

TEST_F(PostgresNativeIndexPages, BytesFlippedAreReadWithoutHarm) {
  for (const File& file : files) {
    int errors = 0;
    for (const std::size_t at : telling(file.whole, 97)) {
      for (const int flip : {0xFF, 0x01, 0x80}) {
        put_byte(file, at, static_cast<char>(file.whole[at] ^ flip));
        forget_pages();
        errors += read(file.name + " at " + std::to_string(at));
      }
      put_byte(file, at, file.whole[at]);
    }
    EXPECT_GT(errors, 100);
    forget_pages();
    EXPECT_EQ(read("as it was"), 0);
  }
}

// Between them everything is as it was, the table nearly.
TEST_F(PostgresNativeIndexPages, BytesFlippedAreWrittenToWithoutHarm) {
  for (const File& file : files) {
    int errors = 0;
    for (const std::size_t at : telling(file.whole, 1021)) {
      std::string flipped = file.whole;
      flipped[at] = static_cast<char>(~flipped[at]);
      put(file, flipped);
      forget_pages();
      errors += change(file.name + " at " + std::to_string(at));
      s->run("checkpoint");
      for (const File& one : files) put(one, one.whole);
      forget_pages();
      s->run(
          "set enable_indexscan = off; set enable_bitmapscan = off; set enable_seqscan = on; "
          "delete from t where v like 'www%'; vacuum t; reset enable_indexscan; reset "
          "enable_bitmapscan; set enable_seqscan = off; checkpoint");
    }
    EXPECT_GT(errors, 10);
  }
}

TEST_F(PostgresNativeIndexPages, FilesCutAndPagesExchangedAreReadWithoutHarm) {
  for (const File& file : files) {
    const std::size_t pages = file.whole.size() / kPage;
    const std::string none(kPage, '\0');
    std::vector<std::string> others;
    for (std::size_t i = 0; i < pages; ++i) {
      others.push_back(file.whole.substr(0, i * kPage));
      others.push_back(file.whole.substr(0, i * kPage + kPage / 2));
      others.push_back(std::string(file.whole).replace(i * kPage, kPage, none));
      for (std::size_t k = 0; k < pages; ++k)
        others.push_back(
            std::string(file.whole).replace(i * kPage, kPage, file.whole.substr(k * kPage, kPage)));
    }
    int errors = 0;
    for (std::size_t i = 0; i < others.size(); ++i) {
      put(file, others[i]);
      forget_pages();
      errors += read(file.name + " otherwise " + std::to_string(i));
    }
    EXPECT_GT(errors, 10);
    put(file, file.whole);
    forget_pages();
    EXPECT_EQ(read("as it was"), 0);
  }
}

}  // namespace
}  // namespace vestige
