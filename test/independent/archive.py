"""Archives, without Vestige: the part "Archive" of docs/format.md. Run by verify.py; needs the program zstd."""
import json
import os
import pathlib
import re
import stat
import subprocess

from verify import Tree, leaf_hash, need, parse_evidence, sha, sha_of, strict_json, tile, trail

FIELDS = ("actor", "on_behalf_of", "reason", "business_process", "request_id", "session_id", "ip_address", "user_agent", "auth_method",
          "auth_role", "traceparent")


def whole(path):
    """The bytes of a file: no link is followed, nothing waits for a pipe."""
    need(stat.S_ISREG(os.lstat(path).st_mode), f"{path}: it is no file")
    return path.read_bytes()


def unpacked(path):
    done = subprocess.run(["zstd", "-qdc", str(path)], capture_output=True, check=False)
    need(done.returncode == 0, f"{path}: {done.stderr.decode(errors='replace').strip()}")
    need(done.stdout.endswith(b"\n") or not done.stdout, f"{path}: its last line is not ended")
    return done.stdout.decode("utf-8", "surrogatepass").split("\n")[:-1]


def exact(line):
    """JSON in which a number is as it is written, and no member comes twice."""
    def members(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), "a member that comes twice")
        return dict(pairs)

    return json.loads(line, parse_int=lambda text: ("number", text), parse_float=lambda text: ("number", text), object_pairs_hook=members)


def shown(said, evidence, entry, where):
    """What readers see of a change against what it is bound to. SQLite's values to the byte; what PostgreSQL's types print as JSON
    needs the types: of those the names. Returns whether all of it was held against what was sealed."""
    parts = {part: exact(evidence[part]) for part in ("key", "values", "context") if part in evidence}
    if said.get("shown") is False:
        need(set(said) == {"index", "id", "at", "op", "table", "tx", "table_id", "shown"}, f"{where}: it is kept from readers, and says more")
        if parts and "values" not in parts and entry["op"] == "UPDATE" and entry["values"]:
            return False  # an erasure took them
        old, new = parts.get("values", {}).get("old"), parts.get("values", {}).get("new")
        need(not parts or entry["op"] == "UPDATE" and old is not None and all(new.get(name, ()) == value for name, value in old.items()),
             f"{where}: it is kept from readers, and something differs")
        return bool(parts)
    need(not set(said.get("erased", {})) & set(parts), f"{where}: it is there, and said to be erased")
    same = said["table"] == entry["table"] and "unreadable" not in said and "erased" not in said
    if "tx" in parts.get("context", {}) or "context" not in parts and entry["context"]:
        return False  # PostgreSQL, or nobody knows
    if "values" in parts and entry["op"] not in ("ERASE", "EXPIRE"):
        for side in ("old", "new"):
            there, sealed = said[side + "_values"], parts["values"].get(side)
            same = same and (there is None) == (sealed is None) and list(there or ()) == list(sealed or ())
            need((there is None) == (sealed is None) and list((there or {}).values()) == list((sealed or {}).values()),
                 f"{where}: its values are not what was sealed")
    if "key" in parts:
        need(list(said["key"].values()) == list(parts["key"].get("key", {}).values()) and said.get("row_id") == parts["key"].get("row_id"),
             f"{where}: its key is not what was sealed")
        same = same and list(said["key"]) == list(parts["key"].get("key", {}))
    sealed = parts.get("context", {})
    fields = {name: sealed[name] for name in FIELDS if name in sealed} | sealed.get("extra", {})
    if all(isinstance(text, str) for text in fields.values()) and "not_json" not in said["context"]:
        need(said["context"] == fields and said["db_user"] is None, f"{where}: its context is not what was sealed")
    return same


def listed(manifest, part):
    """The files that the manifest names: each of a name that a part has, once."""
    for file in manifest["files"]:
        if file["path"] != "checkpoint" and not re.fullmatch(r"(entries|changes)(\.[0-9]+)?\.ndjson\.zst", file["path"]):
            tile(file["path"])
    named = {file["path"]: file for file in manifest["files"]}
    need(len(named) == len(manifest["files"]), f"{part}: a file that is named twice")
    return named


def lines_file(named, stem, part):
    """Each was written anew where an erasure reached it: "entries.1.ndjson.zst"."""
    found = [name for name in named if re.fullmatch(rf"{stem}(\.[0-9]+)?\.ndjson\.zst", name)]
    need(len(found) == 1, f"{part}: {len(found)} files of {stem}")
    return part / found[0]


def computed(manifest, entries, part):
    """What the manifest says of its changes follows from the entries."""
    ids, times = [entry["id"] for entry in entries], [entry["at"] for entry in entries]
    need([manifest["first_id"], manifest["last_id"], manifest["first_at"], manifest["last_at"]]
         == [min(ids), max(ids), min(times), max(times)], f"{part}: the manifest has other ids or times than the entries")
    counts = {}
    for entry in entries:
        counts[entry["table_id"]] = counts.get(entry["table_id"], 0) + 1
    need({table["id"]: table["changes"] for table in manifest["tables"]} == counts, f"{part}: the manifest has other tables than the entries")


def archive(directory, keys, rules=None):
    """Each part's files against its manifest, its entries against its checkpoint, its changes against its entries, and the parts one
    to the next: what the peaks before a part say is the tree of the part before."""
    parts = sorted(path for path in pathlib.Path(directory).iterdir() if re.fullmatch(r"[0-9]{12,}-[0-9]{12,}", path.name))
    need(parts, f"{directory}: no part is there")
    end, manifests, recorded, resting = None, {}, {}, set()
    for part in parts:
        need(stat.S_ISDIR(os.lstat(part).st_mode), f"{part}: it is no directory")
        text = whole(part / "manifest.json")
        said = text[:-len(',"sha256":""}\n') - 64]
        need(text == said + f',"sha256":"{sha(said).hex()}"}}\n'.encode(), f"{part}/manifest.json: it does not end with the hash of what it says")
        manifest = json.loads(text)
        need(part.name == f"{manifest['from']:012}-{manifest['upto']:012}", f"{part}: the manifest is of another range")
        need(end is None or end[0] == manifest["from"], f"{part}: what stands before it is missing")
        manifests[part] = sha(text).hex()
        named = listed(manifest, part)
        there = {path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file()} - {"manifest.json"}
        need(there == named.keys(), f"{part}: other files than the manifest names: {sorted(there ^ named.keys())}")
        for path, file in named.items():
            bytes_there = whole(part / path)
            need((len(bytes_there), sha(bytes_there).hex()) == (file["bytes"], file["sha256"]), f"{part / path}: other bytes than the manifest names")
        lines = unpacked(lines_file(named, "entries", part))
        trail(lines, (part / "checkpoint").read_bytes(), keys, rules)
        start = strict_json(lines[0]) if lines[0].startswith('{"start":') else {"start": 0, "peaks": []}
        need(end is None or end[1] == [sha_of(peak) for peak in start["peaks"]], f"{part}: it does not go on where the part before ends")
        tree = Tree(start["start"], [sha_of(peak) for peak in start["peaks"]])
        changes = unpacked(lines_file(named, "changes", part))
        entries = [line for line in lines if not line.startswith('{"start":')]
        need(len(changes) == len(entries), f"{part}: {len(changes)} changes and {len(entries)} entries")
        all_entries = []
        for line, text in zip(entries, changes):
            index, entry = parse_evidence(line)
            tree.append(leaf_hash(entry.encode()))
            said, proved, evidence = exact(text), json.loads(entry), json.loads(line)
            all_entries.append(proved)
            names = ("id", "tx", "table_id")
            need([said["index"], said["op"]] + [said[name] for name in names]
                 == [("number", str(index)), proved["op"]] + [("number", str(proved[name])) for name in names]
                 and ("unreadable" in said or said["at"] == proved["at"]), f"{part}: entry {index} is another change")
            if not shown(said, evidence, proved, f"{part}: entry {index}"):
                resting.add(part)
            if proved["op"] == "INSERT" and proved["table"] in ("vestige_archived", "vestige.archived") and "values" in evidence:
                row = json.loads(evidence["values"])["new"]
                recorded.setdefault(f"{int(row['from_index']):012}-{int(row['upto_index']):012}", set()).add(row["manifest"])
        computed(manifest, all_entries, part)
        end = tree.size, [peak for _, peak in tree.full]
    known = {part for part in parts if manifests[part] in recorded.get(part.name, ())}
    for part in parts:
        need(part in known or part.name not in recorded, f"{part}: another manifest was recorded for this range")
    rest = len(resting - known)
    return (f"{len(parts)} parts, entries up to {end[0]}"
            + (f"; {rest} of them, which nobody has recorded, may show what was not sealed" if rest else ""))
