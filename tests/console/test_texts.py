"""Every text of the console is in the catalogues, translations fit them, and pages are in the viewer's language."""

import importlib.util
import io
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.console.refusal_texts import refusal_sentence
from fairlead.console.texts import translated, translated_count, writing_in
from fairlead.console.viewer import LANGUAGES, Viewer
from fairlead.core.messages import Names
from fairlead.core.refusals import InsufficientBalance, LevelFull
from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous
from tests.api.permitting import seen
from tests.flows.sales import sell

SCRIPT = Path(__file__).parents[2] / ".ci" / "messages.py"
PLACE = re.compile(r"%\(\w+\)[a-z]|%%|\{\w+\}|</?\w+>")
"""A place for a value, an escaped percent sign, or a tag."""


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _catalog(language: str) -> Catalog:
    return read_po(io.BytesIO(_script().path_of(language).read_bytes()), locale=language, abort_invalid=True)


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _entries(language: str) -> Iterator[tuple[Message, tuple[str, ...], tuple[str, ...]]]:
    """Each entry, its texts and its translations; without those that are not translated."""
    for entry in _catalog(language):
        if entry.id and any(_forms(entry.string)):
            yield entry, _forms(entry.id), _forms(entry.string)


def faults_of(texts: tuple[str, ...], translations: tuple[str, ...], plural_count: int) -> list[str]:
    """What is wrong with the translation of a text, or of a singular and its plural."""
    if len(translations) != (plural_count if len(texts) == 2 else 1) or not all(translations):
        return ["a form is missing"]
    sources = texts if len(texts) == len(translations) else (texts[0], *(texts[-1:] * (len(translations) - 1)))
    return [
        f"places differ: {translation}"
        for source, translation in zip(sources, translations, strict=True)
        if sorted(PLACE.findall(source)) != sorted(PLACE.findall(translation))
    ]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_catalogue_has_every_text_and_no_other(language: str) -> None:
    script = _script()
    written = script.path_of(language).read_bytes()
    assert script.updated(language) == written, "run `python3 dev.py messages`"


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_text_is_translated_and_no_translation_is_a_guess(language: str) -> None:
    missing = [entry.id for entry in _catalog(language) if entry.id and not all(_forms(entry.string))]
    assert missing == [], f"translate them in {_script().path_of(language).name}"
    assert [entry.id for entry in _catalog(language) if entry.fuzzy and entry.id] == []


def test_a_singular_has_one_plural() -> None:
    """The catalogue knows both by the singular alone: the values of the one would be asked for by the other."""
    pairs = {text for text in _script().texts() if isinstance(text, tuple)}
    singulars = [singular for singular, _ in pairs]
    assert sorted({each for each in singulars if singulars.count(each) > 1}) == []


def test_german_says_one_word_for_one_thing() -> None:
    """As docs/reference/german.md has them."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "german.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text(encoding="utf-8").splitlines() if "|" in line]
    terms = {term: stem.casefold() for term, _, stem in rows[2:]}
    assert len(terms) > 10
    wrong = [
        f"{term}: {text} => {translation}"
        for _, texts, translations in _entries("de")
        for text, translation in ((texts[-1], translations[-1]),)
        for term, stem in terms.items()
        if re.search(rf"\b{term}s?\b", PLACE.sub("", text), re.IGNORECASE) and stem not in translation.casefold()
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_translations_fit_their_texts(language: str) -> None:
    plural_count = _catalog(language).num_plurals
    entries = list(_entries(language))
    assert entries
    faults = {texts[0]: found for _, texts, strings in entries if (found := faults_of(texts, strings, plural_count))}
    assert faults == {}
    assert [entry.id for entry, _, _ in entries if entry.fuzzy] == []


def test_what_is_wrong_with_a_translation_is_found() -> None:
    assert faults_of(("Sold to %(name)s",), ("Verkauft an %(name)s",), 2) == []
    assert faults_of(("Sold to %(name)s",), ("Verkauft an %(nam)s",), 2)
    assert faults_of(("Step {step}",), ("Schritt",), 2)
    assert faults_of(("one lead", "%(count)s leads"), ("ein Lead", ""), 2)
    assert faults_of(("one lead", "%(count)s leads"), ("ein Lead", "Leads"), 2)
    assert faults_of(("one lead", "%(count)s leads"), ("ein Lead", "%(count)s Leads"), 2) == []


def test_what_no_translation_is_there_for_is_in_english() -> None:
    with writing_in("de"):
        assert translated("Balance") == "Guthaben"
        assert translated("a text that is in no catalogue") == "a text that is in no catalogue"
        assert translated_count("one text of none", "%(count)s texts of none", 2) == "%(count)s texts of none"
    assert translated("Balance") == "Balance"


def test_a_refusal_has_amounts_and_numbers_as_the_viewer_has_them() -> None:
    german = Viewer("de", Locale.parse("de"), UTC, "UTC", None)
    names = Names({}, "EUR")
    with writing_in("de"):
        told = refusal_sentence(InsufficientBalance(123_450, 200_000), names, german)
        assert told == "Verfügbar 1.234,50\xa0€, diese Stufe kostet 2.000,00\xa0€."
        assert refusal_sentence(LevelFull(1_200, 3), names, german).startswith("Stufe voll: 1.200 davor")


def _login_page(app: FastAPI, accepts: str = "", cookie: str = "") -> str:
    visitor = anonymous(app)
    if cookie:
        visitor.cookies.set("language", cookie, domain="leads.example.com")
    return visitor.get("/login", headers={"Accept": "text/html", "Accept-Language": accepts}).text


def test_the_language_is_the_chosen_one_else_the_browser_s(app: FastAPI) -> None:
    for accepts, cookie, language in (
        ("de-AT,en;q=0.5", "", "de"),
        ("fr,en;q=0.5,de;q=0.4", "", "en"),
        ("fr", "", "en"),
        ("en", "de", "de"),
        ("de", "en", "en"),
        ("de", "tlh", "de"),
    ):
        page = _login_page(app, accepts, cookie)
        assert f'<html lang="{language}" data-locale="{language}' in page, (accepts, cookie)
        assert ("<h1>Anmelden</h1>" in page, "<h1>Log in</h1>" in page) == (language == "de", language == "en")


def test_an_error_is_told_in_the_viewer_s_language(app: FastAPI) -> None:
    page = anonymous(app).get("/nowhere", headers={"Accept": "text/html", "Accept-Language": "de"})
    assert (page.status_code, "<h1>Unter dieser Adresse gibt es nichts</h1>" in page.text) == (404, True)


@pytest.fixture
def ann(app: FastAPI, database: Database) -> TestClient:
    """An operator who reads German."""
    client = an_admin(app, database)
    client.headers["Accept-Language"] = "de-DE"
    return client


def test_a_german_page_is_german_where_code_wrote_it_too(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    page = ann.get(f"/leads/{sale.lead_id}?provider={sale.bowline_id}").text
    assert "<span>Übersicht</span>" in page, "the rail"
    assert ">verteilt</span>" in page, "a status"
    assert "25,00\xa0€" in page
    assert "An 2 Anbieter verkauft für" in page, "what the route writes for the timeline"
    assert re.search(r"schon, von Stufe „\w+“|Verfügbar [\d,]+\xa0€, diese Stufe|Stufe voll: \d+ davor", page), (
        "a refusal"
    )
    assert "Sold to" not in page


def test_names_are_never_read_as_texts(ann: TestClient, database: Database) -> None:
    sell(database)
    with database.transaction() as conn:
        level_ids = [str(row[0]) for row in conn.execute("select id from competition_levels").fetchall()]
    for place, level_id in enumerate(level_ids):
        address = f"/api/v1/admin/levels/{level_id}"
        renamed = ann.patch(address, json={"name": f"100 % <b> {place}"}, headers=seen(ann.get(address)))
        assert renamed.status_code == 200, renamed.text
    page = ann.get("/analytics?niche=hosting")
    assert page.status_code == 200
    assert "100 % &lt;b&gt;" in page.text
    assert "100 % <b>" not in page.text
