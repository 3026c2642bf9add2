"""The marketplace as a file that `apply` takes back: the same words, and the same form, in the other direction.

What a niche, level, provider or subscription is in the words of the file is written down where a file is compared with
what is there (`niche_document` and its like): a key that applying knows is exported without a word here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import tomli_w
from pydantic import BaseModel

from fairlead.core.canonical import JsonObject
from fairlead.core.duplicates import DuplicateRuleError, parse_duplicate_rule
from fairlead.core.filters.spelling import as_asked, versions_named
from fairlead.core.model import Subscription
from fairlead.core.retention import RetentionPolicy
from fairlead.core.returns import RefundPolicy
from fairlead.core.subscription import PAUSED, readable_form
from fairlead.flows.declaring.plan_billing import details_document
from fairlead.flows.declaring.plan_intake import intake_table
from fairlead.flows.declaring.plan_marketplace import papers_table
from fairlead.flows.declaring.plan_niches import level_document, niche_document
from fairlead.flows.declaring.plan_providers import provider_document
from fairlead.flows.declaring.plan_reports import reports_table
from fairlead.flows.declaring.plan_subscriptions import subscription_document
from fairlead.flows.declaring.plan_top_ups import terms_document
from fairlead.flows.declaring.tables import (
    LevelTable,
    MarketplaceTable,
    NicheTable,
    ProviderTable,
    SubscriptionTable,
)
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.conflict_groups import conflict_groups
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.configuration.postcode_tables import newest_postcode_tables, postcode_table_content
from fairlead.store.configuration.rows import (
    LevelRow,
    NicheRow,
    ProviderRow,
    SubscriptionRow,
    level_rows,
    niche_ids_of,
    niche_rows,
    provider_ids,
    subscription_rows,
    unlocked_providers,
)
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.intake import IntakePolicy, intake_policies
from fairlead.store.leads.retention import policies as retention_policies
from fairlead.store.leads.rows import clock
from fairlead.store.money.auto_top_ups import auto_top_ups_of
from fairlead.store.money.bad_leads import WINDOW_DAYS, windows_of
from fairlead.store.money.billing_details import billing_details_of
from fairlead.store.money.report_rules import report_rules
from fairlead.store.money.returns import refund_policies

_BEGINNING = """\
# Niches with their forms and levels, providers with their subscriptions: what `fairlead apply` makes a marketplace of.
# Money is not in here (balances are moved by deposits), nor is what was never set.
"""


@dataclass(frozen=True, slots=True)
class MarketplaceFile:
    """The file's text, and the subscriptions that it leaves out, each with the reason.

    `beside` are the files that it names, by their paths from its own directory.
    """

    text: str
    left_out: tuple[str, ...]
    beside: Mapping[str, str] = field(default_factory=dict[str, str])


def export_marketplace(database: Database, actor: Actor, *, tables_in: str | None = None) -> MarketplaceFile:
    """The marketplace as one snapshot has it. Applied here it changes nothing; applied elsewhere it makes the same.

    A subscription whose filter no longer fits its niche's form is left out: applying would refuse its filter, and
    without one it would buy every lead. Of postcode tables it has the newest versions, and those that its filters go
    by: each in a file in the directory `tables_in` beside it, without one within. The export is in the audit log.
    Raises `Unavailable`.
    """
    with database.snapshot() as conn:
        document, left_out = _document(conn)
        tables, beside = _postcode_tables(conn, document["provider"], tables_in)
    counts = {name: len(cast("Sequence[object]", document[name])) for name in ("niche", "provider")}
    event = AuditEvent(actor, "data.exported", "export", "marketplace", new=counts)
    database.run(lambda conn: append_audit(conn, [event], clock(conn)))
    remarks = "".join(f"# Left out: {line}\n" for line in left_out)
    # Headings of their own, behind all else; the lines of a table are lines.
    said = "".join(f"\n[[postcode_table]]\n{tomli_w.dumps(each, multiline_strings=True)}" for each in tables)
    return MarketplaceFile(f"{_BEGINNING}{remarks}\n{tomli_w.dumps(document)}{said}", left_out, beside)


def _document(conn: Connection) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    niche_ids = niche_ids_of(conn, None)
    niches = niche_rows(conn, niche_ids)
    levels = sorted(level_rows(conn, niche_ids), key=lambda row: row.level.order_position)
    providers = unlocked_providers(conn, provider_ids(conn)).values()
    living = [row for row in subscription_rows(conn, [], niche_ids, []) if not row.is_deleted]
    slugs = {niche.niche_id: niche.slug for niche in niches}
    names = {row.level.level_id: (slugs[row.niche_id], row.level.name) for row in levels}
    groups = {row.group_id: row.name for row in conflict_groups(conn)}
    of_provider: dict[str, list[SubscriptionRow]] = {}
    left_out: list[str] = []
    for row in living:
        if row.subscription.filter_is_valid:
            of_provider.setdefault(row.subscription.provider_id, []).append(row)
        else:
            place = "/".join(names[row.subscription.level_id])
            left_out.append(f"{row.provider_email} {place}: its filter no longer fits the form")
    kept = {each.niche_id: each.policy for each in retention_policies(conn)}
    let_in = intake_policies(conn, niche_ids)
    refunds, windows = refund_policies(conn, niche_ids), windows_of(conn, niche_ids)
    billed = billing_details_of(conn, [row.provider_id for row in providers])
    top_ups = auto_top_ups_of(conn, [row.provider_id for row in providers])
    document = {
        "marketplace": _marketplace(conn),
        "niche": [
            _niche(
                niche,
                [row for row in levels if row.niche_id == niche.niche_id],
                kept.get(niche.niche_id),
                (refunds[niche.niche_id], windows[niche.niche_id]),
                _intake(niche, let_in[niche.niche_id], left_out),
            )
            for niche in niches
        ],
        "provider": [
            _provider(
                row,
                of_provider.get(row.provider_id, []),
                names,
                groups,
                {
                    "billing": details_document(billed.get(row.provider_id)),
                    "auto_top_up": terms_document(top_ups.get(row.provider_id)),
                },
            )
            for row in providers
        ],
    }
    return document, tuple(left_out)


def _postcode_tables(
    conn: Connection, providers: Sequence[Mapping[str, Any]], tables_in: str | None
) -> tuple[Sequence[Mapping[str, object]], Mapping[str, str]]:
    """The newest version of each table and those that the filters go by, the oldest first; and the files of them."""
    used = {(row.name, row.version) for row in newest_postcode_tables(conn)}
    for provider in providers:
        for subscription in provider["subscription"]:
            used |= {*versions_named(subscription.get("filter"))}
    found: list[Mapping[str, object]] = []
    beside: dict[str, str] = {}
    for name, version in sorted(used):
        content = f"postcode,latitude,longitude\n{postcode_table_content(conn, name, version)}\n"
        if tables_in is None:
            said = {"content": content}
        else:
            path = f"{tables_in}/{name}-{version}.csv"
            said, beside[path] = {"file": path}, content
        found.append({"name": name, "version": version, **said})
    return found, beside


def _marketplace(conn: Connection) -> Mapping[str, Any]:
    row = marketplace_row(conn)
    tables = {"papers": papers_table(row), "reports": reports_table(report_rules(conn))}
    return _table(MarketplaceTable, asdict(row) | tables)


def _intake(niche: NicheRow, policy: IntakePolicy, left_out: list[str]) -> JsonObject | None:
    """What the niche lets in, None where that is what a new one does. `left_out` gets a rule that would be refused."""
    if policy.duplicate_rule is not None:
        try:
            parse_duplicate_rule(policy.duplicate_rule, readable_form(niche.form_schema))
        except DuplicateRuleError:
            left_out.append(f"{niche.slug}: its duplicate rule no longer fits the form")
            policy = replace(policy, duplicate_rule=None)
    return None if policy == IntakePolicy() else intake_table(policy)


def _niche(
    niche: NicheRow,
    levels: Sequence[LevelRow],
    kept: RetentionPolicy | None,
    of_reports: tuple[RefundPolicy, int],
    let_in: JsonObject | None,
) -> Mapping[str, Any]:
    own = [_table(LevelTable, {"name": row.level.name, **level_document(row.level)}) for row in levels]
    retention = None if kept is None else asdict(kept)
    refunds, days = of_reports
    document = {
        "slug": niche.slug,
        **niche_document(niche),
        "intake": let_in,
        "retention": retention,
        "refunds": asdict(refunds) if refunds.gives_back else None,
        "report_window_days": None if days == WINDOW_DAYS else days,
    }
    return {**_table(NicheTable, document), "level": own}


def _provider(
    provider: ProviderRow,
    subscriptions: Sequence[SubscriptionRow],
    names: Mapping[str, tuple[str, str]],
    groups: Mapping[str, str],
    own: JsonObject,
) -> Mapping[str, Any]:
    group = groups.get(provider.conflict_group_id or "")
    document = {"email": provider.email, **provider_document(provider), "conflict_group": group, **own}
    table = _table(ProviderTable, document)
    return {**table, "subscription": [_subscription(row.subscription, names) for row in subscriptions]}


def _subscription(subscription: Subscription, names: Mapping[str, tuple[str, str]]) -> Mapping[str, Any]:
    niche, level = names[subscription.level_id]
    # What the lack of funds switched off is on as far as the file is concerned: money decides (R9).
    is_active = subscription.deactivation_reason != PAUSED
    document = {**subscription_document(subscription), "active": is_active}
    document["filter"] = as_asked(document["filter"])
    return _table(SubscriptionTable, {"niche": niche, "level": level, **document})


def _table(model: type[BaseModel], document: JsonObject) -> dict[str, Any]:
    """Of the document what the file has a key for, in the order of the keys; TOML has no word for nothing."""
    known = ((name, document.get(name)) for name in model.model_fields)
    return {name: _without_nothing(value) for name, value in known if value is not None}


def _without_nothing(value: object) -> object:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return {name: _without_nothing(each) for name, each in pairs if each is not None}
    if isinstance(value, list | tuple):
        return [_without_nothing(each) for each in cast("Sequence[object]", value)]
    return value
