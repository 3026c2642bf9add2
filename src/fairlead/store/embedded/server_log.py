"""Why a server is down or refuses work, from what it wrote into its log: the line that matters, and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

_LEVELS = ("PANIC:  ", "FATAL:  ", "ERROR:  ", "LOG:  ")

# What a client is told that comes at the wrong time, our own polling too; that is no reason for anything.
_ANSWERS_TO_CLIENTS = "the database system is "

_REMEDIES = (
    ("No space left on device", "free space on the disk that holds {data}, then try again"),
    ("Disk quota exceeded", "the quota of the disk that holds {data} is used up: free space, then try again"),
    ("Read-only file system", "the file system that holds {data} takes no writes: look at the machine's disks"),
    ("Input/output error", "the disk that holds {data} fails: look at the machine's disks before anything else"),
    ("Cannot allocate memory", "the machine has no memory left for it: end other programs, then try again"),
    ("could not map anonymous shared memory", "the machine has no memory left for it: end other programs"),
    ("Too many open files", "the limit of open files is too low: raise it (ulimit -n), then try again"),
    ("Permission denied", "it must own {data} and all in it"),
    ("could not locate a valid checkpoint record", "{data} is damaged: restore a backup"),
    ("invalid data in file", "{data} is damaged: restore a backup"),
    ("incorrect checksum in control file", "{data} is damaged: restore a backup"),
)


LEAST_FREE_BYTES = 32 * 2**20
"""A server that starts writes a segment of its log of 16 MB; with less room than two of them it will not get far."""


def lines_since(log: Path, start: int) -> list[str]:
    """What was written from this byte on; nothing where there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(start)
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def failure_reason(lines: list[str], data: Path) -> str:
    """Why the server ended, in one line: the resource that it lacked and what to do, else its gravest message.

    >>> failure_reason(["1 FATAL:  the database system is not yet accepting connections",
    ...                 '2 FATAL:  could not write to file "a": No space left on device'], Path("/d"))
    'could not write to file "a": No space left on device; free space on the disk that holds /d, then try again'
    """
    if (trouble := resource_trouble(lines, data)) is not None:
        return trouble
    telling = [line for line in lines if _ANSWERS_TO_CLIENTS not in line]
    for level in _LEVELS[:2]:
        if found := [line for line in telling if level in line]:
            return _message(found[0])
    return _message(telling[-1]) if telling else "no message"


def resource_trouble(lines: list[str], data: Path) -> str | None:
    """The gravest line that tells of something the machine lacks, and what to do about it; None without one.

    Where the disk is full the log could not be written either, so the disk is asked too.
    """
    for level in (*_LEVELS, ""):  # some lines have none, such as that a file could not be opened
        for line in lines:
            if level in line and (remedy := _remedy(line)) is not None:
                return f"{_message(line)}; {remedy.format(data=data)}"
    try:
        free_bytes = shutil.disk_usage(data).free
    except OSError:
        return None
    if free_bytes >= LEAST_FREE_BYTES:
        return None
    words, remedy = _REMEDIES[0]
    return f"{words}: {free_bytes // 2**20} MB are free; {remedy.format(data=data)}"


def _remedy(line: str) -> str | None:
    return next((remedy for words, remedy in _REMEDIES if words in line), None)


def _message(line: str) -> str:
    for level in _LEVELS:
        _, found, message = line.partition(level)
        if found:
            return message.strip()
    return line.strip()
