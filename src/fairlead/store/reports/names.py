"""What the ids of a report's rows are called."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from fairlead.store.connection import Connection
from fairlead.store.lookups import provider_names
from fairlead.store.reports.pieces import Cover
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class ReportedLevel:
    """A level, living or not, with its niche and its place."""

    level_id: str
    level_name: str
    niche: str
    order_position: int


def niche_slugs(conn: Connection) -> Mapping[UUID, str]:
    """The slugs of all niches by id."""
    return dict(conn.execute("select id, slug from niches").fetchall())


def reported_providers(conn: Connection, covered: Cover, provider_ids: Collection[str]) -> Mapping[str, str]:
    """The names of these providers by id, and maybe others."""
    names = covered.provider_names
    if unknown := [each for each in provider_ids if each not in names]:
        names.update(provider_names(conn, unknown))
    return names


def reported_levels(conn: Connection) -> Mapping[str, ReportedLevel]:
    """All levels by id."""
    found = all_rows(
        conn,
        ReportedLevel,
        """
        select l.id::text as level_id, l.name as level_name, n.slug as niche, l.order_position
        from competition_levels l join niches n on n.id = l.niche_id
        """,
    )
    return {each.level_id: each for each in found}
