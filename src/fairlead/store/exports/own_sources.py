"""What a provider exports of its own: its transaction may read these columns and no others."""

from collections.abc import Mapping

from fairlead.store.exports.columns import ExportColumn
from fairlead.store.exports.sources import CURRENCY, SOURCES, Source

_OWN_LEADS = Source(
    columns=(
        ExportColumn("assignment_id", expression="a.id::text"),
        ExportColumn("lead_id", expression="a.lead_id::text"),
        ExportColumn("niche", expression="n.slug"),
        ExportColumn("level", expression="l.name"),
        ExportColumn("price_cents", "integer", expression="a.price_cents"),
        CURRENCY,
        ExportColumn("status", expression="a.status"),
        ExportColumn("assigned_at", "time", expression="a.assigned_at"),
        ExportColumn("refunded_at", "time", expression="a.refunded_at"),
        ExportColumn("contact_name", contact="consumer", expression="s.contact_name"),
        ExportColumn("contact_email", contact="consumer", expression="s.contact_email"),
        ExportColumn("contact_phone", contact="consumer", expression="s.contact_phone"),
        ExportColumn("attributes", "json", contact="consumer", expression="s.attributes"),
    ),
    tables=(
        "assignments a join niches n on n.id = a.niche_id join competition_levels l on l.id = a.competition_level_id "
        "join leads s on s.id = a.lead_id"
    ),
    moment="a.assigned_at",
    order="a.assigned_at, a.id",
    filters={"provider": "a.provider_id = %s"},
)

_LEDGER, _RECEIPTS = SOURCES["ledger"], SOURCES["receipts"]

_OWN_LEDGER = Source(
    columns=tuple(each for each in _LEDGER.columns if each.contact is None and each.name not in ("actor", "memo")),
    tables=_LEDGER.tables,
    moment=_LEDGER.moment,
    order="e.seq",
    filters={"provider": _LEDGER.filters["provider"]},
)

OWN_SOURCES: Mapping[str, Source] = {"leads": _OWN_LEADS, "ledger": _OWN_LEDGER, "receipts": _RECEIPTS}
"""By what they are of. Receipts hold the provider's own details and the marketplace's: all of it is on the papers."""
