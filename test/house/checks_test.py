"""The checks themselves: each must go red for what it forbids."""
import pathlib
import sys
import unittest

sys.argv = ["checks_test", str(pathlib.Path(__file__).parents[2])]

import braces
import findings
import floors
import holds
import messages
import picture
import seams
import sizes
import transcript
import transcripts
import twice
import words


class Holds(unittest.TestCase):
    def test_whoever_removes_and_does_not_ask_is_named(self):
        for statement in ("delete from vestige.change where id = 1", "update vestige_change set v0 = null", "drop schema vestige cascade",
                          "execute format('drop table %s', part)", "alter table vestige.change detach partition x",
                          "truncate vestige.context", "delete from main.vestige_more"):
            self.assertEqual(1, len(holds.complaints({"vestige/a.cc": f'db.run("{statement}");'}, {})), statement)
            self.assertEqual([], holds.complaints({"vestige/a.cc": f'held(db, ids);\ndb.run("{statement}");'}, {}))
        self.assertEqual([], holds.complaints({"sql/a.sql": "-- drop schema vestige\ndelete from vestige.who k"}, {}))

    def test_a_reason_for_nothing_is_none(self):
        self.assertEqual(1, len(holds.complaints({"sql/a.sql": "select 1"}, {"sql/a.sql": "none"})))


class Twice(unittest.TestCase):
    def test_what_others_see_is_named_with_its_namespace(self):
        source = ("namespace vestige {\nclass Declared;\nstruct One {\n};\nclass Outer::Inner {\n};\nnamespace {\nstruct Own {\n};\n"
                  "}  // namespace\nnamespace sqlite {\nclass Two final : public One {\n};\n}  // namespace sqlite\n}  // namespace vestige\n")
        self.assertEqual(["vestige::One", "vestige::sqlite::Two"], twice.defined(source))


class Floors(unittest.TestCase):
    def test_a_folder_includes_itself_and_what_stands_before_it(self):
        self.assertEqual([], floors.complaints({
            "vestige/db/sqlite.cc": '#include <sqlite3.h>\n#include "vestige/base/json.h"\n',
            "vestige/db/sql_test.cc": '#include "test/temporary_directory.h"\n#include <sqlite3.h>\n',
            "cli/main.cc": '#include "vestige/audit/log.h"\n#include <CLI/CLI.hpp>\n',
            "test/x_test.cc": "#include <sqlite3.h>\n"}))

    def test_a_folder_above_is_refused(self):
        for path, source in {
                "vestige/base/json.cc": '#include "vestige/record/value.h"',
                "vestige/trail/track.h": '# include "vestige/audit/log.h"',
                "vestige/attic/x.cc": "",
                "server/call.cc": '#include "cli/output.h"', "vestige/audit/diff.cc": '#include "server/call.h"',
                "vestige/audit/log.cc": '#include "cli/output.h"'}.items():
            self.assertEqual(1, len(floors.complaints({path: source})), path)

    def test_the_wings_of_the_trail_are_known_to_the_place_that_opens_them(self):
        for path, wing, wrong in (
                ("vestige/trail/open.cc", "sqlite", 0), ("vestige/trail/sqlite/capture.cc", "sqlite", 0),
                ("vestige/trail/postgres/engine.cc", "sqlite", 1), ("vestige/trail/moment.cc", "postgres", 1),
                ("vestige/audit/diff.cc", "postgres", 1), ("cli/cmd_track.cc", "sqlite", 1),
                ("vestige/trail/moment_test.cc", "sqlite", 0)):
            found = floors.complaints({path: f'#include "vestige/trail/{wing}/decode.h"'})
            self.assertEqual(wrong, len(found), path)

    def test_a_driver_is_included_in_one_place(self):
        for path, source in {
                "vestige/trail/track.cc": "#include <sqlite3.h>",
                "cli/main.cc": "#include <sqlite3.h>",
                "vestige/db/sqlite.cc": "#include <libpq-fe.h>",
                "vestige/audit/log.cc": "#include <CLI/CLI.hpp>"}.items():
            self.assertEqual(1, len(floors.complaints({path: source})), path)

    def test_the_toml_parser_is_included_once(self):
        one = {"vestige/base/toml_file.cc": "#include <toml++/toml.h>"}
        self.assertEqual([], floors.complaints(one))
        self.assertEqual(1, len(floors.complaints(one | {"cli/x.cc": "#include <toml++/toml.h>"})))


class Findings(unittest.TestCase):
    PAGE = "## doctor\n\n| code | what |\n|---|---|\n| `gap`, `rights` | x |\n\n## Next\n\n| `other` | |\n"

    def test_codes_are_read_from_sources_and_page(self):
        self.assertEqual({"gap", "rights"}, findings.documented(self.PAGE))
        self.assertEqual({"rights", "gap", "who-index"}, findings.sql_codes(
            "select 'warning', 'rights', x; case when a then 'error' else 'note' end, 'gap', y; return query select 'note',\n 'who-index',"
            " where c in ('note', 'sealer')"))

    def test_what_one_lacks_is_named(self):
        self.assertEqual([], findings.compared("x.md", {"gap", "rights"}, {"gap", "rights"}))
        self.assertEqual(1, len(findings.compared("x.md", {"gap", "rights"}, {"gap"})))
        self.assertEqual(1, len(findings.compared("x.md", {"gap"}, {"gap", "rights"})))


class Picture(unittest.TestCase):
    TREE = {"vestige/audit/log.cc": '#include "vestige/trail/open.h"\n', "vestige/audit/log_test.cc": "",
            "vestige/trail/open.h": '#include "vestige/trail/sqlite/capture.h"\n',
            "vestige/trail/sqlite/capture.h": '#include "vestige/trail/open.h"\n',
            "vestige/trail/postgres/order.cc": "", "cli/cmd_log.cc": '#include "vestige/audit/log.h"\n',
            "cli/cmd_show.cc": "", "docs/x.md": ""}

    def test_it_has_floors_files_and_includes(self):
        drawn = picture.drawn(self.TREE).split("\n")
        self.assertEqual(["cli", "audit", "trail"], [line[3:].split(" ")[0] for line in drawn if line[:1] == "┌"])
        self.assertEqual(1, len({len(line) for line in drawn if line}))
        self.assertIn(" 2 files ", drawn[0])
        self.assertEqual("│ cmd_<verb>", drawn[1].rstrip("│ "))
        self.assertIn(" includes audit ", drawn[2])
        self.assertIn("│ log ", drawn[4])
        self.assertIn(" includes trail ", drawn[5])
        wings = next(line for line in drawn if "┌─ trail/sqlite " in line)
        self.assertIn("┌─ trail/postgres ", wings)
        self.assertIn(" includes trail/sqlite ", drawn[-2])

    def test_a_file_that_comes_is_a_difference(self):
        more = self.TREE | {"vestige/audit/diff.cc": ""}
        self.assertNotEqual(picture.drawn(self.TREE), picture.drawn(more))

    def test_it_stands_in_its_frame(self):
        page = "a\n" + picture.BEGIN + "old\n" + picture.END + "b\n"
        self.assertEqual(page.replace("old", "new"), picture.framed(page, "new\n"))
        self.assertIsNone(picture.framed("a\n", "new\n"))


class Seams(unittest.TestCase):
    def test_who_may_ask_which_database_it_is(self):
        self.assertEqual([], seams.asking("vestige/trail/open.cc", "if (db.engine() == x)"))
        self.assertEqual([], seams.asking("vestige/db/open.cc", "engine()"))
        self.assertEqual(1, len(seams.asking("vestige/audit/diff.cc", "\nif (db_->engine() != x)\n")))


class Sizes(unittest.TestCase):
    def test_vague_names_are_found_as_words(self):
        for name in ("util", "sql_utils", "test-helper", "common"):
            self.assertTrue(sizes.VAGUE.search(name), name)
        for name in ("commit", "utility_bill", "recommend"):
            self.assertFalse(sizes.VAGUE.search(name), name)


class Messages(unittest.TestCase):
    def test_messages_are_read_with_joined_and_raw_literals(self):
        self.assertEqual(["read it: no {}", "a \"b\" c", "raw {}"], messages.messages(
            'return fail(Fault::missing, "read it: "\n    "no {}", x);\n'
            'hinted(fail(Fault::invalid,\n "a \\"b\\" c"), "hint");\n'
            'fail(Fault::denied, R"(raw {})");\n'
            'fail(Fault::internal, "a bug");'))

    def test_messages_that_sql_raises_count(self):
        self.assertEqual(["it's closed"], messages.raised("select RAISE(abort, 'it''s closed');"))
        self.assertEqual(["it is closed"],
                         messages.messages('out += "select raise(abort, \'it is "\n  "closed\')";'))

    def test_the_longest_constant_part_is_sought(self):
        self.assertEqual("such table in", messages.fragment("{}: no {} such table in '{}'"))
        self.assertEqual("a {b} c", messages.fragment("a {{b}} c {}"))

    def test_a_test_may_wrap_or_escape_the_message(self):
        self.assertIn("no such table", messages.haystack('"no such "\n      "table"'))
        self.assertIn('column "a" stands', messages.haystack('"column \\"a\\" stands"'))


class Transcripts(unittest.TestCase):
    PAGE = ["```sh", "$ not run", "```", "```console", "$ echo a; \\", "> echo b", "a", "b",
            "$ true", "```", "$ not run"]

    def test_commands_and_their_output_are_found(self):
        found = transcript.steps(self.PAGE)
        self.assertEqual(["echo a; \\\necho b", "true"], [step.command for step in found])
        self.assertEqual([(6, 8), (9, 9)], [(step.first, step.last) for step in found])

    def test_dots_stand_for_any_lines_and_times_for_each_other(self):
        self.assertTrue(transcript.agree(["a", "...", "z"], ["a", "b", "c", "z"]))
        self.assertTrue(transcript.agree(["..."], []))
        self.assertTrue(transcript.agree(["at 2026-01-31T12:00:00Z"],
                                         ["at 2027-10-01T09:30:00.123456Z"]))
        for shown, real in ((["a"], []), ([], ["a"]), (["a"], ["b"]), (["...", "z"], ["a"])):
            self.assertFalse(transcript.agree(shown, real))

    def test_a_shell_keeps_its_state_and_a_wrong_page_is_rewritten(self):
        shell = transcript.Shell(pathlib.Path("/bin/true"), pathlib.Path("/nowhere"))
        page = "```console\n$ x=1; cd /\nwrong\n$ echo $x $PWD >&2; cat\n$ printf ab\n...\n```"
        wrong, fresh = transcript.check(page, shell)
        shell.close()
        self.assertEqual(2, len(wrong))
        self.assertEqual(
            "```console\n$ x=1; cd /\n$ echo $x $PWD >&2; cat\n1 /\n$ printf ab\n...\n```", fresh)

    def test_make_targets_must_exist(self):
        makefile = ".PHONY: all demo\nall: x\ninstall: all\n"
        self.assertEqual([], transcripts.unknown_targets("```sh\nmake demo install\n```", makefile))
        self.assertEqual(["tset"], transcripts.unknown_targets("run `make tset`", makefile))


class Braces(unittest.TestCase):
    def test_a_try_behind_a_sibling_is_found(self):
        for source in ("row.push_back({name, TRY(read())});", "return Field{name, TRY(read())};",
                       "const Field one = {name, f(TRY(read()))};",
                       "std::vector<Field> v{a, {b, c}, {TRY(read())}};"):
            self.assertEqual([1], braces.lines_of(source), source)

    def test_a_try_that_leaves_nothing_behind_is_not(self):
        for source in ("return Field{TRY(read())};", "take(name, TRY(read()));",
                       "int f(int a, int b) { TRY(read()); }",
                       "if (x) {\n  f(a, b);\n  TRY(read());\n}",
                       "auto f = [a, b] { return TRY(read()); };",
                       "g(a, [&](int b, int c) -> Result<void> {\n TRY(b); return {}; });",
                       "// {a, TRY(b)}\n"):
            self.assertEqual([], braces.lines_of(source), source)


class Words(unittest.TestCase):
    def test_reminders_are_found(self):
        self.assertTrue(words.REMINDERS.search("// TO" + "DO: later"))
        self.assertFalse(words.REMINDERS.search("mastodon"))

    def test_hosts_of_registries_and_time_limits_are_found(self):
        self.assertTrue(words.REGISTRY.search("http://deb" + ".debian.org/debian"))
        self.assertFalse(words.REGISTRY.search("Debian's archive"))
        self.assertTrue(words.LIMIT.search("PROPERTIES TIME" + "OUT 600"))
        self.assertFalse(words.LIMIT.search("lock_timeout 20"))


if __name__ == "__main__":
    unittest.main()
