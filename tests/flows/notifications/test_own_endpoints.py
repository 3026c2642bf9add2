"""A provider sees to its own webhook endpoint: it knows of no other's, and changes what it has seen."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.notifications.endpoint_reading import deliveries_to, endpoints_of, read_webhook_endpoint
from fairlead.flows.notifications.endpoint_secrets import retire_previous_secret, rotate_webhook_secret
from fairlead.flows.notifications.endpoint_trial import try_webhook_endpoint
from fairlead.flows.notifications.endpoints import (
    EndpointAddress,
    change_webhook_endpoint,
    create_webhook_endpoint,
    pause_webhook_endpoint,
    remove_webhook_endpoint,
    resume_webhook_endpoint,
)
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from tests.flows.configuration.market import UNKNOWN, changes_nothing, refusal
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.stage import (
    ANCHOR,
    BOWLINE,
    assert_nothing_personal,
    box,
    open_marketplace,
    query,
    sell_lead,
    set_endpoint,
    settings_for,
)

PORTAL = Actor("anchor", "provider")
URL = "https://crm.example.com/leads"

VERBS: dict[str, Callable[[Database, str, str], Any]] = {
    "read": lambda db, id, of: read_webhook_endpoint(db, id, of_provider_id=of),
    "deliveries": lambda db, id, of: deliveries_to(db, id, None, 10, of_provider_id=of),
    "change": lambda db, id, of: change_webhook_endpoint(
        db, id, EndpointAddress(url=URL + "/new"), PORTAL, of_provider_id=of, allow_private=False
    ),
    "pause": lambda db, id, of: pause_webhook_endpoint(db, id, "maintenance", PORTAL, of_provider_id=of),
    "resume": lambda db, id, of: resume_webhook_endpoint(db, id, "all is well", PORTAL, of_provider_id=of),
    "rotate": lambda db, id, of: rotate_webhook_secret(db, box(), id, PORTAL, of_provider_id=of),
    "retire": lambda db, id, of: retire_previous_secret(db, id, PORTAL, of_provider_id=of),
    "test": lambda db, id, of: try_webhook_endpoint(db, box(), id, settings_for(), of_provider_id=of),
    "remove": lambda db, id, of: remove_webhook_endpoint(db, id, PORTAL, of_provider_id=of),
}


@pytest.mark.parametrize("name", VERBS)
def test_anothers_endpoint_is_unknown(database: Database, name: str) -> None:
    open_marketplace(database)
    verb, anchor, bowline = VERBS[name], provider_id(database, ANCHOR), provider_id(database, BOWLINE)
    foreign = set_endpoint(database, "https://127.0.0.1:9/leads", BOWLINE).endpoint_id
    attempt = changes_nothing(database, lambda: refusal(lambda: verb(database, foreign, anchor)))
    assert attempt == refusal(lambda: verb(database, UNKNOWN, anchor)) == "webhook_endpoint_unknown"
    assert verb(database, foreign, bowline) is not None


def test_a_provider_has_one_endpoint_and_its_secret_is_given_once(database: Database) -> None:
    open_marketplace(database)
    anchor = provider_id(database, ANCHOR)

    def create() -> Any:
        return create_webhook_endpoint(database, box(), anchor, URL, None, PORTAL, allow_private=False)

    made = create()
    assert made.secret is not None
    assert changes_nothing(database, lambda: refusal(create)) == "webhook_endpoint_exists"
    [seen] = endpoints_of(database, anchor)
    assert (seen.endpoint.endpoint_id, seen.endpoint.url) == (made.endpoint_id, URL)
    assert endpoints_of(database, provider_id(database, BOWLINE)) == []
    remove_webhook_endpoint(database, made.endpoint_id, PORTAL, of_provider_id=anchor)
    assert create().endpoint_id != made.endpoint_id


def test_what_a_change_does_not_name_stays(database: Database) -> None:
    open_marketplace(database)
    anchor = provider_id(database, ANCHOR)
    made = set_endpoint(database, URL, field_mapping={"mail": "contact_email"})

    def change(address: EndpointAddress, version: str | None = None) -> Any:
        return change_webhook_endpoint(
            database,
            made.endpoint_id,
            address,
            PORTAL,
            of_provider_id=anchor,
            allow_private=False,
            expected_version=version,
        )

    seen = read_webhook_endpoint(database, made.endpoint_id, of_provider_id=anchor)
    assert change(EndpointAddress(url=URL + "/new"), seen.version).took_effect
    again = read_webhook_endpoint(database, made.endpoint_id, of_provider_id=anchor)
    assert (again.endpoint.url, again.endpoint.field_mapping) == (URL + "/new", {"mail": "contact_email"})
    assert refusal(lambda: change(EndpointAddress(field_mapping=None), seen.version)) == "version_conflict"
    assert not change(EndpointAddress(url=URL + "/new"), seen.version).took_effect
    assert change(EndpointAddress(field_mapping=None), again.version).took_effect
    last = read_webhook_endpoint(database, made.endpoint_id, of_provider_id=anchor).endpoint
    assert (last.url, last.field_mapping) == (URL + "/new", None)
    with pytest.raises(BadInput, match="url: must start with https"):
        change(EndpointAddress(url="http://crm.example.com/leads"))
    assert_nothing_personal(database)


def test_an_endpoint_that_became_another_is_not_removed(database: Database) -> None:
    open_marketplace(database)
    anchor, made = provider_id(database, ANCHOR), set_endpoint(database, URL)
    seen = read_webhook_endpoint(database, made.endpoint_id, of_provider_id=anchor)
    set_endpoint(database, URL + "/new")

    def remove(version: str) -> Any:
        return remove_webhook_endpoint(
            database, made.endpoint_id, PORTAL, of_provider_id=anchor, expected_version=version
        )

    assert refusal(lambda: remove(seen.version)) == "version_conflict"
    remove(read_webhook_endpoint(database, made.endpoint_id, of_provider_id=anchor).version)
    assert endpoints_of(database, anchor) == []


def test_deliveries_come_page_by_page_the_newest_first(database: Database) -> None:
    open_marketplace(database)
    anchor, made = provider_id(database, ANCHOR), set_endpoint(database, URL)
    sell_lead(database)
    sell_lead(database)
    ids = [row[0] for row in query(database, "select id::text from notifications where channel = 'webhook' order by 1")]
    first = deliveries_to(database, made.endpoint_id, None, 1, of_provider_id=anchor)
    assert [each.notification_id for each in first.items] == [ids[1]]
    second = deliveries_to(database, made.endpoint_id, first.next_after, 1, of_provider_id=anchor)
    assert [each.notification_id for each in second.items] == [ids[0]]
    assert second.next_after is None
