"""Postcode tables: which were loaded, which filters use them, and a form that loads the next version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import LARGE_BODY_BYTES
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.filters.postcode_tables import MOST_REFUSED_LINES
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.store.access.users import actor_names
from fairlead.store.configuration.postcode_table_uses import (
    LoadedPostcodeTable,
    PostcodeTableUse,
    loaded_postcode_tables,
    postcode_table_uses,
)
from fairlead.store.connection import Connection

MOST_USES = 20
"""So many subscriptions are named beside a version; the others are counted."""
BYTES_BESIDE_CONTENT = 4_096
"""Of a body that loads a table: what its other members take at the most."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PostcodeTableLine:
    """A version in the list; `named` are the first of the subscriptions that use it, for those who may see them.

    `older_use_count`, of the newest version: so many subscriptions go by older ones.
    """

    table: LoadedPostcodeTable
    use_count: int
    named: Sequence[PostcodeTableUse]
    older_use_count: int


@router.get("/postcode-tables")
def show_postcode_tables(
    reader: Annotated[Principal, needs(Permission.NICHES_READ, REPORTS_OF_CALLER)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
) -> Response:
    """Every version of every table, by name, the newest first."""

    def work(conn: Connection) -> tuple[Sequence[LoadedPostcodeTable], Sequence[PostcodeTableUse], Mapping[str, str]]:
        tables = loaded_postcode_tables(conn)
        return tables, postcode_table_uses(conn, MOST_USES), actor_names(conn, [each.loaded_by for each in tables])

    tables, uses, actors = database.read(work)
    by_version: dict[tuple[str, int], list[PostcodeTableUse]] = {}
    for each in uses:
        by_version.setdefault((each.name, each.version), []).append(each)
    return page.render(
        "operator/postcode-tables.html",
        reader,
        lines=_lines(tables, by_version, may_name=Permission.PROVIDERS_READ in reader.permissions),
        actors=actors,
        names=list(dict.fromkeys(each.name for each in tables)),
        can_write=Permission.NICHES_WRITE in reader.permissions,
        may_renew=Permission.PROVIDERS_WRITE in reader.permissions,
        most_bytes=LARGE_BODY_BYTES - BYTES_BESIDE_CONTENT,
        most_refused_lines=MOST_REFUSED_LINES,
    )


def _lines(
    tables: Sequence[LoadedPostcodeTable],
    by_version: Mapping[tuple[str, int], Sequence[PostcodeTableUse]],
    *,
    may_name: bool,
) -> Sequence[PostcodeTableLine]:
    counts = {key: uses[0].use_count for key, uses in by_version.items()}
    return [
        PostcodeTableLine(
            each,
            counts.get((each.name, each.version), 0),
            by_version.get((each.name, each.version), ()) if may_name else (),
            sum(count for (name, version), count in counts.items() if name == each.name and version < each.version)
            if each.is_newest
            else 0,
        )
        for each in tables
    ]
