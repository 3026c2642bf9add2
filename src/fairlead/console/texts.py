"""The catalogues of texts: written in English in code and templates, translated in `locale/LANGUAGE.po`."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

_current: ContextVar[NullTranslations | None] = ContextVar("translations", default=None)


def translated(message: str) -> str:
    """The text in the language of the page that is being written."""
    return translations_of_page().gettext(message)


def translated_count(singular: str, plural: str, count: int) -> str:
    """The form of the text that goes with this number, in the language of the page that is being written."""
    return translations_of_page().ngettext(singular, plural, count)


def noted(message: str) -> str:
    """The text itself, for the catalogue: it is translated where it is shown.

    >>> noted("Leads")
    'Leads'
    """
    return message


def translations_of_page() -> NullTranslations:
    """Those of `writing_in`, English outside of it."""
    return _current.get() or _catalogue("en")


@contextmanager
def writing_in(language: str) -> Generator[None]:
    """Within it every text is in this language."""
    token = _current.set(_catalogue(language))
    try:
        yield
    finally:
        _current.reset(token)


@cache
def _catalogue(language: str) -> NullTranslations:
    """Read from the file that translators write: small, once a process, and no compiled copy that could be stale."""
    source = files("fairlead.console") / "locale" / f"{language}.po"
    if not source.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
