"""A niche's form as a page for consumers shows it."""

from dataclasses import dataclass
from typing import Any

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class PublicFormRow:
    """What is asked, and how many providers can get a lead at most, over all levels that sell."""

    name: str
    form_schema: Any
    phone_region: str | None
    is_active: bool
    is_public: bool
    most_recipients: int


def public_form_row(conn: Connection, slug: str) -> PublicFormRow | None:
    """That of the niche with this slug; None when there is none."""
    return one_row(
        conn,
        PublicFormRow,
        """
        select n.name, n.form_schema, n.phone_region, n.is_active, n.intake_is_public as is_public,
               coalesce(sum(l.max_recipients) filter (where l.is_active and l.deleted_at is null), 0)::int
                   as most_recipients
        from niches n left join competition_levels l on l.niche_id = n.id
        where n.slug = %s
        group by n.id
        """,
        (slug,),
    )
