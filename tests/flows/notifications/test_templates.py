"""Operators make messages their own, see them first, and can always go back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.core.permissions import Role
from fairlead.delivery.template_variables import KINDS
from fairlead.delivery.templates import Template, default_template
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.access.own_language import change_own_language
from fairlead.flows.configuration.providers import ProviderChange, change_provider
from fairlead.flows.notifications import templates as flow
from fairlead.flows.notifications.templates import (
    SavedTemplate,
    list_templates,
    preview_template,
    restore_template,
    save_template,
    show_template,
    template_versions,
)
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.stage import (
    ANCHOR,
    BOWLINE,
    assert_nothing_personal,
    open_marketplace,
    query,
    sell_lead,
    settings_for,
    states,
    work_off,
)

OURS = Template(
    "lead_assigned",
    "New: {{ niche_name }}",
    "<p>Hello {{ provider_name }}, lead {{ lead_id }}</p>",
    "Hello {{ provider_name }}, lead {{ lead_id }}",
)
# Asks of an answer what no answer has.
FRAGILE = replace(OURS, subject="{% if attributes %}{{ attributes[1][1].missing }}{% else %}x{% endif %}")


def subjects_to(inbox: Inbox, address: str) -> list[str]:
    received = zip(inbox.messages, inbox.recipients, strict=True)
    return [str(message["Subject"]) for message, recipient in received if recipient == address]


def test_an_edit_is_a_version_that_messages_are_written_with(database: Database) -> None:
    open_marketplace(database)
    assert [used.version for used in list_templates(database)] == [None] * (2 * len(KINDS) - 1)
    assert save_template(database, OURS, "our tone", OPERATOR) == SavedTemplate("lead_assigned", 1, True)
    assert save_template(database, OURS, "again", OPERATOR) == SavedTemplate("lead_assigned", 1, False)
    used = show_template(database, "lead_assigned")
    assert (used.template, used.version, used.is_default, used.changed_by) == (OURS, 1, False, "operator")
    sell_lead(database)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
    assert "New: Hosting" in subjects_to(inbox, ANCHOR)
    events = query(database, "select entity_id, old, new, memo from audit_log where action = 'template.saved'")
    english = {"language": "en"}
    assert events == [
        (
            "lead_assigned",
            {**english, "version": None, "is_default": True},
            {**english, "version": 1, "is_default": False},
            "our tone",
        )
    ]


def test_going_back_is_a_version_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    second = replace(OURS, subject="Second {{ niche_name }}")
    save_template(database, OURS, "one", OPERATOR)
    save_template(database, second, "two", OPERATOR)
    assert restore_template(database, "lead_assigned", 1, OPERATOR) == SavedTemplate("lead_assigned", 3, True)
    assert show_template(database, "lead_assigned").template == OURS
    assert restore_template(database, "lead_assigned", None, OPERATOR) == SavedTemplate("lead_assigned", 4, True)
    assert restore_template(database, "lead_assigned", None, OPERATOR) == SavedTemplate("lead_assigned", 4, False)
    used = show_template(database, "lead_assigned")
    assert (used.template, used.version, used.is_default) == (default_template("lead_assigned"), 4, True)
    # A later release's default takes effect without an operator doing anything.
    improved = replace(default_template("lead_assigned"), subject="Improved")
    monkeypatch.setattr(flow, "default_template", lambda kind, language: improved)
    assert show_template(database, "lead_assigned").template.subject == "Improved"
    monkeypatch.undo()
    assert show_template(database, "lead_assigned", 2).template == second
    history = [(each.version, each.memo) for each in template_versions(database, "lead_assigned")]
    assert history == [(4, "restored the default"), (3, "restored version 1"), (2, "two"), (1, "one")]


def test_a_template_that_cannot_work_is_refused_with_every_reason(database: Database) -> None:
    bad = replace(OURS, subject="{{ nobody }}", html="{% if %}", text=" ")
    for attempt in (lambda: preview_template(bad), lambda: save_template(database, bad, "x", OPERATOR)):
        with pytest.raises(BadInput) as caught:
            attempt()
        places = {problem.split(":")[0].split(",")[0] for problem in caught.value.problems}
        assert places == {"subject", "html", "text"}
    with pytest.raises(BadInput, match="memo: must be one line"):
        save_template(database, OURS, " ", OPERATOR)
    for verb in (
        lambda: show_template(database, "gossip"),
        lambda: show_template(database, "lead_assigned", 9),
        lambda: restore_template(database, "lead_assigned", 9, OPERATOR),
        lambda: restore_template(database, "gossip", None, OPERATOR),
        lambda: template_versions(database, "gossip"),
    ):
        with pytest.raises(Refused) as caught:
            verb()
        assert caught.value.code == "template_unknown"
    assert query(database, "select count(*) from notification_templates") == [(0,)]


def test_a_preview_shows_no_real_data() -> None:
    rendered = preview_template(OURS)
    assert rendered.subject == "New: Heat pumps"
    assert "Example Services Ltd" in rendered.text


def test_many_editors_at_once_make_versions_without_gaps(database: Database) -> None:
    def edit(number: int) -> int | None:
        return save_template(database, replace(OURS, subject=f"Number {number}"), "x", OPERATOR).version

    with ThreadPoolExecutor(6) as pool:
        versions = list(pool.map(edit, range(12)))
    assert sorted(version for version in versions if version is not None) == list(range(1, 13))


def test_a_template_that_fails_on_a_real_lead_falls_back_and_operators_are_told_once(database: Database) -> None:
    open_marketplace(database)
    with database.transaction() as conn:  # as if an older release had let it pass
        conn.execute(
            """
            insert into notification_templates
                (kind, language, version, subject, html, body_text, created_at, created_by)
            values ('lead_assigned', 'en', 1, %s, %s, %s, now(), 'operator')
            """,
            (FRAGILE.subject, FRAGILE.html, FRAGILE.text),
        )
    inbox = Inbox()
    with mail_server(inbox) as port:
        for _ in range(2):
            sell_lead(database)
            work_off(database, settings_for(port))
    mails = subjects_to(inbox, ANCHOR)
    assert len([subject for subject in mails if "Hosting" in subject]) == 2
    assert states(database) == ["sent"] * len(states(database))
    alerts = query(database, "select detail -> 'lines' from notifications where kind = 'operator_alert'")
    assert len(alerts) == 1
    assert "Template lead_assigned version 1: subject" in str(alerts)
    assert_nothing_personal(database)
    # Another version that fails is another thing to be told of.
    with database.transaction() as conn:
        conn.execute(
            """
            insert into notification_templates
                (kind, language, version, subject, html, body_text, created_at, created_by)
            select kind, language, 2, subject, html, body_text, created_at, created_by from notification_templates
            """
        )
    with mail_server(Inbox()) as port:
        sell_lead(database)
        work_off(database, settings_for(port))
    assert len(states(database, "operator_alert")) == 2


def test_a_provider_and_its_users_are_written_to_in_the_language_that_was_chosen(database: Database) -> None:
    open_marketplace(database)
    anchor = provider_id(database, ANCHOR)
    change_provider(database, anchor, ProviderChange(language="de"), OPERATOR)
    invited = invite_user(database, "sam@anchor.example", "Sam", Role.PROVIDER, OPERATOR, provider_id=anchor)
    inbox = Inbox()
    with mail_server(inbox) as port:
        sell_lead(database)
        work_off(database, settings_for(port, public_url="https://leads.example.com"))
        change_own_language(database, invited.user_id, "en", OPERATOR)
        invite_user(database, "sam@anchor.example", "Sam", Role.PROVIDER, OPERATOR, provider_id=anchor)
        work_off(database, settings_for(port, public_url="https://leads.example.com"))
    assert subjects_to(inbox, ANCHOR) == ["Neuer Lead: Hosting, gold"]
    assert subjects_to(inbox, BOWLINE)[0] == "New lead: Hosting, silver"
    assert subjects_to(inbox, "sam@anchor.example") == [
        "Legen Sie Ihr Passwort fest und melden Sie sich an",
        "Set your password and log in",
    ]


def test_operators_have_templates_of_their_own_for_each_language(database: Database) -> None:
    open_marketplace(database)
    german = replace(OURS, subject="Ein Lead: {{ niche_name }}", language="de")
    assert save_template(database, german, "our tone", OPERATOR) == SavedTemplate("lead_assigned", 1, True)
    assert show_template(database, "lead_assigned").is_default
    assert show_template(database, "lead_assigned", language="de").template == german
    change_provider(database, provider_id(database, ANCHOR), ProviderChange(language="de"), OPERATOR)
    inbox = Inbox()
    with mail_server(inbox) as port:
        sell_lead(database)
        work_off(database, settings_for(port))
    assert subjects_to(inbox, ANCHOR) == ["Ein Lead: Hosting"]
    assert subjects_to(inbox, BOWLINE)[0] == "New lead: Hosting, silver"
    with pytest.raises(Refused) as refused:
        show_template(database, "operator_alert", language="de")
    assert refused.value.code == "template_unknown"
