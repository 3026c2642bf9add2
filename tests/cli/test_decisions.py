"""`fairlead distribute`, `try`, `explain` and `verify`, and how the program ends when something is wrong."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.decide import decide
from fairlead.core.errors import Unavailable
from fairlead.core.model import Lead
from fairlead.flows import distribute as flow
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.declaring.declaration import parse_declaration
from fairlead.flows.distributor import Distributed, Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import POLICY, rows_by_hand
from tests.cli.program import Program

MARKETPLACE = """
[[niche]]
slug = "vps"
name = "VPS"
field = [{ key = "cores", label = "Cores", type = "number", required = true }]
level = [
    { name = "exclusive", price_cents = 5000, max_recipients = 1, order_position = 1 },
    { name = "shared", price_cents = 1000, max_recipients = 2, order_position = 2 },
]

[[provider]]
email = "rich@example.com"
name = "Rich"
deposit = [{ external_id = "r", amount_cents = 100000 }]
subscription = [{ niche = "vps", level = "exclusive" }, { niche = "vps", level = "shared" }]

[[provider]]
email = "picky@example.com"
name = "Picky"
deposit = [{ external_id = "p", amount_cents = 100000 }]
subscription = [{ niche = "vps", level = "shared", filter = [{ field_key = "cores", operator = "gte", value = 8 }] }]

[[provider]]
email = "poor@example.com"
name = "Poor"
deposit = [{ external_id = "o", amount_cents = 1500 }]
subscription = [{ niche = "vps", level = "shared" }]
"""


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace of two levels and three providers, with no lead yet."""
    apply_marketplace(database, parse_declaration(MARKETPLACE), OPERATOR)
    return Program(monkeypatch, capsys, database_url)


def test_a_lead_is_distributed_explained_and_proven(fairlead: Program, database: Database) -> None:
    [lead_id] = submit_leads(database, "vps", [{"cores": 4}], OPERATOR, approve=True)

    distributed = fairlead("distribute", "--pending")
    assert distributed.status == 0, distributed
    assert "1 leads decided" in distributed.out
    assert "2 assignments, 60.00 EUR charged" in distributed.out

    story = fairlead("explain", lead_id).out
    assert "The rotation started at position 1; the next lead starts at 2." in story
    assert "1. Rich, paid from 1,000.00 EUR" in story
    assert "1 more: provider has the lead from another level (already_recipient)" in story
    assert "1 more: filter does not take this lead (filter_mismatch)" in story

    rich = fairlead("explain", lead_id, "--provider", "rich@example.com").out
    assert "received the lead for 50.00 EUR" in rich
    assert "shared: The provider had this lead already, from level `exclusive`. (already_recipient)" in rich
    picky = fairlead("explain", lead_id, "--provider", "picky@example.com", "--json").json
    assert [(level["level_name"], level["reason"]) for level in picky["levels"]] == [("shared", "filter_mismatch")]
    assert picky["levels"][0]["sentence"] == "Filter: `Cores` is 4, they take 8 or more."

    proven = fairlead("verify", "--json").json
    assert proven["holds"]
    assert all(check["holds"] for check in proven["checks"])


def test_distributing_again_changes_nothing_and_says_so(fairlead: Program, database: Database) -> None:
    [lead_id] = submit_leads(database, "vps", [{"cores": 4}], OPERATOR, approve=True)
    first = fairlead("distribute", lead_id, "--json").json
    second = fairlead("distribute", lead_id, "--json").json
    assert not first.pop("was_decided_before")
    assert second.pop("was_decided_before")
    assert first == second
    assert first["assignments_created"] == 2
    assert "No lead awaits a decision." in fairlead("distribute", "--pending").out


@pytest.mark.parametrize("words", [(), ("--pending",)])
def test_what_was_decided_by_hand_leaves_no_job_behind(
    words: tuple[str, ...], fairlead: Program, database: Database
) -> None:
    [lead_id] = submit_leads(database, "vps", [{"cores": 4}], OPERATOR, approve=True)
    for _ in range(2):  # the second time there is nothing to decide
        assert fairlead("distribute", *(words or (lead_id,))).status == 0
        [distribute] = [
            queue for queue in fairlead("status", "--json").json["work"]["queues"] if queue["queue"] == "distribute"
        ]
        assert (distribute["ready_jobs"], distribute["scheduled_jobs"]) == (0, 0)


def test_the_reason_is_that_of_the_decision_not_of_the_subscription_today(
    fairlead: Program, database: Database
) -> None:
    first, second = submit_leads(database, "vps", [{"cores": 4}, {"cores": 4}], OPERATOR, approve=True)
    fairlead("distribute", "--pending")
    later = """
    [[provider]]
    email = "picky@example.com"
    subscription = [{ niche = "vps", level = "shared", filter = [] }]
    [[provider]]
    email = "poor@example.com"
    deposit = [{ external_id = "o2", amount_cents = 50000 }]
    """
    apply_marketplace(database, parse_declaration(later), OPERATOR)

    then = fairlead("explain", second, "--provider", "picky@example.com").out
    assert "shared: Filter: `Cores` is 4, they take 8 or more. (filter_mismatch)" in then
    poor = fairlead("explain", second, "--provider", "poor@example.com").out
    assert "shared: The subscription was off, because funds did not suffice. (subscription_inactive)" in poor
    assert "received the lead for 10.00 EUR" in fairlead("explain", first, "--provider", "poor@example.com").out


def test_an_unsold_lead_can_be_tried_again(fairlead: Program, database: Database) -> None:
    suspended = "\n".join(
        f'[[provider]]\nemail = "{name}@example.com"\nstatus = "suspended"' for name in ("rich", "picky", "poor")
    )
    apply_marketplace(database, parse_declaration(suspended), OPERATOR)
    [lead_id] = submit_leads(database, "vps", [{"cores": 4}], OPERATOR, approve=True)
    assert fairlead("distribute", lead_id, "--json").json["last_attempt_status"] == "no_eligible"
    apply_marketplace(database, parse_declaration(suspended.replace("suspended", "active")), OPERATOR)
    again = fairlead("distribute", lead_id, "--json").json
    assert (again["last_attempt_status"], again["distribution_attempts"]) == ("success", 2)
    story = fairlead("explain", lead_id).out
    assert "Decision 1" in story
    assert "Decision 2" in story


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (("distribute",), 2, "error: say which: one LEAD_ID, or --pending for all that wait"),
        (("distribute", "x"), 2, "error: 'x' is no lead id"),
        (("distribute", "01900000-0000-7000-8000-000000000000"), 1, "error: there is no lead 01900000"),
        (("distribute", "--pending", "--niche", "nowhere"), 1, "error: there is no niche 'nowhere'"),
        (("explain", "01900000-0000-7000-8000-000000000000"), 1, "error: there is no lead 01900000"),
        (("explain", "x"), 2, "error: 'x' is no lead id"),
        (("verify",), 1, "error: nothing was verified: no lead has been decided here yet"),
        (("verify", "--niche", "nowhere"), 1, "error: there is no niche 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    fairlead: Program, words: tuple[str, ...], status: int, line: str
) -> None:
    result = fairlead(*words)
    assert result.status == status
    assert result.err.startswith(line)
    assert len(result.err.strip().splitlines()) == 1
    assert not result.out


def test_leads_that_are_not_approved_are_not_sold(fairlead: Program, database: Database) -> None:
    [lead_id] = submit_leads(database, "vps", [{"cores": 4}], OPERATOR, approve=False)
    refused = fairlead("distribute", lead_id)
    assert refused.status == 1
    assert "it is not approved yet" in refused.err
    told = fairlead("explain", lead_id)
    assert "It was never decided" in told.out
    provider = fairlead("explain", lead_id, "--provider", "rich@example.com")
    assert (provider.status, "was never decided" in provider.err) == (1, True)


def test_json_is_json_for_programs(fairlead: Program, database: Database) -> None:
    [lead_id] = submit_leads(database, "vps", [{"cores": 16}], OPERATOR, approve=True)
    summary = fairlead("distribute", "--pending", "--json").json
    assert summary["outcomes"] == {"success": 1, "partial": 0, "no_eligible": 0, "failed": 0}
    assert summary["revenue_cents"] == 7000
    story = fairlead("explain", lead_id, "--json").json
    assert story["decisions"][0]["outcome"] == "success"
    json.dumps(story)


def test_verify_ends_with_one_when_a_row_is_wrong(
    damaged_database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    apply_marketplace(damaged_database, parse_declaration(MARKETPLACE), OPERATOR)
    submit_leads(damaged_database, "vps", [{"cores": 4}], OPERATOR, approve=True)
    program = Program(monkeypatch, capsys, database_url)
    program("distribute", "--pending")
    with damaged_database.transaction() as conn:
        conn.execute("update providers set balance_cents = balance_cents + 1 where name = 'Rich'")
    found = program("verify")
    assert found.status == 1
    assert "BAD         3  every balance is its ledger's sum" in found.out
    assert "1 checks FAILED" in found.out


TWO_NICHES = """
[[niche]]
slug = "aaa"
name = "First"
level = [{ name = "only", price_cents = 1000, max_recipients = 1, order_position = 1 }]

[[niche]]
slug = "zzz"
name = "Last"
level = [{ name = "only", price_cents = 1000, max_recipients = 1, order_position = 1 }]

[[provider]]
email = "rich@example.com"
subscription = [{ niche = "aaa", level = "only" }, { niche = "zzz", level = "only" }]
"""


@pytest.fixture
def two_niches(fairlead: Program, database: Database) -> Program:
    """The program on a marketplace whose niches `aaa` and `zzz` have two approved leads each."""
    apply_marketplace(database, parse_declaration(TWO_NICHES), OPERATOR)
    for slug in ("aaa", "zzz"):
        submit_leads(database, slug, [{}, {}], OPERATOR, approve=True)
    return fairlead


def happens_after(monkeypatch: pytest.MonkeyPatch, calls: int, event: Callable[[], object]) -> None:
    """Leads are decided one at a time, and the event happens before every call but the first `calls`."""
    real = Distributor.distribute_waiting
    done = count()

    def distribute_waiting(self: Distributor, niche_id: str, only_lead_id: str | None = None) -> Distributed:
        if next(done) >= calls:
            event()
        return real(self, niche_id, only_lead_id)

    monkeypatch.setenv("FAIRLEAD_MAX_LEADS_PER_BATCH", "1")
    monkeypatch.setattr(Distributor, "distribute_waiting", distribute_waiting)


def test_a_niche_that_is_switched_off_meanwhile_holds_up_no_other(
    two_niches: Program, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = parse_declaration('[[niche]]\nslug = "aaa"\nactive = false')
    happens_after(monkeypatch, 1, lambda: apply_marketplace(database, off, OPERATOR))
    ran = two_niches("distribute", "--pending")
    assert (ran.status, ran.err) == (0, "")
    assert "aaa is inactive: its 1 leads wait" in ran.out
    assert "3 leads decided" in ran.out
    summary = two_niches("distribute", "--pending", "--json").json
    assert (summary["leads_decided"], summary["inactive_niches_with_waiting_leads"]) == (0, ["aaa"])


@pytest.mark.parametrize("decided", [0, 3])
def test_what_was_done_is_shown_when_the_database_goes_away(
    two_niches: Program, monkeypatch: pytest.MonkeyPatch, decided: int
) -> None:
    def away() -> None:
        raise Unavailable("the database went away")

    # The third call finds the first niche empty.
    happens_after(monkeypatch, decided + (decided > 2), away)
    ran = two_niches("distribute", "--pending")
    assert (ran.status, ran.err) == (1, "error: the database went away\n")
    assert f"{decided} leads decided" in ran.out
    assert f"{decided} assignments, {decided * 10}.00 EUR charged" in ran.out or not decided
    assert "No lead awaits" not in ran.out


def test_the_summary_is_json_also_when_the_database_goes_away(
    two_niches: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unavailable("the database went away")

    happens_after(monkeypatch, 1, away)
    ran = two_niches("distribute", "--pending", "--json")
    assert (ran.status, ran.err) == (1, "error: the database went away\n")
    assert (ran.json["leads_decided"], ran.json["revenue_cents"]) == (1, 1000)


def test_why_a_lead_failed_is_said(fairlead: Program, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("two\nlines")

    [lead_id] = submit_leads(database, "vps", [{"cores": 4}], OPERATOR, approve=True)
    with monkeypatch.context() as patched:
        patched.setattr(flow, "record", broken)
        ran = fairlead("distribute", lead_id)
        assert ran.status == 1
        assert f"{lead_id}: failed, 0 recipients\n" in ran.out
        assert "\n  ValueError: two lines\n" in ran.out
        again = fairlead("distribute", lead_id, "--json")
    assert (again.status, again.json["last_attempt_status"], again.json["error"]) == (
        1,
        "failed",
        "ValueError: two lines",
    )
    healed = fairlead("distribute", lead_id, "--json")
    assert (healed.status, healed.json["last_attempt_status"], healed.json["error"]) == (0, "success", None)


def test_an_interrupted_distribution_ends_quietly(two_niches: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    happens_after(monkeypatch, 1, interrupt)
    ran = two_niches("distribute", "--pending")
    assert (ran.status, ran.out, ran.err) == (130, "", "")


@rows_by_hand(POLICY)
def test_leads_not_asked_for_and_leads_that_failed_before_are_distributed_by_hand(
    fairlead: Program, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as conn:
        conn.execute("update niches set auto_distribute = false")
    leads = submit_leads(database, "vps", [{"cores": 4}] * 3, OPERATOR, approve=True)

    def fail_once(roster: Any, lead: Lead, *rest: Any) -> Any:
        if lead.lead_id == leads[1]:
            raise ArithmeticError("a lead that no test thought of")
        return decide(roster, lead, *rest)

    monkeypatch.setattr("fairlead.core.batch.decide", fail_once)
    result = fairlead("distribute", "--pending", "--json")
    assert (result.status, result.json["outcomes"]["failed"], result.json["leads_decided"]) == (1, 1, 3)
    assert "The last run failed: ArithmeticError." in fairlead("explain", leads[1]).out
    assert fairlead("explain", leads[1], "--json").json["last_attempt_status"] == "failed"

    monkeypatch.setattr("fairlead.core.batch.decide", decide)
    assert fairlead("distribute", "--pending", "--json").json["leads_decided"] == 1
    with database.snapshot() as conn:
        left = conn.execute("select payload ->> 'lead_id' from jobs where queue = 'distribute'")
        assert left.fetchall() == []


def test_a_lead_is_tried_without_any_effect(fairlead: Program, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text('{"cores": 2}', encoding="utf-8")
    told = fairlead("try", str(answers), "--niche", "vps")
    assert told.status == 0, told.err
    assert "1. Rich, paid from 1,000.00 EUR" in told.out
    assert "Nothing was written, and no turn has moved." in told.out
    answered = fairlead("try", str(answers), "--niche", "vps", "--json").json
    assert (answered["outcome"], answered["charged_cents"]) == ("success", 6000)
    assert [level["level_name"] for level in answered["levels"]] == ["exclusive", "shared"]
    assert fairlead("leads", "list", "--json").out.strip() in ("", "[]")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no JSON"),
        ("[1]", "must be one JSON object"),
        ('{"cores": "many"}', "attributes.cores: Cores: must be a number"),
        ("{}", "attributes.cores: Cores is required"),
        ('{"cores": 1e999}', "attributes.cores"),
        ('{"cores": {"a": [1]}}', "attributes.cores"),
        ('{"cores": 4, "\\ud800": 1}', "the form has no field"),
    ],
)
def test_answers_that_cannot_be_tried_are_one_line(
    fairlead: Program, tmp_path: Path, text: str, complaint: str
) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(text, encoding="utf-8")
    told = fairlead("try", str(answers), "--niche", "vps")
    assert told.status not in (0, 70), told
    assert complaint in told.err
    assert fairlead("try", str(tmp_path / "none.json"), "--niche", "vps").err.startswith("error: cannot read")
