"""Spans of time by which lists and files are chosen: the beginning is included, the end is not.

The parameters of a span are called after the time that they are about, `created_at` say: `created_from` and
`created_before`; those of calendar days `day_from` and `day_before`.
"""

from typing import Annotated, TypeAlias

from fastapi import Query

from fairlead.api.schemas.values import Timestamp

_FROM = Query(description="Only what has this time, or a later one.", examples=["2026-01-01T00:00:00Z"])
_BEFORE = Query(description="Only what has an earlier time.", examples=["2026-02-01T00:00:00Z"])

From: TypeAlias = Annotated[Timestamp | None, _FROM]
Before: TypeAlias = Annotated[Timestamp | None, _BEFORE]
NeededFrom: TypeAlias = Annotated[Timestamp, _FROM]
NeededBefore: TypeAlias = Annotated[Timestamp, _BEFORE]
