"""Several hundred varied writes to proj.db, made from a seed: steps for the stock shell and for
`vestige exec`. Rows are picked from the database as it stands before each step."""
import random
import struct

WORDS = ["Lambert", "Gauß-Krüger", "O'Higgins", 'the "old" one', "北京54", "Pulkovo 🌍", "a;b -- c", "\\N", "NULL",
         "%s", "line one\nline two", "  ", "éà", "tab\there"]
NAMED = {  # tables with a name that may be anything of two characters and more
    "unit_of_measure": ["auth_name", "code"], "celestial_body": ["auth_name", "code"],
    "ellipsoid": ["auth_name", "code"], "extent": ["auth_name", "code"], "prime_meridian": ["auth_name", "code"],
    "geodetic_datum": ["auth_name", "code"], "vertical_datum": ["auth_name", "code"], "axis": ["auth_name", "code"],
    "geodetic_crs": ["auth_name", "code"], "vertical_crs": ["auth_name", "code"],
    "conversion_table": ["auth_name", "code"], "projected_crs": ["auth_name", "code"],
    "compound_crs": ["auth_name", "code"], "helmert_transformation_table": ["auth_name", "code"],
    "grid_transformation": ["auth_name", "code"], "other_transformation": ["auth_name", "code"],
    "concatenated_operation": ["auth_name", "code"],
}


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if value in (float("inf"), float("-inf")):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)


class Step:
    def __init__(self, how, sql, refused=0, rolled_back=False):
        self.how = how  # "shell", "exec"
        self.sql = sql
        self.refused = refused  # statements that are meant to fail
        self.rolled_back = rolled_back  # leaves nothing behind


class Writes:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = 0
        self.db = None

    def new(self, prefix="V"):
        self.number += 1
        return f"{prefix}{self.number}"

    def word(self):
        return self.random.choice(WORDS) + " " + self.random.choice(WORDS)

    def real(self):
        made = self.random.randrange(5)
        if made == 0:
            return struct.unpack(">d", struct.pack(">Q", self.random.getrandbits(62) | 1))[0]
        return [1e-320, 0.1 + 0.2, 123456789.0, 1 / 3, 2.5e300][self.random.randrange(5)]

    def code(self):
        """Of affinity INTEGER: numbers, text that looks like one, text, reals, blobs."""
        n = self.number = self.number + 1
        return self.random.choice([9_000_000 + n, str(9_000_000 + n), f"C{n}", n + 0.5, bytes([0, n % 256, 255]) + b"%d" % n,
                                   2**63 - n, -(2**63) + n])

    def pick(self, table, count, where="1"):
        keys = NAMED.get(table, ["auth_name", "code"])
        rows = self.db.execute(f"select {', '.join(keys)} from {table} where {where} order by 1, 2").fetchall()
        return self.random.sample(rows, min(count, len(rows)))

    def where(self, table, row):
        return " and ".join(f"{name} = {literal(value)}" for name, value in zip(NAMED[table], row))

    # Statements that leave foreign keys as whole as they are.

    def rename(self):
        table = self.random.choice(list(NAMED))
        rows = self.pick(table, self.random.randint(1, 4))
        change = self.random.choice(["name = upper(name)", f"name = name || {literal(self.word())}",
                                     "name = substr(name || name, 2)", "name = name || x'00' || 'after NUL'",
                                     "name = cast(name || x'ff' as text)", "name = name"])
        return [f"update {table} set {change} where {self.where(table, row)}" for row in rows]

    def many_rows(self):
        n = self.random.randint(90, 400)
        k = self.random.randrange(n)
        return [self.random.choice([
            f"update alias_name set alt_name = alt_name || {literal(self.word())} where rowid % {n} = {k}",
            f"update usage set (scope_auth_name, scope_code, extent_auth_name, extent_code) = ('EPSG', 1024, 'EPSG', 1262) where rowid % {n} = {k}",
            f"update alias_name set source = null where rowid % {n} = {k}",
            f"update extent set description = replace(description, 'a', 'å'), deprecated = 1 - deprecated where code % {n} = {k}",
            f"update supersession set same_source_target_crs = 1 - same_source_target_crs where rowid % {n // 4} = {k % 20}",
            f"update helmert_transformation_table set tx = tx * 1.1, ty = -ty, rx = null, accuracy = accuracy / 3 where code % {n} = {k}",
            f"update conversion_table set param1_value = param1_value + 1e-9, param2_value = {literal(self.real())} where code % {n} = {k}",
            f"update axis set (abbrev, orientation) = (orientation, abbrev) where code % 20 = {k % 20}",
            f"update other_transformation set (param1_value, accuracy) = (select avg(tx), max(accuracy) from helmert_transformation_table where tx < {k}) where code % 30 = {k % 30}",
            f"update projected_crs as p set description = g.name from geodetic_crs as g where g.auth_name = p.geodetic_crs_auth_name and g.code = p.geodetic_crs_code and p.code % {n} = {k}",
        ])]

    def insert(self):
        some = self.random.randint(1, 4)
        return self.random.choice([
            lambda: ["insert into unit_of_measure values " + ", ".join(
                f"('VST', {literal(self.code())}, {literal(self.word())}, 'length', {literal(self.real())}, null, 0)" for _ in range(some))],
            lambda: ["insert into scope values " + ", ".join(
                f"('VST', {literal(self.code())}, {literal(self.word())}, 0)" for _ in range(some))],
            lambda: [f"insert into extent values ('VST', {literal(self.code())}, {literal(self.word())}, '', -0.0, 9, {self.random.uniform(-180, 0)!r}, null, 0)"],
            lambda: ["insert into alias_name values " + ", ".join(
                f"('extent', 'EPSG', {code}, {literal(self.word())}, {literal(self.random.choice([None, b'', b'blob', 7, -0.0, 'VST']))})"
                for code in range(1024, 1024 + some * 3))],
            lambda: [f"insert into alias_name select 'extent', auth_name, code, name, 'VST' from extent order by code desc limit {some}"],
            lambda: [f"insert into celestial_body values ('VST', {literal(self.code())}, 'Vesta', 9e999) returning code"],
            lambda: [f"insert into ellipsoid values ('VST', {literal(self.code())}, {literal(self.word())}, null, 'PROJ', 'EARTH', 6378137, 'EPSG', 9001, 298.25, null, 0)"],
            lambda: [f"insert into grid_packages values ({literal(self.new('package '))}, null, {literal(self.word())}, 0, 1)"],
            lambda: ["insert into metadata (value, key) values (123, " + literal(self.new('VST.')) + ")"],
            lambda: [f"insert into geoid_model select name || {literal(self.new())}, operation_auth_name, operation_code from geoid_model where operation_code % 9 = {some}"],
            lambda: [f"insert into usage select 'VST', rowid * 100 + {self.number}, object_table_name, object_auth_name, object_code, 'EPSG', 1262, 'EPSG', 1024"
                     f" from usage where object_table_name = 'geodetic_crs' order by rowid limit {some} offset {self.number}"],
            lambda: self.through_views(),
        ])()

    def through_views(self):
        """INSTEAD OF triggers that write to several tables."""
        code, method = self.new(), self.new("M")
        nulls = ", ".join(["null"] * 36)
        columns = [row[1] for row in self.db.execute("pragma table_info(helmert_transformation)")]
        fixed = {"code": literal(code), "auth_name": "'VST'", "method_auth_name": "'VST'", "method_code": literal(method), "method_name": "'by hand'"}
        fixed["code"] = literal(self.new())
        taken = ", ".join(fixed.get(name, name) for name in columns)
        return [f"insert into conversion values ('VST', {literal(code)}, 'Conversion', null, 'PROJ', {literal(method)}, 'made up', 'VST', 'p', 'param', 1.5, 'EPSG', 9001, {nulls}, 0)",
                f"insert into helmert_transformation select {taken} from helmert_transformation order by auth_name, code limit 1 offset {self.number}"]

    def replace(self):
        """REPLACE and UPSERT in every form, some hitting another unique index than the key."""
        old = self.random.choice(self.pick("scope", 9))
        new = self.new()
        pairs = self.db.execute("select source_auth_name, target_auth_name from authority_to_authority_preference").fetchall()
        source, target = self.random.choice(pairs) if pairs else ("any", "any")
        members = self.db.execute("select rowid from geodetic_datum_ensemble_member order by rowid").fetchall()
        member = self.random.choice(members)[0] if members else 0
        step = self.random.choice(self.db.execute(
            "select operation_auth_name, operation_code, step_number from concatenated_operation_step").fetchall())
        of_step = " and ".join(f"{name} = {literal(value)}" for name, value in zip(("operation_auth_name", "operation_code"), step))
        recursive = self.random.choice(["pragma recursive_triggers = on", "pragma recursive_triggers = off"])
        return [recursive] + self.random.choice([
            [f"replace into metadata values ('VST.{self.number % 5}', {literal(self.word())})"],
            [f"insert or replace into scope values ({literal(old[0])}, {literal(old[1])}, {literal(self.word())}, 1), ('VST', {literal(new)}, 'new', 0)"],
            [f"replace into authority_to_authority_preference values ({literal(source)}, {literal(target)}, {literal(new)})"],
            [f"replace into versioned_auth_name_mapping values ({literal(new)}, 'IAU', '2015', {self.number})"],
            [f"update or replace geodetic_datum_ensemble_member set sequence = 2 where rowid = {member}"],
            [f"update or replace authority_to_authority_preference set source_auth_name = 'any' where target_auth_name = {literal(target)}"],
            [f"update or replace concatenated_operation_step set step_number = 1 where {of_step}"],
            [f"insert or ignore into scope values ({literal(old[0])}, {literal(old[1])}, 'never', 0), ('VST', {literal(new)}, 'ignored not', 0)"],
            [f"insert or ignore into versioned_auth_name_mapping values ({literal(new)}, 'IAU', {literal(new)}, {self.number})"],
            [f"insert into scope values ({literal(old[0])}, {literal(old[1])}, 'upserted', 0) on conflict (auth_name, code) do update set scope = excluded.scope || scope"],
            [f"insert into metadata values ('EPSG.DATE', 'x'), ({literal('VST.' + new)}, 'y') on conflict do update set value = value || '+'"],
            [f"insert into metadata values ('EPSG.DATE', 'x') on conflict (key) do nothing"],
            [f"update or ignore concatenated_operation_step set step_number = 1 where {of_step}"],
        ])

    def move(self):
        """Changed keys, of rows to which nothing refers; also two that swap, and one that comes back."""
        n = self.random.randint(2, 9)
        return self.random.choice([
            [f"update geoid_model set name = name || '*' where operation_code % 11 = {n}"],
            [f"update concatenated_operation_step set step_number = step_number + 1000 where operation_code % 40 = {n}"],
            [f"update usage set auth_name = 'U', code = rowid where rowid % 5000 = {n}"],
            [f"update usage set auth_name = null, code = null where auth_name = 'U' and code % 2 = 0"],
            ["update metadata set key = lower(key) where key like 'PROJ%'", "update metadata set key = upper(key) where key like 'proj%'"],
            [f"update compound_crs set code = 'moved ' || code where code % 60 = {n}"],
            [f"update compound_crs set code = code + 500000, auth_name = auth_name || {n} where typeof(code) = 'integer' and code % 70 = {n}"],
            ["begin", "update metadata set key = 'swap' where key = 'EPSG.DATE'", "update metadata set key = 'EPSG.DATE' where key = 'ESRI.DATE'",
             "update metadata set key = 'ESRI.DATE' where key = 'swap'", "commit"],
            [f"update grid_alternatives set original_grid_name = {literal(self.new('grid'))} where original_grid_name in (select original_grid_name from grid_alternatives order by 1 limit 1 offset {self.number % 300})"],
        ])

    def delete(self):
        n = self.random.randint(60, 300)
        k = self.random.randrange(n)
        return self.random.choice([
            [f"delete from alias_name where rowid % {n} = {k}"],
            [f"delete from usage where rowid % {n} = {k}"],
            [f"delete from alias_name where table_name = 'projected_crs' and code % 7 = {k % 7} and rowid % 10 = {k % 10}"],
            ["delete from deprecation where source = 'ESRI'"],
            [f"delete from supersession where rowid % 9 = {k % 9}"],
            [f"delete from compound_crs where code % 30 = {k % 30}"],
            ["delete from geoid_model"],
            [f"delete from alias_name where source = 'VST'"],
            [f"delete from metadata where key like 'VST%' or key like 'NKG%'"],
            [f"delete from grid_alternatives where length(original_grid_name) % 7 = {k % 7}"],
        ])

    def cascade(self):
        """With foreign keys on: a row of a table that others refer to, and everything below it."""
        table = self.random.choice(["celestial_body", "prime_meridian", "vertical_datum", "extent", "scope",
                                    "conversion_param", "conversion_method", "geodetic_datum", "ellipsoid"])
        rows = self.db.execute(f"select code from {table} where auth_name in ('EPSG', 'ESRI', 'IAU_2015') order by code").fetchall()
        rows = [row[0] for row in rows if row[0] not in (9001, 9102, 8901, 7030, 6326, 1024, 1262, 3)]
        if not rows:
            return self.delete()
        code = literal(self.random.choice(rows))
        return ["pragma foreign_keys = on", f"delete from {table} where code = {code} and auth_name != 'PROJ'"]

    REFUSED = [
        "insert into ellipsoid values ('VST', 'bad', 'no length', null, 'PROJ', 'EARTH', 1, 'EPSG', 9102, 298.25, null, 0)",
        "insert into prime_meridian values ('VST', 'bad', 'no angle', 0.0, 'EPSG', 9001, 0)",
        "insert into conversion_method values ('EPSG', 1, 'not a known method')",
        "insert into geodetic_crs select * from geodetic_crs limit 3",
        "insert into extent values ('VST', 'bad', 'nowhere', '', 91, 92, 0, 0, 0)",
        "update extent set south_lat = 90, north_lat = -90",
        "update scope set code = 1 where code > 1",
        "update unit_of_measure set name = null where code = 9001",
        "insert into usage values ('VST', 1, 'geodetic_crs', 'VST', 'no such crs', 'EPSG', 1262, 'EPSG', 1024)",
        "insert into alias_name values ('no such table', 'VST', 1, 'alias', null)",
    ]

    def statements(self):
        return self.random.choice([self.rename] * 3 + [self.many_rows] * 2 + [self.insert] * 4 + [self.replace] * 4
                                  + [self.move] * 2 + [self.delete] * 2)()

    def plain(self, count):
        out = []
        while len(out) < count:
            made = self.statements()
            if made[0] != "begin":
                out += made
        return out

    def step(self, db):
        """The next step: a run of the shell, or of vestige exec."""
        self.db = db
        refused = self.random.choice(self.REFUSED)
        context = ("insert into vestige_session (actor, reason, request_id, extra) values "
                   f"({literal(self.random.choice(['ann', 'bob', 'Zoë']))}, {literal(self.word())}, {literal(self.new('r'))}, '{{\"ticket\":7}}')")
        kind = self.random.choice(["auto"] * 6 + ["transaction"] * 3 + ["context"] * 4 + ["exec"] * 5 + ["savepoint"] * 3
                                  + ["rollback"] * 2 + ["refused"] * 2 + ["cascade"] * 2 + ["broken"])
        if kind == "auto":
            return Step("shell", [*self.statements(), *self.statements()])
        if kind == "transaction":
            return Step("shell", ["begin immediate", *self.plain(4), "commit"])
        if kind == "context":
            return Step("shell", ["begin", context, *self.plain(4), "delete from vestige_session", "commit"])
        if kind == "exec":
            return Step("exec", [line for line in self.plain(4) if not line.startswith("pragma")])
        if kind == "savepoint":
            return Step("shell", ["begin", *self.plain(1), "savepoint one", *self.plain(2), "savepoint two", *self.plain(1),
                                  "rollback to two", *self.plain(1), "release two", *self.plain(1),
                                  self.random.choice(["release one", "rollback to one"]), *self.plain(1), "commit"])
        if kind == "rollback":
            return Step("shell", ["begin", context, *self.plain(3), "rollback"], rolled_back=True)
        if kind == "refused":
            return Step("shell", ["begin", *self.plain(1), refused, *self.plain(1), "commit", refused], refused=2)
        if kind == "broken":
            return Step("exec", [*[line for line in self.plain(2) if not line.startswith("pragma")], refused], refused=1, rolled_back=True)
        return Step("shell", self.cascade())
