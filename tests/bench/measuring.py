"""A measurement as `python -m bench` makes it, in the process of the test; what it starts are other processes."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from bench.__main__ import main


def measured(directory: Path, *words: str) -> tuple[dict[str, Any], str]:
    """The figures of a quick run of the measurement, and what it printed."""
    figures = directory / "figures.json"
    with redirect_stdout(StringIO()) as printed:
        code = main([*words, "--quick", "--json", str(figures)])
    assert code == 0, printed.getvalue()
    return json.loads(figures.read_text(encoding="utf-8")), printed.getvalue()
