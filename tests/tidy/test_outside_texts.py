"""Every text that comes from outside is of a kind of the one room, or stands on a reviewed list with its reason."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import fairlead.api.application as application
from fairlead.api.shapes import values
from fairlead.core.entry import types as kinds
from fairlead.flows.declaring import declaration

ROOM = tuple(value for value in vars(kinds).values() if inspect.isclass(value) and value.__module__ == kinds.__name__)

CLOSED = {
    "slug": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "currency": "^[A-Z]{3}$",
    "region": "^[A-Z]{2}$",
    "id": "[0-9a-fA-F]{8}-",
}
"""Kinds that are written in a few characters of ASCII alone, by the beginning of their pattern."""


def models() -> Iterator[type[BaseModel]]:
    assert application.web_application
    found = [values.Asked]
    for each in found:
        found += [sub for sub in each.__subclasses__() if sub not in found]
    yield from sorted((each for each in found if each is not values.Asked), key=lambda each: each.__qualname__)
    yield from sorted(
        (
            each
            for each in vars(declaration).values()
            if inspect.isclass(each) and issubclass(each, BaseModel) and each.__module__ == declaration.__name__
        ),
        key=lambda each: each.__qualname__,
    )


def texts(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """What stands beside each `str` in the annotation."""
    if annotation is str:
        yield metadata
    elif get_origin(annotation) is Annotated:
        inner, *beside = get_args(annotation)
        yield from texts(inner, (*beside, *metadata))
    elif inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return
    else:
        for argument in get_args(annotation):
            yield from texts(argument, metadata)


def flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        yield each
        if isinstance(each, FieldInfo):
            yield from each.metadata


def is_of_a_kind(metadata: tuple[Any, ...]) -> bool:
    beside = list(flat(metadata))
    if any(isinstance(each, ROOM) for each in beside):
        return True
    patterns = [str(getattr(each, "pattern", "") or "") for each in beside]
    return any(pattern.lstrip("^").startswith(begin.lstrip("^")) for pattern in patterns for begin in CLOSED.values())


def loose_texts() -> set[str]:
    return {
        f"{model.__name__}.{name}"
        for model in models()
        for name, field in model.model_fields.items()
        for metadata in texts(field.annotation, tuple(field.metadata))
        if not is_of_a_kind(metadata)
    }


BY_THE_FLOW = "the flow makes it canonical by the room, and says what is wrong with it"
SECRET = "compared whole, never shown, never stored as it is"
EXACT = "kept as it was sent, word by word"

REVIEWED = {
    "contact_name": BY_THE_FLOW,
    "contact_email": BY_THE_FLOW,
    "contact_phone": BY_THE_FLOW,
    "referrer": BY_THE_FLOW,
    "utm_campaign": BY_THE_FLOW,
    "utm_medium": BY_THE_FLOW,
    "utm_source": BY_THE_FLOW,
    "attributes": "composed and checked by the form of the niche",
    "email": BY_THE_FLOW,
    "field_key": "one of the keys of a form",
    "key": "a key of a form: ASCII",
    "label": "composed and checked with its form",
    "options": "composed and checked with their form",
    "any_of": "names of fields: ASCII",
    "contact": "searched for by its key, never stored",
    "search": "searched for, never stored",
    "password": SECRET,
    "current_password": SECRET,
    "new_password": SECRET,
    "proof": SECRET,
    "code": SECRET,
    "token": SECRET,
    "html": "a template, checked as one",
    "subject": "a template, checked as one",
    "text": "a template, checked as one; a consent, " + EXACT,
    "timezone": "one of the names of time zones",
    "url": "checked as the address of a webhook",
    "field_mapping": "checked as names of fields",
    "certificate_url": "checked as an address of a page",
    "source_url": "checked as an address of a page",
    "ip": "checked as an address",
    "user_agent": EXACT,
}
"""Fields of no kind of the room, by name, each with why."""


def test_every_text_from_outside_is_of_a_kind_or_reviewed() -> None:
    loose = {text for text in loose_texts() if not text.startswith("Loose.")}
    assert {text for text in loose if text.partition(".")[2] not in REVIEWED} == set()
    assert set(REVIEWED) == {text.partition(".")[2] for text in loose}, "the list holds nothing that is gone"


class Loose(values.Asked):
    """As a careless engineer would write it."""

    words: str | None = None


def test_a_text_of_no_kind_is_found() -> None:
    assert "Loose.words" in loose_texts()


@pytest.mark.parametrize("name", ["Name", "Email", "LedgerMemo", "Memo"])
def test_kinds_of_the_room_are_recognised(name: str) -> None:
    assert all(map(is_of_a_kind, texts(getattr(kinds, name))))
