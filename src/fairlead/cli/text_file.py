"""Files of text that are given to a command: read whole, or refused in one line."""

from pathlib import Path

from fairlead.core.errors import BadInput
from fairlead.core.text_encoding import decoded

LARGEST_TEXT_FILE_BYTES = 64_000_000


def read_text_file(path: Path) -> str:
    """The file's text, UTF-8 or what its byte order mark says, with `\\n` alone at the ends of lines.

    Raises `BadInput` with one line that names the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput([f"cannot read {path}: {error.strerror or type(error).__name__}"]) from None
    if len(content) > LARGEST_TEXT_FILE_BYTES:
        raise BadInput([f"cannot read {path}: it has more than {LARGEST_TEXT_FILE_BYTES // 1_000_000} MB"])
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput([f"cannot read {path}: line {line} is not {_named(error.encoding)}"]) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _named(encoding: str) -> str:
    return f"{'-'.join(encoding.upper().split('-')[:2])} text"
