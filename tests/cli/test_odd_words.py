"""Words of a command line that no operator types: each verb refuses them in a line, or takes what they stand for."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from fairlead.core.entry.text import composed, escaped_line
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS
from tests.cli.program import Program, Ran
from tests.cli.text_parameters import text_parameters
from tests.flows.access.people import add_admin
from tests.flows.configuration.market import open_market
from tests.flows.marketplaces import everything

ODD = "..."
"""Where the odd word stands."""

PROVIDER, ADMIN, ID = "anchor@example.com", "ann@example.com", "01900000-0000-7000-8000-000000000000"
KIND, WHY = "lead_assigned", "because it was asked for"
FILE, ANSWERS = "leads.csv", "answers.json"

TYPED: dict[str, tuple[str, ...]] = {
    "distribute lead_id": ("distribute", ODD),
    "distribute niche": ("distribute", "--pending", "--niche", ODD),
    "deposit provider": ("deposit", ODD, "500", "--external-id", "42"),
    "deposit external_id": ("deposit", PROVIDER, "500", "--external-id", ODD),
    "deposit made_by": ("deposit", PROVIDER, "500", "--external-id", "42", "--made-by", ODD),
    "payments list provider": ("payments", "list", "--provider", ODD),
    "payments list state": ("payments", "list", "--state", ODD),
    "payments show payment": ("payments", "show", ODD),
    "payments credit doubt_id": ("payments", "credit", ODD, "--memo", WHY),
    "payments credit memo": ("payments", "credit", ID, "--memo", ODD),
    "payments credit provider": ("payments", "credit", ID, "--memo", WHY, "--provider", ODD),
    "payments close doubt_id": ("payments", "close", ODD, "--memo", WHY),
    "payments close memo": ("payments", "close", ID, "--memo", ODD),
    "niches archive slug": ("niches", "archive", ODD),
    "niches archive reason": ("niches", "archive", "hosting", "--reason", ODD),
    "niches restore slug": ("niches", "restore", ODD),
    "niches restore reason": ("niches", "restore", "hosting", "--reason", ODD),
    "postcodes load name": ("postcodes", "load", ANSWERS, "--name", ODD),
    "postcodes renew name": ("postcodes", "renew", ODD),
    "erase lead_id": ("erase", ODD),
    "erase person": ("erase", "--person", ODD),
    "erase reason": ("erase", ID, "--reason", ODD),
    "explain lead_id": ("explain", ODD),
    "explain provider": ("explain", ID, "--provider", ODD),
    "try at": ("try", ANSWERS, "--niche", "hosting", "--at", ODD),
    "try niche": ("try", ANSWERS, "--niche", ODD),
    "verify niche": ("verify", "--niche", ODD),
    "export what": ("export", ODD),
    "export niche": ("export", "ledger", "--niche", ODD),
    "export provider": ("export", "ledger", "--provider", ODD),
    "export month": ("export", "books", "--month", ODD),
    "export day_from": ("export", "ledger", "--from", ODD),
    "export day_before": ("export", "ledger", "--before", ODD),
    "export file_format": ("export", "ledger", "--format", ODD),
    "export filters": ("export", "leads", "--where", ODD),
    "export columns": ("export", "ledger", "--columns", ODD),
    "export timezone": ("export", "report_revenue", "--timezone", ODD),
    "leads import niche": ("leads", "import", FILE, "--niche", ODD),
    "leads import delimiter": ("leads", "import", FILE, "--niche", "hosting", "--delimiter", ODD),
    "leads import encoding": ("leads", "import", FILE, "--niche", "hosting", "--encoding", ODD),
    "leads import mapping": ("leads", "import", FILE, "--niche", "hosting", "--map", ODD),
    "leads import dedupe": ("leads", "import", FILE, "--niche", "hosting", "--dedupe", ODD),
    "leads import ignore": ("leads", "import", FILE, "--niche", "hosting", "--ignore", ODD),
    "leads import sheet": ("leads", "import", FILE, "--niche", "hosting", "--sheet", ODD),
    "leads approve lead_ids": ("leads", "approve", ODD),
    "leads approve niche": ("leads", "approve", "--all", "--niche", ODD),
    "leads list niche": ("leads", "list", "--niche", ODD),
    "leads list status": ("leads", "list", "--status", ODD),
    "jobs list queue": ("jobs", "list", "--queue", ODD),
    "jobs show dead_letter_id": ("jobs", "show", ODD),
    "jobs retry dead_letter_ids": ("jobs", "retry", ODD),
    "jobs retry queue": ("jobs", "retry", "--all", "--queue", ODD),
    "jobs resolve dead_letter_id": ("jobs", "resolve", ODD, "--memo", WHY),
    "jobs resolve memo": ("jobs", "resolve", ID, "--memo", ODD),
    "notifications list state": ("notifications", "list", "--state", ODD),
    "notifications list channel": ("notifications", "list", "--channel", ODD),
    "notifications list provider": ("notifications", "list", "--provider", ODD),
    "notifications show notification_id": ("notifications", "show", ODD),
    "notifications replay notification_ids": ("notifications", "replay", ODD),
    "admin create email": ("admin", "create", ODD),
    "admin create name": ("admin", "create", "ben@example.com", "--name", ODD),
    "admin reset-factor who": ("admin", "reset-factor", ODD),
    "admin disable who": ("admin", "disable", ODD),
    "admin enable who": ("admin", "enable", ODD),
    "keys create name": ("keys", "create", ODD, "--provider", PROVIDER, "--scope", "own:read"),
    "keys create scopes": ("keys", "create", "crm", "--provider", PROVIDER, "--scope", ODD),
    "keys create user": ("keys", "create", "crm", "--user", ODD, "--scope", "intake:write"),
    "keys create provider": ("keys", "create", "crm", "--provider", ODD, "--scope", "own:read"),
    "keys list user": ("keys", "list", "--user", ODD),
    "keys list provider": ("keys", "list", "--provider", ODD),
    "keys revoke key_id": ("keys", "revoke", ODD),
    "templates show kind": ("templates", "show", ODD),
    "templates show part": ("templates", "show", KIND, "--part", ODD),
    "templates edit kind": ("templates", "edit", ODD, "--subject", "New", "--memo", WHY),
    "templates edit memo": ("templates", "edit", KIND, "--subject", "Newer", "--memo", ODD),
    "templates edit subject": ("templates", "edit", KIND, "--subject", ODD, "--memo", WHY),
    "templates preview kind": ("templates", "preview", ODD),
    "templates preview subject": ("templates", "preview", KIND, "--subject", ODD),
    "templates preview part": ("templates", "preview", KIND, "--part", ODD),
    "templates restore kind": ("templates", "restore", ODD),
    "templates show language": ("templates", "show", KIND, "--language", ODD),
    "templates edit language": ("templates", "edit", KIND, "--language", ODD, "--subject", "New", "--memo", WHY),
    "templates preview language": ("templates", "preview", KIND, "--language", ODD),
    "templates restore language": ("templates", "restore", KIND, "--language", ODD),
    "webhooks show provider": ("webhooks", "show", ODD),
    "webhooks set provider": ("webhooks", "set", ODD, "https://crm.example.com/in"),
    "webhooks set url": ("webhooks", "set", PROVIDER, ODD),
    "webhooks set mapping": ("webhooks", "set", PROVIDER, "https://crm.example.com/in", "--map", ODD),
    "webhooks rotate provider": ("webhooks", "rotate", ODD),
    "webhooks pause provider": ("webhooks", "pause", ODD, "--reason", WHY),
    "webhooks pause reason": ("webhooks", "pause", PROVIDER, "--reason", ODD),
    "webhooks resume provider": ("webhooks", "resume", ODD, "--reason", WHY),
    "webhooks resume reason": ("webhooks", "resume", PROVIDER, "--reason", ODD),
    "webhooks remove provider": ("webhooks", "remove", ODD),
    "webhooks test provider": ("webhooks", "test", ODD),
    "webhooks replay provider": ("webhooks", "replay", ODD, "--from", "2026-01-01"),
    "webhooks replay time_from": ("webhooks", "replay", PROVIDER, "--from", ODD),
}
"""Each text of the command line, where it is typed; the other words are right."""

NEVER_TEXT = ("\udcff", "a\udcffb@example.com", "\ud800")
"""What the system hands over where the bytes are no UTF-8."""

UNSEEN = ("a\x9bb", "a\x85b@example.com", "a\u202eb", "\x1b[31mred", "two\nlines", "\u200b", "\u00a0")
TAKEN = [(f"templates {verb} subject", mark) for verb in ("edit", "preview") for mark in ("a\u202eb", "\u200b")]
"""A template in Arabic or Hebrew has marks of direction."""
LOOKALIKE = ("adm\u0131n@example.com", "ADM\u0130N@example.com", "\uff11\uff12", "Ko\u0308ln")
ONE_OF_EACH = ("a\u202eb", "\x1b[31mred", "Ko\u0308ln")
"""What is not seen, what steers a terminal, and what looks like something else: typed in every run of the tests."""


def test_each_text_of_the_command_line_is_played() -> None:
    assert set(text_parameters()) == set(TYPED)


@pytest.fixture
def fairlead(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Program:
    """The program in a marketplace with an operator, and a file of leads where it is called."""
    open_market(database)
    add_admin(database, ADMIN)
    (tmp_path / FILE).write_text("cores,region\n8,north\n", encoding="utf-8")
    (tmp_path / ANSWERS).write_text('{"cores": 8}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRLEAD_ENCRYPTION_KEYS", SECRET_KEYS)
    return Program(monkeypatch, capsys, database_url)


def call(fairlead: Program, parameter: str, odd: str) -> Ran:
    return fairlead(*(odd if word == ODD else word for word in TYPED[parameter]))


def test_bytes_that_are_no_text_are_refused_before_anything_is_asked(fairlead: Program, database: Database) -> None:
    before = everything(database)
    for parameter, odd in itertools.product(TYPED, NEVER_TEXT):
        ran = call(fairlead, parameter, odd)
        assert (ran.status, ran.out) == (2, ""), parameter
        assert ran.err.startswith("error: word "), parameter
        assert "is not UTF-8 text" in ran.err
        assert (ran.err.count("\n"), ran.err.isascii()) == (1, True), ran.err
    for words in (("apply", "market\udcff.toml"), ("leads", "import", "\udcff.csv", "--niche", "hosting"), ("\udcff",)):
        ran = fairlead(*words)
        assert (ran.status, ran.err.count("\n")) == (2, 1), ran.err
    assert everything(database) == before


@pytest.mark.parametrize(
    "odd_words",
    [
        pytest.param(ONE_OF_EACH, id="one of each"),
        pytest.param(
            [odd for odd in (*UNSEEN, *LOOKALIKE) if odd not in ONE_OF_EACH], id="the others", marks=pytest.mark.slow
        ),
    ],
)
@pytest.mark.parametrize("verb", sorted({typed[0] for typed in TYPED.values()}))
def test_an_odd_word_is_refused_in_lines_or_taken_for_what_it_stands_for(
    fairlead: Program, database: Database, verb: str, odd_words: Sequence[str]
) -> None:
    for parameter in (each for each in TYPED if each.split()[0] == verb):
        for odd in odd_words:
            ran = call(fairlead, parameter, odd)
            assert ran.status in (0, 1, 2), (parameter, odd, ran.err)
            assert "internal error" not in ran.err, (parameter, odd, ran.err)
            assert "Traceback" not in ran.err, (parameter, odd, ran.err)
            if odd in UNSEEN and (parameter, odd) not in TAKEN:
                assert ran.status in (1, 2), (parameter, odd, ran.out)
                assert all(line == escaped_line(line) for line in ran.err.rstrip("\n").split("\n")), (
                    parameter,
                    odd,
                    ran.err,
                )
                assert ran.err.startswith(("error: ", "Usage: ")), (parameter, odd, ran.err)
    rows = [row for table in everything(database).values() for row in table]
    assert [row for row in rows if row != composed(row)] == []
    assert [row for row in rows if any(each in row for each in ("\x9b", "\x85", "\x1b"))] == []


def test_an_address_is_found_however_it_is_written(fairlead: Program, database: Database) -> None:
    assert fairlead("admin", "create", "jo\u0308rg@M\u00fcller.example").status == 0
    for written in ("J\u00d6RG@xn--mller-kva.example", " j\u00f6rg@mu\u0308ller.example\u00a0"):
        assert fairlead("keys", "create", "site", "--user", written, "--scope", "intake:write").status == 0
    for written in ("Anchor@EXAMPLE.com", "anchor@example\u3002com"):
        for words in (("keys", "list", "--provider"), ("notifications", "list", "--provider")):
            assert fairlead(*words, written).status == 0, written
    assert fairlead("keys", "list", "--provider", "anch\u0131r@example.com").status == 1
