#!/usr/bin/python3
"""ocsf-1.8.0.json: a JSON Schema of the two classes of OCSF that `vestige export --format ocsf` writes, made from the released
schema (https://github.com/ocsf/ocsf-schema, version 1.8.0, Apache License 2.0).

    make.py CHECKOUT > ocsf-1.8.0.json      CHECKOUT: a folder with version.json, dictionary.json, events/, objects/

What no attribute of the release allows is refused: an object that is described here has no others. Attributes of profiles
that are not written are left out; of objects that are not written, only that they are objects.
"""
import json
import pathlib
import sys

CLASSES = ["application/datastore_activity", "iam/entity_management"]
OBJECTS = ["actor", "user", "session", "network_endpoint", "http_request", "metadata", "product", "database", "table",
           "managed_entity"]
NUMBERS = {"integer_t": "integer", "long_t": "integer", "float_t": "number", "boolean_t": "boolean"}
KINDS = {"at_least_one": "anyOf", "just_one": "oneOf"}


class Release:
    def __init__(self, top: pathlib.Path):
        self.top = top
        self.version = self.read("version.json")["version"]
        dictionary = self.read("dictionary.json")
        self.attributes = dictionary["attributes"]
        self.types = dictionary["types"]["attributes"]
        self.categories = self.read("categories.json")["attributes"]

    def read(self, path: str) -> dict:
        return json.loads((self.top / path).read_text(encoding="utf-8"))

    def find(self, folder: str, name: str) -> dict:
        places = list((self.top / folder).rglob(f"{name}.json"))
        return json.loads(places[0].read_text(encoding="utf-8"))

    def whole(self, folder: str, one: dict) -> dict:
        """With what it inherits; the attributes of profiles are left out."""
        base = self.whole(folder, self.find(folder, one["extends"])) if "extends" in one else {"attributes": {}}
        attributes = {name: dict(value) for name, value in base["attributes"].items()}
        for name, value in one["attributes"].items():
            if not name.startswith("$"):
                known = attributes.get(name, {})
                enum = {**known.get("enum", {}), **value.get("enum", {})}
                attributes[name] = {**known, **value, **({"enum": enum} if enum else {})}
        return {**base, **one, "attributes": attributes}

    def basic(self, name: str) -> dict:
        one = self.types[name]
        base = one.get("type", name)
        schema = {"type": NUMBERS[base]} if base in NUMBERS else {} if base == "json_t" else {"type": "string"}
        if "regex" in one:
            schema["pattern"] = one["regex"]
        if "max_len" in one:
            schema["maxLength"] = one["max_len"]
        if "range" in one:
            schema["minimum"], schema["maximum"] = one["range"]
        return schema

    def attribute(self, name: str, own: dict) -> dict:
        known = {**self.attributes[name], **own}
        kind = known["type"]
        if kind in self.types:
            schema = self.basic(kind)
        else:
            schema = {"$ref": f"#/$defs/{kind}"} if kind in OBJECTS else {"type": "object"}
        enum = {**self.attributes[name].get("enum", {}), **own.get("enum", {})}
        if enum:
            schema = {"enum": [int(value) if schema.get("type") == "integer" else value for value in enum]}
        return {"type": "array", "items": schema} if known.get("is_array") else schema

    def described(self, one: dict) -> dict:
        schema = {"type": "object", "additionalProperties": False,
                  "properties": {name: self.attribute(name, own) for name, own in sorted(one["attributes"].items())}}
        required = sorted(name for name, own in one["attributes"].items() if own.get("requirement") == "required")
        if required:
            schema["required"] = required
        for kind, names in one.get("constraints", {}).items():
            schema[KINDS[kind]] = [{"required": [name]} for name in names]
        return schema

    def event(self, path: str) -> dict:
        one = self.whole("events", self.read(f"events/{path}.json"))
        category = self.categories[one["category"]]["uid"]
        uid = category * 1000 + one["uid"]
        schema = self.described(one)
        activities = schema["properties"]["activity_id"]["enum"]
        schema["properties"]["category_uid"] = {"const": category}
        schema["properties"]["class_uid"] = {"const": uid}
        schema["properties"]["class_name"] = {"const": one["caption"]}
        schema["properties"]["type_uid"] = {"enum": [uid * 100 + int(one) for one in activities]}
        return schema


def main() -> int:
    release = Release(pathlib.Path(sys.argv[1]))
    defs = {name: release.described(release.whole("objects", release.find("objects", name))) for name in OBJECTS}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema",
              "$comment": f"made by make.py from OCSF {release.version}, https://github.com/ocsf/ocsf-schema, Apache License 2.0",
              "$defs": defs, "oneOf": [release.event(path) for path in CLASSES]}
    print(json.dumps(schema, sort_keys=True, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
