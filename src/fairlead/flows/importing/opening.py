"""Opening a lead file, whatever kind it is of."""

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fairlead.core.errors import BadInput
from fairlead.flows.importing.delimited import DelimitedFile
from fairlead.flows.importing.file_kind import kind_of
from fairlead.flows.importing.lead_file import LeadFile
from fairlead.flows.importing.workbook import open_workbook


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read. Of a workbook, `sheet` is read, the first that is shown where it is None.

    Without `encoding`, text is read as its byte order mark says, else as UTF-8; without `delimiter`, as its first line
    or its header shows; the rejected rows of a workbook are written with it.
    """

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None


def open_lead_file(path: Path, reading: Reading) -> LeadFile:
    """The file, its header read; the caller closes it.

    What cannot be read from its middle, as a pipe, is copied to a temporary file first. Raises `BadInput`, in one line,
    for what is no lead file.
    """
    try:
        file = _open(path)
    except OSError as error:
        raise BadInput([f"cannot read {path}: {error.strerror}"]) from None
    try:
        kind = kind_of(file)
        if kind == "workbook":
            return open_workbook(file, path, reading.sheet, reading.delimiter)
        if kind != "text":
            name, advice = kind
            raise BadInput([f"{path} is {name}: {advice}"])
        if reading.sheet is not None:
            raise BadInput([f"--sheet {reading.sheet}: {path} is text, and has no sheets"])
        return DelimitedFile(file, path, reading.delimiter, reading.encoding)
    except OSError as error:
        file.close()
        raise BadInput([f"cannot read {path}: {error.strerror}"]) from None
    except BaseException:
        file.close()
        raise


def _open(path: Path) -> BinaryIO:
    file = path.open("rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        copied = tempfile.TemporaryFile()  # noqa: SIM115 - the caller of the lead file closes it
        shutil.copyfileobj(file, copied)
    copied.seek(0)
    return copied
