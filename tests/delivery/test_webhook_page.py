"""The page for receivers says what is sent, and its code verifies it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from fairlead.core.retries import WEBHOOK_DELAYS_SECONDS
from fairlead.delivery.webhook import new_webhook_secret
from fairlead.delivery.webhook_body import (
    check_field_mapping,
    lead_assigned_body,
    lead_erased_body,
    lead_withdrawn_body,
)
from fairlead.settings import Settings
from tests.delivery.receiver import receiver, says
from tests.delivery.sending import SECRET, send
from tests.delivery.test_webhook_body import ASSIGNED_AT, FACTS

PAGE = (Path(__file__).parents[2] / "docs/reference/webhooks.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_bodies_are_those_that_are_sent() -> None:
    body, withdrawn, erased, mapping, mapped = (json.loads(block) for block in blocks("json"))
    moment = datetime(2026, 3, 5, 8, tzinfo=UTC)
    ids = (FACTS.assignment_id, FACTS.lead_id, FACTS.provider_id)
    assert erased == json.loads(lead_erased_body(*ids, ASSIGNED_AT + timedelta(days=1)))
    assert withdrawn == json.loads(lead_withdrawn_body(FACTS, moment, None))
    assert body == json.loads(lead_assigned_body(FACTS, None))
    assert check_field_mapping(mapping) == []
    assert mapped == json.loads(lead_assigned_body(FACTS, mapping))["data"]


def test_the_code_verifies_what_is_sent_and_nothing_else() -> None:
    [code] = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102
    verified = cast(Callable[[dict[str, str], bytes, str], object], names["verified"])
    sent = lead_assigned_body(FACTS, None)
    with receiver(says(200)) as crm:
        send(crm.url(), body=sent)
    [received] = crm.requests
    assert verified(received.signed_headers(), received.body, SECRET) == json.loads(sent)
    assert verified(received.signed_headers(), received.body.replace(b"gold", b"lead"), SECRET) is None
    assert verified(received.signed_headers(), received.body, new_webhook_secret()) is None


def test_the_numbers_are_those_of_the_code() -> None:
    words = re.sub(r"\s+", " ", PAGE)
    seconds, minutes, half_hour, *rest = WEBHOOK_DELAYS_SECONDS
    *hours, last = (int(delay / 3600) for delay in rest)
    schedule = (
        f"{seconds} seconds, {minutes // 60} minutes, {half_hour // 60} minutes, {', '.join(map(str, hours))} and"
    )
    assert f"after about {schedule} {last} hours" in words
    fields = Settings.model_fields
    timeout, pause = fields["webhook_timeout_seconds"].default, fields["webhook_pause_after_failures"].default
    assert f"`FAIRLEAD_WEBHOOK_TIMEOUT_SECONDS` ({timeout:g})" in words
    assert f"After {pause} deliveries in a row" in words
