"""The form of a niche, for a page on which consumers fill it in."""

from dataclasses import dataclass

from fairlead.core.form import Field
from fairlead.core.subscription import readable_form
from fairlead.flows.intake.take_in import niche_inactive, niche_unknown
from fairlead.store.configuration.public_forms import public_form_row
from fairlead.store.connection import Database


@dataclass(frozen=True, slots=True)
class PublicForm:
    """What consumers are asked. `most_recipients` is how many providers can get their lead at most."""

    niche_slug: str
    niche_name: str
    fields: tuple[Field, ...]
    phone_region: str | None
    most_recipients: int


def read_public_form(database: Database, niche_slug: str) -> PublicForm:
    """The form of a niche that lets the public in.

    Raises `Refused`: `niche_unknown`, also for a niche that takes in nothing from the public, and `niche_inactive`.
    """
    row = database.read(lambda conn: public_form_row(conn, niche_slug))
    if row is None or not row.is_public:
        raise niche_unknown(niche_slug)
    if not row.is_active:
        raise niche_inactive(niche_slug)
    form = readable_form(row.form_schema)
    fields = () if form is None else form.fields
    return PublicForm(niche_slug, row.name, fields, row.phone_region, row.most_recipients)
