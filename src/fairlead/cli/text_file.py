"""Files of text that are given to a command: read whole, or refused in one line."""

import os
from pathlib import Path

from fairlead.core.errors import BadInput
from fairlead.core.text_encoding import decoded

LARGEST_TEXT_FILE_BYTES = 64_000_000


def read_text_file(path: Path, *, named: str | None = None) -> str:
    """The file's text, UTF-8 or what its byte order mark says, with `\\n` alone at the ends of lines.

    Raises `BadInput` with one line that names the file, as `named` where that is said.
    """
    shown = path if named is None else named
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput([f"cannot read {shown}: {error.strerror or type(error).__name__}"]) from None
    if len(content) > LARGEST_TEXT_FILE_BYTES:
        raise BadInput([f"cannot read {shown}: it has more than {LARGEST_TEXT_FILE_BYTES // 1_000_000} MB"])
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput([f"cannot read {shown}: line {line} is not {_named(error.encoding)}"]) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_file_beside(file: Path, path: str) -> str:
    """The text of another file, at a path from the directory of the first, in which it lies at any depth.

    Raises `BadInput` with one line: for a path that leads out of the directory too, by `..`, a link or from the root.
    """
    directory = Path(os.path.realpath(file.parent))
    try:
        found = Path(os.path.realpath(directory / path))
    except ValueError:  # a NUL character
        raise BadInput([f"cannot read {path!r}: it is no path"]) from None
    if not found.is_relative_to(directory):
        raise BadInput([f"{path!r} leads out of the directory of {file.name}, where the files that it names must lie"])
    return read_text_file(found, named=path)


def _named(encoding: str) -> str:
    return f"{'-'.join(encoding.upper().split('-')[:2])} text"
