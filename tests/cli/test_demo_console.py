"""The demo's console: what its pages ask of workers is done, and no email leaves."""

from itertools import islice
from pathlib import Path

import pytest

from fairlead.cli.demo.console import demo_console
from fairlead.cli.demo.history import NO_EMAIL_LEAVES, SENDER
from fairlead.cli.demo.past_changes import demo_marketplace
from fairlead.cli.demo.stream import by_niche, demo_leads
from fairlead.cli.demo.verb import EXAMPLE_PROVIDER
from fairlead.core.permissions import Role
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.exporting.requests import ExportRequest, request_export
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.proving.verifications import request_verification
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.access.people import value
from tests.flows.exporting.exports import ANN
from tests.waiting import wait_until


def test_what_pages_ask_of_workers_is_done_and_no_email_leaves(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", str(tmp_path))
    apply_marketplace(database, demo_marketplace(), SENDER)
    slug, leads = next(iter(by_niche([*islice(demo_leads(7, 0), 1)]).items()))
    submit_leads(database, slug, [each.attributes for each in leads], SENDER, approve=True)
    assert list(distribute_niche(Distributor(database), value(database, "select niche_id::text from leads")))
    with demo_console(database, EXAMPLE_PROVIDER, SENDER, open_browser=False):
        request_verification(database, OPERATOR)
        request_export(database, ExportRequest("ledger"), ANN)
        invite_user(database, "ben@example.com", "Ben", Role.ADMIN, OPERATOR)
        hand_over_emails(database, NO_EMAIL_LEAVES)  # as after each second of the stream
        wait_until(lambda: value(database, "select difference_count from verifications") == 0, "the proof")
        wait_until(lambda: value(database, "select state from exports") == "ready", "the file")
        sent = "select count(*) from notifications where kind = 'user_invited' and last_answer = %s"
        wait_until(lambda: value(database, sent, NO_EMAIL_LEAVES) == 1, "the invitation")
        assert value(database, "select count(*) from workers") == 1
    assert value(database, "select count(*) from workers") == 0
    assert "ben@example.com" not in "".join(capfd.readouterr())
