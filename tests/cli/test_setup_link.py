"""The first operator's link: shown on a terminal, made by a verb, and in no log."""

import pytest
from pydantic import SecretStr
from rich.console import Console

from fairlead.cli import output, setup_link
from fairlead.delivery.secret_box import new_secret_key
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.flows.access.people import enrolled_admin

SETTINGS = Settings(encryption_keys=SecretStr(new_secret_key()), public_url="https://leads.example.com")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_server_shows_it_on_a_terminal_and_elsewhere_says_how_to_get_one(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_terminal: bool
) -> None:
    console = Console(force_terminal=is_terminal, highlight=False, width=200)
    monkeypatch.setattr(setup_link, "console", console)
    monkeypatch.setattr(output, "console", console)
    setup_link.show_setup_link(database, SETTINGS, 8000)
    said = capsys.readouterr()
    assert ("https://leads.example.com/setup#" in said.out) is is_terminal
    assert "/setup#" not in said.err
    assert ("fairlead admin setup-link" in said.err) is not is_terminal
    enrolled_admin(database)
    setup_link.show_setup_link(database, SETTINGS, 8000)
    assert capsys.readouterr() == ("", "")
