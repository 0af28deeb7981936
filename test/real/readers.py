#!/usr/bin/python3
"""Nothing of the application's runs with the rights of who uses the trail: every verb and every function of the trail is
run by a superuser, in a database where hostile roles have planted what might be called by mistake.

    readers.py SCENARIO      beside a PostgreSQL server of its own (test/scripts/readers.sh); `planted` or `types`
"""
import os
import re
import subprocess
import sys
import tempfile

VESTIGE = os.environ["VESTIGE"]
HERE = os.path.dirname(os.path.abspath(__file__))
DATABASE = os.environ["PGDATABASE"]
problems = []


def psql(text, user="postgres", fails=False):
    """Runs a script as a role, under a search path of nothing but the server's own."""
    done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-f", "-"], input=text, text=True, capture_output=True,
                          env={**os.environ, "PGUSER": user, "PGOPTIONS": "-c search_path=pg_catalog"}, check=False)
    if (done.returncode != 0) != fails:
        raise SystemExit(f"as {user}: {text[:300]}\n{done.stderr}")
    return done.stdout.strip()


def vestige(*words, stdin=""):
    return subprocess.run([VESTIGE, *words], input=stdin, text=True, capture_output=True, check=False,
                          env={**os.environ, "VESTIGE_DB": os.environ["VESTIGE_TEST_POSTGRES"]})


def loot():
    """Who ran something of the application's since the last look, but for the application itself."""
    return psql("select distinct who || ' ran ' || what from public.loot where who <> 'hostile'; delete from public.loot")


def use(*words, stdin=""):
    """A verb: it must do its work, and call nothing."""
    done = vestige(*words, stdin=stdin)
    found = loot() or ("spied" if "spied" in done.stderr else "")
    if found:
        problems.append(f"vestige {' '.join(words)}: {found}")
    if done.returncode not in (0, 1) or "spied" in done.stderr:
        problems.append(f"vestige {' '.join(words)}: {done.returncode} {done.stderr[:300]}")
    return done.stdout


def call(sql):
    """A function or view of the trail, by whoever looks."""
    done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", sql], text=True, capture_output=True, check=False)
    found = loot() or ("spied" if "spied" in done.stderr else "")
    if found:
        problems.append(f"{sql}: {found}")
    if done.returncode != 0:
        problems.append(f"{sql}: {done.stderr[:300]}")


def verbs(table, key, keys):
    """Every verb of the program, at least once; those that are missing here are an error."""
    files = tempfile.mkdtemp()
    plan = os.path.join(files, "vestige.toml")
    with open(plan, "w", encoding="utf8") as file:
        file.write(f'[tables.{table}]\ntags = ["SOX"]\n[[rule]]\nid = "every"\nwhen = "key is not null"\n')
    first, change = psql("select min(id) || ' ' || max(id) from vestige.change").split()
    tx = psql(f"select x.tx from vestige.context x join vestige.change c on c.context = x.id where c.id = {change}")
    column = psql("select a.attname from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid"
                  f" where c.relname = '{table.split('.')[-1]}' and c.relkind in ('r', 'p') and a.attnum = 1 limit 1")
    runs = [
        ["init"], ["track", table], ["status"], ["doctor"], ["doctor", "--fix"], ["plan", "--file", plan], ["apply", "--file", plan],
        ["log"], ["log", table], ["log", table, key], ["log", "--actor", "ann"], ["log", "--since", "1d"], ["log", "--format", "json"],
        ["show", change], ["show", "--tx", tx], ["diff", table, key, "--from", first], ["blame", table, key], ["field", table, key, column],
        ["at", table, "--change", first], ["at", table, "--time", "1h"], ["at", table, key, "--change", first],
        ["revert", "--change", change, "--dry-run"], ["revert", "--tx", tx, "--dry-run"],
        ["restore", table, key, "--to", first, "--dry-run"],
        ["seal", "--key", keys], ["verify", "--vkey", keys + ".vkey"], ["verify", "--live", "--vkey", keys + ".vkey"],
        ["prove", first], ["metrics"], ["serve", "--help"], ["keys", "list"], ["notify", "--file", plan], ["export"], ["export", "--format", "ocsf"], ["tiles", "--out", os.path.join(files, "tiles")],
        ["mark", "then", first], ["mark"], ["access"], ["review"], ["hold"], ["expire", "--dry-run"], ["archive", "--out", os.path.join(files, "archive")], ["report", "changes"],
        ["rules", "test", "--file", plan], ["watch", "--once", "--backfill", "--file", plan], ["alert", "list"],
        ["exec", "--actor", "ann", "select 1"], ["ddl", "create table public.more (id int)"], ["ddl", "drop table public.more"],
        ["ddl", "create table public.own (id int primary key)"], ["track", "own"],
        ["exec", "--actor", "ann", "insert into public.own values (1)"], ["undo", "--by", "ann", "--yes"], ["untrack", "own"],
        *(["completion", what] for what in ("tables", "columns", "actors", "transactions", "consumers", "marks")),
        ["erase", "--change", change, "--actor", "ann", "--reason", "asked"],
        ["verify", "--live", "--vkey", keys + ".vkey"], ["log"], ["untrack", table], ["track", table],
    ]
    done = {run[0] for run in runs} | {"help", "keygen", "check", "witness"}  # these ask no database
    missing = set(re.findall(r"^  ([a-z]+) +[a-z]", vestige("help").stdout, re.M)) - done - {"vestige"}
    if missing:
        problems.append(f"verbs that nobody tries: {missing}")
    for run in runs:
        use(*run)


def functions(table, key):
    """What people call in SQL."""
    first = psql("select min(id) from vestige.change")
    for sql in ("select * from vestige.changes", "select * from vestige.audit_log", f"select * from vestige.history('{table}', '{key}')",
                f"select * from vestige.blame('{table}', '{key}')", f"select * from vestige.as_of_change(null::{table}, {first})",
                f"select * from vestige.as_of(null::{table}, pg_catalog.now())", "select * from vestige.doctor()",
                f"select vestige.live_row(1, '{key}')", f"select vestige.key_json(1, vestige.key_text(1, array['{key}']))",
                "select vestige.maintain()", f"select vestige.track('{table}')"):
        call(sql)


def planted():
    """Functions and operators of every name that the server has, before the server's own in every search path."""
    psql("create table public.loot (who text, what text); create table public.acc (id int primary key, v int); create role hostile login; grant all on public.acc to hostile;"
         "grant create on schema public to hostile")
    use("init")
    use("track", "acc")
    with open(os.path.join(HERE, "planted.sql"), encoding="ascii") as script:
        psql(script.read() + "; do $$ begin if (select count(*) from planted where kind = 'function') < 2000 or"
             " (select count(*) from planted where kind = 'operator') < 5000 then raise exception 'few are planted'; end if; end $$")
    psql(f"alter database \"{DATABASE}\" set search_path = public, pg_catalog")
    psql("begin; select vestige.set_context('{\"actor\": \"ann\"}'); insert into public.acc values (1, 1); commit;"
         "update public.acc set v = 2; insert into public.acc values (2, 2)", user="hostile")
    # What is planted is called by whoever does not say where from: else all this would show nothing.
    if "|" not in psql("set search_path = public, pg_catalog; select upper('a'); set search_path = pg_catalog;"
                       "select what || '|' from public.loot"):
        raise SystemExit("nothing planted is ever called")
    loot()
    scenario("acc", "1")


def types():
    """Domains with checks, enums, composites and arrays of them, in keys and in values, with every cast that their owner can
    make; and the checks come after the rows."""
    psql("create role hostile login; grant create on schema public to hostile; create table public.loot (who text, what text);"
         "grant all on public.loot to public")
    psql("""set search_path = public;
      create function spy(what text) returns boolean language plpgsql set search_path = pg_catalog as $$ begin
        begin insert into public.loot values (current_user, what); exception when others then raise exception 'spied by %', what; end;
        return true; end $$;
      create domain hid as text check (public.spy('hid')); create domain code as text; create domain ints as int[]; create domain deep as code; create type mood as enum ('a', 'b', 'c');
      create type pair as (x hid, y int); create domain moods as mood;
      create table acc (id code, m mood, d deep, n ints, p pair, ps pair[], ms mood[], ds hid[], md moods, v int, primary key (id));
      create table two (k mood, l code, v ints, primary key (k, l));
      """, user="hostile")
    use("init")
    use("track", "acc")
    use("track", "two")
    psql("""set search_path = public; begin; select vestige.set_context('{"actor": "ann"}');
      insert into acc values ('1', 'a', 'd', '{1,2}', '(c,1)', '{"(c,1)"}', '{a,b}', '{c}', 'a', 1); commit;
      update acc set m = 'b', d = 'e', n = '{3}', p = '(d,2)', ps = '{}', ms = '{c}', ds = '{d}', md = 'b', v = 2;
      insert into acc (id) values ('2'); insert into two values ('a', 'x', '{1}'), ('b', 'y', '{2}'); update two set v = '{3}';
      delete from two where k = 'b';
      create function seen(t anyelement) returns text language plpgsql as $$ begin perform public.spy('a cast'); return 'a'; end $$;
      create function mood_text(mood) returns text language plpgsql as $$ begin perform public.spy('mood as text'); return 'a'; end $$;
      create function text_mood(text) returns mood language plpgsql as $$ begin perform public.spy('text as mood'); return null; end $$;
      create function text_moods(text) returns mood[] language plpgsql as $$ begin perform public.spy('text as mood[]'); return null; end $$;
      create function pair_text(pair) returns text language plpgsql as $$ begin perform public.spy('pair as text'); return 'a'; end $$;
      create function text_pair(text) returns pair language plpgsql as $$ begin perform public.spy('text as pair'); return null; end $$;
      create function mood_json(mood) returns json language plpgsql as $$ begin perform public.spy('mood as json'); return '1'; end $$;
      create function same(mood, mood) returns boolean language plpgsql as $$ begin perform public.spy('='); return true; end $$;
      create function same_code(code, code) returns boolean language plpgsql as $$ begin perform public.spy('= of code'); return true; end $$;
      create cast (text as mood) with function text_mood(text) as implicit;
      create cast (text as mood[]) with function text_moods(text) as implicit;
      create cast (pair as text) with function pair_text(pair) as implicit;
      create cast (text as pair) with function text_pair(text) as implicit;
      create cast (mood as json) with function mood_json(mood);
      create operator = (leftarg = mood, rightarg = mood, function = same);
      create operator = (leftarg = code, rightarg = code, function = same_code);
      alter domain code add check (public.spy('code')); alter domain ints add check (public.spy('ints'));
      alter domain deep add check (public.spy('deep')); alter domain moods add check (public.spy('moods'));
      """, user="hostile")
    loot()
    refused = "functions that belong to type"
    for sql in ("select * from vestige.as_of_change(null::public.acc, 2)", "select * from vestige.as_of(null::public.two, now())"):
        done = subprocess.run(["psql", "-qXAt", "-c", sql], text=True, capture_output=True, check=False)
        if refused not in done.stderr or loot():
            problems.append(f"{sql}: {done.stderr[:300]}")
    first = psql("select min(id) from vestige.change")
    for table, key in (("acc", ["1"]), ("two", ["a", "x"])):
        for run in (["log"], ["log", table], ["log", table, *key], ["show", first], ["diff", table, *key, "--from", first],
                    ["blame", table, *key], ["at", table, "--change", first], ["at", table, "--time", "1h"],
                    ["at", table, *key, "--change", first], ["status"], ["doctor"], ["verify", "--live"]):
            use(*run)
        keys = ", ".join(f"'{word}'" for word in key)
        for sql in ("select * from vestige.changes", "select * from vestige.audit_log",
                    f"select * from vestige.history('{table}', {keys})", f"select * from vestige.blame('{table}', {keys})"):
            call(sql)
    rows = use("at", "acc", "--change", first, "--format", "json")
    if '"m":"a"' not in rows or '"n":[1, 2]' not in rows:
        problems.append(f"what stood in a table: {rows}")


def scenario(table, key):
    keys = os.path.join(tempfile.mkdtemp(), "k")
    with open(keys + ".vkey", "w", encoding="utf8") as file:
        file.write(vestige("keygen", "--origin", "example.org/x", "--out", keys).stdout)
    verbs(table, key, keys)
    # The trail's functions pin their path, each and all; those that cannot qualify what they name, and hand on the session's.
    loose = psql("select string_agg(proname, ' ' order by proname) from pg_proc where pronamespace = 'vestige'::regnamespace"
                 " and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false) and prolang <> (select oid from pg_language where lanname = 'c')")
    if loose != "begin_context revert":
        problems.append(f"functions without a search path: {loose}")
    functions(table, key)
    # A pooler or psql that installs by hand: the script pins the path itself.
    install = os.environ["INSTALL_SQL"]
    done = subprocess.run(["psql", "-qX1", "-v", "ON_ERROR_STOP=1", "-f", install], text=True, capture_output=True, check=False)
    if done.returncode != 0 or loot():
        problems.append(f"install.sql: {done.stderr[:300]}")


if __name__ == "__main__":
    {"planted": planted, "types": types}[sys.argv[1]]()
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
