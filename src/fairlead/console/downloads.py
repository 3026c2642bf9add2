"""Tables as files: CSV that is safe to open in a spreadsheet, as exports have it."""

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Response

from fairlead.flows.exporting.export_text import text_of


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """The rows as a file of that name."""
    text = "".join(text_of(rows, columns, "csv", exact=False))
    return Response(
        text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
