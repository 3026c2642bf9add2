"""What papers are to say of a provider: reading it, and changing it, by operators or by the provider itself."""

from dataclasses import asdict, dataclass

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_memo, canonical_values
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import provider_row
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.billing_details import BillingDetails, billing_details, write_billing_details

NAMES = ("legal_name", "address", "country", "tax_id", "email")


@dataclass(frozen=True, slots=True)
class WantedDetails:
    """What papers are to say; the last two may be left out."""

    legal_name: str
    address: str
    country: str
    tax_id: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class SeenDetails:
    """A provider's billing details, None until they are given, and their opaque version."""

    row: BillingDetails | None
    version: str


def read_billing_details(database: Database, provider_id: str) -> SeenDetails:
    """The provider's. Raises `BadInput`, and `Refused`: `provider_unknown`."""
    checked = checked_id(provider_id, "provider")

    def view(conn: Connection) -> SeenDetails:
        if provider_row(conn, checked) is None:
            raise Refused("provider_unknown", f"there is no provider {checked}")
        return _seen(checked, billing_details(conn, checked))

    return database.read(view)


def change_billing_details(
    database: Database,
    provider_id: str,
    wanted: WantedDetails,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SeenDetails:
    """Papers that are issued from now on say this of the provider; those that were issued stay as they are.

    The audit log says which of the details changed, and not to what: they may be personal. Locks the provider. Raises
    `BadInput`, and `Refused`: `provider_unknown`, `version_conflict`.
    """
    checked, memo = checked_id(provider_id, "provider"), canonical_memo(memo)
    said = canonical_values({name: value for name, value in asdict(wanted).items() if value is not None})

    def work(conn: Connection) -> SeenDetails:
        locked_provider(conn, checked)
        before, after = billing_details(conn, checked), BillingDetails(checked, **said)
        if before == after:
            return _seen(checked, before)
        require_version(expected_version, _seen(checked, before).version, "the billing details")
        write_billing_details(conn, [after])
        append_audit(conn, [details_event(before, after, actor, memo)], clock(conn))
        return _seen(checked, after)

    return database.run(work)


def details_event(before: BillingDetails | None, after: BillingDetails, actor: Actor, memo: str | None) -> AuditEvent:
    """The provider's billing details are others now, in these members."""
    changed = [name for name in NAMES if before is None or getattr(before, name) != getattr(after, name)]
    return AuditEvent(actor, "billing_details.changed", "provider", after.provider_id, None, {"changed": changed}, memo)


def _seen(provider_id: str, row: BillingDetails | None) -> SeenDetails:
    state: JsonObject = {} if row is None else asdict(row)
    return SeenDetails(row, setting_version("billing_details", provider_id, state))
