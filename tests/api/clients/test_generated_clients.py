"""Clients that others generate from the document: they compile, and understand every example of it.

The generators come from their registries, each in an environment of its own. Where those cannot be reached the tests
are skipped, and say so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.document import written_document

PYTHON_GENERATOR = "openapi-python-client==0.29.0"
TYPESCRIPT_GENERATOR = "@hey-api/openapi-ts@0.95.0"
"""The last that runs on Node.js 20."""
TYPESCRIPT = "typescript@5.9.3"
NODE_NEEDED = (20, 19)
TOOLS = Path(sys.executable).parent
TSC = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
TSC += ["--target", "es2022", "--lib", "es2022,dom,dom.iterable"]

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def done(finished: subprocess.CompletedProcess[str]) -> str:
    """What a command wrote. Raises AssertionError when it failed."""
    assert finished.returncode == 0, (finished.stdout + finished.stderr)[-4000:]
    return finished.stdout + finished.stderr


def had(what: str, finished: subprocess.CompletedProcess[str]) -> None:
    """The generator is there; skips the test where it cannot be had."""
    if finished.returncode != 0:
        last = (finished.stderr.strip() or finished.stdout.strip() or "no reason given").splitlines()[-1]
        pytest.skip(f"{what} cannot be had here: {last[:200]}")


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """The document of the API, and as `openapi.json` in the test's folder."""
    made = written_document()
    (tmp_path / "openapi.json").write_text(json.dumps(made), encoding="utf-8")
    return made


def test_a_python_client_compiles_and_understands_every_example(document: dict[str, Any], tmp_path: Path) -> None:
    if not (TOOLS / "uv").exists():
        pytest.skip("uv is not here: the environment was made without it")
    with_generator = [TOOLS / "uv", "run", "--isolated", "--no-project", "--python", sys.executable]
    with_generator += ["--with", PYTHON_GENERATOR]
    had(PYTHON_GENERATOR, run(tmp_path, *with_generator, "openapi-python-client", "--version"))
    generate = ["generate", "--path", "openapi.json", "--output-path", "client", "--fail-on-warning"]
    done(run(tmp_path, *with_generator, "openapi-python-client", *generate))
    checked = [TOOLS / "pyright", "--level", "error", "fairlead_client"]
    find_python = "import subprocess, sys; sys.exit(subprocess.call([*sys.argv[1:], '--pythonpath', sys.executable]))"
    assert "0 errors" in done(run(tmp_path / "client", *with_generator, "python", "-c", find_python, *checked))
    parse = Path(__file__).with_name("parse_examples.py")
    told = done(run(tmp_path / "client", *with_generator, "python", parse, tmp_path / "openapi.json"))
    count = re.search(r"^(\d+) examples$", told, re.MULTILINE)
    assert count is not None
    assert int(count[1]) > 1_000


def typed_examples(document: dict[str, Any]) -> tuple[str, int]:
    """A program that gives every example of the document to the type that the client has for it, and how many."""
    lines: list[str] = []
    for operation in (each for path in document["paths"].values() for each in path.values()):
        name = "".join(word.capitalize() for word in operation["operationId"].split("_"))
        for content in operation.get("requestBody", {}).get("content", {}).values():
            lines.append(f"({json.dumps(content['example'])}) satisfies types.{name}Data['body'];")
        for status, response in operation["responses"].items():
            kind = "Responses" if int(status) < 400 else "Errors"
            for media, content in response.get("content", {}).items():
                if media.endswith("json"):
                    lines.append(f"({json.dumps(content['example'])}) satisfies types.{name}{kind}[{status}];")
    return "\n".join(["import type * as types from './client/types.gen';", *lines]), len(lines)


def node_version() -> tuple[int, ...]:
    if shutil.which("npm") is None or (node := shutil.which("node")) is None:
        return (0,)
    return tuple(map(int, re.findall(r"\d+", run(Path.cwd(), node, "--version").stdout)))


def test_a_typescript_client_compiles_and_its_types_take_every_example(
    document: dict[str, Any], tmp_path: Path
) -> None:
    if (version := node_version()) < NODE_NEEDED:
        pytest.skip(f"needs npm and Node.js {'.'.join(map(str, NODE_NEEDED))}: here is {'.'.join(map(str, version))}")
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", TYPESCRIPT_GENERATOR, TYPESCRIPT]
    had(TYPESCRIPT_GENERATOR, run(tmp_path, *install, npm_config_fetch_retries="1"))
    programs = tmp_path / "node_modules" / ".bin"
    done(run(tmp_path, programs / "openapi-ts", "-i", "openapi.json", "-o", "client"))
    program, count = typed_examples(document)
    assert count > 1_000
    (tmp_path / "examples.ts").write_text(program, encoding="utf-8")
    done(run(tmp_path, programs / "tsc", *TSC, "client/index.ts", "client/sdk.gen.ts", "examples.ts"))
    # And it is the types that are asked: what they do not know is refused.
    (tmp_path / "wrong.ts").write_text(
        "import type * as types from './client/types.gen';\n({ lead_id: 5 }) satisfies types.ShowLeadResponses[200];"
    )
    assert "wrong.ts(2," in run(tmp_path, programs / "tsc", *TSC, "wrong.ts").stdout
