"""The kinds of exports: what each holds, which filters it knows, and what it takes to be given it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.core.permissions import CONTACT_DATA, Permission
from fairlead.flows.exporting.report_rows import REPORTS
from fairlead.store.exports.columns import Contact, ExportColumn
from fairlead.store.exports.sources import SOURCES

_AUDIT_COLUMNS = (
    ExportColumn("event_id"),
    ExportColumn("source"),
    ExportColumn("niche_id"),
    ExportColumn("seq", "integer"),
    ExportColumn("actor"),
    ExportColumn("actor_role"),
    ExportColumn("action"),
    ExportColumn("entity"),
    ExportColumn("entity_id"),
    ExportColumn("old", "json"),
    ExportColumn("new", "json"),
    ExportColumn("memo"),
    ExportColumn("created_at", "time"),
    ExportColumn("request_id"),
)


@dataclass(frozen=True, slots=True)
class ExportKind:
    """One kind of export. An actor with any of `permissions` may have it; one with `contact_permission` in full.

    `filters` are the names of those that it knows, beside the span of time.
    """

    name: str
    columns: tuple[ExportColumn, ...]
    filters: tuple[str, ...]
    permissions: frozenset[Permission]
    needs_niche: bool = False
    is_report: bool = False

    @property
    def contact(self) -> Contact | None:
        """Whose contact data its columns hold; None: no one's."""
        return next((column.contact for column in self.columns if column.contact is not None), None)

    @property
    def names_sources(self) -> bool:
        """Whether it says where consumers came from, in the words of the one who sent them."""
        return any(
            column.name == "utm_source" or (self.is_report and column.name == "source") for column in self.columns
        )

    @property
    def contact_permission(self) -> Permission | None:
        """What it takes to see that; None where there is none."""
        return None if self.contact is None else CONTACT_DATA[self.contact]


_PERMISSIONS: Mapping[str, frozenset[Permission]] = {
    "leads": frozenset({Permission.LEADS_READ, Permission.REPORTS_READ}),
    "assignments": frozenset({Permission.MONEY_READ}),
    "decisions": frozenset({Permission.AUDIT_READ}),
    "refusals": frozenset({Permission.AUDIT_READ}),
    "ledger": frozenset({Permission.MONEY_READ}),
    "receipts": frozenset({Permission.MONEY_READ}),
    "journal": frozenset({Permission.AUDIT_READ}),
}
_OF_SOURCES = [
    ExportKind(name, source.columns, tuple(each for each in source.filters if each), _PERMISSIONS[name])
    for name, source in SOURCES.items()
]
_AUDIT = ExportKind(
    "audit",
    _AUDIT_COLUMNS,
    ("niche", "actor", "action", "entity", "entity_id"),
    frozenset({Permission.AUDIT_READ}),
)
_OF_REPORTS = [
    ExportKind(
        name,
        report.columns,
        report.filters,
        frozenset({Permission.REPORTS_READ}),
        needs_niche=report.needs_niche,
        is_report=True,
    )
    for name, report in REPORTS.items()
]

KINDS: Mapping[str, ExportKind] = {each.name: each for each in (*_OF_SOURCES, _AUDIT, *_OF_REPORTS)}
"""By their names, in the order in which they are offered."""

KINDS_THAT_MAY_NAME: tuple[str, ...] = tuple(
    kind.name for kind in KINDS.values() if kind.contact == "consumer" or kind.names_sources
)
"""Those whose files may say something of a consumer: dropped when one is erased."""
