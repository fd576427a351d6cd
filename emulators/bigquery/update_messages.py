"""Write what the emulator knows of the API's form into tarn_bigquery/rest: messages.json, methods.json.

The one is the type of every member of every request body that the emulator takes, the other every method's path and
parameters. Both are those of BigQuery's discovery document, which ships inside google-api-python-client:
`python emulators/bigquery/update_messages.py` after an update of that library.
"""

import json
from pathlib import Path
from typing import Any

ROOTS = (
    "Dataset", "Table", "Job", "QueryRequest", "Routine", "TableDataInsertAllRequest", "GetIamPolicyRequest",
    "TestIamPermissionsRequest",
)  # fmt: skip
TARGET = Path(__file__).parent / "tarn_bigquery" / "rest"

Messages = dict[str, Any]


def reduced(document: Messages) -> Messages:
    """Message name to member name to type: `[x]` is a list, `{x}` a map, `<A|B>` a word, `any` is anything."""
    schemas, found, waiting = document["schemas"], {}, list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in found or name not in schemas:
            continue
        if "properties" not in schemas[name]:
            found[name] = _kind(schemas[name])
            waiting.append(found[name].strip("[]{}"))
            continue
        members = [(m, shape) for m, shape in schemas[name]["properties"].items() if not shape.get("readOnly")]
        nameless = {f"{name}.{m}": shape["items"] for m, shape in members if "properties" in shape.get("items", {})}
        schemas |= nameless
        found[name] = {m: f"[{name}.{m}]" if f"{name}.{m}" in nameless else _kind(shape) for m, shape in members}
        waiting += [kind.strip("[]{}") for kind in found[name].values()]
    return dict(sorted(found.items()))


def _kind(shape: Messages) -> str:
    if "$ref" in shape:
        return str(shape["$ref"])
    if shape.get("type") == "array":
        return f"[{_kind(shape['items'])}]"
    if shape.get("type") == "object":
        return f"{{{_kind(shape['additionalProperties'])}}}" if "additionalProperties" in shape else "any"
    if "enum" in shape:
        return f"<{'|'.join(shape['enum'])}>"
    return "int64" if shape.get("format") in {"int64", "uint64"} else str(shape["type"])


_OF_METHODS = ("httpMethod", "path", "flatPath", "parameterOrder", "mediaUpload")
_OF_PARAMETERS = ("type", "format", "location", "required", "repeated", "enum", "pattern")


def methods(document: Messages) -> Messages:
    """Method id to what a client has to know to call it. A message that `reduced` leaves out is any object."""
    known = reduced(document)
    found = {}
    for resource in document["resources"].values():
        for method in resource["methods"].values():
            found[method["id"]] = {name: method[name] for name in _OF_METHODS if name in method} | {
                "parameters": {
                    name: {member: shape[member] for member in _OF_PARAMETERS if member in shape}
                    for name, shape in method["parameters"].items()
                }
            }
            if "response" in method:
                found[method["id"]]["response"] = {"type": "any"}
            if "request" in method:
                message = method["request"]["$ref"]
                found[method["id"]]["request"] = message if message in known else "JsonObject"
    return found


def written(messages: Messages) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(shape)}" for name, shape in messages.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def document() -> Messages:
    from googleapiclient import discovery_cache

    folder = Path(discovery_cache.__file__).parent / "documents"
    return json.loads((folder / "bigquery.v2.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


if __name__ == "__main__":
    TARGET.joinpath("messages.json").write_text(written(reduced(document())), encoding="utf-8")
    TARGET.joinpath("methods.json").write_text(written(methods(document())), encoding="utf-8")
