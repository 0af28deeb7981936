#!/usr/bin/python3
"""A trail that an earlier version installed, with what it recorded: vestige init brings it up to date. Every answer is the same
afterwards, in SQL and by the program; capture goes on, also for what an earlier capture function was written for; it is sealed,
verified, undone, erased and found by who, from the first change on."""
import gzip
import json
import pathlib
import subprocess

from clusters import BIN, VESTIGE, Cluster, check, folder

# What install.sql was when erasing had just been made, its parts put together as the build does.
OLDER = pathlib.Path(__file__).parents[1] / "older" / "postgres_erase.sql.gz"

TABLES = """
create table p (id int primary key, name text, price numeric(10, 2), at timestamptz, tags text[], doc jsonb);
create table q (a int, b text, n int, primary key (a, b));
create table loose (x int);
create table parted (id int, at date, v text, primary key (id, at)) partition by range (at);
create table parted_1 partition of parted for values from ('2026-01-01') to ('2027-01-01');
select vestige.track('p'); select vestige.track('q'); select vestige.track('loose'); select vestige.track('parted');
"""
WRITES = """
begin; select vestige.set_context('{"actor": "ann", "reason": "first", "ticket": 7}');
insert into p values (1, 'ink "blue"', 2.50, '2026-01-02 03:04:05.678901+01', '{a,"b,c",null}', '{"a": [1, null]}'), (2, null, null, null, null, null);
update p set price = 3 where id = 1; commit;
begin; select vestige.set_context('{"actor": "bob"}'); update p set id = 3 where id = 2; insert into q values (1, 'x,(y)', 0), (2, '', 1);
savepoint s; delete from q where a = 2; rollback to s; update q set b = b || '!'; commit;
insert into loose values (1), (1), (null); delete from loose where x is null;
insert into parted values (1, '2026-05-05', 'v'); update parted set v = 'w';
alter table p rename column name to title; alter table p add column more int;
begin; select vestige.set_context('{"actor": "ann"}'); update p set more = 1, title = 'pen' where id = 1; commit;
delete from p where id = 3; truncate loose;
"""
ANSWERS = {
    "changes": "select id, at, op, \"table\", key, new_key, old_values, new_values, changed_fields, tx, context, db_user, actor from vestige.changes",
    "a row": "select * from vestige.history('p', '1')",
    "the past": "select * from vestige.as_of(null::q, now())",
}


def answers(cluster):
    return {name: cluster.sql(f"select to_json(x) from ({query}) x order by to_json(x)::text collate \"C\"") for name, query in ANSWERS.items()}


def told(cluster, *words):
    return [json.loads(line) for line in cluster.vestige("log", "--format", "json", *words).splitlines()]


def same_but_younger(before, after):
    """What SQL said before is said now; a function may have got more columns."""
    for name, lines in before.items():
        was, now = ([json.loads(line) for line in text.splitlines()] for text in (lines, after[name]))
        check(len(was) == len(now), f"{name}: {len(was)} rows before, {len(now)} now")
        for left, right in zip(was, now):
            kept = {column: right.get(column) for column in left}
            check(kept == left, f"{name}: before {left}, now {kept}")


def upgraded(top, cluster):
    cluster.sql(f"\\set ON_ERROR_STOP 1\nbegin;\n{gzip.decompress(OLDER.read_bytes()).decode()}\ncommit;")
    cluster.sql(TABLES)
    cluster.sql(WRITES)
    before, listed = answers(cluster), told(cluster)
    check(len(listed) > 15, f"only {len(listed)} changes are recorded")
    cluster.vestige("init")
    check(subprocess.run([VESTIGE, "--db", cluster.url, "init"], stderr=subprocess.PIPE, text=True, check=True).stderr.count("made") == 0,
          "init does something again")
    same_but_younger(before, answers(cluster))
    check(told(cluster) == listed, "the log is another one")
    check([line["id"] for line in told(cluster, "--actor", "ann")] == [line["id"] for line in listed if line["context"].get("actor") == "ann"],
          "what ann did is not all there")
    findings = [json.loads(line) for line in subprocess.run([VESTIGE, "--db", cluster.url, "doctor", "--format", "json"], text=True,
                                                            stdout=subprocess.PIPE, check=False).stdout.splitlines()]
    check(not [one for one in findings if one["severity"] != "note"], f"doctor: {findings}")
    return listed


def goes_on(top, cluster, listed):
    cluster.sql("begin; select vestige.set_context('{\"actor\": \"ann\"}'); update p set price = 4 where id = 1; insert into q values (9, 'n', 9);"
                "update parted set v = 'z'; insert into loose values (5); commit;")
    fresh = told(cluster)[:-len(listed)]
    check([(one["op"], one["table"]) for one in fresh] ==
          [("INSERT", "loose"), ("UPDATE", "parted"), ("INSERT", "q"), ("UPDATE", "p")], f"recorded since: {fresh}")
    (top / "vkey").write_text(cluster.vestige("keygen", "--origin", "log.example/p", "--out", top / "key"))
    for _ in range(2):
        size = int(cluster.vestige("seal", "--key", top / "key").split("\n")[1])
        check(size == len(listed) + 4, f"{size} of {len(listed) + 4} are sealed")
    verdict = json.loads(cluster.vestige("verify", "--live", "--vkey", top / "vkey", "--format", "json").splitlines()[-1])
    check(verdict["verified"] == len(listed) + 4 and not verdict["discrepancies"], f"verify: {verdict}")
    cluster.vestige("revert", "--tx", str(fresh[0]["tx"]), "--reason", "slip")
    check(cluster.sql("select price from p where id = 1") == "3.00", "the change was not undone")
    cluster.vestige("erase", "p", "1", "--actor", "dpo", "--reason", "asked")
    check(all(one["old_values"] is None and one["new_values"] is None for one in told(cluster, "p", "1") if one["op"] != "ERASE"),
          "values are left")


def main():
    with folder("vestige-upgrade-") as top:
        cluster = Cluster(top, "only", 5811).init().start()
        try:
            cluster.sql("create database shop", "postgres")
            goes_on(top, cluster, upgraded(top, cluster))
        finally:
            cluster.stop("immediate")
    print("a trail of an earlier version: every answer is the same, and it goes on")


if __name__ == "__main__":
    main()
