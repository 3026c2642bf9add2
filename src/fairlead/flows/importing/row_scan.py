"""Where a row of delimited text ends that is too long to be kept, by the rules by which `csv` reads the others."""

import re
from typing import Literal


class RowScan:
    r"""One row, fed piece by piece: `state` is what it ends in, `longest_cell` the length of its longest cell.

    >>> scan = RowScan(",")
    >>> scan.feed('41,"two\n'); scan.feed('lines"",'); scan.state
    'quoted'
    >>> scan.feed('"\n'); (scan.state, scan.longest_cell)
    ('ended', 11)
    >>> scan = RowScan(","); scan.feed('"x" y'); scan.state
    'malformed'
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._end_of_cell = re.compile(rf"[\r\n{re.escape(delimiter)}]")
        self._length = 0
        self.longest_cell = 0
        self.state: Literal["cell begins", "plain", "quoted", "quote in quoted", "ended", "malformed"] = "cell begins"

    @property
    def goes_on(self) -> bool:
        """Whether the row may go on in the next piece."""
        return self.state not in ("ended", "malformed")

    def feed(self, piece: str) -> None:
        """The next part of the text has been looked at; nothing happens behind the end of the row."""
        position = 0
        while position < len(piece) and self.goes_on:
            if self.state == "quoted":
                position = self._to(piece, position, piece.find('"', position), "quote in quoted")
            elif self.state == "plain":
                found = self._end_of_cell.search(piece, position)
                if found is None:
                    position = self._to(piece, position, -1, "plain")
                else:
                    self._length += found.start() - position
                    position = self._end_cell(found[0], found.end())
            else:
                position = self._beside_a_quote(piece[position], position + 1)
        self.longest_cell = max(self.longest_cell, self._length)

    def finish(self) -> None:
        """The file is over: so is the row, unless a quoted cell is open."""
        if self.goes_on:
            self.state = "malformed" if self.state == "quoted" else "ended"

    def _to(self, piece: str, position: int, end: int, state: Literal["quote in quoted", "plain"]) -> int:
        """Everything up to `end` belongs to the cell, which goes on in `state`; -1 is the end of the piece."""
        if end < 0:
            self._length += len(piece) - position
            return len(piece)
        self._length += end - position
        self.state = state
        return end + 1

    def _beside_a_quote(self, character: str, behind: int) -> int:
        """A cell begins here, or it is to be seen what the quote before was: doubled, or the end of the cell."""
        if character == '"':
            self._length += self.state == "quote in quoted"
            self.state = "quoted"
            return behind
        if character == self._delimiter or character in "\r\n":
            return self._end_cell(character, behind)
        if self.state == "quote in quoted":
            self.state = "malformed"
            return behind
        self.state = "plain"
        return behind - 1

    def _end_cell(self, character: str, behind: int) -> int:
        self.longest_cell = max(self.longest_cell, self._length)
        self._length = 0
        self.state = "cell begins" if character == self._delimiter else "ended"
        return behind
