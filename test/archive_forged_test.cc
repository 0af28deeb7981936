// archive verify on both databases: an archive that somebody wrote anew, manifests and all, is found by what was sealed; one that nobody
// touched is not, whatever its values are.
#include "test/archive_forged.h"
#include "vestige/source/archived_value.h"

namespace vestige {
namespace {

namespace fs = std::filesystem;

class ForgedArchive : public ForgedArchiveTest {
 protected:
  // One part of four changes, and one of the record that it was written and a DELETE.
  void SetUp() override {
    ErasingTest::SetUp();
    trail.seal();
    first = *write();
    trail.as("bob", "delete from p where id = 3");
    trail.seal();
    last = *write();
  }
  // What is found when the last part says something else.
  std::string of(const std::string& from, const std::string& to) {
    const std::string whole = must(file_bytes(path(last, kChangesFile)));
    const std::string manifest = must(file_bytes(path(last, kManifestFile)));
    forge(last, from, to);
    const std::string found = complaints();
    must(replace_file(path(last, kChangesFile), whole));
    must(replace_file(path(last, kManifestFile), manifest));
    return found;
  }
  std::string of_manifest(const std::function<void(Manifest&)>& change) {
    Manifest forged = last.manifest;
    change(forged);
    sign_anew(last, forged);
    const std::string found = complaints();
    sign_anew(last);
    return found;
  }
  ArchivePart first;
  ArchivePart last;
};

INSTANTIATE_TEST_SUITE_P(Both, ForgedArchive, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(ForgedArchive, SaysNothingElseThanWasSealed) {
  const auto file = "changes.ndjson.zst: entry 5: ";
  EXPECT_EQ(complaints(), "");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("name":"x")", R"("name":"MALLORY")"},
           {R"("price":10)", R"("price":11)"},
           {R"("key":{"id":3})", R"("key":{"id":4})"},
           {R"("actor":"bob")", R"("actor":"ann")"},
           {R"("actor":"bob")", R"("actor":"bob","reason":"gift")"},
           {R"("name":"x")", R"("label":"x")"},
           {R"(,"price":10)", ""},
           {R"("table":"p")", R"("table":"payroll")"},
           {R"("context":{"actor":"bob"})", R"("context":{"actor":"bob"},"erased":{"values":99})"},
           {R"("context":{"actor":"bob"})", R"("context":{"actor":"bob"},"unreadable":"x")"},
           {R"("op":"DELETE")", R"("op":"DELETE","shown":false)"},
           {R"("op":"DELETE")", R"("op":"DELETE","op":"DELETE")"},
           {R"("op":"DELETE")", R"("zz":[[[[]]]],"op":"DELETE")"},
           {R"("price":10)", R"("price":1e999999)"},
           {R"("price":10)", R"("price": 10)"}})
    EXPECT_NE(of(from, to).find(file), std::string::npos) << from << to << of(from, to);
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  EXPECT_NE(of(R"("price":10)", R"("price":)" + deep).find(file), std::string::npos);
}

// The part before is recorded in this one: what does not follow from what was sealed is bound by that.
TEST_P(ForgedArchive, OfAPartThatIsRecordedHasAnotherManifest) {
  EXPECT_EQ(verdict().unrecorded, std::vector<std::string>{last.name});
  forge(first, "\"ann\"", "\"eve\"");
  EXPECT_NE(complaints().find("the trail has recorded another one for this range"),
            std::string::npos)
      << complaints();
}

TEST_P(ForgedArchive, IsHeldAgainstHashesThatAreKnown) {
  ArchiveRecords records;
  records.manifests = {last.sha256};
  EXPECT_EQ(complaints(records), "");
  EXPECT_TRUE(verdict(records).unrecorded.empty());
  records.manifests = {std::string(64, '0')};
  EXPECT_EQ(complaints(records),
            "archive: no part has the manifest " + std::string(64, '0') + "\n");
  records.manifests.clear();
  records.of_trail = must(recorded_parts(trail.db()));
  EXPECT_EQ(records.of_trail->size(), 2U);
  EXPECT_EQ(complaints(records), "");
  records.of_trail->back().manifest = "00";
  EXPECT_EQ(complaints(records), "manifest.json: the trail has not recorded it\n");
  records.of_trail = must(recorded_parts(trail.db()));
  fs::remove_all(last.folder);
  EXPECT_EQ(complaints(records), "archive: the trail has recorded parts up to entry " +
                                     std::to_string(last.manifest.upto) + "\n");
}

TEST_P(ForgedArchive, HasNoManifestThatHidesIt) {
  EXPECT_EQ(of_manifest([](Manifest& one) { one.first_id += 1; }),
            "manifest.json: its ids are not those of the entries\n");
  EXPECT_EQ(of_manifest([](Manifest& one) { one.last_at -= 1; }),
            "manifest.json: its times are not those of the entries\n");
  const auto id = last.manifest.tables.front().table.id;
  const std::string found = of_manifest([](Manifest& one) { one.tables.front().table.id = 77; });
  EXPECT_NE(found.find("its table 77 has another number of changes"), std::string::npos) << found;
  EXPECT_NE(found.find(fmt::format("table {} has changes, and is missing in it", id)),
            std::string::npos)
      << found;
  EXPECT_NE(of_manifest([](Manifest& one) {
              one.tables.front().shapes.front().columns.clear();
            }).find("what the manifest says of its table does not follow from what was sealed"),
            std::string::npos);
  // On PostgreSQL they are read alike: numbers are as they are written there, too.
  if (!trail.postgres()) {
    EXPECT_NE(of_manifest([](Manifest& one) {
                one.tokens = true;
              }).find("its values are not of the kind that it names"),
              std::string::npos);
  }
}

TEST_P(ForgedArchive, IsNotWholeWithoutAPartOrItsManifest) {
  fs::remove(path(last, kManifestFile));
  EXPECT_EQ(complaints(), "archive: read " + path(last, kManifestFile) + ": it is not there\n");
  EXPECT_EQ(error_of(archive_alone(directory())).message,
            "read " + path(last, kManifestFile) + ": it is not there");
  fs::remove_all(last.folder);
  fs::remove_all(first.folder);
  EXPECT_EQ(complaints(), "archive: there is nothing in it\n");
}

TEST_P(ForgedArchive, AndAPartIsNotTheDirectory) {
  Trust trust;
  EXPECT_EQ(error_of(verify_archive(last.folder, trust)).message,
            "read the archive " + last.folder + ": it is a part of one");
  EXPECT_EQ(error_of(archive_alone(last.folder)).hint, "name the directory that it stands in");
}

class HonestArchive : public ForgedArchiveTest {};

INSTANTIATE_TEST_SUITE_P(Both, HonestArchive, testing::Values(Engine::sqlite, Engine::postgres),
                         engine_name);

TEST_P(HonestArchive, OfAnyValuesIsProvedWithoutItsManifest) {
  trail.application(
      trail.postgres()
          ? "create table v (a int, b text, n numeric(8,2), f float8, t timestamptz, d date, j "
            "jsonb,"
            " k json, x bytea, y boolean, i int[], s text[], w timestamp[], h jsonb[], q float8[],"
            " iv interval, primary key (a, b))"
          : "create table v (a int, b text, n real, x blob, y, primary key (a, b))");
  must(track(trail.db(), "v", must(policy_from_json(R"({"capture":"full"})"))));
  trail.as(
      "ann",
      trail.postgres()
          ? R"(insert into v values (1, 'q"', 12.50, 1e300, '2026-01-02 03:04:05.6+01', '2026-01-02',
                  '{"a": [1, "}"], "b": null}', ' [1, "x"] ', '\x00ff', true, '{1,NULL,3}',
                  '{"a b","c\"d",NULL,"NULL",""}', '{"2026-01-02 03:04:05"}', array['{"a":1}'::jsonb],
                  '{1e300,0.5,NaN}', '1 day 02:03'), (2, '', null, 'NaN', null, null, '"s"', 'null', null, false,
                  '{{1,2},{3,4}}', '{}', null, null, null, null))"
          : "insert into v values (1, 'q\"', 1e300, x'00ff', '12'), (2, '', null, null, 12.0)");
  trail.as("bob", "update v set n = 3 where a = 1");
  trail.as("bob", "update v set a = 30, b = 'c' where a = 2");
  trail.as("bob", "update v set n = n where a = 1");
  trail.as("bob", "update p set price = price where id = 1");
  trail.as("bob", "delete from v where a = 1");
  trail.seal();
  write();
  EXPECT_EQ(complaints(), "");
  EXPECT_EQ(verdict().unrecorded.size(), 1U);
}

TEST_P(HonestArchive, OfWhatWasErasedNamesTheErase) {
  trail.seal();  // nothing of what goes is in the evidence
  erase(row("2"));
  EraseRequest all = row("1");
  all.keys = true;
  all.contexts = true;
  erase(all);
  trail.seal();
  const auto part = write();
  EXPECT_EQ(complaints(), "");
  // On PostgreSQL something stays of a context, the user: only the manifest's hash binds it.
  EXPECT_EQ(verdict().unrecorded.size(), 1U);
  ArchiveRecords records;
  records.manifests = {part->sha256};
  EXPECT_EQ(complaints(records), "");
  forge(*part, R"("context":{},)", R"("context":{"actor":"eve"},)");
  EXPECT_NE(complaints().find("what it says of its context (nothing of it is in the evidence) does"
                              " not follow from what was sealed"),
            std::string::npos)
      << complaints();
  forge(*part, "\"erased\":{\"values\":5", "\"erased\":{\"values\":3");
  EXPECT_NE(complaints().find("which erasure took what is not there"), std::string::npos)
      << complaints();
}

class RenamedArchive : public ForgedArchiveTest {};

INSTANTIATE_TEST_SUITE_P(One, RenamedArchive, testing::Values(Engine::postgres), engine_name);

TEST_P(RenamedArchive, NeedsItsManifestsHash) {
  trail.application("alter table p rename column name to label");
  trail.as("bob", "update p set label = 'y' where id = 2");
  trail.seal();
  const auto part = write();
  EXPECT_NE(
      complaints().find("that column name is called label does not follow from what was sealed"),
      std::string::npos)
      << complaints();
  ArchiveRecords records;
  records.manifests = {part->sha256};
  EXPECT_EQ(complaints(records), "");
}

TEST(ArchivedValue, IsTheOneThatWasSealed) {
  for (const auto& [shown, sealed] : std::vector<std::pair<std::string, std::string>>{
           {"1", "1"},
           {"12.50", R"("12.50")"},
           {"true", R"("t")"},
           {"\"2026-01-02T03:04:05+00:00\"", R"("2026-01-02 03:04:05+00")"},
           {R"({"a": 1})", R"("{\"a\": 1}")"},
           {R"([1, null, "a,b"])", R"("{1,NULL,\"a,b\"}")"},
           {R"([[1], [2]])", R"("{{1},{2}}")"}})
    EXPECT_TRUE(shows(shown, sealed)) << shown << sealed;
  for (const auto& [shown, sealed] :
       std::vector<std::pair<std::string, std::string>>{{"2", "1"},
                                                        {"12", R"("13")"},
                                                        {"true", R"("f")"},
                                                        {"null", R"("x")"},
                                                        {R"("x")", "null"},
                                                        {R"({"a": 2})", R"("{\"a\": 1}")"},
                                                        {R"([1, 2])", R"("{1,2,3}")"},
                                                        {R"([1, 2, 4])", R"("{1,2,3}")"},
                                                        {R"([1])", R"("{1")"},
                                                        {"{\"$redacted\":true}", R"("x")"}})
    EXPECT_FALSE(shows(shown, sealed)) << shown << sealed;
}

}  // namespace
}  // namespace vestige
