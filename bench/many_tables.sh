#!/usr/bin/env bash
# What the work on a whole schema takes: so many tables are tracked, looked at, and touched by DDL. Seconds by the clock, and
# CPU seconds of the server and of the program, of several rounds, each with a database of its own:
#
#   build/bin/postgres_server -- bench/many_tables.sh [TABLES] [ROUNDS]
#
# default: 371 tables, 3 rounds. ENGINE=native, on a server that has the module (pgext/stage), measures that engine.
set -euo pipefail
export VESTIGE=${VESTIGE:-build/bin/vestige} TABLES=${1:-371} ROUNDS=${2:-3} ENGINE=${ENGINE:-portable}
exec /usr/bin/python3 - "$(dirname "$0")/many_tables.sql" <<'P'
import os, pathlib, statistics, subprocess, sys, time

program, tables, rounds = os.environ["VESTIGE"], os.environ["TABLES"], int(os.environ["ROUNDS"])
ticks = os.sysconf("SC_CLK_TCK")


def run(*command, codes=(0,)):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def sql(text, database):
    return run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text)


postmaster = int(sql("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)", "postgres"))


def server_cpu():
    """Of the sessions that have ended."""
    fields = pathlib.Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / ticks


def ended(database):
    """Nobody is connected, and the server has counted what they used."""
    while sql(f"select count(*) from pg_stat_activity where datname = '{database}'", "postgres").strip() != "0":
        time.sleep(0.02)
    time.sleep(0.1)


taken = {}


def measure(what, database, *command, codes=(0,)):
    ended(database)
    children, server, begin = os.times(), server_cpu(), time.monotonic()
    run(*command, codes=codes)
    wall = time.monotonic() - begin
    now = os.times()
    ended(database)
    own = now.children_user + now.children_system - children.children_user - children.children_system
    taken.setdefault(what, []).append((wall, server_cpu() - server, own))


for number in range(rounds):
    database = f"many_tables_{number}"
    run("createdb", database)
    run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-v", f"tables={tables}", "-d", database, "-f", sys.argv[1])
    os.environ["VESTIGE_DB"] = f"postgresql:///{database}"
    run(program, "init", *(["--native"] if os.environ["ENGINE"] == "native" else []))
    psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c")
    measure("track --all", database, program, "track", "--all")
    measure("track --all, again", database, program, "track", "--all")
    for _ in range(3):
        measure("doctor", database, program, "doctor")
        measure("status", database, program, "status")
    measure("alter schema ... rename", database, *psql, "alter schema shop rename to store")
    measure("... and back", database, *psql, "alter schema store rename to shop")
    measure("alter type ... add value", database, *psql, "alter type shop.state add value 'sent'")
    measure("alter table ... add column", database, *psql, "alter table shop.table_1 add column more text")
    measure("create table", database, *psql, "create table shop.one_more (id bigint primary key)")
    measure("untrack, all", database, program, "untrack", *sql(
        "select schema_name || '.' || table_name from vestige.tracked where untracked_at is null", database).split())
    run("dropdb", database)

print(f"{tables} tables, {os.environ['ENGINE']} engine, {rounds} rounds; seconds, median (min .. max)")
print(f"{'':28}{'clock':>24}{'CPU, server':>24}{'CPU, program':>24}")
for what, each in taken.items():
    cells = ("{:.2f} ({:.2f} .. {:.2f})".format(statistics.median(c), min(c), max(c)) for c in zip(*each))
    print(f"{what:28}" + "".join(f"{cell:>24}" for cell in cells))
P
