"""What a text of SQL does, as far as an adapter asks."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige._statements import controls, single, starts, words, writes

CONTROL = [
    "begin",
    "BEGIN;",
    " start transaction read only",
    "commit",
    "end",
    "rollback",
    "abort",
    "rollback to savepoint x",
    "/* a /* nested */ b */ rollback",
    "-- c\nrollback to x",
    "select 1; commit",
    "insert into a values (1); rollback to x",
    "prepare transaction 'x'",
]
NONE = [
    "select 'commit'",
    "select 1; -- commit",
    'select 1 as "commit"',
    "select $$; commit;$$",
    "select $a$; commit $b$ ;$a$",
    "select e'\\'; commit; --'",
    "update t set a = case when true then 1 end",
    "savepoint x",
    "release savepoint x",
    "",
    "insert into t values ('it''s; commit')",
    "do $$ begin commit; end $$",
    "/* commit */ select 1",
    "select 1 /* ; commit",
]
WRITES = [
    "insert into t values (1)",
    "/* c */ UPDATE t set a = 1",
    "-- c\ndelete from t",
    "merge into t using s on true when matched then delete",
    "with w as (insert into t values (1) returning id) select * from w",
    "with recursive w as (select 1) update t set a = 1",
    "explain analyze delete from t",
    "truncate t",
    "copy t from stdin",
    "copy t (a) from stdin with (format csv)",
    "select f(1)",
    "select vestige.revert(12)",
    "select * from f(1)",
    "select * from s.f(1) x",
    "select 1; insert into t values (1)",
    "(select f(1))",
    "replace into t values (1)",
    "execute p(1)",
    "with w as not materialized (delete from t returning *) table w",
]
READS = [
    "select a from t",
    "select count(*) from t where x in (select 1)",
    "with w as (select 'insert') select * from w",
    "select 1",
    "select a from t where b = %(p1)s::integer",
    "select a from t where (b = 1)",
    "table t",
    "show all",
    "vacuum t",
    "create table t (a int)",
    "copy t to stdout",
    "copy (select 1 from t) to stdout",
    "explain select * from t",
    "set x = 1",
    "listen c",
    "call p()",
    "do $$ insert into t values (1) $$",
    "select max(a) from t",
    "",
]


@pytest.mark.parametrize("sql", CONTROL)
def test_controls(sql: str) -> None:
    assert controls(sql)


@pytest.mark.parametrize("sql", NONE + WRITES + READS)
def test_controls_nothing(sql: str) -> None:
    assert not controls(sql)


@pytest.mark.parametrize("sql", WRITES)
def test_writes(sql: str) -> None:
    assert writes(sql)


@pytest.mark.parametrize("sql", READS)
def test_reads(sql: str) -> None:
    assert not writes(sql)


def test_starts_and_single() -> None:
    assert starts("begin")
    assert starts("/* x */ START TRANSACTION ISOLATION LEVEL SERIALIZABLE;")
    assert not starts("begin; select 1")
    assert not starts("commit")
    assert single("select 1;")
    assert single("select ';'")
    assert not single("select 1; select 2")


def test_texts_with_large_values_take_no_room() -> None:
    """What they were asked of is neither kept, nor read with room for each of its characters."""
    code = """import resource
from vestige._statements import controls, single, writes
resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
for number in range(300):
    text = f"with w as (select '{'x' * (1 << 20)};', E'{'y' * (1 << 17)};{number}') insert into t select 1"
    assert not controls(text) and single(text) and writes(text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-300:]


PIECES = [
    "'",
    "''",
    '"',
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "\n",
    ";",
    "commit",
    "insert",
    " ",
    "e'",
    "\\",
    "(",
    "x",
    "é",
    "$1",
    "\0",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_read_to_its_end(sql: str) -> None:
    """Whatever comes, it ends; and what stands behind a semicolon that a lexer sees is looked at."""
    found = words(sql)
    assert all(statement for statement in found)
    if "'" not in sql and '"' not in sql and "$" not in sql and "/*" not in sql and "--" not in sql:
        assert controls(sql + ";commit")
