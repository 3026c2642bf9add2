"""What the engine refuses with is said in the language of the page, whatever it is that a page can show."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI

from fairlead.api.problem_codes import PROBLEMS
from fairlead.console.operator.dead_letter_words import cause_of
from fairlead.console.problem_answers import in_language
from fairlead.console.problem_words import (
    ENGINE,
    LIBRARY,
    MOST_CHARACTERS,
    NOT_SO,
    problem_sentence,
    sentence_in_language,
    violation_sentence,
)
from fairlead.console.texts import texts_in_context, translated, translated_in_context, writing_in
from fairlead.console.viewer import LANGUAGES
from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, machine

PLACE = re.compile(r"\{(\d)\}")
OTHERS = LANGUAGES[1:]
GERMAN = {"Accept-Language": "de", "Accept": "text/html"}


def _filled(text: str) -> str:
    return PLACE.sub(lambda place: f"X{place[1]}Y", text)


@pytest.mark.parametrize("language", OTHERS)
def test_each_sentence_of_the_engine_finds_its_own_translation(language: str) -> None:
    texts = texts_in_context(ENGINE, language)
    assert len(texts) > 200
    with writing_in(language):
        wrong = [
            text
            for text in texts
            if sentence_in_language(_filled(text)) != _filled(translated_in_context(ENGINE, text))
        ]
        of_library = [text for text in LIBRARY if sentence_in_language(_filled(text)) != _filled(translated(text))]
    assert (wrong, of_library) == ([], [])


@pytest.mark.parametrize("language", OTHERS)
def test_each_code_has_words_for_a_sentence_that_is_in_no_catalogue(language: str) -> None:
    said = "what no catalogue has a sentence for"
    with writing_in(language):
        own = {code: problem_sentence(code, said) for code in PROBLEMS}
        of_input = [violation_sentence(code, said) for code in (*NOT_SO, "a_code_of_its_own")]
    english = {problem_sentence(code, said) for code in PROBLEMS}
    assert english == {said[:1].upper() + said[1:]}
    assert [code for code, kind in PROBLEMS.items() if own[code] == kind.title or said in own[code].casefold()] == []
    assert not {*of_input} & {*NOT_SO.values()}


def test_a_sentence_keeps_its_numbers_and_says_states_in_words() -> None:
    with writing_in("de"):
        assert (
            problem_sentence(
                "bad_lead_share_reached", "7 of the 20 leads of the last 30 days were reported, and at most 6 may be"
            )
            == "7 der 20 Leads der letzten 30 Tage wurden gemeldet, und höchstens 6 dürfen es sein"
        )
        assert sentence_in_language("assignment 0a1b is accepted already") == "die Zuteilung 0a1b ist schon angenommen"


def test_what_a_sender_chose_is_looked_for_within_a_bound() -> None:
    """A sentence with several values takes more than its length to be found, and its values may be sentences again."""
    with writing_in("de"):
        assert sentence_in_language("there is no lead 0a1b") == "es gibt keinen Lead 0a1b"
        assert sentence_in_language("there is no lead " + "x" * MOST_CHARACTERS) is None
        within = sentence_in_language("there is no lead " * 3 + "0a1b")
        assert within == "es gibt keinen Lead es gibt keinen Lead there is no lead 0a1b"


def test_no_problem_is_put_into_words_in_the_event_loop(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_a_thread(problem: Mapping[str, Any], language: str) -> dict[str, Any]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return in_language(problem, language)

    monkeypatch.setattr("fairlead.console.problem_answers.in_language", in_a_thread)
    for method, status in (("GET", 401), ("HEAD", 405)):
        refused = anonymous(app).request(method, "/api/v1/admin/leads", headers=GERMAN)
        assert (refused.status_code, refused.headers["Content-Language"]) == (status, "de")


def test_a_problem_keeps_its_code_its_places_and_what_else_it_has() -> None:
    error = {"location": "body", "pointer": "/name", "code": "missing", "detail": "Field required"}
    said = {"code": "input_invalid", "title": "The input is invalid", "detail": "x", "errors": [error], "more": 1}
    german = in_language(said, "de")
    assert (german["code"], german["more"]) == ("input_invalid", 1)
    assert german["errors"] == [{**error, "detail": "Pflichtfeld"}]
    assert german["title"] == "Die Eingabe ist ungültig"


def test_the_api_says_it_to_pages_in_their_language_and_to_programs_in_english(app: FastAPI) -> None:
    visitor = anonymous(app)
    body = {"email": "ann@example.com", "password": "a wrong password"}
    refused = visitor.post("/api/v1/session", json=body, headers={"Accept-Language": "de"})
    assert (refused.status_code, refused.headers["Content-Language"]) == (401, "de")
    assert refused.json()["detail"].startswith("E-Mail oder Passwort stimmen nicht")
    assert visitor.post("/api/v1/session", json=body).json()["detail"].startswith("the email or the password")
    program = machine(app, "a key that is none")
    refused = program.get("/api/v1/admin/leads", headers={"Accept-Language": "de"})
    assert (refused.status_code, refused.json()["detail"]) == (401, "the API key is not valid")


def test_a_page_says_it_in_its_language(app: FastAPI, database: Database) -> None:
    viewer = an_admin(app, database)
    page = viewer.get("/leads/01900000-0000-7000-8000-000000000000", headers=GERMAN)
    assert page.status_code == 404
    assert "Es gibt keinen Lead 01900000-0000-7000-8000-000000000000" in page.text
    wrong = viewer.get("/analytics?day_from=2026-02-03&day_before=2026-02-01", headers=GERMAN)
    assert "There" not in wrong.text
    assert "must" not in wrong.text


def test_the_cause_of_a_dead_letter_has_words_beside_its_code() -> None:
    refused = cause_of("Refused lead_unknown: there is no lead 0a1b")
    assert (refused.words, refused.error) == ("There is no lead 0a1b", "Refused lead_unknown")
    with writing_in("de"):
        assert cause_of("Refused lead_unknown").words == "Diesen Lead gibt es nicht"
        assert cause_of("Broken: the books are wrong").words.startswith("Was gespeichert ist, stimmt nicht")
    assert cause_of("TimeoutError").words == ""
