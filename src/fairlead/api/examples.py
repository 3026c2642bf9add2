"""An example for every request and answer of the document, made from those that the fields give.

What has no example of its own has those of its parts; what says nothing has the plainest value of its type.
"""

from collections.abc import Mapping
from typing import Any

_OF_FORMAT = {
    "uuid": "01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "uri": "https://leads.example.com",
}
_OF_TYPE: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}


def add_examples(document: dict[str, Any]) -> None:
    """Every JSON body of the document, asked or answered, has an example that fits its schema."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for body in (*bodies, *operation["responses"].values()):
                for content in body.get("content", {}).values():
                    if "schema" in content and not {"example", "examples"} & content.keys():
                        content["example"] = example_of(content["schema"], schemas)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """A value that fits the schema.

    >>> example_of({"type": "array", "items": {"anyOf": [{"$ref": "#/x/Name"}, {"type": "null"}]}},
    ...            {"Name": {"type": "string", "examples": ["Ada"]}})
    ['Ada']
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    for single in ("const", "default"):
        if schema.get(single) is not None:
            return schema[single]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return example_of(schema[several][0], schemas)
    if schema.get("type") == "object" or "properties" in schema:
        return {name: example_of(each, schemas) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)] if schema.get("items") else []
    if schema.get("format") in _OF_FORMAT:
        return _OF_FORMAT[schema["format"]]
    if schema.get("type") in ("integer", "number"):
        return schema.get("minimum", 1)
    return _OF_TYPE.get(schema.get("type", ""))
