"""Values bit by bit, tables as they stand, and the record folded forward: an independent reading of what
`vestige log --format json` means (docs/json.md), written without any of vestige's code.

A value is None or (storage class, bits): ("i", number), ("r", 8 bytes), ("t", bytes), ("b", bytes).
"""
import collections
import itertools
import struct

from session import check


def real(number):
    return ("r", struct.pack(">d", number))


def value_of_json(found):
    if found is None:
        return None
    if isinstance(found, bool):
        raise ValueError("a boolean is no SQLite value")
    if isinstance(found, int):
        return ("i", found)
    if isinstance(found, float):
        return real(found)
    if isinstance(found, str):
        return ("t", found.encode())
    [(kind, text)] = found.items()
    if kind == "$real":
        return real(float(text))
    if kind == "$text":
        data = bytes.fromhex(text)
        try:
            data.decode()
        except UnicodeDecodeError:
            return ("t", data)
        raise ValueError(f"{text} is UTF-8 and should be a string")
    if kind == "$blob":
        check(text == text.lower(), f"a blob in upper case: {text}")
        return ("b", bytes.fromhex(text))
    raise ValueError(f"{found} is no value")


def row_of_json(row):
    return {name: value_of_json(value) for name, value in row.items()}


def value_of_sqlite(found):
    if found is None or isinstance(found, tuple):
        return found
    if isinstance(found, int):
        return ("i", found)
    if isinstance(found, float):
        return real(found)
    return ("b", bytes(found))


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def columns_of(db, table):
    """Names of the columns that have stored or computed values, and of those of the primary key."""
    rows = db.execute("select name, pk from pragma_table_xinfo(?) where hidden != 1", (table,)).fetchall()
    key = [name for name, place in sorted(rows, key=lambda row: row[1]) if place > 0]
    return [name for name, _ in rows], key


def read_rows(db, table, order=""):
    """Every row of a table as {column: value}; TEXT keeps its bytes."""
    columns, _ = columns_of(db, table)
    previous, db.text_factory = db.text_factory, lambda data: ("t", data)
    try:
        sql = f"select {', '.join(map(quoted, columns))} from {quoted(table)} {order}"
        return [dict(zip(columns, map(value_of_sqlite, row))) for row in db.execute(sql)]
    finally:
        db.text_factory = previous


def frozen(row):
    return tuple(sorted(row.items(), key=lambda item: item[0]))


class Bag:
    """A table's rows by identity: the key, or the rowid where several rows may have one key."""

    def __init__(self, key, by_row_id=False):
        self.key = key
        self.by_row_id = by_row_id
        self.rows = {}

    def place(self, row, row_id):
        if not self.by_row_id:
            return tuple(row[name] for name in self.key)
        check(row_id is not None, f"a change of a row that only a rowid can tell from others has none: {row}")
        return row_id

    def add(self, row, row_id=None):
        place = self.place(row, row_id)
        check(place not in self.rows, f"two rows have the key {place}:\n  {self.rows.get(place)}\n  {row}")
        self.rows[place] = dict(row)

    def take(self, change, key, values, row_id):
        """Removes the row with this identity; it must have these values."""
        row = self.rows.pop(self.place(key, row_id), None)
        what = f"change {change['id']} of {change['table']} {key}"
        check(row is not None, f"{what}: there is no such row")
        wrong = {name: (row.get(name), value) for name, value in values.items() if row.get(name) != value}
        check(not wrong, f"{what}: the row and what the record says it was: {wrong}")
        return row

    def apply(self, change, row_id=None):
        key = row_of_json(change["key"])
        check(list(key) == self.key, f"change {change['id']}: key {list(key)}, expected {self.key}")
        old = row_of_json(change["old_values"] or {})
        new = row_of_json(change["new_values"] or {})
        op = change["op"]
        if op == "INSERT":
            check(change["old_values"] is None, f"change {change['id']}: INSERT with old values")
            check(all(new[name] == key[name] for name in key), f"change {change['id']}: another key than values")
            self.add(new, row_id)
        elif op == "DELETE":
            check(change["new_values"] is None, f"change {change['id']}: DELETE with new values")
            row = self.take(change, key, old, row_id)
            check(set(row) == set(old), f"change {change['id']}: DELETE of {row} says {old}")
        elif op == "UPDATE":
            check(set(old) == set(new) == set(change["changed_fields"]),
                  f"change {change['id']}: changed_fields {change['changed_fields']}, values {old} {new}")
            check(all(old[name] != new[name] for name in old), f"change {change['id']}: nothing changed")
            row = self.take(change, key, {**key, **old}, row_id)
            row.update(new)
            moved = row_of_json(change.get("new_key") or change["key"])
            check(("new_key" in change) == (moved != key), f"change {change['id']}: new_key {moved}")
            check(all(row[name] == moved[name] for name in moved), f"change {change['id']}: new_key is not the new key")
            self.add(row, row_id)
        else:
            check(op == "BASELINE", f"change {change['id']}: op {op}")

    def differs(self, other):
        """The first rows that only one of two tables has; nothing when they are the same."""
        if self.rows == other.rows:
            return None
        return other.others(collections.Counter(map(frozen, self.rows.values()))) or "other rowids"

    def others(self, found):
        """The first rows of `found`, a bag of frozen rows, that are not here, and the other way round."""
        mine = collections.Counter(map(frozen, self.rows.values()))
        if mine == found:
            return None
        return "\n".join([f"not so: {dict(row)}" for row in list(found - mine)[:3]]
                         + [f"missing: {dict(row)}" for row in list(mine - found)[:3]])


def only_row_ids(db, table):
    """Whether rows of the table may share a key, so that only the rowid tells them apart."""
    without, = db.execute("select wr from pragma_table_list where name = ? and schema = 'main'", (table,)).fetchone()
    columns = db.execute("select type, \"notnull\" from pragma_table_info(?) where pk", (table,)).fetchall()
    alias = len(columns) == 1 and columns[0][0].lower() == "integer"
    return not without and not alias and not all(notnull for _, notnull in columns) or not columns


def table_at(db, table):
    bag = Bag(columns_of(db, table)[1], only_row_ids(db, table))
    identities = itertools.repeat(None)
    if bag.by_row_id:
        identities = [row_id for row_id, in db.execute(f"select rowid from {quoted(table)} order by rowid")]
    for row, row_id in zip(read_rows(db, table, "order by rowid" if bag.by_row_id else ""), identities):
        bag.add(row, row_id)
    return bag


def recorded_row_ids(db):
    """The rowids of the changes, as the trail keeps them."""
    return dict(db.execute("select id, row_id from vestige_change"))


NAMES = {"id", "at", "op", "table", "key", "old_values", "new_values", "tx", "context", "db_user"}


def check_shape(change):
    """The names of docs/json.md, all of them, and their types."""
    names = set(change) - {"new_key", "changed_fields", "row_id"}
    check(NAMES <= names, f"change without {NAMES - names}: {change}")
    check(names <= NAMES, f"change with {names - NAMES}: {change}")
    good = (isinstance(change["id"], int) and isinstance(change["tx"], int)
            and change["op"] in ("INSERT", "UPDATE", "DELETE", "BASELINE")
            and isinstance(change["key"], dict) and isinstance(change["context"], dict)
            and change["db_user"] is None and len(change["at"]) == 27 and change["at"].endswith("Z")
            and ("changed_fields" in change) == (change["op"] == "UPDATE"))
    check(good, f"change that is not as docs/json.md says: {change}")
