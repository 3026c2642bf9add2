"""Spans of time by which lists and files are chosen: the beginning is included, the end is not."""

from typing import Annotated, TypeAlias

from fastapi import Query

from fairlead.api.shapes.values import Timestamp

From: TypeAlias = Annotated[Timestamp | None, Query(description="Included.")]
Before: TypeAlias = Annotated[Timestamp | None, Query(description="Not included.")]
