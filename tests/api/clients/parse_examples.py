"""Plays every example of a document through the client that openapi-python-client made: `parse_examples.py DOCUMENT`.

Runs in an environment of the generator's, from the folder in which the client's package is. Prints each example that
the client does not understand, or that it gives back as something else, and how many it looked at.
"""

import importlib
import inspect
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

PACKAGE = "fairlead_client"
JSON = ("application/json", "application/problem+json")
sys.path.insert(0, str(Path.cwd()))


def plain(value: Any) -> Any:
    """The value with its times written in one way."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).isoformat() if "T" in value else value
        except ValueError:
            return value
    return value


def complaint(example: Any, parsed: Any) -> str | None:
    """What the client lost or changed of the example; None if it is all there."""
    if parsed is None:
        return f"not understood: {example!r:.200}"
    if not hasattr(parsed, "to_dict"):
        return f"no model, but {type(parsed).__name__}"
    given = plain(json.loads(json.dumps(parsed.to_dict())))
    return None if given == plain(example) else f"{plain(example)!r:.600} came back as {given!r:.600}"


def body_model(module: Any) -> Any:
    """The model of the operation's body, which may stand beside the type for what is not set."""
    annotation = inspect.signature(module.sync_detailed).parameters["body"].annotation
    models = [each for each in getattr(annotation, "__args__", (annotation,)) if hasattr(each, "from_dict")]
    assert len(models) == 1, f"{module.__name__}: {annotation}"
    return models[0]


def main(document: dict[str, Any]) -> int:
    """The number of examples that came back changed."""
    httpx, client = importlib.import_module("httpx"), importlib.import_module(f"{PACKAGE}.client")
    asking = client.Client(base_url="http://leads.example.com")
    looked_at, wrong = 0, 0
    for path in document["paths"].values():
        for operation in path.values():
            tag, name = re.sub("[^a-z]+", "_", operation["tags"][0]), operation["operationId"]
            module = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")
            found: list[tuple[str, Any, Any]] = []
            for content in operation.get("requestBody", {}).get("content", {}).values():
                found.append(("body", content["example"], body_model(module).from_dict(content["example"])))
            for status, response in operation["responses"].items():
                for media, content in response.get("content", {}).items():
                    if media in JSON:
                        answer = httpx.Response(int(status), json=content["example"])
                        parsed = module._parse_response(client=asking, response=answer)
                        found.append((status, content["example"], parsed))
            for place, example, parsed in found:
                looked_at += 1
                if (words := complaint(example, parsed)) is not None:
                    wrong += 1
                    print(f"{name} {place}: {words}")
    print(f"{looked_at} examples")
    return wrong


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))) > 0)
