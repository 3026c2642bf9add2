"""A person is given all that is held of it, nothing of others, and afterwards nothing is left to give."""

import json
from dataclasses import replace

from fairlead.flows.erasure.erase import erase_person
from fairlead.flows.erasure.person_file import person_file
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.erasure.canaries import CANARIES, sent, walk
from tests.flows.intake.senders import send
from tests.flows.sales import audited

ELSEWHERE = {"ip", "user_agent", "answered"}


def test_everything_is_in_it_and_nothing_of_others(database: Database) -> None:
    walked = walk(database)
    other = replace(sent(), details={"contact_name": "Other", "contact_email": "other@example.com"})
    other_id = send(database, other).lead_id
    made = person_file(database, CANARIES["contact_email"], OPERATOR)
    text = json.dumps(made.leads)
    assert made.is_whole
    assert [each["lead_id"] for each in made.leads] == sorted(walked.ids)
    assert [name for name, canary in CANARIES.items() if canary not in text and name not in ELSEWHERE] == []
    assert CANARIES["ip"] in text
    assert other_id not in text
    for lead in made.leads:
        assert [each["name"] for each in lead["received_by"]] == ["Anchor", "Bowline"]
        assert {each["sent_to"] for each in lead["messages"]} >= {"Anchor", "Bowline"}
    [event] = audited(database, "person.disclosed")
    assert event[2] == {"lead_ids": sorted(walked.ids)}


def test_of_an_erased_person_there_is_nothing_to_give(database: Database) -> None:
    walk(database)
    erase_person(database, CANARIES["contact_email"], "consumer_request", OPERATOR)
    assert person_file(database, CANARIES["contact_email"], OPERATOR).leads == []
