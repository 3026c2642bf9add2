"""`fairlead openapi`: what the HTTP API takes and answers, as a document for programs or a page for people."""

import json
from pathlib import Path
from typing import Annotated

import typer


def openapi(
    problems: Annotated[bool, typer.Option("--problems", help="The page of problem codes instead.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
) -> None:
    """Print the OpenAPI 3.1 document of the HTTP API. Needs no database.

    A running server gives the same at /api/v1/openapi.json.

    Examples:

        fairlead openapi --output openapi.json

        fairlead openapi --problems
    """
    text = _page_of_problems() if problems else _document()
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {output}: {error.strerror}") from error


def _document() -> str:
    from fairlead.api.application import web_application
    from fairlead.api.openapi import document_of
    from fairlead.settings import Settings
    from fairlead.store.connection import Database

    # Nothing is asked of this database: a document is made of what the routes say of themselves.
    nowhere = Database("postgresql://localhost/none", "fairlead")
    return json.dumps(document_of(web_application(nowhere, Settings())), indent=1, ensure_ascii=False) + "\n"


def _page_of_problems() -> str:
    from fairlead.api.problem_codes import PROBLEMS

    lines = [f"| `{code}` | {kind.status} | {kind.title} |" for code, kind in sorted(PROBLEMS.items())]
    return "\n".join([_BEFORE_THE_TABLE, *lines, ""])


_BEFORE_THE_TABLE = """\
# Problems

Whatever goes wrong, the answer is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):

```json
{
  "type": "/api/v1/problems/lead_unknown",
  "title": "There is no such lead",
  "status": 404,
  "detail": "there is no lead 01900000-0000-7000-8000-000000000000",
  "code": "lead_unknown",
  "request_id": "01900000-0000-7000-8000-000000000001",
  "errors": []
}
```

- Programs look at `code`. A code is never renamed, and never changes its status. `detail` is for people and may change.
- `errors` says what is wrong with the input, one entry for each mistake: `location` (`body`, `query`, `path` or
  `header`), `pointer` (a JSON Pointer into it), `code` and `detail`. What was sent is never repeated.
- `request_id` is also in the header `X-Request-ID`, in the server's log, and in the audit log of what was done.
- 429 and 503 come with `Retry-After`, in seconds. After 412 read the thing again, look, and decide again.

This page is written by `python3 dev.py reference`; a server lists the same at `/api/v1/problems`.

| code | status | what it means |
|---|---|---|"""
